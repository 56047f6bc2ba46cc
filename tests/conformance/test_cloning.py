"""Clones: what production has, in the target, whole; and builds that begin with one."""

from __future__ import annotations

import pytest
from conformance.shop import Shop
from support import cli

STATE = ("--state", "prod-artifacts")
FILES = {
    "seeds/countries.csv": "id,name\n1,a\n2,b\n",
    "models/people.sql": "{{ config(materialized='table') }} select 1 as id, cast('x' as varchar(20)) as name",
    "models/names.sql": "select name from {{ ref('people') }}",
    "models/events.sql": """
        {{ config(materialized='incremental') }}
        select {{ var('day', 1) }} as id
        {% if is_incremental() %} where {{ var('day', 1) }} > (select max(id) from {{ this }}) {% endif %}
        """,
    "snapshots/kept.sql": (
        "{% snapshot kept %}{{ config(unique_key='id', strategy='check', check_cols=['name']) }} "
        "select * from {{ ref('people') }}{% endsnapshot %}"
    ),
}
MODELS = {path: text for path, text in FILES.items() if path.startswith("models/")}
KINDS = {"countries": "table", "people": "table", "names": "view", "events": "table", "kept": "table"}


def produced(shop: Shop, *args: str, **models: str) -> Shop:
    """Production is built, and the schema dev is empty."""
    cli.ok("build", "--target", "prod", "--target-path", "prod-artifacts", *args, cwd=shop.models(**models).root)
    return shop


def spark(shop: Shop) -> bool:
    return shop.warehouse.name == "spark"


def kinds(shop: Shop) -> dict[str, str]:
    """What production has. Plain Spark has no snapshots."""
    return {name: kind for name, kind in KINDS.items() if not (name == "kept" and spark(shop))}


@pytest.fixture
def production(shop: Shop) -> Shop:
    """Production with each kind of node that the engine has; its events are those of three days."""
    produced(shop.write({path: text for path, text in FILES.items() if not (path.startswith("snap") and spark(shop))}))
    for day in ("2", "3"):
        produced(shop, "-s", "events", "--vars", f"day: {day}")
    return shop


def broken(shop: Shop) -> Shop:
    """A project whose copies fail half-way: what is wrong shows when the rows are read."""
    query = "select cast(name as integer) as id from {{ defer_relation.schema }}.people"
    macro = f"{{% macro default__get_clone_query_sql(defer_relation, limit) %}}{query}{{% endmacro %}}"
    return shop.write({"macros/broken.sql": macro})


