"""What a step of tests/projects/histories has left, in a form that two runs at different times share."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

TODAY = datetime(2025, 1, 1)
"""The project's own times are earlier; later ones are those of the run."""
DIGEST = re.compile(r"[0-9a-f]{32}")


def read_steps(root: Path) -> list[str]:
    """The commands of steps.txt, without the program's name."""
    return [line for line in (root / "steps.txt").read_text().splitlines() if line.strip()]


def after_step(root: Path) -> dict[str, Any]:
    """The results of the last run, and every table and view with its rows."""
    results = json.loads((root / "target/run_results.json").read_text())["results"]
    return {
        "results": {each["unique_id"]: facts(each) for each in results},
        "tables": tables(root / "histories.duckdb"),
    }


def facts(result: dict[str, Any]) -> dict[str, Any]:
    """What both engines say alike of a node."""
    return {key: result.get(key) for key in ("status", "message", "failures", "batch_results")}


def tables(path: Path) -> dict[str, Any]:
    """Columns, types and rows by relation. A moment of the run becomes its number among those of its table, and so does a
    digest, which may be of such a moment.
    """
    import duckdb

    found = {}
    with duckdb.connect(str(path)) as connection:
        names = connection.execute(
            "select table_schema, table_name from information_schema.tables where table_catalog = 'histories' order by 1, 2"
        ).fetchall()
        for schema, name in names:
            quoted = name.replace('"', '""')
            cursor = connection.execute(f'select * from "{schema}"."{quoted}"')
            columns = [[column[0], str(column[1])] for column in cursor.description]
            rows = cursor.fetchall()
            moments = sorted({value for row in rows for value in row if _is_now(value)})
            shown = [[_shown(value, moments) for value in row] for row in rows]
            found[f"{schema}.{name}"] = {"columns": columns, "rows": sorted(shown)}
    return found


def _is_now(value: Any) -> bool:
    return isinstance(value, datetime) and TODAY < value.replace(tzinfo=None) < datetime(9000, 1, 1)


def _shown(value: Any, moments: list[Any]) -> str:
    if _is_now(value):
        return f"now {moments.index(value) + 1}"
    return "digest" if isinstance(value, str) and DIGEST.fullmatch(value) else str(value)
