"""Python models: what a model is given, what it may return, and what is left of one that fails."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conformance.shop import Shop
from conformance.warehouses import Warehouse

NO_PYTHON = pytest.mark.never("postgres", raises=AssertionError, reason="PostgreSQL runs no Python models")

SOURCE = """
sources:
  - name: raw
    schema: dev
    tables: [{name: things}]
"""
FRAMES = {
    "pandas": "import pandas\n\ndef model(dbt, session):\n    return pandas.DataFrame({'id': [1, 2]})\n",
    "polars": "import polars\n\ndef model(dbt, session):\n    return polars.DataFrame({'id': [1, 2]})\n",
    "polars_lazy": "import polars\n\ndef model(dbt, session):\n    return polars.LazyFrame({'id': [1, 2]})\n",
    "pyarrow": "import pyarrow\n\ndef model(dbt, session):\n    return pyarrow.table({'id': [1, 2]})\n",
    "engine": "def model(dbt, session):\n    return session.sql('select 1 as id union all select 2')\n",
}


def python(shop: Shop, **models: str) -> Shop:
    """Write Python models by name."""
    return shop.write({f"models/{name}.py": text for name, text in models.items()})


@NO_PYTHON
class TestWhatAModelIsGiven:
    """`dbt.ref`, `dbt.source`, `dbt.config`, `dbt.this`, `dbt.is_incremental`, and the engine's session."""

    def test_references(self, shop: Shop) -> None:
        shop.models(
            a="select 1 as id union all select 2", things="select 3 as id", below="select * from {{ ref('p') }}"
        )
        model = """
        def model(dbt, session):
            a = dbt.ref("a")
            return a.union(dbt.ref("shop", "a")).union(dbt.source("raw", "things"))
        """
        python(shop.write({"models/s.yml": SOURCE}), p=model).ok("run", "-s", "a", "things")
        results = shop.ok("run", "-s", "p", "below")
        assert shop.rows("p") == [(1,), (1,), (2,), (2,), (3,)]
        assert shop.kinds()["p"] == "table"
        assert len(shop.rows("below")) == 5
        assert results["p"]["message"] == "OK"
        assert results["p"]["adapter_response"] == {"_message": "OK"}

    def test_versions(self, shop: Shop) -> None:
        properties = "models: [{name: a, latest_version: 2, versions: [{v: 1}, {v: 2}]}]"
        shop.write({"models/a.yml": properties}).models(a_v1="select 1 as id", a_v2="select 2 as id")
        model = """
        def model(dbt, session):
            return dbt.ref("a").union(dbt.ref("a", v=1)).union(dbt.ref("shop", "a", version=1))
        """
        python(shop, p=model).ok("run")
        assert shop.rows("p") == [(1,), (1,), (2,)]

    def test_config(self, shop: Shop) -> None:
        properties = """
        models:
          - name: p
            config: {threshold: 5, since: 2026-01-31, nested: {a: [1, "it's"]}, meta: {owner: ann}}
        """
        model = """
        def model(dbt, session):
            dbt.config(materialized="table", own=[1, 2])
            seen = [
                dbt.config.get("threshold"), dbt.config.get("missing"), dbt.config.get("missing_too", 7),
                dbt.config.get("since"), dbt.config.get("nested"), dbt.config.get("own"),
                dbt.config.get("materialized"), dbt.config.meta_get("owner"), dbt.config.meta_get("nobody", "none"),
            ]
            import json
            text = json.dumps(seen).replace("'", "''")
            return session.sql(f"select '{text}' as seen")
        """
        python(shop.write({"models/p.yml": properties}), p=model).ok("run")
        seen = [5, None, 7, "2026-01-31", {"a": [1, "it's"]}, [1, 2], "table", "ann", "none"]
        assert json.loads(shop.rows("p")[0][0]) == seen

    def test_this(self, shop: Shop) -> None:
        model = """
        def model(dbt, session):
            dbt.config(alias="the_p")
            text = f"{dbt.this.schema}.{dbt.this.identifier} {dbt.is_incremental}"
            return session.sql(f"select '{text}' as seen")
        """
        python(shop, p=model).ok("run")
        assert shop.rows("the_p") == [("dev.the_p False",)]

    def test_a_helper_a_data_class_and_a_future_import(self, shop: Shop) -> None:
        model = '''


        """A docstring, below blank lines."""
        from __future__ import annotations

        from dataclasses import dataclass

        @dataclass
        class Row:
            id: int

        def helper(row: Row) -> int:
            return row.id + 1

        def model(dbt, session):
            return session.sql(f"select {helper(Row(1))} as id")
        '''
        python(shop, p=model).ok("run")
        assert shop.rows("p") == [(2,)]

    @pytest.mark.never("spark", raises=AssertionError, reason="Spark's own catalog takes letters, digits and _ only")
    def test_names_that_need_quotes(self, shop: Shop) -> None:
        model = "def model(dbt, session):\n    dbt.config(alias='my-model')\n    return dbt.ref('a')\n"
        python(shop.models(a="{{ config(alias='an-a') }} select 1 as id"), p=model).ok("run")
        assert shop.rows("my-model") == [(1,)]
        shop.ok("run")
        assert shop.rows("my-model") == [(1,)]

    def test_hooks_come_before_and_after(self, shop: Shop) -> None:
        properties = """
        models:
          - name: p
            config:
              pre_hook: "create table {{ target.schema }}.before as select 5 as id"
              post_hook: "create table {{ target.schema }}.after as select * from {{ this }}"
        """
        model = """
        def model(dbt, session):
            return session.sql("select * from dev.before")
        """
        python(shop.write({"models/p.yml": properties}), p=model).ok("run")
        assert shop.rows("after") == [(5,)]

    @pytest.mark.never("duckdb", raises=AssertionError, reason="functions of Spark's workers")
    def test_functions_that_workers_call(self, shop: Shop) -> None:
        model = """
        from pyspark.sql.functions import udf

        OFFSET = 10

        def shifted(x):
            return x + OFFSET

        def model(dbt, session):
            return spark.range(2).select(udf(shifted, "long")("id").alias("id"))
        """
        python(shop, p=model).ok("run")
        assert shop.rows("p") == [(10,), (11,)]

    def test_nothing_is_left_in_the_session(self, shop: Shop) -> None:
        shop.threads = 1
        model = """
        def model(dbt, session):
            if hasattr(session, "register"):
                session.execute("create temp table mine as select 1 as id")
                session.execute("select range from range(5000)").fetchone()  # a result that is left open
            return session.sql("select 1 as id")
        """
        python(shop.write({}), p=model, q=model).ok("run")
        assert shop.rows("q") == [(1,)]