class TestClone:
    """The command: everything that production has, and nothing else."""

    def test_everything_is_what_it_is_in_production(self, production: Shop) -> None:
        results = production.ok("clone", *STATE)
        assert production.kinds() == production.kinds("prod") == kinds(production)
        for name in kinds(production):
            assert production.rows(name) == production.rows(name, schema="prod")
        assert {(name, each["status"]) for name, each in results.items()} == {
            (name, "success") for name in kinds(production)
        }
        assert results["events"]["adapter_response"]["cloned_from"].endswith("prod.events")

    def test_a_table_is_a_copy_and_a_view_follows(self, production: Shop) -> None:
        production.ok("clone", *STATE)
        produced(production, "-s", "events", "--vars", "day: 4")
        production.warehouse.query(f"insert into {production.warehouse.table('prod', 'people')} values (2, 'y')")
        assert production.rows("events") == [(1,), (2,), (3,)]
        assert production.rows("people") == [(1, "x")]
        assert production.rows("names") == [("x",), ("y",)]

    def test_a_second_one_leaves_all_alone(self, production: Shop) -> None:
        production.ok("clone", *STATE)
        produced(production, "-s", "events", "--vars", "day: 4")
        results = production.ok("clone", *STATE)
        assert {each["status"] for each in results.values()} == {"no-op"}
        assert results["events"]["message"] == "No-op: already exists"
        assert production.rows("events") == [(1,), (2,), (3,)]
        production.ok("clone", "--full-refresh", *STATE)
        assert production.rows("events") == [(1,), (2,), (3,), (4,)]
        assert production.kinds() == kinds(production)

    def test_whatever_stands_there_is_replaced(self, production: Shop) -> None:
        """The pointer views of dbt's clone among it."""
        production.models(events="select 7 as id", names="{{ config(materialized='table') }} select 7 as id")
        production.ok("run", "-s", "events", "names")
        assert production.kinds() == {"events": "view", "names": "table"}
        production.write(MODELS).ok("clone", "--full-refresh", "-s", "events", "names", *STATE)
        assert production.kinds() == {"events": "table", "names": "view"}
        assert (production.rows("events"), production.rows("names")) == ([(1,), (2,), (3,)], [("x",)])

    def test_what_fails_leaves_what_was_there(self, production: Shop) -> None:
        production.models(events="{{ config(materialized='table') }} select 7 as id").ok("run", "-s", "events")
        broken(production.write(MODELS))
        results = production.fails("clone", "--full-refresh", "-s", "events", "countries", "names", *STATE)
        assert {name: each["status"] for name, each in results.items()} == {
            "events": "error", "countries": "error", "names": "success",
        }  # fmt: skip
        assert production.kinds() == {"events": "table", "names": "view"}
        assert production.rows("events") == [(7,)]

    def test_production_is_never_replaced_by_itself(self, production: Shop) -> None:
        """dbt makes a view upon itself of each relation here, and production is gone."""
        results = production.ok("clone", "--target", "prod", "--full-refresh", *STATE)
        assert {each["message"] for each in results.values()} == {"No-op: the state's relation is the target's own"}
        assert production.kinds("prod") == kinds(production)
        assert production.rows("events", schema="prod") == [(1,), (2,), (3,)]

    def test_what_production_lacks_is_told(self, production: Shop) -> None:
        production.models(new="select 1 as id")
        ran = production.run("clone", "-s", "new", "names", *STATE)
        assert (ran.exit_code, production.results()["new"]["message"]) == (0, "No-op: not in state")
        assert "1 cloned, 1 left alone" in ran.err
        production.warehouse.query(f"drop view prod.names{'' if spark(production) else ' cascade'}")
        ran = production.run("clone", "--full-refresh", *STATE)
        assert ran.exit_code == 2
        assert "1 relations to clone are not there, though the state says so" in ran.err
        assert "model.shop.names" in ran.err
        production.ok("clone", "--full-refresh", "--no-verify-state", *STATE)
        assert production.results()["names"]["message"] == "No-op: missing in the state's environment"

    def test_a_limit(self, production: Shop) -> None:
        dated = FILES["models/events.sql"].replace("materialized=", "event_time='id', materialized=")
        production.write({"models/events.sql": dated}).ok("clone", "--clone-limit", "2", *STATE)
        assert production.rows("events") == [(2,), (3,)], "the newest ones"
        assert len(production.rows("countries")) == 2
        production.ok("clone", "--clone-limit", "0", "--full-refresh", "-s", "events", "names", *STATE)
        assert (production.rows("events"), production.rows("names")) == ([], [("x",)])

    def test_no_hooks_run(self, production: Shop) -> None:
        hook = "post_hook='insert into {{ this }} values (99)', pre_hook='select nothing', materialized="
        production.write({"models/events.sql": FILES["models/events.sql"].replace("materialized=", hook)})
        project = (production.root / "dbt_project.yml").read_text()
        production.write({"dbt_project.yml": f"{project}on-run-start: select nothing\non-run-end: select nothing\n"})
        assert set(production.ok("clone", "-s", "events", *STATE)) == {"events"}
        assert production.rows("events") == [(1,), (2,), (3,)]

    def test_types_are_kept(self, shop: Shop) -> None:
        text = (
            "cast('1.50' as decimal(9, 4)) as b, cast('2024-01-01 01:02:03' as timestamp) as c, cast(null as date) as d"
        )
        shop.models(typed=f"{{{{ config(materialized='table') }}}} select cast(1 as bigint) as a, {text}")
        produced(shop).ok("clone", *STATE)
        assert shop.rows("typed") == shop.rows("typed", schema="prod")
        described = "select typeof(a), typeof(b), typeof(c), typeof(d) from"
        if shop.warehouse.name == "postgres":
            described = described.replace("typeof", "pg_typeof").replace("(b)", "(b)::text || length(b::text)")
        queries = [f"{described} {shop.warehouse.table(schema, 'typed')}" for schema in ("dev", "prod")]
        assert shop.warehouse.query(queries[0]) == shop.warehouse.query(queries[1])

    @pytest.mark.never("spark", raises=AssertionError, reason="names of relations are letters of ASCII, digits and _")
    def test_odd_names(self, shop: Shop) -> None:
        config = "config(alias='Odd \"Name\" x', schema='Of Its Own'"
        shop.models(a=f"{{{{ {config}, materialized='table') }}}} select 1 as id, 2 as \"Sel ect\"")
        shop.models(b=f"{{{{ {config.replace('x', 'y')}) }}}} select * from {{{{ ref('a') }}}}")
        produced(shop).ok("clone", *STATE)
        for name in ('Odd "Name" x', 'Odd "Name" y'):
            assert shop.rows(name, schema="dev_Of Its Own") == [(1, 2)]

    def test_threads(self, shop: Shop) -> None:
        models = {f"m{n}": f"{{{{ config(materialized='table') }}}} select {n} as id" for n in range(24)}
        produced(shop, **models).ok("clone", "--threads", "8", *STATE)
        assert [shop.rows(name) for name in models] == [[(n,)] for n in range(24)]
        produced(shop, "--full-refresh").ok("clone", "--threads", "8", "--full-refresh", *STATE)
        assert set(shop.kinds()) == set(models)


