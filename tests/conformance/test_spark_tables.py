"""Spark alone: formats, partitions, folders, the swap without a transaction, a metastore that outlives the process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conformance.shop import Shop
from conformance.warehouses import Spark
from support import spark

import understudy

SOURCE = Path(understudy.__file__).parents[1]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    spark.session()
    spark.emptied()
    return Shop(tmp_path / "project", Spark()).write({})


def described(name: str) -> dict[str, str]:
    """What Spark says of a table: the rows of `describe table extended` by their first column."""
    return {row[0]: row[1] for row in spark.sql(f"describe table extended dev.{name}")}


class TestClauses:
    """Configs that become clauses of `create table`."""

    def test_all_of_them(self, shop: Shop, tmp_path: Path) -> None:
        root = tmp_path / "it's here"
        shop.models(
            a=f"""
            {{{{ config(
                materialized='table', file_format='orc', partition_by=['p'], location_root="{root}",
                tblproperties={{"owner's": 'ada'}}, options={{'compression': 'snappy'}},
                clustered_by='id', buckets=2, persist_docs={{'relation': true, 'columns': true}}
            ) }}}}
            select 1 as id, 2 as p
            """
        ).write(
            {
                "models/p.yml": 'models: [{name: a, description: "it\'s a \\\\ b", columns: [{name: ID, description: c}]}]'
            }
        ).ok("run")
        found = described("a")
        assert (found["Provider"], found["Type"], found["Comment"]) == ("orc", "EXTERNAL", "it's a \\ b")
        assert found["Location"].endswith("/a")
        assert (root / "a" / "p=2").is_dir()
        assert (found["Num Buckets"], found["Bucket Columns"]) == ("2", "[`id`]")
        assert "owner's=ada" in found["Table Properties"]
        assert spark.sql("describe table dev.a")[0] == ("id", "int", "c")

    def test_parquet_is_the_default(self, shop: Shop) -> None:
        shop.models(a="{{ config(materialized='table') }} select 1 as id").ok("run")
        assert described("a")["Provider"] == "parquet"

    def test_a_folder_of_its_own_for_each_version(self, shop: Shop, tmp_path: Path) -> None:
        config = f"{{{{ config(materialized='table', location_root='{tmp_path / 'root'}') }}}}"
        for number in (1, 2, 3):
            shop.models(a=f"{config} select {number} as id").ok("run")
            assert shop.rows("a") == [(number,)]
        assert len(list((tmp_path / "root").iterdir())) == 3

    def test_a_view_describes_itself(self, shop: Shop) -> None:
        shop.models(
            a="{{ config(persist_docs={'relation': true, 'columns': true}) }} select 1 as id, 2 as `b c`"
        ).write({"models/p.yml": 'models: [{name: a, description: d, columns: [{name: id, description: "i\'d"}]}]'})
        for _ in range(2):
            shop.ok("run")
        assert spark.sql("describe table dev.a") == [("id", "int", "i'd"), ("b c", "int", None)]
        assert described("a")["Comment"] == "d"

    @pytest.mark.parametrize(
        ("config", "message"),
        [
            ("file_format='parket'", "Spark has no file format 'parket'"),
            ("file_format='delta'", "spark.jars.packages"),
            ("tblproperties='x'", "'tblproperties' must be a map"),
            ("partition_by='missing'", "missing"),
        ],
    )
    def test_what_cannot_be(self, shop: Shop, config: str, message: str) -> None:
        shop.models(a=f"{{{{ config(materialized='table', {config}) }}}} select 1 as id")
        assert message in shop.fails("run")["a"]["message"]
        assert shop.kinds() == {}


class TestStrategies:
    """What dbt-spark has beside append."""

    def model(self, config: str, later: str) -> str:
        first = "select 1 as id, 'a' as p union all select 2, 'b'"
        head = f"{{{{ config(materialized='incremental', {config}) }}}}"
        return f"{head} {{% if is_incremental() %}} {later} {{% else %}} {first} {{% endif %}}"

    def test_partitions_are_replaced(self, shop: Shop) -> None:
        config = "incremental_strategy='insert_overwrite', partition_by='p'"
        shop.models(a=self.model(config, "select id + 10 as id, 'b' as p from {{ this }} where p = 'b'")).ok("run")
        assert shop.rows("a", "id, p") == [(1, "a"), (2, "b")]
        shop.ok("run")
        assert shop.rows("a", "id, p") == [(1, "a"), (12, "b")]

    def test_all_rows_are_replaced(self, shop: Shop) -> None:
        shop.models(a=self.model("incremental_strategy='insert_overwrite'", "select 3 as id, 'c' as p")).ok("run")
        shop.ok("run")
        assert shop.rows("a") == [(3, "c")]

    def test_all_rows_are_replaced_by_what_comes_of_them(self, shop: Shop) -> None:
        later = "select id + 10 as id, p, 'new' as more from {{ this }} where id = 2"
        config = "incremental_strategy='insert_overwrite', tblproperties={'kept': 'yes'}, on_schema_change="
        shop.models(a=self.model(f"{config}'ignore'", later)).ok("run")
        shop.ok("run")
        assert shop.rows("a") == [(12, "b")]
        assert "kept=yes" in described("a")["Table Properties"]
        shop.models(a=self.model(f"{config}'append_new_columns'", later.replace("id = 2", "id = 12"))).ok("run")
        assert shop.rows("a") == [(22, "b", "new")]
        assert set(shop.kinds()) == {"a"}

    def test_a_failure_leaves_all_rows(self, shop: Shop) -> None:
        later = "select cast(raise_error('no') as int) as id, 'c' as p"
        shop.models(a=self.model("incremental_strategy='insert_overwrite'", later)).ok("run")
        assert "no" in shop.fails("run")["a"]["message"]
        assert shop.rows("a") == [(1, "a"), (2, "b")]

    def test_a_strategy_of_the_project_replaces_all_rows(self, shop: Shop) -> None:
        macro = """
        {% macro get_incremental_insert_overwrite_sql(arg_dict) %}
            insert into {{ arg_dict['target_relation'] }} select * from {{ arg_dict['temp_relation'] }}
        {% endmacro %}
        """
        shop.models(a=self.model("incremental_strategy='insert_overwrite'", "select 3 as id, 'c' as p"))
        shop.write({"macros/m.sql": macro}).ok("run")
        shop.ok("run")
        assert len(shop.rows("a")) == 3

    def test_what_the_format_cannot(self, shop: Shop) -> None:
        config = "incremental_strategy='merge', unique_key='id'"
        shop.models(a=self.model(config, "select 3 as id, 'c' as p")).ok("run")
        assert "'merge' is not available for the file format 'parquet'" in shop.fails("run")["a"]["message"]
        assert len(shop.rows("a")) == 2

    def test_what_no_format_can_is_told_before_anything_is_built(self, shop: Shop) -> None:
        shop.models(a=self.model("incremental_strategy='delete+insert', unique_key='id'", "select 3 as id, 'c' as p"))
        assert "'delete+insert' is not valid" in shop.fails("run")["a"]["message"]
        assert shop.kinds() == {}

    def test_merge_says_what_delta_understands(self, shop: Shop) -> None:
        """Delta is no part of PySpark: the statement is parsed, and refused for the table's format."""
        shop.models(a=self.model("file_format='parquet'", "select 3 as id, 'c' as p")).ok("run")
        shop.models(
            a=self.model(
                "incremental_strategy='merge', unique_key='id', file_format='delta'", "select 3 as id, 'c' as p"
            )
        )
        assert "MERGE INTO TABLE" in shop.fails("run")["a"]["message"]
        assert len(shop.rows("a")) == 2


