"""Writing `manifest.json`, schema v12: nodes as they stand, in the order in which the project was read."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from understudy.artifacts import atomic
from understudy.artifacts.metadata import ManifestMetadata
from understudy.core.manifest import Manifest
from understudy.core.nodes import Node
from understudy.graph.dag import group_map


class CompiledCode(msgspec.Struct, frozen=True):
    """What compiling adds to a node: its SQL, the ephemeral models that were put into it as (unique_id, sql), its file,
    and the macros that it called, some only when the database was asked."""

    sql: str
    ctes: Sequence[tuple[str, str]] = ()
    path: str | None = None
    macros: Sequence[str] = ()


_encode = msgspec.json.Encoder().encode


class Part(NamedTuple):
    """One map of the document: its keys in order, and the text of an entry."""

    name: str
    keys: Collection[str]
    encode: Callable[[str], bytes]


def write_manifest(
    manifest: Manifest,
    *,
    parent_map: Mapping[str, Sequence[str]],
    child_map: Mapping[str, Sequence[str]],
    metadata: ManifestMetadata,
    path: str | os.PathLike[str],
    compiled: Mapping[str, CompiledCode] | None = None,
    built: Mapping[str, str] | None = None,
) -> None:
    """Write the manifest whole, in pieces of one entry, so that memory does not grow with the project.

    Args:
        compiled: the nodes that this run compiled.
        built: unique_id -> the path under target/run of what this run sent.
    Raises:
        ArtifactError: it cannot be written; the old file is as it was.
    """
    parts = parts_of(manifest, parent_map, child_map, compiled or {}, built or {})
    atomic.write(path, pieces(parts, metadata))


def pieces(parts: Iterable[Part], metadata: ManifestMetadata) -> Iterator[bytes]:
    """The document as bytes, piece by piece. The same parts and metadata give the same bytes."""
    yield head(metadata)
    for part in parts:
        yield opening(part.name)
        separator = b""
        for key in part.keys:
            yield separator + entry(part, key)
            separator = b","
        yield b"}"
    yield END


END = b"}\n"


def head(metadata: ManifestMetadata) -> bytes:
    """How the document begins."""
    return b'{"metadata":' + _encode(metadata)


def opening(name: str) -> bytes:
    """How a part begins."""
    return b',"' + name.encode() + b'":{'


def entry(part: Part, key: str) -> bytes:
    """An entry of a part with its key."""
    return _encode(key) + b":" + part.encode(key)


def parts_of(
    manifest: Manifest,
    parent_map: Mapping[str, Sequence[str]],
    child_map: Mapping[str, Sequence[str]],
    compiled: Mapping[str, CompiledCode],
    built: Mapping[str, str],
) -> list[Part]:
    """The parts of the document, in dbt's order."""

    def plain(name: str, values: Mapping[str, Any]) -> Part:
        return Part(name, values.keys(), lambda key: _encode(values[key]))

    def nodes(name: str, values: Mapping[str, Node]) -> Part:
        return Part(name, values.keys(), lambda key: _encode(_node(values[key], compiled.get(key), built.get(key))))

    first = ("sources", "macros", "docs", "exposures", "metrics", "groups", "selectors", "disabled")
    last = ("saved_queries", "semantic_models", "unit_tests")
    return [
        nodes("nodes", manifest.nodes),
        *(plain(name, getattr(manifest, name)) for name in first),
        plain("parent_map", parent_map),
        plain("child_map", child_map),
        plain("group_map", group_map(manifest)),
        *(plain(name, getattr(manifest, name)) for name in last),
        nodes("functions", manifest.functions),
    ]


def _node(node: Node, code: CompiledCode | None, build_path: str | None) -> Any:
    """The node as the manifest has it: with its compiled fields after `compiled_path`, where it was compiled."""
    if code is None and build_path is None:
        return node
    fields: dict[str, Any] = msgspec.to_builtins(node)
    if build_path is not None:
        fields["build_path"] = build_path
    if code is None:
        return fields
    extra = {
        "compiled_path": code.path,
        "compiled": True,
        "compiled_code": code.sql,
        "extra_ctes_injected": True,
        "extra_ctes": [{"id": unique_id, "sql": sql} for unique_id, sql in code.ctes],
    }
    called = fields["depends_on"]["macros"]
    called += [macro for macro in code.macros if macro not in called]  # dbt 1.11: MacroGenerator.track_call
    ordered: dict[str, Any] = {}
    for key, value in fields.items():
        ordered.update(extra if key == "compiled_path" else {key: value})
    return ordered
