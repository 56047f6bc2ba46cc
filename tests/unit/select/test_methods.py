"""Each method both ways: what it finds, and what it leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from support.resources import make, manifest_of

from understudy.core.manifest import Manifest
from understudy.core.nodes import Macro
from understudy.errors import SelectorError, StateError
from understudy.graph.dag import Dag
from understudy.select.grammar import Criterion, parse_criterion
from understudy.select.methods import METHODS
from understudy.select.world import Freshness, World


def shop() -> Manifest:
    def version(number: Any, **fields: Any) -> Any:
        return make(
            f"model.shop.dim.v{number}", name="dim", version=number, fqn=["shop", "marts", "dim", f"v{number}"],
            original_file_path=f"models/marts/dim_v{number}.sql", **fields,
        )  # fmt: skip

    off = make("model.shop.off", original_file_path="attic/off.sql")
    off.config["enabled"] = False
    macro = Macro(
        name="m", package_name="shop", path="m.sql", original_file_path="macros/m.sql", unique_id="macro.shop.m", macro_sql="",
    )  # fmt: skip
    return manifest_of(
        make(
            "model.shop.orders", tags=["mart", "a b"], access="public", group="fin", patch_path="shop://models/_orders.yml",
            original_file_path="models/marts/orders.sql",
            config={
                "group": "fin", "meta": {"owner": "me", "tier": 1, "ok": True, "list": ["x", False]}, "tags": ["mart"],
                "pre-hook": "h", "materialized": "table",
            },
        ),
        make("model.shop.a.b", original_file_path="models/a.b.sql", fqn=["shop", "a.b"]),
        make("model.lib.orders", fqn=["lib", "orders"], patch_path="lib://models/_orders.yml"),
        version(1, latest_version=2), version(2, latest_version=2), version(3, latest_version=2),
        version("x", latest_version="w"), version("1.0", latest_version=1), version(9),
        make("seed.shop.raw", original_file_path="seeds/raw.csv"),
        make("source.shop.s.orders", tags=["raw"], config={"enabled": True, "meta": {"owner": "me"}}, original_file_path="models/s.yml"),
        make("source.lib.s.other"), off,
        make("test.shop.unique_orders", "model.shop.orders", test_name="unique", config={"severity": "Warn"}),
        make("test.shop.single", "model.shop.orders", config={"severity": None}),
        make("exposure.shop.board", "model.shop.orders", tags=["mart"]), make("exposure.lib.board"),
        make("metric.shop.m", config={"group": "fin"}, original_file_path="models/s.yml"),
        make("unit_test.shop.u", config={"tags": "quick"}, fqn=["shop", "u"], original_file_path="models/u.yml"),
        macros={"macro.shop.m": macro}, disabled={"model.shop.gone": [make("model.shop.gone", original_file_path="old/gone.sql")]},
    )  # fmt: skip


class Compared:
    """Answers for `state:`."""

    def matches(self, selector: str, unique_id: str, /) -> bool:
        return selector == "modified" and unique_id.endswith("orders")


DAY = datetime(2026, 11, 21, tzinfo=UTC)
OLDER = datetime(2026, 11, 20, tzinfo=UTC)


def world() -> World:
    manifest = shop()
    freshness = Freshness(
        {"source.shop.s.orders": DAY, "source.lib.s.other": OLDER, "s.new": DAY, "s.failed": None},
        {"source.shop.s.orders": OLDER, "source.lib.s.other": OLDER, "s.failed": OLDER},
    )
    return World(
        manifest,
        Dag.of(manifest),
        "shop",
        Compared,
        lambda: {"model.shop.orders": "error", "test.shop.single": "fail"},
        lambda: freshness,
    )


def found(text: str, of: World | None = None) -> set[str]:
    criterion = parse_criterion(text)
    return {i.removeprefix("model.") for i in METHODS[criterion.method](of or world(), criterion)}


DIMS = {f"shop.dim.v{number}" for number in (1, 2, 3, "x", "1.0", 9)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tag:mart", {"shop.orders", "exposure.shop.board"}),
        ("tag:m*", {"shop.orders", "exposure.shop.board"}),
        ("tag:a b", {"shop.orders"}),
        ("tag:quick", {"unit_test.shop.u"}),
        ("tag:MART", set()),
        ("group:fin", {"shop.orders", "metric.shop.m"}),
        ("group:f?n", {"shop.orders", "metric.shop.m"}),
        ("access:public", {"shop.orders"}),
        ("access:private", set()),
        ("package:lib", {"lib.orders", "source.lib.s.other", "exposure.lib.board"}),
        ("package:l*", {"lib.orders", "source.lib.s.other", "exposure.lib.board"}),
        ("package:none", set()),
        ("source:s", {"source.shop.s.orders", "source.lib.s.other"}),
        ("source:s.orders", {"source.shop.s.orders"}),
        ("source:lib.s.*", {"source.lib.s.other"}),
        ("source:x", set()),
        ("exposure:board", {"exposure.shop.board", "exposure.lib.board"}),
        ("exposure:lib.b*", {"exposure.lib.board"}),
        ("metric:m", {"metric.shop.m"}),
        ("unit_test:shop.u", {"unit_test.shop.u"}),
        ("semantic_model:m", set()),
        ("saved_query:m", set()),
        ("resource_type:seed", {"seed.shop.raw"}),
        ("resource_type:macro", set()),
        ("test_type:generic", {"test.shop.unique_orders"}),
        ("test_type:schema", {"test.shop.unique_orders"}),
        ("test_type:singular", {"test.shop.single"}),
        ("test_type:data", {"test.shop.unique_orders", "test.shop.single"}),
        ("test_type:unit", {"unit_test.shop.u"}),
        ("test_name:uniq*", {"test.shop.unique_orders"}),
        ("test_name:u", {"unit_test.shop.u"}),
        ("test_name:single", set()),
        ("version:latest", {"shop.dim.v2"}),
        ("version:old", {"shop.dim.v1"}),
        ("version:prerelease", {"shop.dim.v3", "shop.dim.vx"}),
        ("version:none", {"shop.orders", "shop.a.b", "lib.orders"}),
        ("state:modified", {"shop.orders", "lib.orders", "source.shop.s.orders", "test.shop.unique_orders"}),
        ("result:error", {"shop.orders"}),
        ("result:fail", {"test.shop.single"}),
        ("result:skipped", set()),
        ("source_status:fresher", {"source.shop.s.orders"}),
        ("name:orders", {"shop.orders", "lib.orders", "source.shop.s.orders"}),
        ("name:d?m", DIMS),
        ("name:shop.orders", set()),
        ("file:orders.sql", {"shop.orders", "lib.orders"}),
        ("file:orders", {"shop.orders", "lib.orders"}),
        ("file:*.csv", {"seed.shop.raw"}),
        ("file:a.b", {"shop.a.b"}),
        ("file:marts", set()),
    ],
)
def test_a_method_finds_what_fits(text: str, expected: set[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("orders", {"shop.orders", "lib.orders"}),
        ("shop.marts", {"shop.orders", *DIMS}),
        ("marts", {"shop.orders", *DIMS}),
        ("shop.orders", set()),
        ("lib.orders", {"lib.orders"}),
        ("lib", {"lib.orders", "exposure.lib.board"}),
        ("marts.orders", {"shop.orders"}),
        ("marts.orders.more", set()),
        ("fqn:a.b", {"shop.a.b"}),
        ("fqn:a", {"shop.a.b"}),
        ("dim", DIMS),
        ("dim.v2", {"shop.dim.v2"}),
        ("dim_v2", {"shop.dim.v2"}),
        ("elsewhere.dim.v2", {"shop.dim.v2"}),
        ("dim.v4", set()),
        ("v2", set()),
        ("d*", DIMS),
        ("marts.*.v2", {"shop.dim.v2"}),
        ("*.dim.v1", {"shop.dim.v1"}),
        ("shop.*.orders", {"shop.orders"}),
        ("marts.[o]rders", {"shop.orders"}),
        ("board", {"exposure.shop.board", "exposure.lib.board"}),
        ("b]", set()),
        ("source.shop.s.orders", set()),
        ("s*.marts.?rders", {"shop.orders"}),
        ("s*.marts.?rder", set()),
        ("ORDERS", set()),
    ],
)
def test_a_name_is_a_leaf_or_the_beginning_of_a_longer_one(text: str, expected: set[str]) -> None:
    assert found(text) == expected


def test_a_star_is_everything_but_sources() -> None:
    everything = found("*")
    assert "source.shop.s.orders" not in everything
    assert "shop.off" not in everything
    assert {"metric.shop.m", "unit_test.shop.u", "exposure.lib.board", "seed.shop.raw", *DIMS} <= everything


FILES = {
    "model.shop.a": "models/marts/a.sql",
    "model.shop.b": "models/marts/deep/a.sql",
    "model.shop.c": "models/c.sql",
    "seed.shop.s": "seeds/s.csv",
    "model.lib.a": "models/marts/a.sql",
    "model.lib.c": "models/lib/c.sql",
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("models/marts", {"shop.a", "shop.b", "lib.a"}),
        ("./models//marts/", {"shop.a", "shop.b", "lib.a"}),
        ("models/marts/a.sql", {"shop.a", "lib.a"}),
        ("models/*/a.sql", {"shop.a", "lib.a"}),
        ("models/**/a.sql", {"shop.a", "shop.b", "lib.a"}),
        ("models/**/c.sql", {"shop.c"}),
        ("**/deep", {"shop.b"}),
        ("models/**", {"shop.a", "shop.b", "shop.c", "lib.a", "lib.c"}),
        ("seeds/s.csv/**", set()),
        ("seeds/?.csv", {"seed.shop.s"}),
        ("models/c.yml", {"shop.c"}),
        ("models/marts/*.yml", {"seed.shop.s"}),
        ("models/*.yml", {"shop.c"}),
        ("models/lib", set()),
        ("models/a.sql", set()),
        ("Models", set()),
    ],
)
def test_a_path_is_a_file_or_a_folder_of_the_project(pattern: str, expected: set[str]) -> None:
    manifest = manifest_of(*(make(unique_id, original_file_path=path) for unique_id, path in FILES.items()))
    manifest.nodes["model.shop.c"].patch_path = "shop://models/c.yml"
    manifest.nodes["model.lib.c"].patch_path = "lib://models/c_of_lib.yml"
    manifest.nodes[
        "seed.shop.s"
    ].patch_path = "shop://models/marts/seeds.yml"  # ** stands for folders, not for this file
    assert found(f"path:{pattern}", World(manifest, Dag.of(manifest), "shop")) == expected


@pytest.mark.parametrize(
    ("pattern", "there"),
    [("macros", False), ("attic", False), ("old", False), ("models/_orders.yml", True), ("seeds", True)],
)
def test_what_is_switched_off_or_a_macro_has_a_path_but_is_not_found(pattern: str, there: bool) -> None:
    assert world().index.files.glob(pattern) or pattern == "attic"
    assert bool(found(f"path:{pattern}")) is there


def test_everything_is_below_the_root() -> None:
    assert {i.removeprefix("model.") for i in world().index.resources} == found("path:.")


@pytest.mark.parametrize("value", ["/models", "../other", "models/../x"])
def test_a_path_out_of_the_project_is_refused(value: str) -> None:
    with pytest.raises(SelectorError, match="leaves the project"):
        found(f"path:{value}")


def test_two_stars_are_a_folder_of_their_own() -> None:
    with pytest.raises(SelectorError, match="whole folders"):
        found("path:models/**.sql")


@pytest.mark.parametrize(
    ("keys", "value", "expected"),
    [
        ("materialized", "table", {"shop.orders"}),
        ("meta.owner", "me", {"shop.orders", "source.shop.s.orders"}),
        ("meta.owner", "ME", set()),
        ("meta.tier", "1", set()),
        ("meta.tier", 1, {"shop.orders"}),
        ("meta.ok", "TRUE", {"shop.orders"}),
        ("meta.ok", True, {"shop.orders"}),
        ("meta.ok", "false", set()),
        ("meta.list", "x", {"shop.orders"}),
        ("meta.list", "false", {"shop.orders"}),
        ("meta.list", "true", set()),
        ("tags", "mart", {"shop.orders"}),
        ("tags.x", "mart", set()),
        ("pre_hook", "h", {"shop.orders"}),
        ("severity", "WARN", {"test.shop.unique_orders"}),
        ("severity", "none", set()),
        ("schema", "none", set()),
        ("no.such.key", "x", set()),
    ],
)
def test_a_config_is_compared_as_dbt_compares_it(keys: str, value: Any, expected: set[str]) -> None:
    criterion = Criterion("config", value, tuple(keys.split(".")))
    assert {i.removeprefix("model.") for i in METHODS["config"](world(), criterion)} == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("access:publik", "'publik' is no access", "Did you mean 'public'?"),
        ("resource_type:models", "'models' is no resource_type", "Did you mean 'model'?"),
        ("test_type:xxxxxx", "'xxxxxx' is no test_type", "It is one of: generic"),
        ("version:newest", "'newest' is no version", "latest"),
        ("result:failed", "'failed' is no result", "Did you mean 'fail'"),
        ("source_status:stale", "'stale' is no source_status", "fresher"),
        ("source:a.b.c.d", "more than three parts", "source:package.name.table"),
        ("exposure:a.b.c", "more than two parts", "exposure:package.name"),
    ],
)
def test_a_value_that_cannot_be_is_refused(text: str, message: str, hint: str) -> None:
    with pytest.raises(SelectorError, match=message) as caught:
        found(text)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "file"),
    [("state:new", "manifest.json"), ("result:error", "run_results.json"), ("source_status:fresher", "sources.json")],
)
def test_a_method_without_its_state_is_refused(text: str, file: str) -> None:
    manifest = shop()
    with pytest.raises(StateError, match=file) as caught:
        found(text, World(manifest, Dag.of(manifest), "shop"))
    assert "--state" in (caught.value.hint or "")
