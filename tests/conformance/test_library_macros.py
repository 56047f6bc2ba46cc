"""The macros that projects and packages call beside the functions: each is called, and what it says is executed.

The steps of a build are in test_library_steps.py, the functions in test_functions.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from conformance.shop import Shop
from conformance.test_functions import check
from conformance.test_grants import NO_ROLES, grants, roles
from conformance.test_indexes import NO_INDEXES, indexes
from conformance.test_relation_macros import MODELS, RUN

__all__ = ["roles"]

DAY = "\"cast('2026-02-14' as date)\""
COLUMNS = "[api.Column('id', 'integer'), api.Column('name', 'text')]"
WORDS = {
    "generate_schema_name_for_env('x')": "dev",
    "generate_latest_version_pointer_alias(none, model)": "found",
    "generate_latest_version_pointer_alias('other', model)": "other",
    "is_core_v2()": "False",
    "resolve_model_name('dev.a')": "dev.a",
    "duckdb_escape_comment('its')": "$dbt_comment_literal_block$its$dbt_comment_literal_block$",
    "py_current_timestring() | length": "20",
    "normalize_string_or_list('a', 'f') | join": "a",
    "normalize_string_or_list(['a', 'b'], 'f') | join": "ab",
    f"get_list_of_column_names({COLUMNS}) | join(' ')": "id name",
    f"format_columns({COLUMNS}) | map(attribute='formatted') | join(', ')": "id integer, name text",
    f"diff_columns({COLUMNS}, {COLUMNS}[1:]) | map(attribute='name') | join": "id",
    f"diff_column_data_types([api.Column('id', 'bigint')], {COLUMNS}) | map(attribute='new_type') | join": "bigint",
    f"get_merge_update_columns(['name'], none, {COLUMNS}) | join(' ')": "name",
    f"get_merge_update_columns(none, ['ID'], {COLUMNS}) | join(' ') | replace('`', '') | replace('\"', '')": "name",
    "get_quoted_csv(['a', 'b']) | replace('`', '') | replace('\"', '')": "a, b",
    "get_snapshot_table_column_names() | sort | join(' ')": (
        "dbt_is_deleted dbt_scd_id dbt_updated_at dbt_valid_from dbt_valid_to"
    ),
    "strategy_dispatch('check') is callable": "True",
    "get_batch_size()": "10000",
    "can_clone_table()": "False",
    "should_full_refresh()": "False",
    "should_store_failures() | string in ('None', 'False', '')": "True",
    "should_revoke(none)": "False",
    "should_revoke(this, full_refresh_mode=false)": "True",
    "incremental_validate_on_schema_change('fail')": "fail",
    "incremental_validate_on_schema_change('nonsense', 'ignore')": "ignore",
    "py_script_comment()": "",
    "get_columns_in_query('select 1 as id, 2 as name') | join(' ')": "id name",
    "get_column_schema_from_query('select 1 as id, 2 as name') | map(attribute='name') | join(' ')": "id name",
    "information_schema_name(none) | lower": "information_schema",
    "make_backup_relation(this, 'table').identifier": "found__dbt_backup",
    "get_or_create_relation(target.database, target.schema, 'nothing', 'view')[0]": "False",
    "get_or_create_relation(target.database, target.schema, 'nothing', 'view')[1].type": "view",
    "list_schemas(target.database).columns[0].values() | list | select('equalto', target.schema) | join": "dev",
    "check_schema_exists(this.information_schema(), 'dev').columns[0].values() | list | join": "1",
    "check_schema_exists(this.information_schema(), 'nothing').columns[0].values() | list | join": "0",
}
WHAT = {
    "default_last_day(" + DAY + ", 'month')": "2026-02-28",
    "_split_part_negative(\"'a|b|c'\", \"'|'\", -1)": "c",
}
MATCH = {"get_merge_unique_key_match('1', '1')": True, "get_merge_unique_key_match('1', '2')": False}
ROWS = "(select 1 as id union all select 2) as rows_"
QUERIES = {
    "select * from ({{ dbt.get_limit_subquery_sql('select 1 as id union all select 1', 1) }}) x": [(1,)],
    "select * from ({{ dbt.get_show_sql('select 1 as id union all select 1', none, 1) }}) x": [(1,)],
    "{{ config(where='id > 1') }} select * from {{ dbt.get_where_subquery(ref('t')) }}": [(2,)],
    "select * from ({{ dbt.get_empty_subquery_sql('select 1 as id') }}) x": [],
    "select id from ({{ dbt.get_empty_schema_sql({'id': {'name': 'id', 'data_type': 'integer'}}) }}) x": [(None,)],
    "select {{ dbt.unique_key_fields('id') }} from {{ ref('t') }}": [(1,), (2,)],
    "select x.id from {{ ref('keys') }} x join {{ ref('keys') }} y on {{ dbt.unique_key_join_on(['a', 'b'], 'x', 'y') }}": [
        (1,), (2,),
    ],
    "select id from {{ ref('keys') }} x where {{ dbt.unique_key_is_null('id', 'x') }}": [],
    "select id from {{ ref('keys') }} x where {{ dbt.unique_key_is_not_null(['a'], 'x') }}": [(1,), (2,)],
    "{% set names = dbt.get_snapshot_table_column_names() %}"
    "select {{ dbt.get_dbt_valid_to_current({'updated_at': 'id'}, names) }} from {{ ref('t') }}": [(None,), (None,)],
    "{{ dbt.get_expected_sql([{'id': 3, 'name': none}], {'id': 'integer', 'name': 'varchar(9)'}, {'id': 'id', 'name': 'name'}) }}": [
        (3, None),
    ],
    "{{ dbt.get_fixture_sql([{'id': 3}], {'id': 'integer', 'other': 'integer'}) }}": [(3, None)],
    "select {{ dbt.format_row({'id': 3}, {'id': 'integer'}).id }} as id": [(3,)],
    "{{ dbt.get_unit_test_sql('select 1 as id', 'select 2 as id', ['id']) }}": [(1, "actual"), (2, "expected")],
    "{% set found = dbt.collect_freshness_custom_sql(source('raw', 't'), 'select max(id) from ' ~ ref('t')) %}"
    "select {{ found.table.rows[0]['max_loaded_at'] if execute else 0 }} as id": [(2,)],
    "{% set found = dbt.collect_freshness(ref('t'), 'id', filter='id < 2') %}"
    "select {{ found.table.rows[0]['max_loaded_at'] if execute else 0 }} as id": [(1,)],
    "select {{ dbt.get_columns_in_relation(ref('t')) | length }} as n": [(1,)],
    "select {{ dbt.list_relations_without_caching(ref('t')) | length > 0 }} as n": [(True,)],
    "{% set found = run_query(\"select 'id' as n, 'text' as t, 9 as size, null as p, null as s\") %}"
    "select {{ dbt.sql_convert_columns_in_relation(found)[0].name if execute else 'id' }} from {{ ref('t') }}": [(1,), (2,)],
    "select count(*) as n from ({{ dbt.get_clone_query_sql(ref('t'), 1) }}) x": [(1,)],
    "select {{ dbt.get_column_names() | replace('(', '') | replace(')', '') }} from {{ ref('t') }}": [(1,), (2,)],
}  # fmt: skip

ARGS = "{'target_relation': ref('t'), 'temp_relation': ref('new'), 'unique_key': 'id', 'dest_columns': columns(), "
ARGS += "'incremental_predicates': none}"
TABLES = {
    "t": "{{ config(materialized='table') }} select 1 as id, 'x' as name union all select 2, 'y'",
    "new": "{{ config(materialized='table') }} select 2 as id, 'z' as name",
}
HELP = f"""{RUN}
{{% macro columns() %}}{{{{ return(adapter.get_columns_in_relation(ref('t'))) }}}}{{% endmacro %}}
{{% macro place(name, kind) %}}
  {{{{ return(api.Relation.create(database=target.database, schema=target.schema, identifier=name, type=kind)) }}}}
{{% endmacro %}}
"""
ADDED, MERGED = [(1, "x"), (2, "y"), (2, "z")], [(1, "x"), (2, "z")]
STATEMENTS = {
    f"get_incremental_append_sql({ARGS})": ADDED,
    "get_insert_into_sql(ref('t'), ref('new'), columns())": ADDED,
}
CHANGES = {
    f"get_incremental_delete_insert_sql({ARGS})": MERGED,
    f"get_incremental_merge_sql({ARGS})": MERGED,
    "get_delete_insert_merge_sql(ref('t'), ref('new'), 'id', columns())": MERGED,
    "get_delete_insert_merge_sql(ref('t'), ref('new'), ['id'], columns(), [])": MERGED,
    "get_merge_sql(ref('t'), ref('new'), 'id', columns())": MERGED,
    "get_merge_sql(ref('t'), ref('new'), none, columns())": ADDED,
    f"get_incremental_default_sql({ARGS})": MERGED,
}


def step(shop: Shop, body: str, models: dict[str, str] = MODELS) -> str:
    """Build models, run an operation, and give what it printed."""
    shop.write({"macros/run.sql": HELP, "macros/step.sql": f"{{% macro step() %}}{body}{{% endmacro %}}"})
    shop.models(**models).ok("run")
    ran = shop.run("run-operation", "step")
    assert ran.exit_code == 0, ran.out + ran.err
    return ran.out


def do(call: str) -> str:
    return f"{{% do run_all({call}) %}}"


class TestAnswers:
    """What macros return, and queries that they write."""

    def test_words(self, shop: Shop) -> None:
        cases: dict[str, Any] = {f"string_literal((dbt.{call}) | string)": said for call, said in WORDS.items()}
        cases |= MATCH
        cases |= {f"cast(dbt.{call}, dbt.type_string())": said for call, said in WHAT.items()}
        check(shop, cases)

    def test_queries(self, shop: Shop) -> None:
        models = {f"q{n}": query for n, query in enumerate(QUERIES)}
        named = ", ".join(f"{{name: {name}, columns: [{{name: id}}]}}" for name in models)
        shop.write({"models/s.yml": f"sources: [{{name: raw, schema: dev, tables: [{{name: t}}]}}]\nmodels: [{named}]"})
        shop.models(
            t="{{ config(materialized='table') }} select 1 as id union all select 2",
            keys="select id, id as dbt_unique_key, id as dbt_unique_key_1, id as dbt_unique_key_2 from {{ ref('t') }}",
            **{name: query if "ref(" in query else f"{query} -- {{{{ ref('t') }}}}" for name, query in models.items()},
        )
        shop.ok("run", "-s", "t", "keys")
        shop.ok("run", "--exclude", "t", "keys")
        assert {query: shop.rows(name) for name, query in models.items()} == QUERIES

    @pytest.mark.parametrize(
        "name", ["get_relations", "get_relation_last_modified", "list_function_relations_without_caching"]
    )
    def test_what_an_engine_does_not_tell(self, shop: Shop, name: str) -> None:
        """dbt's default refuses, too, and so does its adapter for DuckDB."""
        shop.write({"macros/step.sql": f"{{% macro step() %}}{{% do {name}(target.schema, []) %}}{{% endmacro %}}"})
        ran = shop.run("run-operation", "step")
        assert ran.exit_code != 0
        assert f"{name} is not implemented for {shop.warehouse.name}" in ran.err + ran.out


