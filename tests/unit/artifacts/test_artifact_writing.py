"""manifest.json, run_results.json and sources.json as they are written."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
from support.graphs import manifest, model, seed

from understudy.artifacts.manifest import CompiledCode, write_manifest
from understudy.artifacts.metadata import (
    RUN_RESULTS,
    SOURCES,
    ManifestMetadata,
    manifest_metadata,
    metadata,
    scrubber,
    timestamp,
)
from understudy.artifacts.run_results import RunResult, RunResults, Timing, decode_results, write_run_results
from understudy.artifacts.sources import SourceError, SourceFreshness, Sources, decode_sources, write_sources
from understudy.core.manifest import Manifest
from understudy.core.nodes import Checksum, Function, Group
from understudy.core.project import Package, Settings, Target
from understudy.state.prior import decode_prior

NOW = datetime(2026, 11, 21, 7, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
SETTINGS = Settings(
    root=Package("shop", "/shop", quoting={"identifier": False}),
    packages=(),
    target=Target("shop", "dev", "duckdb", "db", "dev", 1, {}),
    cli_vars={},
    flags={},
    env=lambda name: None,
    invocation_id="i-1",
    started_at="2026-11-21T06:00:00Z",
)
QUOTING = {"database": True, "schema": True, "identifier": True}
HEAD = manifest_metadata(SETTINGS, now=NOW, env={"DBT_ENV_CUSTOM_ENV_CI": "7", "PATH": "x"}, quoting=QUOTING)


def written(of: Manifest, path: Path, head: ManifestMetadata = HEAD, **options: Any) -> dict[str, Any]:
    maps = {unique_id: list[str]() for unique_id in of.nodes}
    write_manifest(of, parent_map=maps, child_map=maps, metadata=head, path=path, **options)
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def test_metadata() -> None:
    head = msgspec.to_builtins(HEAD)
    assert head["generated_at"] == "2026-11-21T06:00:00.000005Z"
    assert head["env"] == {"understudy": "0.1.0", "CI": "7"}
    assert head["project_id"] == hashlib.md5(b"shop").hexdigest()
    assert head["quoting"] == {"database": True, "schema": True, "identifier": False, "column": None}
    assert head["dbt_version"].startswith("1.11.")
    assert metadata(RUN_RESULTS, SETTINGS, now=NOW, env={}).invocation_id == "i-1"
    assert timestamp(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000000Z"


def test_compiled_fields_follow_the_path(tmp_path: Path) -> None:
    code = CompiledCode("select 1", [("model.shop.e", "select 2")], "target/compiled/shop/models/a.sql")
    built = {"model.shop.a": "target/run/shop/models/a.sql", "seed.shop.s": "target/run/shop/seeds/s.csv"}
    document = written(
        manifest(model("a"), model("b"), seed("s")), tmp_path / "m.json", compiled={"model.shop.a": code}, built=built
    )
    a, b = document["nodes"]["model.shop.a"], document["nodes"]["model.shop.b"]
    keys = list(a)
    at = keys.index("compiled_path")
    assert keys[at : at + 5] == ["compiled_path", "compiled", "compiled_code", "extra_ctes_injected", "extra_ctes"]
    assert a["compiled_code"] == "select 1"
    assert a["extra_ctes"] == [{"id": "model.shop.e", "sql": "select 2"}]
    assert a["build_path"] == "target/run/shop/models/a.sql"
    assert "compiled" not in b
    only_compiled = written(manifest(model("a")), tmp_path / "c.json", compiled={"model.shop.a": code})
    assert only_compiled["nodes"]["model.shop.a"]["build_path"] is None
    assert [key for key in keys if key not in b] == ["compiled", "compiled_code", "extra_ctes_injected", "extra_ctes"]
    assert document["nodes"]["seed.shop.s"]["build_path"] == "target/run/shop/seeds/s.csv"


def test_the_same_bytes_for_the_same_manifest(tmp_path: Path) -> None:
    written(manifest(model("a"), model("b")), tmp_path / "one.json")
    written(manifest(model("a"), model("b")), tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_groups_functions_and_the_way_back(tmp_path: Path) -> None:
    finance = Group(
        name="finance", package_name="shop", path="p", original_file_path="p", unique_id="group.shop.f", owner={}
    )
    function = Function(
        database="db", schema="dev", name="f", package_name="shop", path="f.sql", original_file_path="functions/f.sql",
        unique_id="function.shop.f", fqn=["shop", "f"], alias="f", checksum=Checksum("none", ""), config={},
    )  # fmt: skip
    today = manifest(
        model("a", group="finance"), model("b", group="gone"), groups={"group.shop.f": finance},
        functions={"function.shop.f": function},
    )  # fmt: skip
    document = written(today, tmp_path / "m.json")
    assert document["group_map"] == {"finance": ["model.shop.a"]}
    prior = decode_prior((tmp_path / "m.json").read_bytes(), origin="m.json")
    assert list(prior.unique_ids()) == ["model.shop.a", "model.shop.b", "function.shop.f"]
    assert prior.rendered_config is False


def test_run_results(tmp_path: Path) -> None:
    result = RunResult(
        status="error", unique_id="model.shop.a", timing=[Timing("execute")], message="cannot log in with hunter2"
    )
    results = RunResults(
        metadata=metadata(RUN_RESULTS, SETTINGS, now=NOW, env={}),
        results=[result],
        elapsed_time=0.5,
        args={"vars": {"password": "hunter2", "n": 1}, "path": Path("x"), "invocation_command": "build --vars hunter2"},
    )
    write_run_results(results, tmp_path / "run_results.json", secrets=["hunter2", " "])
    text = (tmp_path / "run_results.json").read_text()
    assert "hunter2" not in text
    document = json.loads(text)
    assert document["args"] == {
        "vars": {"password": "*****", "n": 1},
        "path": "x",
        "invocation_command": "build --vars *****",
    }
    assert list(document["results"][0]) == [
        "status", "timing", "thread_id", "execution_time", "adapter_response", "message", "failures", "unique_id",
        "compiled", "compiled_code", "relation_name", "batch_results",
    ]  # fmt: skip
    read = decode_results(text.encode(), origin="run_results.json")
    assert read.statuses() == {"model.shop.a": "error"}
    assert read.args["vars"]["n"] == 1


def test_scrubbing_reaches_lists_and_keys() -> None:
    assert scrubber(["s3", "s3cret"])({"s3cret": ("s3", 1)}) == {"*****": ["*****", 1]}


def test_sources(tmp_path: Path) -> None:
    found = SourceFreshness(
        unique_id="source.shop.raw.a", max_loaded_at="2026-01-01T00:00:00Z", snapshotted_at="2026-01-02T00:00:00Z",
        max_loaded_at_time_ago_in_s=86400.0, status="warn", criteria={"warn_after": {"count": 12, "period": "hour"}},
    )  # fmt: skip
    sources = Sources(
        metadata=metadata(SOURCES, SETTINGS, now=NOW, env={}),
        results=[found, SourceError(unique_id="source.shop.raw.b", error="no such table")],
    )
    write_sources(sources, tmp_path / "sources.json")
    read = decode_sources((tmp_path / "sources.json").read_bytes(), origin="sources.json")
    assert read == {"source.shop.raw.a": "2026-01-01T00:00:00Z", "source.shop.raw.b": None}