class TestOwnWays:
    """A project that knows a better way to copy."""

    def test_the_engines_own_clone(self, production: Shop) -> None:
        text = """
            {% macro default__can_clone_table() %}{{ return(true) }}{% endmacro %}
            {% macro default__create_or_replace_clone(this_relation, defer_relation) %}
              drop table if exists {{ this_relation }};
              create table {{ this_relation }} as select * from {{ defer_relation }}
            {% endmacro %}
            """
        spark = text.replace("default__", "spark__") if production.warehouse.name == "spark" else text
        production.write({"macros/clone.sql": spark}).models(events="select 7 as id").ok("run", "-s", "events")
        production.write({"models/events.sql": FILES["models/events.sql"]}).ok("clone", "--full-refresh", *STATE)
        assert production.kinds() == kinds(production)
        assert production.rows("events") == [(1,), (2,), (3,)]
        assert "drop table if exists" in (production.root / "target/run/shop/models/events.sql").read_text()
        assert "drop table if exists" not in (production.root / "target/run/shop/models/names.sql").read_text()

    def test_the_projects_own_query(self, production: Shop) -> None:
        text = "select * from {{ defer_relation }} where id > 1"
        production.write(
            {"macros/q.sql": f"{{% macro default__get_clone_query_sql(defer_relation, limit) %}}{text}{{% endmacro %}}"}
        ).ok("clone", "-s", "events", *STATE)
        assert production.rows("events") == [(2,), (3,)]

    def test_the_projects_own_materialization(self, production: Shop) -> None:
        text = """
            {% materialization clone, default %}
              {% set target = this.incorporate(type='table') %}
              {% call statement('main') %}
                create table {{ target }} as select id + 100 as id from {{ defer_relation }}
              {% endcall %}
              {% do adapter.commit() %}
              {{ return({'relations': [target]}) }}
            {% endmaterialization %}
            """
        production.write(
            {"macros/clone.sql": text.replace("default", "adapter='spark'") if spark(production) else text}
        )
        production.ok("clone", "-s", "events", *STATE)
        assert production.rows("events") == [(101,), (102,), (103,)]