class TestSwap:
    """Nobody sees a table that is half written, or none where there was one."""

    def test_the_old_table_stays_when_it_cannot_be_set_aside(self, shop: Shop) -> None:
        """A folder with files stands where it would go."""
        shop.models(a="{{ config(materialized='table') }} select 1 as id").ok("run")
        folder = Path(described("a")["Location"].removeprefix("file:"))
        backup = folder.with_name("a__dbt_backup")
        backup.mkdir()
        (backup / "file").write_text("x")
        shop.models(a="{{ config(materialized='table') }} select 2 as id").fails("run")
        assert shop.rows("a") == [(1,)]

    def test_what_a_killed_run_left_is_removed(self, shop: Shop) -> None:
        shop.models(a="{{ config(materialized='table') }} select 1 as id").ok("run")
        for name in ("a__dbt_tmp_0123abcd", "a__dbt_backup"):
            spark.sql(f"create table dev.{name} as select 1 as id")
        spark.sql("create table dev.a__dbt_tmp_of_mine as select 1 as id")
        shop.ok("run")
        assert set(shop.kinds()) == {"a", "a__dbt_tmp_of_mine"}

    @pytest.mark.parametrize(("later", "rows"), [("select 2 as id", [(1,), (2,)]), ("select nothing as id", [(1,)])])
    def test_the_old_table_comes_back(self, shop: Shop, later: str, rows: list[tuple[int]]) -> None:
        """A run that was killed between the renames of a swap has left it aside."""
        shop.models(
            a=f"""
            {{{{ config(materialized='incremental') }}}}
            {{% if is_incremental() %}} {later} {{% else %}} select 1 as id {{% endif %}}
            """
        ).ok("run")
        spark.sql("alter table dev.a rename to dev.a__dbt_backup")
        shop.run("run")
        assert shop.rows("a") == rows
        assert shop.kinds() == {"a": "table"}

    def test_files_that_a_killed_run_left_do_no_harm(self, shop: Shop) -> None:
        shop.models(a="{{ config(materialized='table') }} select 1 as id").ok("run")
        folder = Path(described("a")["Location"].removeprefix("file:")).with_name("a__dbt_tmp")
        folder.mkdir()
        (folder / "part").write_text("x")
        shop.ok("run")

    def test_a_seed_that_breaks_leaves_the_old_rows(self, shop: Shop) -> None:
        config = "seeds: [{name: s, config: {column_types: {id: int}}}]"
        shop.write({"seeds/s.csv": "id\n1\n", "seeds/s.yml": config}).ok("seed")
        shop.write({"seeds/s.csv": "id\n2\nx\n"}).fails("seed")
        assert shop.rows("s") == [(1,)]


