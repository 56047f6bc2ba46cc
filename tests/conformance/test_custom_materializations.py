"""Materializations that a project or a package wrote in Jinja."""

from __future__ import annotations

import pytest
from conformance.shop import Shop
from conformance.test_snapshots import merges

LOGGED = """
{% materialization logged, default %}
  {%- set target = this.incorporate(type='table') -%}
  {%- set existing = load_cached_relation(this) -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% if existing is not none %}{% do adapter.drop_relation(existing) %}{% endif %}
  {% call statement('main') %}{{ create_table_as(False, target, sql) }}{% endcall %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {% if config.get('commits', true) %}{{ adapter.commit() }}{% endif %}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}
"""


class TestOwn:
    """A materialization that is the project's own."""

    def test_it_is_run(self, shop: Shop) -> None:
        shop.write({"macros/m.sql": LOGGED}).models(
            a="{{ config(materialized='logged') }} select 1 as id", b="select * from {{ ref('a') }}"
        )
        for _ in range(2):
            results = shop.ok("run")
            assert results["a"]["status"] == "success"
            assert (shop.rows("a"), shop.rows("b")) == ([(1,)], [(1,)])
        assert shop.kinds() == {"a": "table", "b": "view"}
        assert "create table" in (shop.root / "target/run/shop/models/a.sql").read_text()

    def test_hooks_in_and_outside(self, shop: Shop) -> None:
        head = """{{ config(materialized='logged', pre_hook='create table dev.noted as select 0 as n',
            post_hook=['insert into dev.noted select 1', after_commit('insert into dev.noted select 2')]) }}"""
        shop.write({"macros/m.sql": LOGGED}).models(a=f"{head} select 1 as id").ok("run")
        assert shop.rows("noted") == [(0,), (1,), (2,)]

    @pytest.mark.never("spark", raises=AssertionError, reason="no transactions")
    def test_what_is_not_committed_is_undone(self, shop: Shop) -> None:
        shop.write({"macros/m.sql": LOGGED}).models(
            a="{{ config(materialized='logged', commits=false) }} select 1 as id"
        ).ok("run")
        assert shop.kinds() == {}

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (
                "{% call statement('x') %}select 1{% endcall %}{{ return({'relations': []}) }}",
                "main is not being called",
            ),
            ("{% call statement('main') %}select 1{% endcall %}", "Invalid return value from materialization"),
            ("{{ exceptions.raise_compiler_error('not like this') }}", "not like this"),
            ("{% call statement('main') %}select nothing{% endcall %}", "nothing"),
        ],
    )
    def test_mistakes_are_the_models_error(self, shop: Shop, body: str, words: str) -> None:
        macro = f"{{% materialization odd, default %}}{body}{{% endmaterialization %}}"
        shop.write({"macros/m.sql": macro}).models(a="{{ config(materialized='odd') }} select 1 as id")
        result = shop.fails("run")["a"]
        assert result["status"] == "error"
        assert words.lower() in result["message"].lower()

    def test_its_own_message(self, shop: Shop) -> None:
        macro = """
        {% materialization noop, default %}
            {% do store_raw_result(name='main', message='skip it', code='skip', rows_affected=-1) %}
            {{ return({'relations': []}) }}
        {% endmaterialization %}
        """
        result = (
            shop.write({"macros/m.sql": macro}).models(a="{{ config(materialized='noop') }} select 1").ok("run")["a"]
        )
        assert (result["message"], result["adapter_response"]["code"]) == ("skip it", "skip")

    def test_one_that_is_not_there(self, shop: Shop) -> None:
        message = shop.models(a="{{ config(materialized='tabel') }} select 1 as id").fails("run")["a"]["message"]
        assert "There is no materialization 'tabel'" in message
        assert "table" in message.split("tabel")[-1]


MODELS = ("table", "view", "incremental")
SNAPSHOT = "snapshots: [{name: n, relation: ref('s'), config: {unique_key: id, strategy: check, check_cols: all}}]"


