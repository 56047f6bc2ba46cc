"""What only DuckDB has: models and sources in files, tables that foreign keys hold, grants that it does not know."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support import cli

import understudy

ROWS = "select 1 as id, 'a' as name union all select 2, 'it''s'"


def external(config: str = "", sql: str = ROWS) -> str:
    return f"{{{{ config(materialized='external'{', ' + config if config else ''}) }}}} {sql}"


def shop(root: Path, **models: str) -> Path:
    return cli.project(root, {f"models/{name}.sql": sql for name, sql in models.items()})


def query(root: Path, sql: str = "select * from dev.a order by 1") -> list[tuple[Any, ...]]:
    return cli.query(root, sql)


class TestExternal:
    """A model in a file, with a view over it."""

    @pytest.mark.parametrize(
        ("config", "file", "head"),
        [
            ("", "a.parquet", b"PAR1"),
            ("format='csv'", "a.csv", b"id,name\n"),
            ("format='csv', delimiter='|'", "a.csv", b"id|name\n"),
            ("format='json'", "a.json", b'{"id":1'),
            ("location='out/data.parquet'", "out/data.parquet", b"PAR1"),
            ("location='out/{{ this.name }}.csv.gz'", "out/a.csv.gz", b"\x1f\x8b"),
            ("location='out/DATA.CSV'", "out/DATA.CSV", b"id,name\n"),
            ("location='out/plain', delimiter=';'", "out/plain", b"id;name\n"),
            ("location='out/o''neil.csv'".replace("''", "\\'"), "out/o'neil.csv", b"id,name\n"),
            ("options={'compression': 'zstd'}", "a.parquet", b"PAR1"),
            ("format='csv', options={'header': 0}, csv_read_options={'names': ['id', 'name']}", "a.csv", b"1,a\n"),
        ],
    )
    def test_the_file_and_the_view(self, tmp_path: Path, config: str, file: str, head: bytes) -> None:
        root = shop(tmp_path / "shop", a=external(config), b="select count(*) as n from {{ ref('a') }}")
        (root / "out").mkdir()
        for _ in range(2):
            cli.ok("run", cwd=root)
            assert (root / file).read_bytes().startswith(head)
            assert query(root) == [(1, "a"), (2, "it's")]
            assert query(root, "select * from dev.b") == [(2,)]
        kinds = query(root, "select table_name, table_type from information_schema.tables order by 1")
        assert kinds == [("a", "VIEW"), ("b", "VIEW")]

    def test_folders(self, tmp_path: Path) -> None:
        config = "options={'partition_by': 'name', 'overwrite_or_ignore': 1}"
        root = shop(tmp_path / "shop", a=external(config, "select 1 as id, 'x' as name union all select 2, 'y'"))
        for _ in range(2):
            cli.ok("run", cwd=root)
            assert query(root, "select id, name from dev.a order by 1") == [(1, "x"), (2, "y")]
        assert {path.name for path in (root / "a").iterdir()} == {"name=x", "name=y"}

    @pytest.mark.parametrize("format", ["parquet", "csv", "json"])
    def test_no_rows(self, tmp_path: Path, format: str) -> None:
        root = shop(tmp_path / "shop", a=external(f"format='{format}'", "select 1 as id, 'a' as \"a b\" where false"))
        cli.ok("run", cwd=root)
        assert query(root, 'select id, "a b" from dev.a') == []

    @pytest.mark.parametrize("before", ["{{ config(materialized='table') }} select 9 as id", "select 9 as id"])
    def test_it_takes_the_place_of_another_kind(self, tmp_path: Path, before: str) -> None:
        root = shop(tmp_path / "shop", a=before)
        cli.ok("run", cwd=root)
        cli.ok("run", cwd=shop(root, a=external()))
        assert len(query(root)) == 2
        cli.ok("run", cwd=shop(root, a=before))
        assert query(root) == [(9,)]

    @pytest.mark.parametrize("sql", ["select cast('x' as integer) as id", "select missing"])
    def test_a_failure_leaves_file_and_view(self, tmp_path: Path, sql: str) -> None:
        root = shop(tmp_path / "shop", a=external())
        cli.ok("run", cwd=root)
        before = (root / "a.parquet").read_bytes()
        assert cli.understudy("run", cwd=shop(root, a=external("", sql))).exit_code == 1
        assert (root / "a.parquet").read_bytes() == before
        assert len(query(root)) == 2
        assert not [path for path in root.iterdir() if "tmp" in path.name]

    def test_a_write_that_breaks_off_leaves_the_old_file(self, tmp_path: Path) -> None:
        """As on a full disk: the process may write no more than some bytes to a file."""
        profile = "shop: {target: dev, outputs: {dev: {type: duckdb, path: ':memory:', schema: dev}}}"
        root = cli.project(tmp_path / "shop", {"profiles.yml": profile, "models/a.sql": external("format='csv'")})
        cli.ok("run", cwd=root)
        before = (root / "a.csv").read_bytes()
        shop(root, a=external("format='csv'", "select range as id, 'some words' as name from range(300000)"))
        (root / "profiles.yml").write_text(profile)
        code = (
            "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
            "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000)); "
            "from understudy.cli.main import main; sys.exit(main(['run']))"
        )
        environment = {**os.environ, "PYTHONPATH": str(Path(understudy.__file__).parents[1])}
        ran = subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True)
        assert ran.returncode == 1, ran.stdout + ran.stderr
        assert "a.csv" in ran.stderr
        assert (root / "a.csv").read_bytes() == before

    @pytest.mark.parametrize(
        ("config", "words"),
        [
            ("format='xml'", "Invalid format: xml. Allowed formats are: csv, parquet, json"),
            ("options='gzip'", "The options argument must be a dictionary"),
            ("location='nowhere/a.parquet'", "No such file or directory"),
        ],
    )
    def test_what_cannot_be_written(self, tmp_path: Path, config: str, words: str) -> None:
        ran = cli.understudy("run", cwd=shop(tmp_path / "shop", a=external(config)))
        assert (ran.exit_code, words in ran.err) == (1, True), ran.err

    def test_the_profile_says_where(self, tmp_path: Path) -> None:
        profile = (
            "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb, schema: dev, external_root: out}}}"
        )
        root = cli.project(tmp_path / "shop", {"profiles.yml": profile, "models/a.sql": external()})
        (root / "out").mkdir()
        cli.ok("run", cwd=root)
        assert (root / "out/a.parquet").exists()

    def test_a_project_says_where(self, tmp_path: Path) -> None:
        macro = "{% macro external_location(relation, config) %}{{ adapter.external_root() }}/mine.{{ config.get('format') }}{% endmacro %}"
        root = cli.project(tmp_path / "shop", {"macros/m.sql": macro, "models/a.sql": external("format='csv'")})
        cli.ok("run", cwd=root)
        assert (root / "mine.csv").exists()


FILES = """
sources:
  - name: lake
    config: {meta: {external_location: "data/{name}.csv"}}
    tables:
      - name: orders
        columns: [{name: id, data_tests: [unique]}]
      - name: events
        config: {meta: {external_location: "read_parquet('data/events/*.parquet', filename = false)"}}
      - name: real
        config: {meta: {external_location: null}}
