"""Existence: what is there is asked once, before anything runs, and by the engine's own rules of names."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from typing import Any

import pytest
from conformance.shop import Shop

from understudy.adapters.registry import open_adapter
from understudy.app import ready
from understudy.core.relation import SchemaName

STATE = ("--state", "prod-artifacts")
MODELS = {
    "a": "{{ config(materialized='table') }} select 'prod' as origin",
    "b": "{{ config(schema='marts') }} select * from {{ ref('a') }}",
    "c": "select b.origin from {{ ref('b') }} b cross join {{ ref('a') }} a",
}


@pytest.fixture
def production(shop: Shop) -> Shop:
    """Production is built, in two schemas; the schemas of dev are empty."""
    shop.models(**MODELS).ok("run", "--target", "prod")
    shutil.move(shop.root / "target", shop.root / "prod-artifacts")
    return shop


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[SchemaName]]:
    """What was listed before the run, a list for each time."""
    calls: list[list[SchemaName]] = []

    class Connection:
        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def relations(self, schemas: Iterable[SchemaName]) -> Any:
            calls.append(sorted(schemas, key=str))
            return self._connection.relations(calls[-1])

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

    def opened(*args: Any) -> Any:
        adapter: Any = open_adapter(*args)
        connect = adapter.connect
        adapter.connect = lambda: Connection(connect())
        return adapter

    monkeypatch.setattr(ready, "open_adapter", opened)
    return calls


def schemas(call: list[SchemaName]) -> set[str]:
    return {name.schema for name in call}


class TestListing:
    """One listing for all schemas, and none where nothing hangs on it."""

    def test_all_schemas_at_once(self, production: Shop, asked: list[list[SchemaName]]) -> None:
        production.ok("compile", "-s", "c", "--defer", *STATE)
        (call,) = asked
        assert schemas(call) == {"dev", "dev_marts", "prod", "prod_marts"}

    def test_what_is_favored_is_looked_for_only_where_the_state_has_it(
        self, production: Shop, asked: list[list[SchemaName]]
    ) -> None:
        production.ok("compile", "-s", "c", "--defer", "--favor-state", *STATE)
        assert [schemas(call) for call in asked] == [{"prod", "prod_marts"}]

    @pytest.mark.parametrize("options", [(), STATE, ("--defer", "--favor-state", "--no-verify-state", *STATE)])
    def test_nothing_is_asked_without_need(
        self, production: Shop, asked: list[list[SchemaName]], options: tuple[str, ...]
    ) -> None:
        production.ok("compile", "-s", "c", *options)
        assert asked == []

    def test_what_is_built_is_not_asked_for(self, production: Shop, asked: list[list[SchemaName]]) -> None:
        production.ok("run", "--defer", *STATE)
        assert "prod" not in {name for call in asked for name in schemas(call)}


class TestNames:
    """A name that is written in another case, quoted or not, is found as the engine finds it."""

    @pytest.mark.parametrize(
        ("alias", "quoted"),
        [
            pytest.param(
                "Mixed", True, marks=pytest.mark.never("spark", raises=AssertionError, reason="names are folded")
            ),
            ("Mixed", False),
            ("plain", True),
            ("plain", False),
        ],
    )
    def test_case(self, shop: Shop, alias: str, quoted: bool) -> None:
        quoting = f"quoting: {{identifier: {quoted}, schema: {quoted}}}"
        project = f"name: shop\nversion: '1.0'\nprofile: shop\n{quoting}\n"
        shop.write({"dbt_project.yml": project})
        config = f"{{{{ config(materialized='table', alias='{alias}') }}}}"
        shop.models(a=f"{config} select 'prod' as origin", b="select * from {{ ref('a') }}").ok(
            "run", "--target", "prod"
        )
        shutil.move(shop.root / "target", shop.root / "prod-artifacts")
        shop.ok("run", "-s", "b", "--defer", *STATE)
        assert shop.rows("b") == [("prod",)]
        shop.models(a=f"{config} select 'dev' as origin").ok("run", "-s", "a")
        shop.ok("run", "-s", "b", "--defer", *STATE)
        assert shop.rows("b") == [("dev",)]
        assert set(shop.kinds()) == {"b", alias if quoted or shop.warehouse.name == "duckdb" else alias.lower()}