@NO_PYTHON
class TestWhatAModelReturns:
    """Data frames of every kind become tables."""

    @pytest.mark.parametrize("kind", FRAMES)
    def test_kinds(self, shop: Shop, kind: str) -> None:
        python(shop, p=FRAMES[kind]).ok("run")
        assert shop.rows("p") == [(1,), (2,)]
        shop.ok("run")
        assert shop.rows("p") == [(1,), (2,)]
        assert shop.kinds() == {"p": "table"}

    def test_a_stream_that_the_model_reads_on_its_connection(self, shop: Shop) -> None:
        model = """
        import pyarrow

        def batches(session):
            for start in range(0, 3000, 1000):
                if hasattr(session, "register"):
                    rows = session.sql(f"select range as id from range({start}, {start + 1000})").fetchall()
                else:
                    rows = session.sql(f"select id from range({start}, {start + 1000})").collect()
                yield pyarrow.record_batch({"id": [row[0] for row in rows]})

        def model(dbt, session):
            return pyarrow.RecordBatchReader.from_batches(pyarrow.schema([("id", pyarrow.int64())]), batches(session))
        """
        python(shop, p=model).ok("run")
        assert shop.rows("p", "count(*), sum(id)") == [(3000, 4498500)]

    @pytest.mark.parametrize(
        ("value", "told"),
        [
            ("None", "The function 'model' returned None"),
            ("[1, 2]", "The function 'model' returned list, which is no data frame"),
            ("'a'", "The function 'model' returned str, which is no data frame"),
        ],
    )
    def test_no_data_frame(self, shop: Shop, value: str, told: str) -> None:
        result = python(shop, p=f"def model(dbt, session):\n    return {value}\n").fails("run")["p"]
        assert result["status"] == "error"
        assert told in result["message"]
        assert shop.kinds() == {}