"""


class TestFilesAsSources:
    """`external_location` of a source: a file's name, or a call that reads files."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        select = "select id from {{{{ source('lake', '{0}') }}}}"
        models = {name: "{{ config(materialized='table') }} " + select.format(name) for name in ("orders", "events")}
        root = cli.project(
            tmp_path / "shop", {"models/s.yml": FILES, **{f"models/my_{name}.sql": sql for name, sql in models.items()}}
        )
        (root / "data/events").mkdir(parents=True)
        (root / "data/orders.csv").write_text("id,name\n1,a\n2,b\n")
        for number in (1, 2):
            duckdb.sql(f"copy (select {number} as id) to '{root}/data/events/{number}.parquet'")
        return root

    def test_they_are_read_from_the_project(self, root: Path, tmp_path: Path) -> None:
        for folder in (root, tmp_path):  # wherever the command is started
            ran = cli.ok("build", "--project-dir", str(root), "--profiles-dir", str(root), cwd=folder)
            assert "1 passed" in ran.err
            assert query(root, "select * from dev.my_orders order by 1") == [(1,), (2,)]
            assert query(root, "select * from dev.my_events order by 1") == [(1,), (2,)]

    def test_a_missing_one_is_the_models_error(self, root: Path) -> None:
        (root / "data/orders.csv").unlink()
        ran = cli.understudy("run", cwd=root)
        assert ran.exit_code == 1
        assert "data/orders.csv" in ran.err
        assert query(root, "select count(*) from dev.my_events") == [(2,)]


KEYS = """
models:
  - name: parent
    config: {materialized: table, contract: {enforced: true}}
    columns: [{name: id, data_type: integer, constraints: [{type: primary_key}]}]
  - name: child
    config: {materialized: table, contract: {enforced: true}}
    columns:
      - {name: id, data_type: integer, constraints: [{type: primary_key}]}
      - {name: up, data_type: integer, constraints: [{type: foreign_key, to: ref('parent'), to_columns: [id]}]}
  - name: other
    config: {materialized: table, contract: {enforced: true}}
    columns:
      - {name: up, data_type: integer, constraints: [{type: foreign_key, to: ref('parent'), to_columns: [id]}]}
      - {name: down, data_type: integer, constraints: [{type: foreign_key, to: ref('child'), to_columns: [id]}]}
"""


