"""Snapshots: versions of rows, with the times from which and until which they were valid."""

from __future__ import annotations

import pytest
from conformance.shop import Shop

merges = pytest.mark.notyet(
    "spark", raises=AssertionError, reason="changing rows needs a format such as delta, which plain Spark does not have"
)
START = "2024-01-01"


def people(*rows: tuple[int, str, str], extra: bool = False) -> str:
    """A query for (id, name, the day on which it changed)."""
    more = ", 7 as extra" if extra else ""
    return "{{ config(materialized='table') }} " + " union all ".join(
        f"select {id} as id, cast('{name}' as varchar(20)) as name, cast('{day}' as timestamp) as changed_at{more}"
        for id, name, day in rows
    )


def snapshot(**config: str) -> dict[str, str]:
    """A snapshot in a block of SQL."""
    given = {"unique_key": "'id'", "strategy": "'timestamp'", "updated_at": "'changed_at'", **config}
    listed = ", ".join(f"{key}={value}" for key, value in given.items())
    text = "{% snapshot kept %}{{ config(" + listed + ") }} select * from {{ ref('people') }}{% endsnapshot %}"
    return {"snapshots/kept.sql": text}


def versions(shop: Shop, name: str = "kept") -> list[tuple[int, str, bool]]:
    """(id, name, whether it is valid now)."""
    return [(row[0], row[1], row[2] is None) for row in shop.rows(name, "id, name, dbt_valid_to")]


@merges
class TestTimestamp:
    """Changes that a column of the rows tells."""

    def test_a_change_makes_a_version(self, shop: Shop) -> None:
        shop.write(snapshot()).models(people=people((1, "a", START), (2, "b", START)))
        assert shop.ok("build")["kept"]["status"] == "success"
        shop.ok("snapshot")
        assert versions(shop) == [(1, "a", True), (2, "b", True)]

        shop.models(people=people((1, "a2", "2024-01-05"), (2, "not told", START), (3, "c", START))).ok("build")
        assert versions(shop) == [(1, "a", False), (1, "a2", True), (2, "b", True), (3, "c", True)]
        times = shop.rows("kept", "cast(dbt_valid_from as date), cast(dbt_valid_to as date), name")
        found = {name: (str(start), str(end)) for start, end, name in times}
        assert found["a"] == (START, "2024-01-05")
        assert found["a2"] == ("2024-01-05", "None")
        assert set(shop.kinds()) == {"people", "kept"}, "no staging table is left"

    def test_what_is_gone_stays_by_default(self, shop: Shop) -> None:
        shop.write(snapshot()).models(people=people((1, "a", START), (2, "b", START))).ok("build")
        shop.models(people=people((1, "a", START))).ok("build")
        assert versions(shop) == [(1, "a", True), (2, "b", True)]

    @pytest.mark.parametrize("config", [{"hard_deletes": "'invalidate'"}, {"invalidate_hard_deletes": "true"}])
    def test_what_is_gone_ends(self, shop: Shop, config: dict[str, str]) -> None:
        shop.write(snapshot(**config)).models(people=people((1, "a", START), (2, "b", START))).ok("build")
        shop.models(people=people((1, "a", START))).ok("build")
        assert versions(shop) == [(1, "a", True), (2, "b", False)]
        shop.ok("build")
        assert versions(shop) == [(1, "a", True), (2, "b", False)]

    def test_what_is_gone_is_recorded_and_comes_back(self, shop: Shop) -> None:
        names = (
            "{'dbt_is_deleted': 'gone', 'dbt_valid_to': 'until', 'dbt_valid_from': 'since', 'dbt_scd_id': 'version'}"
        )
        config = {
            "hard_deletes": "'new_record'", "snapshot_meta_column_names": names,
            "dbt_valid_to_current": "\"cast('9999-12-31' as timestamp)\"",
        }  # fmt: skip
        shop.write(snapshot(**config)).models(people=people((1, "a", START), (2, "b", START))).ok("build")
        for rows in ([(1, "a", START)], [(1, "a", START)], [(1, "a", START), (2, "b", START)]):
            shop.models(people=people(*rows)).ok("build")
        found = shop.rows("kept", "id, gone, case when extract(year from until) = 9999 then 'now' else 'past' end")
        assert found == [
            (1, "False", "now"), (2, "False", "now"), (2, "False", "past"), (2, "True", "past"),
        ]  # fmt: skip

    def test_a_new_column(self, shop: Shop) -> None:
        shop.write(snapshot()).models(people=people((1, "a", START))).ok("build")
        shop.models(people=people((1, "a2", "2024-02-01"), extra=True)).ok("build")
        assert shop.rows("kept", "name, extra") == [("a", None), ("a2", 7)]


