"""Every macro of dbt and dbt-duckdb is here, or is on the list of those that are not, with the reason.

`dbt_macros.json` holds their names by file; tests/differential/oracle_macros.py records it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from fnmatch import fnmatch
from pathlib import Path

from support.engine import model, renderer

from understudy.stdlib.registry import BUILTINS
from understudy.template.contexts.results import BUILTINS as RESULTS

MACROS: dict[str, list[str]] = json.loads((Path(__file__).parent / "dbt_macros.json").read_text())
HERE = {*BUILTINS, *RESULTS}


class Reason(StrEnum):
    """Why a macro of dbt's is none of ours."""

    ADAPTER = "what the engine holds is asked by its adapter, in Python"
    MATERIALIZATION = "a step of a materialization, which is a generator here"
    SAME = "the macro without the engine's prefix says the engine's own text, by its dialect"
    PYTHON = "functions are prepared in Python"
    PRIVATE = "checks a config that is checked in Python"
    DUCKLAKE = "for DuckLake's catalogs, which are no engine of ours"


ABSENT: dict[str, Reason] = {
    **dict.fromkeys(
        (
            "dbt/macros/adapters/metadata.sql *", "dbt_duckdb/macros/catalog.sql *",
            "* duckdb__get_columns_in_relation", "* duckdb__list_relations_without_caching", "* location_exists",
            "* store_relation",
        ),
        Reason.ADAPTER,
    ),
    **dict.fromkeys(
        (
            "* materialized_view_setup", "* materialized_view_teardown", "* materialized_view_execute_*",
            "* duckdb__load_csv_rows", "* create_or_replace_view",
            "* drop_indexes_on_relation", "* drop_foreign_key_dependents", "* restore_foreign_key_dependents",
            "* enforced_constraint_types", "* existing_constraint_types", "* has_foreign_key_constraints",
            "* may_be_foreign_key_target", "* drop_relation_for_rebuild", "* duckdb__post_snapshot",
            "* duckdb__dispatch_temporary_relation",
        ),
        Reason.MATERIALIZATION,
    ),
    **dict.fromkeys(
        (
            "* duckdb__create_schema", "* duckdb__drop_schema", "* duckdb__list_schemas", "* duckdb__check_schema_exists",
            "* duckdb__create_view_as", "* duckdb__get_empty_subquery_sql", "* duckdb__drop_relation",
            "* duckdb__rename_relation", "* duckdb__current_timestamp", "* duckdb__alter_relation_add_remove_columns",
            "* duckdb__alter_relation_comment", "* duckdb__alter_column_comment", "* duckdb__get_binding_char",
            "* duckdb__get_batch_size", "* duckdb__merge_join_clause", "* default__snapshot_string_as_time",
        ),
        Reason.SAME,
    ),
    **dict.fromkeys(
        (
            "dbt/macros/materializations/functions/*", "*flight_name",
        ),
        Reason.PYTHON,
    ),
    **dict.fromkeys(
        ("dbt_duckdb/macros/materializations/incremental_strategy/merge_*", "*/validation_helper.sql *"), Reason.PRIVATE
    ),
    **dict.fromkeys(
        ("* duckdb__get_partitioned_by", "* duckdb__alter_table_set_*", "* duckdb__get_sorted_by"), Reason.DUCKLAKE
    ),
}  # fmt: skip
"""Patterns of "file macro"."""


def absent() -> Iterator[str]:
    """ "file macro" of what is not here."""
    for file, entries in MACROS.items():
        for entry in entries:
            kind, _, name = entry.partition(" ")
            if kind != "materialization" and (name if kind == "macro" else f"test_{name}") not in HERE:
                yield f"{file} {name}"


def test_every_macro_is_here_or_has_a_reason() -> None:
    assert [each for each in absent() if not any(fnmatch(each, pattern) for pattern in ABSENT)] == []


def test_no_reason_is_left_over() -> None:
    missing = list(absent())
    assert [pattern for pattern in ABSENT if not any(fnmatch(each, pattern) for each in missing)] == []


def test_what_dbt_dispatches_is_dispatched() -> None:
    """A project brings its own `default__x` or `duckdb__x`: then `x` is that one, as in dbt."""
    names = {entry.partition(" ")[2] for entries in MACROS.values() for entry in entries if entry.startswith("macro ")}
    dispatched = {name.partition("__")[2] for name in names if name.startswith(("default__", "duckdb__"))}
    for name in sorted((dispatched & names & HERE) - {"get_column_names"}):  # which dbt-duckdb has in two meanings
        text = f"{{% macro duckdb__{name}() %}}{{{{ return(['own', varargs, kwargs]) }}}}{{% endmacro %}}"
        session = renderer({f"duckdb__{name}": text}).session(model("a"), None, database=None)
        assert session.call(name)[0] == "own", name


def test_the_record_is_whole() -> None:
    assert sum(len(entries) for entries in MACROS.values()) > 500
    assert "macro default__dateadd" in MACROS["dbt/macros/utils/dateadd.sql"]
