"""`persist_docs`: descriptions in the engine's own catalog."""

from __future__ import annotations

import pytest
from conformance.shop import Shop

TRICKY = 'it\'s "quoted", 100 %; -- no comment /* at */ all\\n\nand {{ "a new line" }}: ß $body$'
RENDERED = 'it\'s "quoted", 100 %; -- no comment /* at */ all\\n\nand a new line: ß $body$'


def yaml_text(text: str) -> str:
    """A text in YAML's double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def described(relation: str, column: str, kind: str = "models", config: str = "", name: str = "m") -> str:
    """Properties with descriptions that are to be persisted."""
    return f"""
    {kind}:
      - name: {name}
        description: {yaml_text(relation)}
        config: {{persist_docs: {{relation: true, columns: true}}{", " + config if config else ""}}}
        columns:
          - {{name: id, description: {yaml_text(column)}}}
          - {{name: Odd name, quote: true, description: odd}}
    """


def comments(shop: Shop, name: str) -> tuple[str | None, dict[str, str | None]]:
    """The comment of a relation, and those of its columns."""
    query = shop.warehouse.query
    match shop.warehouse.name:
        case "duckdb":
            where = f"where schema_name = 'dev' and table_name = '{name}'"
            ((relation,),) = query(
                f"select comment from duckdb_tables() {where} union all "
                f"select comment from duckdb_views() {where.replace('table_name', 'view_name')}"
            )
            return relation, dict(query(f"select column_name, comment from duckdb_columns() {where}"))
        case "postgres":
            ((relation,),) = query(f"select obj_description('dev.\"{name}\"'::regclass)")
            sql = f"select attname, col_description(attrelid, attnum) from pg_attribute where attrelid = 'dev.\"{name}\"'::regclass"
            return relation, dict(query(f"{sql} and attnum > 0 and not attisdropped"))
        case _:
            rows = query(f"describe table extended {shop.warehouse.table('dev', name)}")
            relation = next((str(row[1]) for row in rows if row[0] == "Comment"), None)
            columns = {row[0]: row[2] or None for row in rows if row[0] in ("id", "Odd name")}
            return relation, columns


class TestDescriptions:
    """Comments of relations and their columns."""

    SQL = 'select 1 as id, 2 as "Odd name"'

    @pytest.mark.parametrize("kind", ["view", "table", "incremental"])
    def test_they_are_kept_and_follow_changes(self, shop: Shop, kind: str) -> None:
        shop.models(m=f"{{{{ config(materialized='{kind}') }}}} {self.SQL}")
        for relation, column in (("first", "one"), (TRICKY, TRICKY), ("last", "three")):
            shop.write({"models/m.yml": described(relation, column)}).ok("run")
            expected = RENDERED if relation == TRICKY else relation
            found, columns = comments(shop, "m")
            assert columns == {"id": expected if column == TRICKY else column, "Odd name": "odd"}
            assert found == expected

    def test_a_seed(self, shop: Shop) -> None:
        shop.write(
            {
                "seeds/m.csv": "id,Odd name\n1,2\n",
                "seeds/m.yml": described("seed", "column", "seeds", "quote_columns: true"),
            }
        )
        shop.ok("seed")
        assert comments(shop, "m") == ("seed", {"id": "column", "Odd name": "odd"})

    @pytest.mark.notyet("spark", raises=AssertionError, reason="snapshots need a format such as delta")
    def test_a_snapshot(self, shop: Shop) -> None:
        config = "unique_key: id, strategy: check, check_cols: [id]"
        properties = described("snapshot", "column", "snapshots", config).replace(
            "- name: m", "- name: m\n        relation: ref('s')"
        )
        shop.models(s=self.SQL).write({"snapshots/m.yml": properties}).ok("build")
        relation, columns = comments(shop, "m")
        assert relation == "snapshot"
        assert columns["id"] == "column"

    @pytest.mark.parametrize(("wanted", "expected"), [("relation", ("text", None)), ("columns", (None, "text"))])
    def test_only_what_is_asked_for(self, shop: Shop, wanted: str, expected: tuple[str | None, str | None]) -> None:
        properties = described("text", "text").replace("relation: true, columns: true", f"{wanted}: true")
        shop.models(m=f"{{{{ config(materialized='table') }}}} {self.SQL}").write({"models/m.yml": properties}).ok(
            "run"
        )
        relation, columns = comments(shop, "m")
        assert (relation or None, columns["id"]) == expected

    def test_a_column_that_is_not_there_is_warned_of(self, shop: Shop) -> None:
        shop.models(m="{{ config(materialized='table') }} select 1 as id").write(
            {"models/m.yml": described("text", "text")}
        )
        ran = shop.run("run")
        assert ran.exit_code == 0, ran.err
        assert "has no column Odd name, which is described" in ran.err
        assert comments(shop, "m")[1]["id"] == "text"
