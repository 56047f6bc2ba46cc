"""Contracts: columns and types that a model promises."""

from __future__ import annotations

import pytest
from conformance.shop import Shop

PROMISE = """
models:
  - name: a
    config: {contract: {enforced: true}}
    columns:
      - {name: id, data_type: integer, constraints: [{type: not_null}]}
      - {name: name, data_type: varchar(20)}
"""


class TestContract:
    """One model with a contract."""

    @pytest.mark.parametrize("kind", ["view", "table", "incremental"])
    def test_it_is_kept(self, shop: Shop, kind: str) -> None:
        sql = f"{{{{ config(materialized='{kind}') }}}} select cast('x' as varchar(20)) as name, 1 as id"
        shop.write({"models/p.yml": PROMISE}).models(a=sql).ok("run")
        assert shop.rows("a", "id, name") == [(1, "x")]
        shop.ok("run")

    @pytest.mark.parametrize("kind", ["view", "table", "incremental"])
    def test_it_is_broken(self, shop: Shop, kind: str) -> None:
        sql = f"{{{{ config(materialized='{kind}') }}}} select cast('x' as varchar(20)) as id, 1 as other"
        message = shop.write({"models/p.yml": PROMISE}).models(a=sql).fails("run")["a"]["message"]
        assert "This model has an enforced contract that failed" in message
        for words in ("data type mismatch", "missing in definition", "missing in contract"):
            assert words in message
        assert shop.kinds() == {}

    @pytest.mark.never("spark", raises=AssertionError, reason="parquet tables have no constraints")
    def test_a_constraint_is_enforced(self, shop: Shop) -> None:
        sql = "{{ config(materialized='table') }} select cast(null as integer) as id, cast('x' as varchar(20)) as name"
        shop.write({"models/p.yml": PROMISE}).models(a=sql).fails("run")
        assert shop.kinds() == {}

    def test_a_foreign_key(self, shop: Shop) -> None:
        promise = """
        models:
          - name: parent
            config: {materialized: table, contract: {enforced: true}}
            columns: [{name: id, data_type: integer, constraints: [{type: primary_key}]}]
          - name: child
            config: {materialized: table, contract: {enforced: true}}
            columns:
              - name: parent_id
                data_type: integer
                constraints: [{type: foreign_key, to: ref('parent'), to_columns: [id]}]
        """
        shop.write({"models/p.yml": promise}).models(
            parent="select 1 as id", child="select 1 as parent_id -- depends_on: {{ ref('parent') }}"
        ).ok("run")
        assert shop.rows("child") == [(1,)]


def promise(*constraints: str, column: str = "", **config: str) -> str:
    """Properties of a model `m` (id, name) with constraints of the table, and one of the column `id`."""
    more = "".join(f", {name}: {value}" for name, value in config.items())
    return f"""
    models:
      - name: m
        config: {{materialized: table, contract: {{enforced: true}}{more}}}
        constraints: [{", ".join(constraints)}]
        columns:
          - {{name: id, data_type: integer, constraints: [{column}]}}
          - {{name: name, data_type: varchar(20)}}
    """


def rows(*values: str) -> str:
    """A query for rows of (id, name), written as SQL."""
    selects = (
        f"select cast({each.split(',')[0]} as integer) as id, cast({each.split(',')[1]} as varchar(20)) as name"
        for each in values
    )
    return " union all ".join(selects)


@pytest.mark.never("spark", "iceberg", raises=AssertionError, reason="tables of these formats have no constraints")
class TestConstraints:
    """What the engine itself refuses: then the old table stands."""

    @pytest.mark.parametrize(
        ("constraint", "wrong"),
        [
            ("{type: not_null, columns: [name]}", rows("1, null")),
            ("{type: unique, columns: [id]}", rows("1, 'a'", "1, 'b'")),
            ("{type: unique, columns: [id, name]}", rows("1, 'a'", "1, 'a'")),
            ("{type: primary_key, columns: [id]}", rows("1, 'a'", "1, 'b'")),
            ("{type: primary_key, columns: [id, name]}", rows("1, null")),
            ("{type: check, expression: 'id > 0'}", rows("0, 'a'")),
            ("{type: check, name: positive, expression: 'id > 0 and name <> id::varchar'}", rows("5, '5'")),
        ],
    )
    @pytest.mark.parametrize("kind", ["table", "incremental"])
    def test_of_the_table(self, shop: Shop, constraint: str, wrong: str, kind: str) -> None:
        if "not_null" in constraint:
            properties = promise().replace(
                "data_type: varchar(20)", "data_type: varchar(20), constraints: [{type: not_null}]"
            )
        else:
            properties = promise(constraint)
        self.holds(shop, properties.replace("materialized: table", f"materialized: {kind}"), wrong, kind)

    @pytest.mark.parametrize(
        ("constraint", "wrong"),
        [
            ("{type: not_null}", rows("null, 'a'")),
            ("{type: unique}", rows("1, 'a'", "1, 'b'")),
            ("{type: primary_key}", rows("null, 'a'")),
            ("{type: check, expression: 'id > 0'}", rows("-1, 'a'")),
        ],
    )
    def test_of_a_column(self, shop: Shop, constraint: str, wrong: str) -> None:
        self.holds(shop, promise(column=constraint), wrong, "table")

    def holds(self, shop: Shop, properties: str, wrong: str, kind: str) -> None:
        """Rows that keep the constraint are taken, others are not, in a full refresh and, where there is one, without."""
        shop.write({"models/m.yml": properties}).models(m=rows("1, 'a'", "2, 'b'")).ok("run")
        result = shop.models(m=wrong).fails("run", "--full-refresh")["m"]
        assert result["status"] == "error"
        assert shop.rows("m") == [(1, "a"), (2, "b")]
        if kind == "incremental":
            shop.fails("run")
            assert shop.rows("m") == [(1, "a"), (2, "b")]
        assert shop.kinds() == {"m": "table"}


class TestConstraintsThatAreNotEnforced:
    """Constraints that an engine, or a materialization, does not have are warned of, as the config says."""

    CUSTOM = "{type: custom, expression: 'anything'}"

    def test_of_a_view(self, shop: Shop) -> None:
        properties = promise(column="{type: not_null}").replace("materialized: table", "materialized: view")
        ran = shop.write({"models/m.yml": properties}).models(m=rows("null, 'a'")).run("run")
        assert ran.exit_code == 0, ran.err
        assert "view" in ran.err
        assert "constraint" in ran.err.lower()

    def test_nobody_wants_to_know(self, shop: Shop) -> None:
        quiet = "{type: not_null, warn_unsupported: false, warn_unenforced: false}"
        properties = promise(column=quiet).replace("materialized: table", "materialized: view")
        ran = shop.write({"models/m.yml": properties}).models(m=rows("null, 'a'")).run("run")
        assert ran.exit_code == 0, ran.err
        assert "constraint" not in ran.err.lower()


class TestNumbers:
    """A type that does not say how many digits it keeps."""

    @pytest.mark.parametrize(("kind", "warned"), [("numeric", True), ("decimal", True), ("numeric(9, 2)", False)])
    def test_it_is_warned_of(self, shop: Shop, kind: str, warned: bool) -> None:
        properties = promise().replace("data_type: integer", f"data_type: '{kind}'")
        sql = f"select cast(1 as {kind}) as id, cast('a' as varchar(20)) as name"
        ran = shop.write({"models/m.yml": properties}).models(m=sql).run("run")
        assert ran.exit_code == 0, ran.err
        assert ("unspecified precision/scale" in ran.err) is warned
