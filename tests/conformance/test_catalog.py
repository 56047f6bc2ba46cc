"""`docs generate`: the catalog tells what the engine holds, under the names and in the order in which it holds it."""

from __future__ import annotations

import json
from typing import Any

from conformance.shop import Shop

KINDS = {
    "a": "{{ config(materialized='table') }} select 1 as id, 'x' as name",
    "b": "select id as key from {{ ref('a') }}",
    "c": "{{ config(materialized='ephemeral') }} select 1 as id",
    "d": "select id from {{ ref('c') }}",
}


def catalog(shop: Shop) -> dict[str, Any]:
    """`catalog.json` as it was written."""
    found: dict[str, Any] = json.loads((shop.root / "target" / "catalog.json").read_text())
    return found


class TestCatalog:
    """What stands in the database, by unique_id."""

    def test_relations_and_their_columns(self, shop: Shop) -> None:
        shop.models(**KINDS).ok("run")
        shop.ok("docs", "generate")
        found = catalog(shop)
        assert found["errors"] is None
        assert {
            unique_id.rpartition(".")[2]: list(table["columns"]) for unique_id, table in found["nodes"].items()
        } == {
            "a": ["id", "name"],
            "b": ["key"],
            "d": ["id"],
        }
        for name in ("a", "b", "d"):
            table = found["nodes"][f"model.shop.{name}"]
            assert table["metadata"]["name"] == name
            assert ("view" in table["metadata"]["type"].lower()) == (shop.kinds()[name] == "view")
            assert [column["index"] for column in table["columns"].values()] == [*range(1, len(table["columns"]) + 1)]
            assert all(column["type"] for column in table["columns"].values())

    def test_what_was_not_built_is_not_told(self, shop: Shop) -> None:
        shop.models(**KINDS).ok("run", "--select", "a")
        shop.ok("docs", "generate")
        assert [unique_id.rpartition(".")[2] for unique_id in catalog(shop)["nodes"]] == ["a"]

    def test_another_schema_where_a_state_stands_in(self, shop: Shop) -> None:
        assert shop.models(**KINDS).run("run", "--target", "prod", "--target-path", "prod-artifacts").exit_code == 0
        shop.ok("docs", "generate", "--defer", "--state", "prod-artifacts")
        nodes = catalog(shop)["nodes"]
        assert {table["metadata"]["schema"] for table in nodes.values()} == {"prod"}
        assert len(nodes) == 3
