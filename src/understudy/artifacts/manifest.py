"""Writing `manifest.json`, schema v12: nodes as they stand, in the order in which the project was read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

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
    atomic.write(path, pieces(manifest, parent_map, child_map, metadata, compiled or {}, built or {}))


def pieces(
    manifest: Manifest,
    parent_map: Mapping[str, Sequence[str]],
    child_map: Mapping[str, Sequence[str]],
    metadata: ManifestMetadata,
    compiled: Mapping[str, CompiledCode],
    built: Mapping[str, str],
) -> Iterator[bytes]:
    """The document as bytes, piece by piece. The same manifest and metadata give the same bytes."""
    yield b'{"metadata":' + _encode(metadata)
    yield from _part("nodes", _nodes(manifest.nodes, compiled, built))
    for part in ("sources", "macros", "docs", "exposures", "metrics", "groups", "selectors", "disabled"):
        yield from _part(part, getattr(manifest, part).items())
    yield from _part("parent_map", parent_map.items())
    yield from _part("child_map", child_map.items())
    yield from _part("group_map", group_map(manifest).items())
    for part in ("saved_queries", "semantic_models", "unit_tests"):
        yield from _part(part, getattr(manifest, part).items())
    yield from _part("functions", _nodes(manifest.functions, compiled, built))
    yield b"}\n"


def _part(name: str, entries: Iterable[tuple[str, Any]]) -> Iterator[bytes]:
    yield b',"' + name.encode() + b'":{'
    separator = b""
    for key, value in entries:
        yield separator + _encode(key) + b":" + _encode(value)
        separator = b","
    yield b"}"


def _nodes(
    nodes: Mapping[str, Node], compiled: Mapping[str, CompiledCode], built: Mapping[str, str]
) -> Iterator[tuple[str, Any]]:
    for unique_id, node in nodes.items():
        yield unique_id, _node(node, compiled.get(unique_id), built.get(unique_id))


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