class TestContracts:
    """What the database enforces in production, it enforces in the clone."""

    YAML = """
        models:
          - name: people
            config: {contract: {enforced: true}}
            columns:
              - {name: id, data_type: integer, constraints: [{type: not_null}, {type: primary_key}]}
              - {name: name, data_type: varchar(20)}
        """

    @pytest.mark.never("spark", raises=AssertionError, reason="parquet tables have no constraints")
    def test_constraints_are_kept(self, shop: Shop) -> None:
        shop.write({"models/people.sql": FILES["models/people.sql"], "models/p.yml": self.YAML})
        produced(shop).ok("clone", *STATE)
        assert shop.rows("people") == [(1, "x")]
        assert [self.refused(shop, row) for row in ("(null, 'y')", "(1, 'z')", "(2, 'z')")] == [True, True, False]

    def refused(self, shop: Shop, row: str) -> bool:
        try:
            shop.warehouse.query(f"insert into {shop.warehouse.table('dev', 'people')} values {row}")
        except Exception as error:  # each driver has its own
            if "constraint" in str(error).lower():
                return True
            raise
        return False

    def test_another_contract_than_productions_is_no_hindrance(self, shop: Shop) -> None:
        shop.write({"models/people.sql": FILES["models/people.sql"], "models/p.yml": self.YAML})
        produced(shop).write({"models/p.yml": self.YAML.replace("data_type: integer", "data_type: bigint")})
        shop.ok("clone", *STATE)
        assert shop.rows("people") == [(1, "x")]
        assert not self.refused(shop, "(null, 'y')")


@pytest.mark.never("duckdb", "spark", raises=NotImplementedError, reason="no roles")
class TestRights:
    """Who may not read production is told before anything runs; what the project grants is granted."""

    def test_who_may_not_read(self, production: Shop) -> None:
        fields = production.warehouse.reader("prod")
        production.warehouse.query("revoke select on prod.events from shop_reader")
        ran = production.as_somebody(fields).run("clone", *STATE)
        assert (ran.exit_code, "1 relations may not be read" in ran.err) == (2, True), ran.err
        assert production.kinds() == {}
        ran = production.run("build", "-s", "events", "--clone-incrementals", *STATE)
        assert (ran.exit_code, "1 relations may not be read" in ran.err) == (2, True), ran.err

    def test_who_may_not_list(self, production: Shop) -> None:
        ran = production.as_somebody(production.warehouse.reader()).run("clone", "--no-verify-state", *STATE)
        assert (ran.exit_code, "permission denied for schema prod" in ran.err) == (2, True), ran.err

    def test_grants(self, production: Shop) -> None:
        production.warehouse.reader()
        granted = FILES["models/events.sql"].replace(
            "materialized=", "grants={'select': ['shop_reader']}, materialized="
        )
        production.write({"models/events.sql": granted}).ok("clone", *STATE)
        asked = "select has_table_privilege('shop_reader', 'dev.events', 'select')"
        assert production.warehouse.query(asked) == [(True,)]


@pytest.mark.never("duckdb", "spark", raises=AssertionError, reason="no materialized views")
class TestMaterializedViews:
    """The rows are copied: a materialized view in the target would be refreshed by the next build, and never built."""

    def test_it_becomes_a_table_and_the_next_build_its_own(self, shop: Shop) -> None:
        text = "{{ config(materialized='materialized_view') }} select 'prod' as origin"
        produced(shop, kept=text)
        shop.models(kept=text.replace("'prod'", "'dev'")).ok("clone", *STATE)
        assert (shop.kinds(), shop.rows("kept")) == ({"kept": "table"}, [("prod",)])
        shop.ok("run")
        assert (shop.kinds(), shop.rows("kept")) == ({"kept": "materialized_view"}, [("dev",)])


