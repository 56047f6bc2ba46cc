"""The names of the context answer as dbt's: `dbt_context.json` holds what dbt 1.11 with dbt-duckdb gave for each expression.

Recorded by tests/differential/oracle_macros.py. The node is a model `a` in database `memory`, schema `dev`.
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

ANSWERS: dict[str, str] = json.loads((Path(__file__).parent / "dbt_context.json").read_text())


@pytest.fixture(scope="module")
def database() -> LiveDatabase:
    return LiveDatabase(DuckDBAdapter(Profile(), "").connect, RelationCache(dialect("duckdb")), dialect("duckdb"))


@pytest.mark.parametrize("expression", ANSWERS)
def test_an_expression_gives_what_dbts_gives(expression: str, database: LiveDatabase) -> None:
    session = renderer(flags={"FULL_REFRESH": False}).session(model("a"), None, database=database)
    assert session.render(f"{{{{ {expression} }}}}") == ANSWERS[expression]