@NO_PYTHON
class TestIncremental:
    """A Python model that adds to its table."""

    MODEL = """
    def model(dbt, session):
        dbt.config(materialized="incremental", {config})
        if dbt.is_incremental:
            return session.sql(f"select max(id) as id, 'again' as name from {{dbt.this}}").union(
                session.sql(f"select max(id) + 1, 'new' from {{dbt.this}}"))
        return session.sql("select 1 as id, 'first' as name")
    """

    def test_append(self, shop: Shop) -> None:
        python(shop, p=self.MODEL.format(config="incremental_strategy='append'")).ok("run")
        assert shop.rows("p") == [(1, "first")]
        shop.ok("run")
        assert shop.rows("p") == [(1, "again"), (1, "first"), (2, "new")]
        shop.ok("run", "--full-refresh")
        assert shop.rows("p") == [(1, "first")]
        assert shop.kinds() == {"p": "table"}

    @pytest.mark.never("spark", raises=AssertionError, reason="append is dbt-spark's default, with a key, too")
    def test_by_key(self, shop: Shop) -> None:
        python(shop, p=self.MODEL.format(config="unique_key='id'")).ok("run")
        shop.ok("run")
        assert shop.rows("p") == [(1, "again"), (2, "new")]

    def test_a_new_column(self, shop: Shop) -> None:
        config = "dbt.config(materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns')"
        model = f"""
        def model(dbt, session):
            {config}
            more = ", 7 as more" if dbt.is_incremental else ""
            return session.sql(f"select 1 as id{{more}}")
        """
        python(shop, p=model).ok("run")
        shop.ok("run")
        assert shop.rows("p") == [(1, 7), (1, None)]


@NO_PYTHON
class TestFailure:
    """What is told of a model that fails, and what it leaves."""

    def test_the_line_of_the_file(self, shop: Shop) -> None:
        model = """

        def helper(x):
            return 1 / x

        def model(dbt, session):
            return helper(0)
        """
        file = "\n\n" + model.strip("\n").replace("        ", "", 1).replace("\n        ", "\n")
        shop.models(a="select 1 as id")
        (shop.root / "models/p.py").write_text(file)
        result = shop.fails("run")["p"]
        lines = file.splitlines()
        assert f"(models/p.py:{lines.index('    return 1 / x') + 1})" in result["message"]
        assert "ZeroDivisionError: division by zero" in result["message"]
        assert f"line {lines.index('    return helper(0)') + 1}, in model: return helper(0)" in result["message"]

    def test_what_stood_there_stays(self, shop: Shop) -> None:
        python(shop, p="def model(dbt, session):\n    return session.sql('select 1 as id')\n").ok("run")
        python(shop, p="def model(dbt, session):\n    raise ValueError('no')\n    return None\n").fails("run")
        assert shop.rows("p") == [(1,)]
        assert shop.kinds() == {"p": "table"}

    @pytest.mark.parametrize(
        ("statement", "told"),
        [
            ("import no_such_package.inner", "pip install no_such_package"),
            ("raise SystemExit(3)", "SystemExit: 3"),
            ("session.sql('select * from no_such_table')", "no_such_table"),
            ("dbt.no_such_thing()", "no_such_thing"),
        ],
    )
    def test_errors_of_all_kinds(self, shop: Shop, statement: str, told: str) -> None:
        result = python(shop, p=f"def model(dbt, session):\n    {statement}\n    return 1\n").fails("run")["p"]
        assert result["status"] == "error"
        assert told in result["message"]
        assert "(models/p.py:2)" in result["message"]

    def test_a_view(self, shop: Shop) -> None:
        model = (
            "def model(dbt, session):\n    dbt.config(materialized='view')\n    return session.sql('select 1 as id')\n"
        )
        result = python(shop, p=model).fails("run")["p"]
        assert (
            'Materialization "materialization_view_default" only supports languages [\'sql\']; got "python"'
            in result["message"]
        )


@NO_PYTHON
class TestCompiledCode:
    """The script that is written under target/ runs by itself, as dbt's does."""

    def test_it_runs_by_itself(self, shop: Shop, engine: str) -> None:
        shop.models(a="select 4 as id")
        model = "def model(dbt, session):\n    return dbt.ref('a')\n"
        python(shop, p=model).ok("run")
        compiled = (shop.root / "target/compiled/shop/models/p.py").read_text()
        built = (shop.root / "target/run/shop/models/p.py").read_text()
        assert compiled.startswith(model)
        assert built.startswith(compiled.rstrip())
        assert "def materialize(df, session):" in built
        names: dict[str, object] = {}
        exec(compile(compiled, "p.py", "exec"), names)
        given: list[str] = []
        names["dbtObj"](given.append).ref("a")  # type: ignore[operator]
        assert shop.warehouse.query(f"select * from {given[0]}") == [(4,)]
        result = shop.results()["p"]
        assert result["compiled_code"] == compiled

    def test_deferral(self, shop: Shop, tmp_path: Path) -> None:
        shop.models(a="select 4 as id")
        python(shop, p="def model(dbt, session):\n    return dbt.ref('a')\n")
        shop.ok("run", "--target", "prod")
        shutil.move(shop.root / "target", tmp_path / "state")
        shop.ok("run", "-s", "p", "--defer", "--state", str(tmp_path / "state"))
        assert shop.rows("p") == [(4,)]
        assert set(shop.kinds()) == {"p"}
        assert "prod" in (shop.root / "target/compiled/shop/models/p.py").read_text()