class TestStatements:
    """Statements on relations, by what is there afterwards."""

    def test_replaced_and_created(self, shop: Shop) -> None:
        step(
            shop,
            do("get_replace_table_sql(existing('t'), 'select 2 as id')")
            + do("get_replace_view_sql(existing('v'), 'select 3 as id')")
            + do("get_create_sql(place('c', 'view'), 'select 4 as id')")
            + do("get_create_table_as_sql(false, make_backup_relation(existing('t'), 'table'), 'select 5 as id')")
            + do("get_create_view_as_sql(make_backup_relation(existing('v'), 'view'), 'select 6 as id')"),
        )  # fmt: skip
        kinds = {"t": "table", "v": "view", "c": "view", "t__dbt_backup": "table", "v__dbt_backup": "view"}
        assert shop.kinds() == kinds
        assert [shop.rows(name) for name in kinds] == [[(2,)], [(3,)], [(4,)], [(5,)], [(6,)]]

    def test_emptied_described_and_gone(self, shop: Shop) -> None:
        step(
            shop,
            "{% do truncate_relation(existing('t')) %}{% do handle_existing_table(false, existing('u')) %}"
            "{% do drop_relation(existing('v')) %}" + do("alter_relation_comment(existing('t'), 'said')")
            + do("alter_column_comment(existing('t'), {'id': {'description': 'said of id'}})"),
            {**MODELS, "u": MODELS["t"]},
        )  # fmt: skip
        assert shop.kinds() == {"t": "table"}
        assert shop.rows("t") == []

    def test_columns(self, shop: Shop) -> None:
        body = """
        {% do sync_column_schemas('append_new_columns', existing('t'), check_for_schema_changes(ref('more'), ref('t'))) %}
        {% do create_columns(existing('t'), [api.Column('third', 'integer')]) %}
        {% do alter_relation_add_remove_columns(existing('t'), [api.Column('fourth', 'integer')]) %}
        {% do print(process_schema_changes('append_new_columns', ref('t'), ref('t')) | length) %}
        """
        more = {"more": "{{ config(materialized='table') }} select 1 as id, 'x' as name, 2 as second"}
        assert "5" in step(shop, body, {**MODELS, **more})
        assert shop.warehouse.columns("dev", "t") == ["id", "name", "second", "third", "fourth"]

    def test_rows_that_are_added(self, shop: Shop) -> None:
        for call, rows in STATEMENTS.items():
            step(shop, do(call), TABLES)
            assert shop.rows("t") == rows, call

    @pytest.mark.never("spark", raises=AssertionError, reason="files of Parquet change no rows")
    @pytest.mark.parametrize("call", CHANGES)
    def test_rows_that_are_changed(self, shop: Shop, call: str) -> None:
        step(shop, do(call), TABLES)
        assert shop.rows("t") == CHANGES[call]

    @pytest.mark.never("spark", raises=AssertionError, reason="files of Parquet change no rows")
    @pytest.mark.notyet("postgres", raises=AssertionError, reason="`when not matched by source` is of PostgreSQL 17")
    def test_rows_that_are_overwritten(self, shop: Shop) -> None:
        step(shop, do("get_insert_overwrite_merge_sql(ref('t'), ref('new'), columns())"), TABLES)
        assert shop.rows("t") == [(2, "z")]

    @pytest.mark.never("spark", raises=AssertionError, reason="files of Parquet hold no constraints")
    def test_constraints(self, shop: Shop) -> None:
        columns = "{'id': {'name': 'id', 'data_type': 'integer', 'constraints': [{'type': 'not_null'}]}}"
        body = f"""
        {{% set parts = columns_with_constraints({columns}) + model_constraints([{{'type': 'unique', 'columns': ['id']}}]) %}}
        {{% do run_query('create table ' ~ target.schema ~ '.c (' ~ parts | join(', ') ~ ')') %}}
        {{% do run_query('insert into ' ~ target.schema ~ '.c values (1)') %}}
        """
        step(shop, body)
        assert shop.rows("c") == [(1,)]
        for value in ("1", "null"):
            with pytest.raises(Exception, match=r"(?i)constraint"):
                shop.warehouse.query(f"insert into dev.c values ({value})")

    def test_hooks_and_headers(self, shop: Shop) -> None:
        shop.models(
            a="""
            {{ config(
              materialized='table',
              pre_hook=make_hook_config("create table dev.before as select 1 as id", true),
              post_hook=in_transaction("insert into {{ this }} select 2"),
            ) }}
            {% call set_sql_header(config) %}create table dev.header as select 3 as id;{% endcall %}
            select 1 as id
            """
        )
        shop.ok("run")
        assert [shop.rows(name) for name in ("a", "before", "header")] == [[(1,), (2,)], [(1,)], [(3,)]]

    @NO_INDEXES
    def test_indexes(self, shop: Shop) -> None:
        step(shop, do("get_create_index_sql(existing('t'), {'columns': ['id'], 'unique': true})"))
        assert indexes(shop, "t") == [("id", True)]

    @pytest.mark.never("duckdb", "spark", raises=AssertionError, reason="its indexes are not asked for")
    def test_indexes_that_are_dropped(self, shop: Shop) -> None:
        body = """
        {% for row in run_query(get_show_indexes_sql(existing('t'))).rows %}
          {% do run_query(get_drop_index_sql(existing('t'), row['name'])) %}
        {% endfor %}
        """
        table = "{{ config(materialized='table', indexes=[{'columns': ['id']}]) }} select 1 as id"
        step(shop, body, {"t": table})
        assert indexes(shop, "t") == []

    @pytest.mark.never("duckdb", "spark", raises=AssertionError, reason="no materialized views")
    def test_materialized_views(self, shop: Shop) -> None:
        step(
            shop,
            "{% set m = place('m', 'materialized_view') %}{% set other = make_backup_relation(m, 'materialized_view') %}"
            + do("get_create_materialized_view_as_sql(m, 'select * from ' ~ ref('t'))")
            + do("get_rename_materialized_view_sql(m, 'm2')")
            + do("get_create_materialized_view_as_sql(m, 'select * from ' ~ ref('t'))")
            + do("get_create_materialized_view_as_sql(other, 'select 1 as id')")
            + do("drop_materialized_view(other)")
            + "{% do run_query('insert into ' ~ ref('t') ~ \" values (2, 'y')\") %}"
            + do("refresh_materialized_view(m)")
            + do("get_replace_materialized_view_sql(other, 'select 7 as id')"),
        )  # fmt: skip
        assert shop.kinds() == {"t": "table", "v": "view"} | dict.fromkeys(
            ("m", "m2", "m__dbt_backup"), "materialized_view"
        )
        assert [shop.rows(name) for name in ("m", "m2", "m__dbt_backup")] == [[(1, "x"), (2, "y")], [(1, "x")], [(7,)]]


