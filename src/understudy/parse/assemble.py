"""Stage 2: scans become resources. The steps in order, a line each, for the whole project or for a part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from understudy.core.nodes import BaseNode, GenericTest
from understudy.core.project import Package
from understudy.parse.cells import Unit
from understudy.parse.checks import infer_primary_keys, settle_disabled
from understudy.parse.configure import set_names
from understudy.parse.docs import add_docs, render_descriptions
from understudy.parse.entries import Found, each_of, entries, normalize
from understudy.parse.exposures import add_exposure, add_group
from understudy.parse.nodes import add_file_nodes
from understudy.parse.others import add_yaml_snapshot, patch_macro
from understudy.parse.parsing import Parsing, placed
from understudy.parse.properties import patch_function, patch_node
from understudy.parse.scan import Scanned
from understudy.parse.semantics import add_metric, add_saved_query, add_semantic_model
from understudy.parse.sources import Sources
from understudy.parse.tests_generic import add_tests
from understudy.parse.unit_tests import add_fixtures, add_unit_test, settle_unit_tests
from understudy.parse.versions import patch_versions


def assemble(parsing: Parsing, scans: Sequence[Scanned], hooked: Iterable[Package]) -> None:
    """Make the resources of the scans; of the packages in `hooked` the hooks, too. The macros have been read before.

    Raises ParseError and its kinds, with file and line.
    """
    _note_macros(parsing, scans)
    add_docs(parsing, scans)
    add_fixtures(parsing, (each for each in scans if each.file.kind == "fixture"))
    add_file_nodes(parsing, scans, hooked)
    sources = Sources()
    for each in scans:
        with placed(each.file):
            _properties(parsing, each, sources)
    settle_disabled(parsing)
    sources.build(parsing)
    parsing.cells.resume()
    _names(parsing)
    settle_unit_tests(parsing)
    render_descriptions(parsing)
    infer_primary_keys(parsing)
    parsing.cells.resume()


def _note_macros(parsing: Parsing, scans: Sequence[Scanned]) -> None:
    """The files that stage 1 has dealt with: macros, and what YAML itself gives cause to say."""
    for each in scans:
        file = each.file
        if each.macros or each.warnings:
            cell = parsing.cells.begin(Unit(file.package, file.path, file.kind))
            cell.warnings += each.warnings
        for macro in each.macros:
            parsing.cells.touch(macro.unique_id)


def _properties(parsing: Parsing, scan: Scanned, sources: Sources) -> None:
    """One properties file, its lists in dbt's order: config and properties of nodes, then their tests."""
    if not scan.tree:
        return
    for key in ("models", "seeds", "snapshots"):
        found = entries(parsing, scan, key)
        for each in each_of(parsing, found):
            if key == "snapshots":
                add_yaml_snapshot(parsing, each)
            normalize(each)
        for each in each_of(parsing, found):
            if each.entry.get("versions"):
                patch_versions(parsing, each)
            else:
                patch_node(parsing, each)
        for each in each_of(parsing, found):
            add_tests(parsing, each)
    for each in each_of(parsing, entries(parsing, scan, "sources")):
        sources.read(parsing, each)
    for key in ("data_tests", "analyses"):
        for each in each_of(parsing, entries(parsing, scan, key)):
            normalize(each)
            patch_node(parsing, each)
    readers: dict[str, Callable[[Parsing, Found], None]] = {
        "macros": patch_macro,
        "exposures": add_exposure,
        "functions": patch_function,
        "metrics": add_metric,
        "groups": add_group,
        "semantic_models": add_semantic_model,
        "unit_tests": add_unit_test,
        "saved_queries": add_saved_query,
    }
    for key, read in readers.items():
        for each in each_of(parsing, entries(parsing, scan, key)):
            read(parsing, each)


def _names(parsing: Parsing) -> None:
    """Relations of all nodes, now that their config is settled; tests have theirs already."""
    manifest = parsing.manifest
    disabled = (each for many in manifest.disabled.values() for each in many)
    for node in (*manifest.nodes.values(), *manifest.functions.values(), *disabled):
        if isinstance(node, BaseNode) and not isinstance(node, GenericTest):
            set_names(parsing, node)
