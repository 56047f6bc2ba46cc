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
