"""Files become nodes: models, seeds, snapshots, analyses, singular tests, hooks of the project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from understudy.core.nodes import Analysis, Checksum, Function, Model, Node, Operation, Seed, SingularTest, Snapshot
from understudy.core.project import Package
from understudy.core.source_file import SourceFile
from understudy.parse.cells import Unit
from understudy.parse.configure import absorb, set_config
from understudy.parse.parsing import Parsing, below, placed
from understudy.parse.python_model import read_python
from understudy.parse.scan import Scanned
from understudy.template import literal
from understudy.template.scope import Captured

NONE = Captured()
OPERATION = "operation"
"""The part of a unit that is the hooks of a package."""


def add_file_nodes(parsing: Parsing, scans: Sequence[Scanned], hooked: Iterable[Package]) -> None:
    """Models, snapshots, analyses, singular tests, seeds and functions, in that order for each package, as dbt reads them;
    of the packages in `hooked` the hooks, too.

    Raises ParseError, JinjaError or DuplicateError with the file.
    """
    makers: list[tuple[str, Callable[[Parsing, Scanned], None]]] = [
        ("model", _model),
        ("snapshot", _snapshots),
        ("analysis", _analysis),
        ("test", _singular_test),
        ("seed", _seed),
        ("function", _function),
    ]
    hooks = list(hooked)
    by_kind: dict[tuple[str, str], list[Scanned]] = {}
    for scan in scans:
        by_kind.setdefault((scan.file.package, scan.file.kind), []).append(scan)
    for package in parsing.settings.packages:
        for kind, make in makers:
            for scan in by_kind.get((package.name, kind), []):
                parsing.cells.begin(Unit(package.name, scan.file.path, kind))
                with placed(scan.file):
                    make(parsing, scan)
        if package in hooks:
            _operations(parsing, package)


def _model(parsing: Parsing, scan: Scanned) -> None:
    file = scan.file
    node = Model(path=file.relative_path, **_common(parsing, "model", file, stem(file.path)))
    if file.path.endswith(".py"):
        node.language = "python"
        calls = read_python(node, file.lined_text)
        _finish(parsing, node, calls, patch={"materialized": "table"})
    else:
        _finish(parsing, node, _calls(parsing, node, scan.calls))


def _analysis(parsing: Parsing, scan: Scanned) -> None:
    file = scan.file
    node = Analysis(path=f"analysis/{file.relative_path}", **_common(parsing, "analysis", file, stem(file.path)))
    node.fqn = [file.package, "analysis", *below(file), node.name]
    _finish(parsing, node, _calls(parsing, node, scan.calls))


def _singular_test(parsing: Parsing, scan: Scanned) -> None:
    file = scan.file
    name = stem(file.path)
    path = "/".join([*below(file), f"{name}.sql"])
    node = SingularTest(path=path, **_common(parsing, "test", file, name))
    _finish(parsing, node, _calls(parsing, node, scan.calls))


def _seed(parsing: Parsing, scan: Scanned) -> None:
    file = scan.file
    package = parsing.settings.package(file.package)
    node = Seed(path=file.relative_path, **_common(parsing, "seed", file, stem(file.path)))
    node.root_path = package.root if package else None
    _finish(parsing, node, NONE)


def _function(parsing: Parsing, scan: Scanned) -> None:
    """A user-defined function: an expression in SQL, or Python that the engine runs; its signature stands in YAML."""
    file = scan.file
    node = Function(path=file.relative_path, **_common(parsing, "function", file, stem(file.path)))
    if file.path.endswith(".py"):
        node.language = "python"
        _finish(parsing, node, NONE)
    else:
        _finish(parsing, node, _calls(parsing, node, scan.calls))


def _snapshots(parsing: Parsing, scan: Scanned) -> None:
    """One node per `{% snapshot %}` block; its fqn holds the file's name, too."""
    file = scan.file
    for block in scan.blocks:
        common = _common(parsing, "snapshot", file, block.name)
        common["fqn"] = [file.package, *below(file), stem(file.path), block.name]
        node = Snapshot(path=file.relative_path, **{**common, "raw_code": block.contents})
        parsing.manifest.lines[node.unique_id] = block.line
        _finish(parsing, node, _calls(parsing, node, literal.scan(block.contents)))


def _operations(parsing: Parsing, package: Package) -> None:
    """The hooks `on-run-start` and `on-run-end` of a package."""
    parsing.cells.begin(Unit(package.name, "dbt_project.yml", OPERATION, package.name))
    for when, hooks in (("on-run-start", package.on_run_start), ("on-run-end", package.on_run_end)):
        for index, sql in enumerate(hooks):
            name = f"{package.name}-{when}-{index}"
            node = Operation(
                name=name,
                path=f"hooks/{name}.sql",
                original_file_path="./dbt_project.yml",
                package_name=package.name,
                unique_id=f"operation.{package.name}.{name}",
                fqn=[package.name, "hooks", name],
                raw_code=sql,
                checksum=Checksum("sha256", package.checksum),
                tags=[when],
                index=index,
                **_place_in_target(parsing, name),
            )
            _finish(parsing, node, _calls(parsing, node, literal.scan(sql)))


def _common(parsing: Parsing, kind: str, file: SourceFile, name: str) -> dict[str, Any]:
    """The fields that every node made of a file has."""
    if file.first_line > 1:
        parsing.manifest.lines[f"{kind}.{file.package}.{name}"] = file.first_line
    return {
        "name": name,
        "package_name": file.package,
        "original_file_path": file.path,
        "unique_id": f"{kind}.{file.package}.{name}",
        "fqn": [file.package, *below(file), name],
        "raw_code": file.text,
        "checksum": Checksum("sha256", file.checksum),
        **_place_in_target(parsing, name),
    }


def _place_in_target(parsing: Parsing, name: str) -> dict[str, Any]:
    """Where a node stands while it is parsed; its names are settled when its config is."""
    target = parsing.settings.target
    return {"database": target.database, "schema": target.schema, "alias": name, "config": {}}


def _calls(parsing: Parsing, node: Node, scanned: Captured | None) -> Captured:
    """What the node's text asks for: from the scan where it was enough, else by rendering it."""
    if scanned is not None and parsing.literal(node.package_name):
        return scanned
    node.config = parsing.configs.base(node.resource_type, node.package_name, node.fqn)
    captured: Captured = parsing.renderer.captured(node.raw_code, node=node, package=node.package_name)
    return captured


def _finish(parsing: Parsing, node: Node, calls: Captured, patch: dict[str, Any] | None = None) -> None:
    """Config, references, and its place in the manifest."""
    parsing.calls[id(node)] = calls
    if calls is not NONE:
        absorb(parsing, node, calls)
    if patch is not None:
        node.config = parsing.configs.base(node.resource_type, node.package_name, node.fqn)
    set_config(parsing, node, calls, patch)
    parsing.add(node)


def stem(path: str) -> str:
    """A file's name without folders and extension."""
    return path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
