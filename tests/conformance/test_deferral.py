"""Deferral: which relation a reference reads, what exists, and what may not be read."""

from __future__ import annotations

import json
import shutil

import pytest
from conformance.shop import Shop

MODELS = {
    "a": "{{ config(materialized='table') }} select 'prod' as origin",
    "b": "{{ config(materialized='table') }} select * from {{ ref('a') }}",
    "c": "select 'c of ' || origin as origin from {{ ref('b') }}",
}
STATE = ("--state", "prod-artifacts")


@pytest.fixture
def production(shop: Shop) -> Shop:
    """Production is built; what is built from now on says that it comes from dev. The schema dev is empty."""
    shop.models(**MODELS).ok("run", "--target", "prod")
    shutil.move(shop.root / "target", shop.root / "prod-artifacts")
    return shop.models(a=MODELS["a"].replace("'prod'", "'dev'"))


def origins(shop: Shop, name: str) -> list[str]:
    return [row[0] for row in shop.rows(name)]


class TestRule:
    """The rows of the rule; their numbers are those of the documentation."""

    def test_row_3_what_is_built_is_its_own(self, production: Shop) -> None:
        production.ok("run", "-s", "a", "b", "--defer", "--favor-state", *STATE)
        assert origins(production, "b") == ["dev"]

    def test_row_4_what_no_state_has_is_its_own(self, production: Shop) -> None:
        production.models(new="select 'new' as origin", d="select * from {{ ref('new') }}").ok("run", "-s", "new")
        production.ok("run", "-s", "d", "--defer", *STATE)
        assert origins(production, "d") == ["new"]

    def test_row_5_the_state_is_favored(self, production: Shop) -> None:
        production.ok("run", "-s", "a")
        production.ok("run", "-s", "b", "--defer", "--favor-state", *STATE)
        assert origins(production, "b") == ["prod"]

    def test_row_6_what_exists_is_read(self, production: Shop) -> None:
        production.ok("run", "-s", "a")
        production.ok("run", "-s", "b", "--defer", *STATE)
        assert origins(production, "b") == ["dev"]

    def test_row_7_production_stands_in(self, production: Shop) -> None:
        production.ok("run", "-s", "c", "--defer", *STATE)
        assert production.kinds() == {"c": "view"}
        assert origins(production, "c") == ["c of prod"]

    def test_row_8_nothing_is_built(self, production: Shop) -> None:
        production.ok("compile", "-s", "a", "b", "--defer", *STATE)
        compiled = (production.root / "target/compiled/shop/models/b.sql").read_text()
        assert "prod" in compiled
        assert "dev" not in compiled


class TestNames:
    """The state's names are taken as they are."""

    @pytest.mark.never("spark", raises=AssertionError, reason="names of relations are letters of ASCII, digits and _")
    def test_odd_names(self, shop: Shop) -> None:
        odd = "{{ config(materialized='table', alias='Odd \"Name\" x', schema='Of Its Own') }} select 1 as id"
        shop.models(a=odd, b="select * from {{ ref('a') }}").ok("run", "--target", "prod")
        shutil.move(shop.root / "target", shop.root / "prod-artifacts")
        shop.ok("run", "-s", "b", "--defer", *STATE)
        assert shop.rows("b") == [(1,)]


class TestMissing:
    """What is not where the state says is told before anything runs."""

    def test_a_relation_is_gone(self, production: Shop) -> None:
        production.warehouse.query("drop view prod.c")
        production.warehouse.query("drop table prod.b")
        ran = production.run("run", "-s", "c", "--defer", *STATE)
        assert ran.exit_code == 2
        assert "model.shop.b" in ran.err
        assert "are not there, though the state says so" in ran.err
        assert production.kinds() == {}

    def test_a_schema_is_gone(self, production: Shop) -> None:
        production.warehouse.query("drop schema prod cascade")
        ran = production.run("run", "-s", "c", "--defer", *STATE)
        assert (ran.exit_code, "are not there" in ran.err) == (2, True)

    def test_another_database(self, production: Shop) -> None:
        manifest = production.root / "prod-artifacts/manifest.json"
        state = json.loads(manifest.read_text())
        for node in state["nodes"].values():
            node["database"] = "elsewhere"
        manifest.write_text(json.dumps(state))
        one_only = production.warehouse.name == "postgres"
        told = (
            "are in another database, and postgres reads no other than"
            if one_only
            else "elsewhere.prod could not be listed"
        )
        for options in ((), ("--no-verify-state",)):
            ran = production.run("run", "-s", "c", "--defer", *options, *STATE)
            if options and not one_only:  # nobody looked, so it is the statement that fails
                assert ran.exit_code == 1
            else:
                assert (ran.exit_code, told in ran.err) == (2, True), ran.err
                assert production.kinds() == {}


@pytest.mark.never("duckdb", "spark", raises=NotImplementedError, reason="no roles")
class TestRights:
    """A role that may read production, and one that may not."""

    def test_who_may_read_defers(self, production: Shop) -> None:
        fields = production.warehouse.reader("prod")
        production.as_somebody(fields).ok("run", "-s", "c", "--defer", *STATE)
        assert origins(production, "c") == ["c of prod"]

    def test_who_may_not_use_the_schema_is_told_before_the_run(self, production: Shop) -> None:
        fields = production.warehouse.reader()
        ran = production.as_somebody(fields).run("run", "-s", "c", "--defer", *STATE)
        assert ran.exit_code == 2
        assert "Deferral error" in ran.err
        assert "permission denied for schema prod" in ran.err
        assert production.kinds() == {}

    def test_who_may_not_read_a_table_is_told_before_the_run(self, production: Shop) -> None:
        fields = production.warehouse.reader("prod")
        production.warehouse.query("revoke select on prod.b from shop_reader")
        ran = production.as_somebody(fields).run("run", "-s", "c", "--defer", *STATE)
        assert ran.exit_code == 2
        assert "may not be read" in ran.err
        assert "prod.b" in ran.err
        assert production.kinds() == {}