@NO_PYTHON
class TestMaterializationsOfTheProject:
    """A materialization in Jinja that takes Python models, and one that does not."""

    MACRO = """
    {% materialization mine, default, supported_languages=['sql', 'python'] %}
      {%- set target_relation = this.incorporate(type='table') -%}
      {% call statement('main', language=model['language']) -%}
        {{ create_table_as(False, target_relation, compiled_code, model['language']) }}
      {%- endcall %}
      {% do adapter.commit() %}
      {{ return({'relations': [target_relation]}) }}
    {% endmaterialization %}
    {% materialization plain, default %}
      {% call statement('main') %} select 1 {% endcall %}
      {{ return({'relations': []}) }}
    {% endmaterialization %}
    """
    MODEL = "def model(dbt, session):\n    dbt.config(materialized='{0}')\n    return session.sql('select 1 as id')\n"

    def test_both_languages(self, shop: Shop) -> None:
        shop.write({"macros/m.sql": self.MACRO}).models(s="{{ config(materialized='mine') }} select 2 as id")
        results = python(shop, p=self.MODEL.format("mine")).ok("run")
        assert shop.rows("p") == [(1,)]
        assert shop.rows("s") == [(2,)]
        assert results["p"]["message"] == "OK"

    def test_the_other_language(self, shop: Shop) -> None:
        shop.write({"macros/m.sql": self.MACRO})
        result = python(shop, p=self.MODEL.format("plain")).fails("run")["p"]
        assert (
            'Materialization "materialization_plain_default" only supports languages [\'sql\']; got "python"'
            in result["message"]
        )


class TestBeforeItRuns:
    """What is the same on an engine that runs no Python."""

    def test_an_ephemeral_model(self, shop: Shop) -> None:
        shop.models(a="{{ config(materialized='ephemeral') }} select 1 as id")
        result = python(shop, p="def model(dbt, session):\n    return dbt.ref('a')\n").fails("run")["p"]
        assert "Python models can not ref() ephemeral models, but a is ephemeral" in result["message"]

    def test_compile(self, shop: Shop) -> None:
        shop.models(a="select 4 as id")
        python(shop, p="def model(dbt, session):\n    return dbt.ref('a')\n")
        ran = shop.run("compile", "-s", "p")
        assert ran.exit_code == 0, ran.err
        assert "def model(dbt, session):" in ran.out
        assert "class dbtObj" in ran.out
        assert shop.kinds() == {}

    def test_unit_tests_are_for_sql(self, shop: Shop) -> None:
        unit_test = "unit_tests: [{name: u, model: p, given: [], expect: {rows: [{id: 1}]}}]"
        python(shop.write({"models/u.yml": unit_test}), p="def model(dbt, session):\n    return None\n")
        result = shop.fails("test", "-s", "p")["p"]
        assert "The unit test 'u' tests 'p', which is a Python model" in result["message"]

    def test_show(self, shop: Shop) -> None:
        ran = python(shop, p="def model(dbt, session):\n    return None\n").run("show", "-s", "p")
        assert ran.exit_code == 2
        assert "p is a Python model, which has no query to show" in ran.err

    def test_templates_elsewhere_cannot_run_python(self, shop: Shop, tmp_path: Path) -> None:
        trace = tmp_path / "trace"
        code = f"open({str(trace)!r}, 'w').close()"
        macro = (
            '{% macro sneak() %}{% if execute %}{{ submit_python_job(model, "' + code + '") }}{% endif %}{% endmacro %}'
        )
        shop.write({"macros/m.sql": macro}).models(a="{{ sneak() }} select 1 as id")
        result = shop.fails("run")["a"]
        assert "Python can be run by a materialization only" in result["message"]
        assert not trace.exists()


class TestNoPython:
    """An engine that runs no Python says so before anything happens to the model."""

    @pytest.mark.never("duckdb", "spark", raises=AssertionError, reason="they run Python models")
    def test_the_error(self, shop: Shop, warehouse: Warehouse) -> None:
        python(shop, p="def model(dbt, session):\n    return None\n")
        result = shop.fails("run")["p"]
        assert f"Python models cannot be run on {warehouse.name}" in result["message"]
        assert shop.kinds() == {}
