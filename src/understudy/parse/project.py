"""The whole project becomes a manifest. The steps in order, a line each; stage 1 is `scan_file`, the rest is stage 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from understudy.core.manifest import Manifest
from understudy.core.nodes import BaseNode, GenericTest, Macro, MacroDependsOn, Seed
from understudy.core.project import Settings
from understudy.core.source_file import SourceFile
from understudy.core.warning import Warning_
from understudy.errors import ParseError, Place
from understudy.parse.cells import Cells, Unit
from understudy.parse.checks import check, infer_primary_keys, settle_disabled
from understudy.parse.configs import Configs
from understudy.parse.configure import set_names
from understudy.parse.docs import add_docs, render_descriptions
from understudy.parse.entries import Found, each_of, entries, normalize
from understudy.parse.exposures import add_exposure, add_group
from understudy.parse.nodes import add_file_nodes
from understudy.parse.others import add_yaml_snapshot, patch_macro
from understudy.parse.parsing import Parsing, placed
from understudy.parse.properties import patch_function, patch_node
from understudy.parse.scan import Scanned, scan_file
from understudy.parse.semantics import add_metric, add_saved_query, add_semantic_model
from understudy.parse.sources import Sources
from understudy.parse.tests_generic import add_tests
from understudy.parse.unit_tests import add_fixtures, add_unit_test, settle_unit_tests
from understudy.parse.versions import patch_versions
from understudy.sql.dialect import Dialect
from understudy.template.macros import MacroIndex
from understudy.template.renderer import Renderer
from understudy.template.scope import BuiltinMacro
from understudy.template.state import Notify, unheard


@dataclass(frozen=True, slots=True)
class Parsed:
    """The manifest, not yet linked, with what compiling needs, and the cells in which it hangs together."""

    manifest: Manifest
    renderer: Renderer
    cells: Cells
    scans: Sequence[Scanned]

    @property
    def warnings(self) -> list[Warning_]:
        """What there is to warn of, by file and line."""
        return self.cells.warnings()


def unread(seed: Seed) -> str:
    """What stands for a seed's text where files are not read. Raises ParseError."""
    raise ParseError(f"The rows of the seed '{seed.name}' are not at hand", place=Place(seed.original_file_path))


def parse_project(
    settings: Settings,
    files: Sequence[SourceFile],
    *,
    builtins: Mapping[str, BuiltinMacro],
    builtin_macros: Mapping[str, Macro],
    dialect: Dialect,
    scan: Callable[[SourceFile], Scanned] = scan_file,
    read_seed: Callable[[Seed], str] = unread,
    notify: Notify = unheard,
) -> Parsed:
    """Parse all files of the project and its packages.

    Args:
        files: what `project.files.read_files` read.
        builtins: the macros of package `dbt` as functions, by name.
        builtin_macros: the same as manifest entries, by unique_id.
        dialect: the target's engine.
        scan: stage 1; a cache stands in for `scan_file` here.
        read_seed: the text of a seed's file, asked for where a unit test takes its rows from a seed.
        notify: who hears what templates log, print and warn of, now and when they run.

    Raises:
        ParseError and its kinds, with file and line, or an ErrorList of them.
    """
    scans = [scan(file) for file in files]
    manifest = Manifest(settings.root.name, settings.target.type, macros=dict(builtin_macros))
    index = _macros(manifest, settings, scans, builtins)
    cells = Cells()
    renderer = Renderer(settings, index, dialect, cells.hear(notify))
    cells.watch = renderer.watch
    parsing = Parsing(settings, manifest, renderer, dialect, builtins, Configs(settings), cells, read_seed)
    renderer.lines = manifest.lines
    _note_macros(parsing, scans)
    add_docs(parsing, scans)
    add_fixtures(parsing, (each for each in scans if each.file.kind == "fixture"))
    add_file_nodes(parsing, scans)
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
    check(parsing)
    parsing.cells.end()
    return Parsed(manifest, renderer, parsing.cells, scans)


def renderer_of(
    settings: Settings,
    manifest: Manifest,
    lines: Mapping[str, int],
    builtins: Mapping[str, BuiltinMacro],
    dialect: Dialect,
    notify: Notify,
) -> Renderer:
    """The way into the templates of a project that was parsed before. `lines`: those of its macros, by unique_id."""
    own = (unique_id for unique_id in manifest.macros if not unique_id.startswith("macro.dbt."))
    index = _index(settings, {unique_id: manifest.macros[unique_id] for unique_id in own}, lines, builtins)
    renderer = Renderer(settings, index, dialect, notify)
    renderer.lines = manifest.lines
    return renderer


def _macros(
    manifest: Manifest, settings: Settings, scans: Sequence[Scanned], builtins: Mapping[str, BuiltinMacro]
) -> MacroIndex:
    """The macros of all files, by name, and what each calls."""
    own = [macro for each in scans for macro in each.macros]
    lines = {unique_id: line for each in scans for unique_id, line in each.lines.items()}
    by_id = {macro.unique_id: macro for macro in own} if len({m.unique_id for m in own}) == len(own) else _all(own)
    index = _index(settings, by_id, lines, builtins)
    keep_arguments = bool(settings.flags.get("validate_macro_args"))
    for macro in own:
        depends_on = MacroDependsOn(index.static_calls(macro))
        arguments = macro.arguments if keep_arguments else []
        docs = {"show": True, "node_color": None}
        config = {"meta": {}, "docs": docs}
        manifest.macros[macro.unique_id] = replace(
            macro, depends_on=depends_on, arguments=arguments, docs=docs, config=config
        )
    return index


def _index(
    settings: Settings, macros: Mapping[str, Macro], lines: Mapping[str, int], builtins: Mapping[str, BuiltinMacro]
) -> MacroIndex:
    return MacroIndex(
        macros,
        builtins,
        settings.root.name,
        [package.name for package in settings.packages],
        settings.root.dispatch,
        settings.target.type,
        lines=lines,
    )


def _note_macros(parsing: Parsing, scans: Sequence[Scanned]) -> None:
    """The files that stage 1 has dealt with: macros, and what YAML itself gives cause to say."""
    for each in scans:
        file = each.file
        if each.macros or each.warnings:
            cell = parsing.cells.begin(Unit(file.package, file.path, file.kind))
            cell.warnings += each.warnings
        for macro in each.macros:
            parsing.cells.touch(macro.unique_id)


def _all(macros: Sequence[Macro]) -> Mapping[str, Macro]:
    """Every macro under a key of its own, for the index to complain of two with one name."""
    return {f"{n}": macro for n, macro in enumerate(macros)}


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