class TestCloneIncrementals:
    """A build that begins with production's table."""

    def test_rows_are_added_to_productions(self, production: Shop) -> None:
        results = production.ok("build", "-s", "events", "--clone-incrementals", "--vars", "day: 5", *STATE)
        assert production.rows("events") == [(1,), (2,), (3,), (5,)]
        assert results["events"]["adapter_response"]["cloned_from"].endswith("prod.events")
        assert production.rows("events", schema="prod") == [(1,), (2,), (3,)]
        produced(production, "-s", "events", "--vars", "day: 6")
        results = production.ok("build", "-s", "events", "--clone-incrementals", "--vars", "day: 7", *STATE)
        assert production.rows("events") == [(1,), (2,), (3,), (5,), (7,)], "what is there is added to"
        assert "cloned_from" not in results["events"]["adapter_response"]

    def test_without_it_they_are_not(self, production: Shop) -> None:
        production.ok("build", "-s", "events", "--vars", "day: 5", "--defer", *STATE)
        assert production.rows("events") == [(5,)]

    @pytest.mark.notyet("spark", raises=AssertionError, reason="snapshots need a format such as delta")
    def test_a_snapshot_keeps_its_history(self, production: Shop) -> None:
        assert "kept" in production.ok("snapshot", "--clone-incrementals", "--defer", *STATE)
        theirs = production.rows("kept", "dbt_scd_id, dbt_valid_from", schema="prod")
        assert production.rows("kept", "dbt_scd_id, dbt_valid_from") == theirs

    def test_nothing_else_is_cloned(self, production: Shop) -> None:
        production.ok("build", "-s", "people", "names", "countries", "--clone-incrementals", *STATE)
        assert production.kinds() == {"people": "table", "names": "view", "countries": "table"}
        assert all("cloned_from" not in each["adapter_response"] for each in production.results().values())

    def test_a_full_refresh_turns_it_off(self, production: Shop) -> None:
        args = ("build", "-s", "events", "--clone-incrementals", "--vars", "day: 5", *STATE)
        production.ok(*args, "--full-refresh")
        assert production.rows("events") == [(5,)]
        production.warehouse.query(f"drop table {production.warehouse.table('dev', 'events')}")
        text = FILES["models/events.sql"]
        production.write({"models/events.sql": text.replace("materialized=", "full_refresh=true, materialized=")})
        production.ok(*args)
        assert production.rows("events") == [(5,)]
        production.warehouse.query(f"drop table {production.warehouse.table('dev', 'events')}")
        production.write({"models/events.sql": text.replace("materialized=", "full_refresh=false, materialized=")})
        production.ok(*args, "--full-refresh")
        assert production.rows("events") == [(1,), (2,), (3,), (5,)]

    @pytest.mark.parametrize("config", ["", "pre_hook=[{'sql': 'select 1', 'transaction': false}], "])
    def test_a_build_that_fails_leaves_nothing(self, production: Shop, config: str) -> None:
        text = f"{{{{ config({config}materialized='incremental') }}}} select cast('x' as integer) as id"
        results = production.models(events=text).fails("build", "-s", "events", "--clone-incrementals", *STATE)
        assert (results["events"]["status"], production.kinds()) == ("error", {})
        production.write(MODELS).ok("retry", "--vars", "day: 5")
        assert production.rows("events") == [(1,), (2,), (3,), (5,)]

    @pytest.mark.parametrize("config", ["", "pre_hook=[{'sql': 'select 1', 'transaction': false}], "])
    def test_a_build_that_fails_leaves_what_was_there(self, production: Shop, config: str) -> None:
        production.models(events="select 7 as id").ok("run", "-s", "events")
        head = f"{{{{ config({config}materialized='incremental') }}}}"
        args = ("build", "-s", "events", "--clone-incrementals", *STATE)
        production.models(events=f"{head} select cast('x' as integer) as id").fails(*args)
        assert (production.kinds(), production.rows("events")) == ({"events": "view"}, [(7,)])
        broken(production.models(events=f"{head} select 8 as id")).fails(*args)
        assert (production.kinds(), production.rows("events")) == ({"events": "view"}, [(7,)])
        (production.root / "macros/broken.sql").unlink()
        production.ok(*args)
        assert (production.kinds(), production.rows("events")) == ({"events": "table"}, [(1,), (2,), (3,), (8,)])

    def test_a_failed_template_leaves_nothing(self, production: Shop) -> None:
        raising = "{% if execute %}{{ exceptions.raise_compiler_error('no') }}{% endif %}"
        production.models(events="{{ config(materialized='incremental') }}" + raising)
        production.fails("build", "-s", "events", "--clone-incrementals", *STATE)
        assert production.kinds() == {}

    def test_the_schema_changes_as_in_production(self, production: Shop) -> None:
        text = "{{{{ config(materialized='incremental', on_schema_change='{}') }}}} select 9 as id, 'n' as more"
        args = ("build", "-s", "events", "--clone-incrementals", *STATE)
        production.models(events=text.format("fail")).fails(*args)
        assert production.kinds() == {}
        production.models(events=text.format("append_new_columns")).ok(*args)
        assert production.rows("events") == [(1, None), (2, None), (3, None), (9, "n")]

    def test_a_limit(self, production: Shop) -> None:
        dated = FILES["models/events.sql"].replace("materialized=", "event_time='id', materialized=")
        production.write({"models/events.sql": dated})
        args = ("build", "-s", "events", "--clone-incrementals", "--vars", "day: 5", *STATE)
        production.ok(*args, "--clone-limit", "1")
        assert production.rows("events") == [(3,), (5,)]

    def test_a_model_of_batches(self, shop: Shop) -> None:
        keys = {"duckdb": "", "postgres": ", unique_key='id'", "spark": ", partition_by='day'"}[shop.warehouse.name]
        day = ", cast(at_time as date) as day" if spark(shop) else ""
        config = (
            "materialized='incremental', incremental_strategy='microbatch', event_time='at_time', batch_size='day', "
            f"begin='2024-01-01'{keys}"
        )
        rows = " union all ".join(
            f"select {n} as id, cast('2024-01-0{n} 08:00:00' as timestamp) as at_time" for n in (1, 2, 3, 4)
        )
        shop.models(
            events=f"{{{{ config(materialized='table', event_time='at_time') }}}} {rows}",
            batches=f"{{{{ config({config}) }}}} select id, at_time, {{{{ var('v', 1) }}}} as v{day} from {{{{ ref('events') }}}}",
        )
        produced(shop, "--event-time-start", "2024-01-01", "--event-time-end", "2024-01-04")
        window = ("--event-time-start", "2024-01-03", "--event-time-end", "2024-01-05")
        args = ("build", "-s", "batches", "--defer", "--clone-incrementals", *window, *STATE)
        text = (shop.root / "models/batches.sql").read_text()
        shop.models(batches=text.replace("select id", "select cast('x' as integer) as id")).fails(*args)
        assert shop.kinds() == {}
        shop.models(batches=text).ok(*args, "--vars", "v: 2")
        assert shop.rows("batches", "id, v") == [(1, 1), (2, 1), (3, 2), (4, 2)]

    def test_what_no_state_has_is_built(self, production: Shop) -> None:
        production.models(more="{{ config(materialized='incremental') }} select 1 as id")
        production.ok("build", "-s", "more", "--clone-incrementals", *STATE)
        assert production.rows("more") == [(1,)]
        production.warehouse.query(f"drop table {production.warehouse.table('prod', 'events')}")
        ran = production.run("build", "-s", "events", "--clone-incrementals", *STATE)
        assert ran.exit_code == 0
        assert "cannot be cloned: it is not there, though the state says so (CloneSourceMissing)" in ran.err
        assert production.rows("events") == [(1,)]
