"""Public packages with their own integration tests as projects, where somebody has them: none of their files are ours.

UNDERSTUDY_PACKAGES names a folder with checkouts: `dbt_utils` (1.3.x) and `dbt_date` (0.10.x), each with `integration_tests`.
Without it there are no such projects, and no tests of them.
"""

from __future__ import annotations

import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

PACKAGES = ("dbt_utils", "dbt_date")
FLAG = "state_modified_compare_more_unrendered_values: true"
PROFILES = """\
integration_tests:
  target: dev
  outputs:
    dev: {type: duckdb, path: warehouse.duckdb, schema: main, threads: 1}
"""


def checkouts() -> dict[str, Path]:
    """Package -> its checkout, for those that are there."""
    folder = os.environ.get("UNDERSTUDY_PACKAGES")
    if not folder:
        return {}
    return {name: Path(folder, name) for name in PACKAGES if Path(folder, name, "integration_tests").is_dir()}


def prepared(checkout: Path, root: Path) -> Path:
    """The package's integration tests as a root project on DuckDB, with the package below `local_packages`."""
    shutil.copytree(checkout / "integration_tests", root)
    ignored = shutil.ignore_patterns("integration_tests", ".*", "docs")
    shutil.copytree(checkout, root / "local_packages" / checkout.name, ignore=ignored)
    (root / "packages.yml").write_text(f"packages:\n  - local: local_packages/{checkout.name}\n")
    (root / "package-lock.yml").unlink(missing_ok=True)
    (root / "profiles.yml").write_text(PROFILES)
    (root / "asked").write_text(f"{datetime.now(UTC):%Y-%m-%dT%H}")  # their models ask the clock: answers age
    project = root / "dbt_project.yml"
    text = project.read_text()
    flags = re.search(r"^flags:\n( +)", text, re.MULTILINE)
    indent = flags.group(1) if flags else "  "
    rest = text.replace("flags:\n", "", 1) if flags else f"{text}\n"
    at = flags.start() if flags else len(rest)
    project.write_text(f"{rest[:at]}flags:\n{indent}{FLAG}\n{rest[at:]}")
    return root
