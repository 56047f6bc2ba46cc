"""dbt's answers about the projects of tests/projects, asked once per content and kept under .cache/."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = ROOT / "tests/projects"
CACHE = ROOT / ".cache/oracle"
IGNORED = {"target", "logs", "dbt_packages", "__pycache__"}


def digest(project: Path) -> str:
    """A digest over the project's files, the scripts that ask, and the locked dbt."""
    asked = [
        *(Path(__file__).with_name(name) for name in ("oracle.py", "every_method.py")),
        ROOT / "requirements/dbt.txt",
    ]
    home = ROOT if project.is_relative_to(ROOT) else project
    files = [path for path in sorted(project.rglob("*")) if path.is_file() and not IGNORED & set(path.parts)]
    found = hashlib.sha256()
    for path in [*asked, *files]:
        name = path.relative_to(ROOT if path in asked else home)
        found.update(str(name).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:20]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process asks; the others wait for its answer."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ask(project: Path, oracle_bin: Path) -> Mapping[str, Any]:
    """What `oracle.py` finds out about a project."""
    kept = CACHE / f"{project.name}-{digest(project)}.json"
    with locked(kept.with_suffix(".lock")):
        if not kept.exists():
            clean = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
            with tempfile.TemporaryDirectory() as scratch:
                answer = Path(scratch, "answer.json")
                command = [
                    str(oracle_bin / "python"),
                    str(Path(__file__).with_name("oracle.py")),
                    str(project),
                    str(answer),
                ]
                ran = subprocess.run(command, env=clean, capture_output=True, text=True, check=False)
                assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
                kept.with_suffix(".part").write_bytes(answer.read_bytes())
                kept.with_suffix(".part").rename(kept)
        found: Mapping[str, Any] = json.loads(kept.read_text())
        return found