class TestForeignKeys:
    """DuckDB neither drops nor renames a table that a foreign key points at."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        files: Mapping[str, str] = {
            "models/p.yml": KEYS,
            "models/parent.sql": "select 1 as id",
            "models/child.sql": "select 5 as id, 1 as up",
            "models/other.sql": "select 1 as up, 5 as down",
        }
        return cli.project(tmp_path / "shop", files)

    def keys(self, root: Path) -> list[tuple[Any, ...]]:
        return query(
            root,
            "select table_name, referenced_table from duckdb_constraints() where constraint_type = 'FOREIGN KEY' order by 1, 2",
        )

    def test_all_are_built_again_and_again(self, root: Path) -> None:
        for _ in range(3):
            cli.ok("run", "--threads", "4", cwd=root)
            assert self.keys(root) == [("child", "parent"), ("other", "child"), ("other", "parent")]
            assert query(root, "select * from dev.other") == [(1, 5)]

    def test_one_that_others_hold_is_not_built_alone(self, root: Path) -> None:
        cli.ok("run", cwd=root)
        ran = cli.understudy("run", "-s", "parent", cwd=root)
        assert ran.exit_code == 1
        assert "child (its model is not selected)" in ran.err
        assert "other (its model is not selected)" in ran.err
        assert self.keys(root) == [("child", "parent"), ("other", "child"), ("other", "parent")]

    def test_a_failure_further_down_loses_no_rows(self, root: Path) -> None:
        cli.ok("run", cwd=root)
        (root / "models/child.sql").write_text("select 6 as id, cast('x' as integer) as up")
        assert cli.understudy("run", cwd=root).exit_code == 1
        assert query(root, "select * from dev.child") == [(5, 1)]
        assert query(root, "select * from dev.other") == [(1, 5)]
        (root / "models/child.sql").write_text("select 5 as id, 1 as up")
        cli.ok("run", cwd=root)
        assert len(self.keys(root)) == 3


def test_grants_are_warned_of_once(tmp_path: Path) -> None:
    config = "{{ config(grants={'select': ['somebody']}) }} select 1 as id"
    ran = cli.ok("run", cwd=shop(tmp_path / "shop", a=config, b=config))
    assert ran.err.count("Grants for relations are not supported by DuckDB") == 1


class TestProfile:
    """What the profile asks of DuckDB."""

    def outputs(self, fields: str) -> dict[str, str]:
        return {
            "profiles.yml": f"shop: {{target: dev, outputs: {{dev: {{type: duckdb, path: shop.duckdb, schema: dev, {fields}}}}}}}",
            "models/a.sql": "select current_setting('threads') as threads, current_setting('TimeZone') as zone",
        }

    def test_settings_and_options(self, tmp_path: Path) -> None:
        fields = "settings: {TimeZone: Asia/Tokyo}, config_options: {threads: 3}, extensions: [json, parquet]"
        files = self.outputs(fields) | {
            "models/a.sql": "{{ config(materialized='table') }} select current_setting('threads') as n"
        }
        root = cli.project(tmp_path / "shop", files)
        cli.ok("run", cwd=root)
        assert query(root) == [(3,)]

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ("settings: {no_such: 1}", "DuckDB refuses a setting of the profile"),
            ("plugins: [{module: excel}]", "'plugins' is not supported"),
            ("filesystems: [{fs: s3}]", "'filesystems' is not supported"),
            ("module_paths: [here]", "'module_paths' is not supported"),
            ("remote: {host: here, user: me}", "'remote' is not supported"),
            ("retries: {connect_attempt: 3}", "Did you mean 'connect_attempts'"),
            ("retries: {query_attempts: 0}", "query_attempts: 0"),
        ],
    )
    def test_what_is_refused(self, tmp_path: Path, fields: str, words: str) -> None:
        ran = cli.understudy("run", cwd=cli.project(tmp_path / "shop", self.outputs(fields)))
        assert (ran.exit_code, words in ran.err) == (2, True), ran.err

    def test_an_attached_database_is_read_and_written(self, tmp_path: Path) -> None:
        files = self.outputs("attach: [{path: other.duckdb, alias: other}]")
        files["models/a.sql"] = "{{ config(materialized='table', database='other', schema='x') }} select 1 as id"
        files["models/b.sql"] = "{{ config(materialized='table') }} select id + 1 as id from {{ ref('a') }}"
        root = cli.project(tmp_path / "shop", files)
        for _ in range(2):
            cli.ok("run", cwd=root)
        with duckdb.connect(str(root / "other.duckdb")) as connection:
            assert connection.execute("select * from dev_x.a").fetchall() == [(1,)]
        assert query(root, "select * from dev.b") == [(2,)]
