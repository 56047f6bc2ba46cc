"""Resources by unique_id, for tests of linking and selection: `make("model.shop.a", "model.shop.b", tags=["x"])`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from understudy.core.manifest import Manifest
from understudy.core.nodes import (
    Analysis,
    Checksum,
    DependsOn,
    Exposure,
    Function,
    GenericTest,
    Group,
    Metric,
    Model,
    RefArgs,
    Seed,
    SingularTest,
    Snapshot,
    Source,
    TestMetadata,
    UnitTest,
)
from understudy.core.project import Package, Settings, Target

KINDS: dict[str, Any] = {
    "model": Model, "seed": Seed, "snapshot": Snapshot, "analysis": Analysis, "test": SingularTest, "function": Function,
}  # fmt: skip


def make(unique_id: str, *parents: str, **fields: Any) -> Any:
    """A resource of that unique_id, with these parents. `fields` are those of core.nodes; `test_name` makes
    a generic test, `version` a version of the model (its unique_id ends in `.v1`).
    """
    kind, package, name = unique_id.split(".", 2)
    path = fields.pop("original_file_path", f"models/{name}.sql")
    common: dict[str, Any] = {
        "package_name": package, "path": path.partition("/")[2], "original_file_path": path, "unique_id": unique_id,
        "fqn": fields.pop("fqn", [package, *path.rsplit(".", 1)[0].split("/")[1:]]),
    }  # fmt: skip
    if kind == "exposure":
        config = fields.pop("config", {"enabled": True})
        return Exposure(
            name=name,
            type="dashboard",
            owner={},
            config=config,
            depends_on=DependsOn(nodes=list(parents)),
            **common,
            **fields,
        )
    if kind == "metric":
        depends_on = DependsOn(nodes=list(parents))
        config = fields.pop("config", {})
        return Metric(
            name=name,
            label=name,
            type="simple",
            type_params={},
            config=config,
            depends_on=depends_on,
            **common,
            **fields,
        )
    if kind == "unit_test":
        test = {"name": name, "model": "", "given": [], "expect": {}, "config": fields.pop("config", {})}
        return UnitTest(**test, depends_on=DependsOn(nodes=list(parents)), **common, **fields)
    common |= {"database": "db", "schema": "main"}
    if kind == "source":
        source, _, table = name.partition(".")
        return Source(
            name=table,
            source_name=source,
            identifier=table,
            config=fields.pop("config", {"enabled": True}),
            **common,
            **fields,
        )
    common |= {"name": fields.pop("name", name), "alias": name, "checksum": Checksum("sha256", name)}
    common["config"] = {"enabled": True, "materialized": "view", **fields.pop("config", {})}
    if kind != "seed":
        common["depends_on"] = DependsOn(nodes=list(parents))
        common["raw_code"] = fields.pop("raw_code", "select 1")
    if "test_name" in fields:
        return GenericTest(test_metadata=TestMetadata(fields.pop("test_name"), {}), **common, **fields)
    return KINDS[kind](**common, **fields)


def manifest_of(*resources: Any, **parts: Any) -> Manifest:
    """A manifest of project `shop` that holds these."""
    manifest = Manifest("shop", "duckdb", **parts)
    for resource in resources:
        table = {
            "source": manifest.sources, "exposure": manifest.exposures, "function": manifest.functions,
            "metric": manifest.metrics, "unit_test": manifest.unit_tests,
        }  # fmt: skip
        table.get(resource.resource_type, manifest.nodes)[resource.unique_id] = resource
    return manifest


def refs(*names: str | RefArgs) -> list[RefArgs]:
    """References by name."""
    return [RefArgs(name) if isinstance(name, str) else name for name in names]


def group(name: str, package: str = "shop") -> Group:
    """A group."""
    return Group(
        name=name, package_name=package, path="g.yml", original_file_path="models/g.yml",
        unique_id=f"group.{package}.{name}", owner={"name": "x"},
    )  # fmt: skip


def settings_of(*, restricted: Iterable[str] = (), packages: Iterable[str] = ("shop",), **more: Any) -> Settings:
    """Settings of project `shop`; packages in `restricted` restrict access."""
    known = tuple(Package(name, "", restrict_access=name in set(restricted)) for name in packages)
    target = Target("shop", "dev", "duckdb", "db", "main", 1, {})
    flags = more.pop("flags", {})
    return Settings(known[0], known, target, {}, flags, lambda name: None, **more)