class TestInPlaceOfOurs:
    """One with the name of a built-in one."""

    def own(self, name: str, adapter: str) -> str:
        return LOGGED.replace("logged, default", f"{name}, {adapter}").replace(
            "sql) }}", "'select 7 as own from (' ~ sql ~ ') as q') }}"
        )

    def test_one_for_the_engine_wins(self, shop: Shop) -> None:
        macro = self.own("table", f"adapter='{shop.warehouse.name}'")
        shop.write({"macros/m.sql": macro}).models(a="{{ config(materialized='table') }} select 1 as id").ok("run")
        assert shop.rows("a", "own") == [(7,)]

    def test_one_for_another_engine_does_not(self, shop: Shop) -> None:
        macro = self.own("table", "adapter='elsewhere'")
        shop.write({"macros/m.sql": macro}).models(a="{{ config(materialized='table') }} select 1 as id").ok("run")
        assert shop.rows("a", "id") == [(1,)]

    def test_a_packages_does_not_unless_a_flag_says_so(self, shop: Shop) -> None:
        package = "name: pack\nversion: '1.0'\nprofile: shop\n"
        macro = self.own("table", f"adapter='{shop.warehouse.name}'")
        shop.write(
            {"dbt_packages/pack/dbt_project.yml": package, "dbt_packages/pack/macros/m.sql": macro,
             "packages.yml": "packages: [{local: dbt_packages/pack}]"}
        )  # fmt: skip
        shop.models(a="{{ config(materialized='table') }} select 1 as id").ok("run")
        assert shop.rows("a", "id") == [(1,)]
        flag = "flags: {require_explicit_package_overrides_for_builtin_materializations: false}\n"
        project = (shop.root / "dbt_project.yml").read_text()
        shop.write({"dbt_project.yml": project + flag}).ok("run")
        assert shop.rows("a", "own") == [(7,)]

    @pytest.mark.parametrize(
        "kind", ["table", "view", "incremental", "seed", "test", pytest.param("snapshot", marks=merges)]
    )
    def test_one_may_hand_over_to_ours(self, shop: Shop, kind: str) -> None:
        """As packages do that want to know what was built (`dbt.materialization_test_default`)."""
        macro = f"""
        {{% materialization {kind}, adapter='{shop.warehouse.name}' %}}
            {{% set ours = dbt.materialization_{kind}_default %}}
            {{% set found = ours() %}}
            {{% do log('HANDED OVER ' ~ (load_result('main').response is not none), info=true) %}}
            {{{{ return(found) }}}}
        {{% endmaterialization %}}"""
        shop.write({"macros/m.sql": macro, "seeds/s.csv": "id\n1\n"})
        if kind == "snapshot":
            shop.write({"snapshots/n.yml": SNAPSHOT})
        shop.models(a=f"{{{{ config(materialized='{kind if kind in MODELS else 'table'}') }}}} select 1 as id")
        shop.write({"models/p.yml": "models: [{name: a, columns: [{name: id, data_tests: [not_null]}]}]"})
        for _ in range(2):
            ran = shop.run("build")
            assert ran.exit_code == 0, ran.err
            assert "HANDED OVER True" in ran.err
        assert shop.rows("a") == [(1,), (1,)][: 2 if kind == "incremental" else 1]
        assert shop.rows("s") == [(1,)]
        assert kind != "snapshot" or shop.rows("n", "id") == [(1,)]

    def test_ours_belong_to_materializations(self, shop: Shop) -> None:
        shop.models(a="{% if execute %}{{ dbt.materialization_view_default() }}{% endif %} select 1 as id")
        assert "by a materialization only" in shop.fails("run")["a"]["message"]


