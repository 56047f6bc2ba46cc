"""`docs generate` and `docs serve`: the catalog tells what the database holds, and the page is served to those who may see it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from support.cli import manifest, ok, project, query, understudy

from understudy.adapters.duckdb.connection import DuckDBConnection
from understudy.app.serving import open_server
from understudy.core.relation import SchemaName
from understudy.errors import PermissionDenied, UsageError

HOSTILE = '</script><script>document.title = "owned"</script><img src=x onerror="document.title=1"> & "quotes"'
FILES = {
    "models/a.sql": "select 1 as id, 'x' as \"Odd name\", 1.5::decimal(9, 2) as price",
    "models/b.sql": "{{ config(materialized='table') }} select * from {{ ref('e') }}",
    "models/e.sql": "{{ config(materialized='ephemeral') }} select id from {{ ref('a') }}",
    "models/schema.yml": f"""
        models:
          - name: a
            description: {json.dumps(HOSTILE)}
            columns:
              - name: id
                data_tests: [not_null]
        sources:
          - name: raw
            schema: landing
            tables: [name: orders, name: missing]
        """.replace("[name: orders, name: missing]", "[{name: orders}, {name: missing}]"),
    "seeds/names.csv": "id,name\n1,x\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = project(tmp_path, FILES)
    query(root, "create schema landing; create table landing.orders (id int, placed timestamp)")
    ok("build", cwd=root)
    return root


def catalog(root: Path, target: str = "target") -> dict[str, Any]:
    """`catalog.json` as it was written."""
    found: dict[str, Any] = json.loads((root / target / "catalog.json").read_text())
    return found


def test_the_catalog_tells_what_the_database_holds(shop: Path) -> None:
    query(shop, "comment on table dev.b is 'built'; comment on column dev.b.id is 'the key'")
    ok("docs", "generate", cwd=shop)
    found = catalog(shop)
    assert found["metadata"]["dbt_schema_version"].endswith("/dbt/catalog/v1.json")
    assert set(found["nodes"]) == {
        "model.shop.a",
        "model.shop.b",
        "seed.shop.names",
    }  # e is inlined, tests have no table
    assert set(found["sources"]) == {"source.shop.raw.orders"}  # the other one is missing
    assert found["errors"] is None
    for unique_id, table in {**found["nodes"], **found["sources"]}.items():
        where = table["metadata"]
        assert table["unique_id"] == unique_id
        asked = query(
            shop,
            "select column_name, data_type, ordinal_position from information_schema.columns "
            f"where table_schema = '{where['schema']}' and table_name = '{where['name']}' order by ordinal_position",
        )
        assert [(c["name"], c["type"], c["index"]) for c in table["columns"].values()] == asked
        assert table["stats"]["has_stats"]["value"] is False
    assert found["nodes"]["model.shop.a"]["metadata"]["type"] == "VIEW"
    assert found["nodes"]["model.shop.b"]["metadata"]["type"] == "BASE TABLE"
    assert found["nodes"]["model.shop.b"]["metadata"]["comment"] == "built"
    assert found["nodes"]["model.shop.b"]["columns"]["id"]["comment"] == "the key"


def test_it_compiles_what_is_selected_and_tells_of_that_alone(shop: Path) -> None:
    ok("docs", "generate", "--select", "b", "source:raw.orders", cwd=shop)
    found = catalog(shop)
    assert (set(found["nodes"]), set(found["sources"])) == ({"model.shop.b"}, {"source.shop.raw.orders"})
    nodes = manifest(shop)["nodes"]
    assert "__dbt__cte__e" in nodes["model.shop.b"]["compiled_code"]
    assert "compiled_code" not in nodes["model.shop.a"]


def test_without_compiling_the_manifest_stays_as_it_is(shop: Path) -> None:
    before = (shop / "target/manifest.json").read_bytes()
    ok("docs", "generate", "--no-compile", "--select", "b", cwd=shop)
    assert (shop / "target/manifest.json").read_bytes() == before
    assert set(catalog(shop)["nodes"]) == {"model.shop.a", "model.shop.b", "seed.shop.names"}  # as dbt has it


def test_an_empty_catalog_needs_no_database(shop: Path) -> None:
    (shop / "shop.duckdb").unlink()
    ok("docs", "generate", "--empty-catalog", "--no-write-json", cwd=shop)
    assert not (shop / "shop.duckdb").exists()
    assert (catalog(shop)["nodes"], catalog(shop)["sources"]) == ({}, {})
    assert manifest(shop)["nodes"]["model.shop.b"]["compiled_code"]


def test_where_a_state_stands_in_its_relation_is_described(tmp_path: Path) -> None:
    root = project(tmp_path, {**FILES, "models/schema.yml": "models: [{name: a}]"})
    ok("build", "--target", "prod", "--target-path", "prod-artifacts", cwd=root)
    ok("run", "-s", "a", cwd=root)
    ok("docs", "generate", cwd=root)
    assert set(catalog(root)["nodes"]) == {"model.shop.a"}
    assert json.loads((root / "target/deferral.json").read_text())["decisions"] == {}

    ok("docs", "generate", "--defer", "--state", "prod-artifacts", cwd=root)
    nodes = catalog(root)["nodes"]
    assert {unique_id: table["metadata"]["schema"] for unique_id, table in nodes.items()} == {
        "model.shop.a": "dev",
        "model.shop.b": "prod",  # nothing refers to it; it is told all the same
        "seed.shop.names": "prod",
    }
    told = json.loads((root / "target/deferral.json").read_text())
    assert told["invocation_id"] == manifest(root)["metadata"]["invocation_id"]
    decision = told["decisions"]["model.shop.b"]
    assert (decision["relation"], decision["state"], decision["deferred"]) == ("shop.prod.b", "prod-artifacts", True)
    assert told["decisions"]["model.shop.a"]["deferred"] is False


def test_what_cannot_be_compiled_is_told_and_nothing_is_written(shop: Path) -> None:
    (shop / "models/b.sql").write_text("select {{ no_such_macro() }} from {{ ref('a') }}")
    before = {path: path.read_bytes() for path in (shop / "target").rglob("*") if path.is_file()}
    ran = understudy("docs", "generate", cwd=shop)
    assert ran.exit_code == 2
    assert "no_such_macro" in ran.err
    assert {path: path.read_bytes() for path in (shop / "target").rglob("*") if path.is_file()} == before


def test_assets_come_along_and_stay_below_the_target(shop: Path) -> None:
    (shop / "dbt_project.yml").write_text("name: shop\nprofile: shop\nasset-paths: [assets, ../outside]\n")
    for folder in (shop / "assets/deep", shop.parent / "outside"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "logo.svg").write_text("<svg/>")
    (shop / "assets/link").symlink_to(shop / "profiles.yml")
    ok("docs", "generate", cwd=shop)
    assert (shop / "target/assets/deep/logo.svg").read_text() == "<svg/>"
    assert not (shop / "target/assets/link").exists()
    assert not (shop / "outside").exists()


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text of its scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.data: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attributes = self.found[-1] if self.found else ("", {})
        if tag == "script" and (name := attributes.get("id")):
            self.data[name] = self.data.get(name, "") + data


def test_the_static_page_holds_everything_and_text_stays_text(shop: Path) -> None:
    ok("docs", "generate", "--static", cwd=shop)
    page = Elements((shop / "target/static_index.html").read_text())
    scripts = [attributes.get("id") for tag, attributes in page.found if tag == "script"]
    assert scripts == ["data-manifest", "data-catalog", "data-deferral", None]
    assert not [tag for tag, _ in page.found if tag in ("img", "iframe")]
    assert all(
        str(attributes["href"]).startswith(("#", "data:")) for _, attributes in page.found if "href" in attributes
    )
    assert not [attributes for _, attributes in page.found if "src" in attributes]
    assert json.loads(page.data["data-manifest"]) == manifest(shop)
    assert manifest(shop)["nodes"]["model.shop.a"]["description"] == HOSTILE
    assert json.loads(page.data["data-catalog"]) == catalog(shop)
    policy = next(a["content"] for tag, a in page.found if tag == "meta" and a.get("http-equiv"))
    assert policy is not None
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


# Serving


@contextmanager
def served(folder: Path, host: str = "127.0.0.1") -> Iterator[str]:
    server = open_server(host, 0, str(folder), lambda text: None)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def get(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


def test_the_server_shows_the_page_and_its_files_and_nothing_else(shop: Path) -> None:
    ok("docs", "generate", cwd=shop)
    (shop / "target/index.html").write_text("the page of another tool")
    (shop / "target/.hidden").write_text("secret")
    with served(shop / "target") as url:
        assert 'content="understudy"' in get(f"{url}/")[1]
        assert get(f"{url}/")[1] == get(f"{url}/index.html?x=1")[1]
        assert json.loads(get(f"{url}/manifest.json")[1]) == manifest(shop)
        for path in ("/.hidden", "/compiled", "/compiled/", "/../dbt_project.yml", "/%2e%2e/dbt_project.yml", "/no"):
            assert get(url + path)[0] in (301, 404), path
        assert get(f"{url}/", Host="evil.example")[0] == 421
        assert get(f"{url}/", Host="localhost:1")[0] == 200


def test_a_port_in_use_is_told_with_the_next_step() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UsageError, match=r"Cannot listen on 127\.0\.0\.1") as told:
            open_server("127.0.0.1", other.getsockname()[1], ".", lambda text: None)
    assert "--port" in str(told.value.hint)
    with pytest.raises(UsageError, match="65536"):
        open_server("127.0.0.1", 65536, ".", lambda text: None)


def test_without_documentation_there_is_nothing_to_serve(shop: Path) -> None:
    ran = understudy("docs", "serve", "--no-browser", "--port", "0", cwd=shop)
    assert ran.exit_code == 2
    assert "docs generate" in ran.err


def test_control_c_ends_the_server_in_peace(shop: Path) -> None:
    ok("docs", "generate", cwd=shop)
    command = [sys.executable, "-m", "understudy", "docs", "serve", "--port", "0", "--no-browser"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        command, cwd=shop, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://localhost:\d+", process.stdout.readline())
        assert found
        assert get(found[0].replace("localhost", "127.0.0.1"))[0] == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, err
    assert "Traceback" not in err + out


@pytest.mark.parametrize(
    ("args", "said"),
    [(("docs",), "generate"), (("docs", "genrate"), "Did you mean 'generate'"), (("doc",), "Did you mean 'docs")],
)
def test_the_second_word_is_asked_for(args: tuple[str, ...], said: str, tmp_path: Path) -> None:
    ran = understudy(*args, cwd=tmp_path)
    assert ran.exit_code == 2
    assert said in ran.out + ran.err


def test_what_cannot_be_read_is_told_and_the_rest_is_there(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB has no rights that could be lacking; so its connection is made to answer as PostgreSQL's does."""
    describe = DuckDBConnection.describe

    def refusing(connection: DuckDBConnection, schemas: Iterable[SchemaName]) -> dict[SchemaName, Any]:
        refused = PermissionDenied("permission denied for schema landing")
        return {
            name: refused if name.schema == "landing" else found
            for name, found in describe(connection, schemas).items()
        }

    monkeypatch.setattr(DuckDBConnection, "describe", refusing)
    ran = understudy("docs", "generate", cwd=shop)
    assert ran.exit_code == 1  # as dbt's
    assert "permission denied for schema landing" in ran.err
    found = catalog(shop)
    assert len(found["errors"]) == 1
    assert "permission denied for schema landing" in found["errors"][0]
    assert set(found["nodes"]) == {"model.shop.a", "model.shop.b", "seed.shop.names"}
    assert found["sources"] == {}
