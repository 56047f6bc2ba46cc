"""A part of the project is made anew, while the rest of it stands as it was.

The steps are those of a whole parse; only the maps differ in which they find what is there. Whoever asks for a resource
that stands, other than by its name, learns that it is needed anew, too (`Untouched`), and the caller begins again with more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from understudy.core.manifest import PART_OF, PARTS, Manifest
from understudy.core.nodes import Macro, Node, Seed
from understudy.core.project import Package, Settings
from understudy.core.source_file import SourceFile
from understudy.parse.assemble import assemble
from understudy.parse.cells import Cells
from understudy.parse.checks import check
from understudy.parse.configs import Configs
from understudy.parse.parsing import Parsing
from understudy.parse.project import read_macros
from understudy.parse.scan import Scanned
from understudy.sql.dialect import Dialect
from understudy.template.renderer import Renderer
from understudy.template.scope import BuiltinMacro
from understudy.template.state import Notify

T = TypeVar("T")


class Untouched(Exception):
    """A resource that stands has to be made anew with the others."""

    def __init__(self, unique_id: str) -> None:
        super().__init__(unique_id)
        self.unique_id = unique_id


class Standing(msgspec.Struct, frozen=True, dict=True):
    """The last parse, without what is made anew: `gone` are the unique_ids, of every kind, that no longer stand."""

    manifest: Manifest
    gone: frozenset[str]
    macro_lines: Mapping[str, int]

    def of(self, part: str) -> Iterable[str]:
        """The unique_ids of a part of the manifest that stand."""
        return (unique_id for unique_id in getattr(self.manifest, part) if unique_id not in self.gone)

    def macros(self) -> list[Macro]:
        """The project's macros that stand."""
        found = self.manifest.macros
        return [found[unique_id] for unique_id in self.of("macros") if not unique_id.startswith("macro.dbt.")]


class Remade(msgspec.Struct, frozen=True):
    """What was made anew, not yet linked. `named`: every name under which a node of it could be found."""

    manifest: Manifest
    cells: Cells
    renderer: Renderer
    named: frozenset[str]


class Anew(dict[str, T]):
    """Resources of one part that are made anew, beside those that stand. Raises Untouched for one of the latter."""

    def __init__(self, part: Mapping[str, Any], gone: frozenset[str]) -> None:
        super().__init__()
        self._part = part
        self._gone = gone

    def _look(self, key: object) -> None:
        if isinstance(key, str) and key in self._part and key not in self._gone and not super().__contains__(key):
            raise Untouched(key)

    def __contains__(self, key: object) -> bool:
        self._look(key)
        return super().__contains__(key)

    def __getitem__(self, key: str) -> T:
        self._look(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The resource, or the default."""
        self._look(key)
        return super().get(key, default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The resource, or the default from now on."""
        self._look(key)
        return super().setdefault(key, default)


class _Disabled(dict[str, list[Node]]):
    """Disabled nodes by name. Raises Untouched where one that stands has the name."""

    def __init__(self, standing: Standing) -> None:
        super().__init__()
        self._standing = standing
        self._names: dict[str, str] | None = None

    def _look(self, name: str) -> None:
        if self._names is None:
            self._names = {}
            for unique_id in self._standing.of("disabled"):
                for resource in self._standing.manifest.disabled[unique_id]:
                    version = getattr(resource, "version", None)
                    self._names[resource.name if version is None else f"{resource.name}.v{version}"] = unique_id
                    self._names.setdefault(resource.name, unique_id)
        if name in self._names:
            raise Untouched(self._names[name])

    def get(self, name: str, default: Any = None) -> Any:
        """The nodes of a name, or the default."""
        self._look(name)
        return super().get(name, default)


def remake(
    settings: Settings,
    standing: Standing,
    scans: Sequence[Scanned],
    hooked: Iterable[Package],
    *,
    fixtures: dict[tuple[str, str], SourceFile],
    builtins: Mapping[str, BuiltinMacro],
    dialect: Dialect,
    read_seed: Callable[[Seed], str],
    notify: Notify,
) -> Remade:
    """Make anew what the scans hold, and the hooks of the packages in `hooked`.

    Args:
        scans: whole files, and properties files with those of their entries that are read.
        fixtures: the files of rows that stand, by package and name.
    Raises:
        Untouched: there is more to be made anew.
        UnderstudyError: something is wrong; reading the whole project tells what, and all of it.
    """
    last = standing.manifest
    manifest = Manifest(last.project_name, last.adapter_type)
    for part in PARTS:
        setattr(manifest, part, Anew(getattr(last, part), standing.gone))
    index = read_macros(manifest, settings, scans, builtins, standing.macros(), standing.macro_lines)
    manifest.docs = {unique_id: last.docs[unique_id] for unique_id in standing.of("docs")}
    cells = Cells()
    renderer = Renderer(settings, index, dialect, cells.hear(notify))
    cells.watch = renderer.watch
    parsing = Parsing(settings, manifest, renderer, dialect, builtins, Configs(settings), cells, read_seed)
    parsing.fixtures = fixtures
    parsing.disabled = _Disabled(standing)
    parsing.standing = last.nodes
    renderer.lines = manifest.lines
    cards = [last.cards[unique_id] for unique_id in last.cards if unique_id not in standing.gone]
    for each in cards:
        if each.test is None:  # generic tests are two thirds of a project, and nobody names them
            parsing.know(each)
    assemble(parsing, scans, hooked)
    for name in parsing.named:
        parsing.disabled.get(name)
    groups = (unique_id.split(".", 2)[2] for unique_id in standing.of("groups"))
    check(parsing, (each for each in cards if each.resource_type not in PART_OF), groups)
    cells.end()
    for part in PARTS:  # from here on, what stands is nobody's business
        setattr(manifest, part, dict(getattr(manifest, part)))
    manifest.docs = {i: doc for i, doc in manifest.docs.items() if i in standing.gone or i not in last.docs}
    return Remade(manifest, cells, renderer, frozenset(parsing.named))
