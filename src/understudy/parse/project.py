"""The whole project becomes a manifest: its files are scanned one by one (stage 1), then assembled (stage 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from understudy.core.manifest import Manifest
from understudy.core.nodes import Macro, MacroDependsOn, Seed
from understudy.core.project import Settings
from understudy.core.source_file import SourceFile
from understudy.core.warning import Warning_, in_order
from understudy.errors import ParseError, Place
from understudy.parse.assemble import assemble
from understudy.parse.cells import Cells
from understudy.parse.checks import check, unused_config
from understudy.parse.configs import Configs
from understudy.parse.deprecated import old_metrics, old_ways
from understudy.parse.parsing import Parsing
from understudy.parse.scan import Scanned, scan_file
from understudy.sql.dialect import Dialect
from understudy.template.macros import MacroIndex
from understudy.template.renderer import Renderer
from understudy.template.scope import BuiltinMacro
from understudy.template.state import Notify, unheard


class Parsed(msgspec.Struct, frozen=True):
    """The manifest, not yet linked, with what compiling needs, and the cells in which it hangs together."""

    manifest: Manifest
    renderer: Renderer
    cells: Cells
    scans: Sequence[Scanned]

    @property
    def warnings(self) -> list[Warning_]:
        """What there is to warn of, by file and line."""
        return in_order(warning for cell in (self.cells.common, *self.cells.all()) for warning in cell.warnings)


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
    index = read_macros(manifest, settings, scans, builtins)
    cells = Cells()
    renderer = Renderer(settings, index, dialect, cells.hear(notify))
    cells.watch = renderer.watch
    parsing = Parsing(settings, manifest, renderer, dialect, builtins, Configs(settings), cells, read_seed)
    renderer.lines = manifest.lines
    assemble(parsing, scans, settings.packages)
    check(parsing)
    unused = unused_config(
        settings, manifest.resources(), (each for many in manifest.disabled.values() for each in many)
    )
    cells.common.warnings += [] if unused is None else [unused]
    cells.common.warnings += [*old_ways(settings, manifest), *old_metrics(settings, manifest)]
    cells.end()
    return Parsed(manifest, renderer, parsing.cells, scans)


def read_macros(
    manifest: Manifest,
    settings: Settings,
    scans: Sequence[Scanned],
    builtins: Mapping[str, BuiltinMacro],
    standing: Sequence[Macro] = (),
    lines: Mapping[str, int] | None = None,
) -> MacroIndex:
    """The macros of the files into the manifest, with what each calls; and all of them by name.

    `standing`: macros of other files, which are known, with their `lines`.
    """
    own = [macro for each in scans for macro in each.macros]
    every = [*standing, *own]
    lines = {**(lines or {}), **{unique_id: line for each in scans for unique_id, line in each.lines.items()}}
    by_id = {m.unique_id: m for m in every} if len({m.unique_id for m in every}) == len(every) else _all(every)
    index = MacroIndex.of(settings, by_id, lines, builtins)
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


def _all(macros: Sequence[Macro]) -> Mapping[str, Macro]:
    """Every macro under a key of its own, for the index to complain of two with one name."""
    return {f"{n}": macro for n, macro in enumerate(macros)}
