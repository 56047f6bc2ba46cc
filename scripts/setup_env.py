"""Make the virtual environment of a lock file, unless it is there already.

    python scripts/setup_env.py dev     .venv: the package (editable) and its tools, from requirements/dev.txt
    python scripts/setup_env.py dbt     .venv-dbt: dbt 1.11, the tests' oracle, from requirements/dbt.txt
    python scripts/setup_env.py iceberg .venv-iceberg: Spark 3.5 with Iceberg and pytest, from requirements/iceberg.txt

Needs Python >= 3.11 with pip, nothing else; where uv is on the PATH, it installs (faster). A stamp in the environment
holds the digest of all that went into it, so a second call does nothing and a changed lock makes it anew. Two calls at
once wait for each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"dev": ".venv", "dbt": ".venv-dbt", "iceberg": ".venv-iceberg"}


def main(name: str) -> None:
    venv = ROOT / FOLDERS[name]
    stamp = venv / ".understudy-stamp"
    with (ROOT / ".setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = digest(name)
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        print(f"Setting up {venv.name} from requirements/{name}.txt (once; takes a minute) ...", flush=True)
        create(venv)
        # The lock is complete, so nothing has to be resolved (and pip wants no hash for `package[extra]`).
        install(venv, "--no-deps", "--require-hashes", "-r", str(ROOT / "requirements" / f"{name}.txt"))
        if name == "dev":
            install(venv, "--no-deps", "--no-build-isolation", "-e", str(ROOT))
        stamp.write_text(wanted)


def digest(name: str) -> str:
    """What the environment is made of: the lock, the interpreter, the folder (scripts hold its path), our metadata."""
    parts = [(ROOT / "requirements" / f"{name}.txt").read_text(), sys.version, sys.executable, str(ROOT)]
    if name == "dev":
        metadata = tomllib.loads((ROOT / "pyproject.toml").read_text())
        parts.append(json.dumps([metadata["build-system"], metadata["project"]], sort_keys=True))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def create(venv: Path) -> None:
    """An empty environment without pip: uv or the pip of this interpreter installs from outside."""
    shutil.rmtree(venv, ignore_errors=True)
    run([sys.executable, "-m", "venv", "--without-pip", str(venv)])


def install(venv: Path, *what: str) -> None:
    """Install into `venv` with uv; without uv, or where it fails (an index that only pip knows of), with pip."""
    python = str(venv / "bin" / "python")
    if uv := shutil.which("uv"):
        quiet = ["--quiet", "--compile-bytecode"]
        if subprocess.run([uv, "pip", "install", *quiet, "--python", python, *what]).returncode == 0:
            return
        print("uv could not install the packages; trying pip", flush=True)
    if importlib.util.find_spec("pip") is None:
        sys.exit(f"{sys.executable} has no pip: `{sys.executable} -m ensurepip`, or your system's package python3-pip")
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    run([sys.executable, "-m", "pip", "--python", python, "install", *quiet, *what])


def run(command: list[str]) -> None:
    # A pip that was told by the environment to install elsewhere (PIP_USER, PIP_TARGET ...) would miss the venv.
    misleading = {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PYTHONHOME"}
    environment = {key: value for key, value in os.environ.items() if key not in misleading}
    if (code := subprocess.run(command, env=environment).returncode) != 0:
        sys.exit(f"set-up failed, the reason stands above (code {code}): {' '.join(command)}")


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - here is where it is checked
        sys.exit(f"understudy needs Python 3.11 or later; this is {sys.version.split()[0]}")
    if len(sys.argv) != 2 or sys.argv[1] not in FOLDERS:
        sys.exit(f"usage: setup_env.py {'|'.join(FOLDERS)}")
    main(sys.argv[1])