@merges
class TestCheck:
    """Changes that a look at the values tells."""

    @pytest.mark.parametrize("columns", ["'all'", "['name']", "['NAME', 'changed_at']"])
    def test_columns(self, shop: Shop, columns: str) -> None:
        config = {"strategy": "'check'", "check_cols": columns}
        shop.write(snapshot(**config)).models(people=people((1, "a", START), (2, "b", START))).ok("build")
        shop.models(people=people((1, "a", START), (2, "b2", START))).ok("build")
        assert versions(shop) == [(1, "a", True), (2, "b", False), (2, "b2", True)]

    def test_several_keys(self, shop: Shop) -> None:
        config = {"strategy": "'check'", "check_cols": "['changed_at']", "unique_key": "['id', 'name']"}
        shop.write(snapshot(**config)).models(people=people((1, "a", START), (1, "b", START))).ok("build")
        shop.models(people=people((1, "a", START), (1, "b", "2024-03-01"), (1, "c", START))).ok("build")
        assert versions(shop) == [(1, "a", True), (1, "b", True), (1, "b", False), (1, "c", True)]

    def test_without_a_time_it_is_that_of_the_run(self, shop: Shop) -> None:
        text = "snapshots: [{name: kept, relation: ref('people'), config: {strategy: check, check_cols: all, unique_key: id}}]"
        shop.write({"snapshots/kept.yml": text}).models(people=people((1, "a", START))).ok("build")
        shop.models(people=people((1, "b", START))).ok("build")
        assert versions(shop) == [(1, "a", False), (1, "b", True)]
        ((start,), (end,)) = shop.rows("kept", "dbt_valid_from")[1:], shop.rows("kept", "dbt_valid_to")[1:2]
        assert start is not None
        assert end is not None


@merges
class TestOwnStrategy:
    """A strategy of the project."""

    def test_its_macro_decides(self, shop: Shop) -> None:
        macro = """
        {% macro snapshot_never_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
            {% do return({'unique_key': 'id', 'updated_at': 'changed_at', 'row_changed': '(1 = 0)',
                          'scd_id': snapshot_hash_arguments(['id', 'changed_at'])}) %}
        {% endmacro %}
        """
        shop.write({"macros/m.sql": macro, **snapshot(strategy="'never'")}).models(people=people((1, "a", START))).ok(
            "build"
        )
        shop.models(people=people((1, "b", "2025-01-01"), (2, "c", START))).ok("build")
        assert versions(shop) == [(1, "a", True), (2, "c", True)]

    def test_one_that_is_not_there(self, shop: Shop) -> None:
        result = shop.write(snapshot(strategy="'guess'")).models(people=people((1, "a", START))).fails("build")["kept"]
        assert "strategy macro 'guess' was not found" in result["message"]


class TestWhole:
    """A snapshot that fails is as it was."""

    @merges
    def test_a_failure_changes_nothing(self, shop: Shop) -> None:
        shop.write(snapshot()).models(people=people((1, "a", START))).ok("build")
        hook = "\"insert into {{ this }} (id) values ('no number')\""
        shop.write(snapshot(post_hook=hook)).models(people=people((1, "b", "2024-05-01"))).fails("build")
        assert versions(shop) == [(1, "a", True)]
        assert set(shop.kinds()) == {"people", "kept"}

    def test_a_view_in_its_place_is_no_snapshot(self, shop: Shop) -> None:
        shop.models(people=people((1, "a", START)), kept="select 1 as id").ok("run")
        (shop.root / "models/kept.sql").unlink()
        message = shop.write(snapshot()).fails("snapshot")["kept"]["message"]
        assert "it currently exists as a view" in message
        assert shop.kinds()["kept"] == "view"

    @merges
    def test_a_table_in_its_place_is_no_snapshot(self, shop: Shop) -> None:
        shop.models(people=people((1, "a", START)), kept="{{ config(materialized='table') }} select 1 as id").ok("run")
        (shop.root / "models/kept.sql").unlink()
        assert "missing columns" in shop.write(snapshot()).fails("snapshot")["kept"]["message"]
        assert shop.rows("kept") == [(1,)]
