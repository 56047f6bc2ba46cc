"""The built-in macros say what dbt's say: `dbt_texts.json` holds what dbt 1.11 with dbt-duckdb rendered for each call.

White space is compared for what stands in compiled SQL, functions and tests. The node's relation is "memory"."dev"."a".
Recorded by tests/differential/oracle_macros.py, as are the names of dbt's macros.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.engine import model, renderer

from understudy.adapters.duckdb.adapter import DuckDBAdapter
from understudy.adapters.duckdb.profile import Profile
from understudy.execute.database import LiveDatabase, RelationCache
from understudy.sql.dialect import dialect
from understudy.stdlib import crossdb
from understudy.stdlib.registry import BUILTINS, builtin_macros

TEXTS: dict[str, str] = json.loads((Path(__file__).parent / "dbt_texts.json").read_text())


@pytest.mark.parametrize("call", TEXTS)
def test_a_macro_says_what_dbts_says(call: str) -> None:
    adapter = DuckDBAdapter(Profile(), "")
    database = LiveDatabase(adapter.connect, RelationCache(dialect("duckdb")), dialect("duckdb"))
    session = renderer(flags={"FULL_REFRESH": False, "STORE_FAILURES": False}).session(
        model("a"), None, database=database
    )
    said = session.render(f"{{{{ {call} }}}}")
    assert said == TEXTS[call] if in_compiled_sql(call) else bare(said) == bare(TEXTS[call])


def in_compiled_sql(call: str) -> bool:
    name = call.removeprefix("dbt.").partition("(")[0]
    return name in crossdb.MACROS or name.startswith(("test_", "current_timestamp"))


def bare(text: str) -> str:
    return "".join(text.split())


def test_every_macro_has_an_entry_in_the_manifest() -> None:
    entries = builtin_macros()
    assert {entry.name for entry in entries.values()} == set(BUILTINS)
    entry = entries["macro.dbt.test_unique"]
    assert (entry.package_name, entry.unique_id) == ("dbt", "macro.dbt.test_unique")
    assert entry.macro_sql.startswith("{#")


def test_every_dispatched_macro_has_an_implementation() -> None:
    """A name that only dispatches, and finds nothing on any engine, would be a trap."""
    prefixes = ("default__", "duckdb__", "postgres__", "spark__")
    lonely = [
        name
        for name, macro in BUILTINS.items()
        if macro.__qualname__.startswith("_dispatcher") and not any(prefix + name in BUILTINS for prefix in prefixes)
    ]
    assert lonely == []