@NO_ROLES
class TestGrants:
    """The single steps of grants."""

    def test_given_and_taken(self, roles: Shop) -> None:
        body = """
        {% do run_query(get_grant_sql(existing('t'), 'select', ['shop_ann', 'shop_bob'])) %}
        {% do run_query(get_revoke_sql(existing('t'), 'select', ['shop_ann'])) %}
        {% do call_dcl_statements(get_dcl_statement_list(existing('t'), {'insert': ['shop_ann']}, get_grant_sql)) %}
        {% for row in run_query(get_show_grant_sql(existing('t'))).rows %}{% do print(row | join(' ')) %}{% endfor %}
        {% do print('together: ' ~ support_multiple_grantees_per_dcl_statement() ~ ' kept: ' ~ copy_grants()) %}
        """
        said = step(roles, body)
        expected = {("select", "shop_bob"), ("insert", "shop_ann")}
        assert grants(roles, "t") == expected
        assert {tuple(line.lower().split()[::-1]) for line in said.splitlines() if line.startswith("shop_")} == expected
        assert "together: True kept: False" in said


@pytest.mark.never("postgres", "spark", raises=AssertionError, reason="its tables are no files of the project's")
class TestFiles:
    """Files of DuckDB's projects."""

    def test_written_with_options(self, shop: Shop) -> None:
        body = """
        {% set options = render_write_options({'format': 'csv', 'options': {'header': '{{ 1 + 1 }}'}}) %}
        {% do print(options.format ~ ' ' ~ options.header) %}
        {% do run_query(write_to_file(existing('t'), 'out.csv', 'format csv, header true')) %}
        """
        assert "csv 2" in step(shop, body)
        assert (shop.root / "out.csv").read_text() == "id,name\n1,x\n"

    def test_read_by_a_run_that_does_not_build_them(self, shop: Shop) -> None:
        project = (
            "name: shop\nversion: '1.0'\nprofile: shop\non-run-start: '{{ register_upstream_external_models() }}'\n"
        )
        shop.write({"dbt_project.yml": project}).models(
            a="{{ config(materialized='external', location='a.parquet') }} select 1 as id",
            b="{{ config(materialized='table') }} select * from {{ ref('a') }}",
        )
        shop.ok("run")
        shop.warehouse.query("drop schema dev cascade")
        shop.ok("run", "-s", "b")
        assert shop.rows("b") == [(1,)]