class TestOwnParts:
    """Macros of ours that the project does itself are used by our materializations."""

    def test_every_statement(self, shop: Shop) -> None:
        macro = """
        {% macro statement(name=none, fetch_result=false, auto_begin=true, language='sql') %}
            {% set sql = caller() %}
            {% do log('SENT ' ~ name ~ ' ' ~ (sql | trim)[:6] | lower, info=true) %}
            {% call dbt.statement(name, fetch_result, auto_begin, language) %}{{ sql }}{% endcall %}
        {% endmacro %}"""
        tests = "models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]"
        shop.write({"macros/m.sql": macro, "models/p.yml": tests})
        shop.models(a="{{ config(materialized='table', post_hook='select 2') }} select 1 as id")
        ran = shop.run("build")
        assert ran.exit_code == 0, ran.err
        assert "SENT main create" in ran.err
        assert "SENT hook select" in ran.err
        assert "SENT main select" in ran.err
        assert shop.rows("a") == [(1,)]

    def test_hooks_grants_and_documentation(self, shop: Shop) -> None:
        macros = """
        {% macro run_hooks(hooks, inside_transaction=true) %}
            {% do log('HOOKS ' ~ hooks | length ~ ' ' ~ inside_transaction, info=true) %}
            {{ dbt.run_hooks(hooks, inside_transaction) }}
        {% endmacro %}
        {% macro default__apply_grants(relation, grant_config, should_revoke=true) %}
            {% do log('GRANTS ' ~ relation.identifier ~ ' ' ~ grant_config, info=true) %}
        {% endmacro %}
        {% macro persist_docs(relation, model, for_relation=true, for_columns=true) %}
            {% do log('DOCS ' ~ model['name'] ~ ' ' ~ model.get('resource_type'), info=true) %}
        {% endmacro %}"""
        macros = macros.replace("default__", f"{shop.warehouse.name}__")
        hook = "post_hook=[{'sql': 'create table dev.noted as select 1 as n', 'transaction': true}, 'select 1']"
        shop.write({"macros/m.sql": macros}).models(a=f"{{{{ config(materialized='table', {hook}) }}}} select 1 as id")
        ran = shop.run("run")
        assert ran.exit_code == 0, ran.err
        said = [line.strip() for line in ran.err.splitlines() if line.strip().startswith(("HOOKS", "GRANTS", "DOCS"))]
        assert said == ["HOOKS 0 False", "HOOKS 0 True", "GRANTS a {}", "DOCS a model", "HOOKS 2 True", "HOOKS 2 False"]
        assert shop.rows("noted") == [(1,)]

    @pytest.mark.parametrize("step", ["create_csv_table", "load_csv_rows"])
    def test_a_seeds_steps(self, shop: Shop, step: str) -> None:
        """dbt's way with seeds, by an agate table, where the project has a step of its own; the second run resets."""
        macros = {
            "create_csv_table": "{% macro create_csv_table(model, agate_table) %}"
            "{% do log('COLUMNS ' ~ agate_table.column_names | join(' ') ~ ' ' ~ model.name, info=true) %}"
            "{{ return(dbt.create_csv_table(model, agate_table)) }}{% endmacro %}",
            "load_csv_rows": "{% macro load_csv_rows(model, agate_table) %}"
            "{% for row in agate_table.rows %}{% do adapter.add_query('insert into ' ~ this ~ ' values ('"
            " ~ ([get_binding_char()] * 5) | join(', ') ~ ')', bindings=row.values() | list) %}{% endfor %}"
            "{{ return('by hand') }}{% endmacro %}",
        }
        rows = "id,name,day,seen,big\n1,it's,2024-01-02,2024-01-02 03:04:05,true\n2,,,,false\n"
        shop.write({"macros/m.sql": macros[step], "seeds/s.csv": rows})
        for _ in range(2):
            ran = shop.run("seed")
            assert ran.exit_code == 0, ran.err
        if step == "create_csv_table":
            assert "COLUMNS id name day seen big s" in shop.run("seed", "--full-refresh").err
        assert [row[:2] for row in shop.rows("s")] == [(1, "it's"), (2, None)]
        assert [str(value)[:19] for value in shop.rows("s", "id, day, seen, big")[0][1:]] == [
            "2024-01-02",
            "2024-01-02 03:04:05",
            "True",
        ]

    def test_drop_and_rename(self, shop: Shop) -> None:
        macros = """
        {% macro drop_relation(relation) %}
            {% do log('DROPPED ' ~ relation.identifier, info=true) %}
            {% do return(adapter.dispatch('drop_relation', 'dbt')(relation)) %}
        {% endmacro %}
        {% macro rename_relation(from_relation, to_relation) %}
            {% do log('RENAMED ' ~ from_relation.identifier ~ ' ' ~ to_relation.identifier, info=true) %}
            {% do return(adapter.dispatch('rename_relation', 'dbt')(from_relation, to_relation)) %}
        {% endmacro %}
        """
        shop.write({"macros/m.sql": macros}).models(a="{{ config(materialized='table') }} select 1 as id").ok("run")
        ran = shop.models(a="{{ config(materialized='table') }} select 2 as id").run("run")
        assert ran.exit_code == 0, ran.err
        assert "DROPPED a" in ran.err
        assert "RENAMED a__dbt_tmp" in ran.err
        assert shop.rows("a") == [(2,)]
        assert shop.kinds() == {"a": "table"}


class TestQueryComment:
    """What statements carry; seen in the view of an engine's running queries, so here by a macro that reads the setting."""

    @pytest.mark.parametrize(
        "setting", ["query-comment: 'run by {{ node.unique_id if node else connection_name }}'", ""]
    )
    def test_statements_work_with_it(self, shop: Shop, setting: str) -> None:
        for append in ("", "query-comment: {comment: 'at the end', append: true}"):
            text = f"name: shop\nversion: '1.0'\nprofile: shop\n{append or setting}\n"
            shop.write({"dbt_project.yml": text}).models(a="{{ config(materialized='table') }} select 1 as id -- end")
            shop.ok("build")
            assert shop.rows("a") == [(1,)]

    def test_one_that_would_end_the_comment(self, shop: Shop) -> None:
        text = "name: shop\nversion: '1.0'\nprofile: shop\nquery-comment: 'so */ drop'\n"
        ran = shop.write({"dbt_project.yml": text}).models(a="select 1 as id").run("run")
        assert ran.exit_code != 0
        assert "illegal value" in ran.err