def started(root: Path, *args: str) -> subprocess.Popen[str]:
    """A command in a process of its own, and a group of its own: Java goes with it."""
    return subprocess.Popen(
        [sys.executable, "-m", "understudy", *args], cwd=root, env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def run(root: Path, *args: str) -> str:
    """Its output; it must succeed."""
    with started(root, *args) as process:
        out, err = process.communicate()
    assert process.returncode == 0, out + err
    return out


def killed(root: Path, moment: Callable[[], bool], *args: str) -> None:
    """Kill -9, as soon as the moment has come."""
    with started(root, *args) as process:
        try:
            end = time.monotonic() + 300
            while not moment():
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < end, "it did not happen"
                time.sleep(0.005)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def profile(fields: dict[str, Any]) -> str:
    return json.dumps({"shop": {"target": "dev", "outputs": {"dev": {"type": "spark", "schema": "dev", **fields}}}})


class TestProcesses:
    """What a process of its own finds."""

    def test_the_metastore_outlives_the_process(self, shop: Shop) -> None:
        """What one process wrote is there for the next one; what a killed one wrote is not."""
        small = {"spark.master": "local[2]", "spark.driver.memory": "1g", "spark.sql.shuffle.partitions": 1}
        fields = {"method": "session", "host": "NA", "server_side_parameters": small, "threads": 2}
        shop.models(
            a="{{ config(materialized='table') }} select id, {{ var('version') }} as version from range(0, {{ var('rows') }}, 1, 1)",
            b="""
            {{ config(materialized='incremental', incremental_strategy='insert_overwrite') }}
            select id, {{ var('version') }} as version from range(0, {{ var('rows') }}, 1, 1)
            """,
        ).write({"profiles.yml": profile(fields)})
        warehouse = shop.root / "spark-warehouse/dev.db"
        seen = "select concat_ws('/', '{0}', min(version), max(version), count(*)) as seen from dev.{0}"
        ask = ("show", "--inline", f"{seen.format('a')} union all {seen.format('b')}")
        run(shop.root, "run", "--vars", "{version: 1, rows: 1000}")
        assert (warehouse / "a").is_dir()

        def half() -> bool:
            return all(any(warehouse.glob(f"{name}__dbt_tmp_*/**/part-*")) for name in "ab")

        killed(shop.root, half, "run", "--vars", "{version: 2, rows: 2000000000}")
        out = run(shop.root, *ask)
        assert ("a/1/1/1000" in out, "b/1/1/1000" in out) == (True, True), out
        run(shop.root, "run", "--vars", "{version: 3, rows: 10}")
        out = run(shop.root, *ask)
        assert ("a/3/3/10" in out, "b/3/3/10" in out) == (True, True), out

    def test_spark_connect(self, shop: Shop) -> None:
        shop.models(
            a="{{ config(materialized='table') }} select * from {{ ref('s') }}",
            b="{{ config(materialized='incremental') }} select * from {{ ref('a') }}",
            c="select * from {{ ref('b') }}",
        ).write(
            {
                "seeds/s.csv": "id,name\n1,a\n2,\n",
                "models/p.yml": "models: [{name: c, columns: [{name: id, data_tests: [not_null]}]}]",
                "profiles.yml": profile(
                    {"method": "connect", "remote": f"sc://127.0.0.1:{spark.connect_port()}", "threads": 2}
                ),
            }
        )
        for _ in range(2):
            run(shop.root, "build")
        assert shop.kinds() == {"a": "table", "b": "table", "c": "view", "s": "table"}
        assert len(shop.rows("c")) == 4
