"""The way into Jinja for the rest of the engine: parse a node's text, render values, make names, open a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal

from msgspec.structs import replace

from understudy.core.input import CLOCK, Input
from understudy.core.manifest import Manifest
from understudy.core.nodes import GenericTest, Node
from understudy.core.project import Settings, package_vars
from understudy.core.walk import KeyPath, has_jinja, plain, walk
from understudy.errors import JinjaError, UnderstudyError
from understudy.sql.dialect import Dialect
from understudy.template import literal
from understudy.template.contexts.variables import Var, env_lookup
from understudy.template.generic import KWARGS, SIMPLE, render_kwargs, scan_simple
from understudy.template.macros import Found, MacroIndex
from understudy.template.names import Lazy
from understudy.template.scope import BuiltinMacro, Captured, Database, Lookups
from understudy.template.session import OWN_CALLS, Session, Shared
from understudy.template.state import SECRET, Notify, secret_digest, unheard
from understudy.template.unasked import UnaskedDatabase

__all__ = ["Lazy", "Renderer", "Session"]

OTHER_TIMES = ("2006-01-01T00:00:00+00:00", "2001-12-31T23:59:59.999999+00:00")
"""A Sunday that begins a month and a year, and a Monday that ends both: what templates make conditions of."""


class Renderer:
    """Renders templates of one project. Shared by threads; a session belongs to one.

    Args:
        settings: packages, target, variables, flags, environment.
        macros: the project's macros and the built-in ones.
        dialect: the target engine's.
        notify: who hears what templates log, print and warn of.

    `lines` may be given unique_id -> line of the file where a node's text starts (snapshots in blocks).
    """

    def __init__(self, settings: Settings, macros: MacroIndex, dialect: Dialect, notify: Notify = unheard) -> None:
        self.macros = macros
        self.settings = settings
        self.lines: Mapping[str, int] = {}
        self.naming = Captured()
        """What the generate_*_name macros looked up."""
        self._shared = Shared(settings, macros, dialect, notify)
        self._vars: dict[str, Mapping[str, Any]] = {}
        self._naming: dict[str, Session] = {}
        self._name_macros: dict[tuple[str, str], Found] = {}

    @classmethod
    def of(
        cls,
        settings: Settings,
        manifest: Manifest,
        lines: Mapping[str, int],
        builtins: Mapping[str, BuiltinMacro],
        dialect: Dialect,
        notify: Notify,
    ) -> Renderer:
        """The way into the templates of a project that was parsed before. `lines`: those of its macros, by unique_id."""
        own = (unique_id for unique_id in manifest.macros if not unique_id.startswith("macro.dbt."))
        macros = MacroIndex.of(settings, {unique_id: manifest.macros[unique_id] for unique_id in own}, lines, builtins)
        renderer = cls(settings, macros, dialect, notify)
        renderer.lines = manifest.lines
        return renderer

    def watch(self, inputs: set[Input] | None) -> None:
        """Put what renderings depend on into this set from here on; None: nobody wants to know."""
        self._shared.inputs = inputs

    def provide(self, **values: Any) -> None:
        """Names for all renderings from here on (`graph`, `selected_resources`); a `Lazy` is made when it is asked for."""
        self._shared.values.update(values)

    def parse(self, text: str, *, node: Node, package: str) -> Captured:
        """What a node's template asks for: refs, sources, config, macros, variables.

        Literal texts are read without rendering. Raises JinjaError with file, line and callers.
        """
        custom = self.macros.defines(OWN_CALLS, package)
        if isinstance(node, GenericTest):
            return self._parse_test(text, node, package, simple=not custom)
        captured = None if custom else literal.scan(text)
        if captured is not None:
            return captured
        return self.captured(text, node=node, package=package)

    def _parse_test(self, text: str, node: GenericTest, package: str, *, simple: bool) -> Captured:
        found = self.macros.anywhere(f"test_{node.test_metadata.name}", package)
        if simple and found is not None and found.unique_id in SIMPLE:
            captured = scan_simple(node, text, found.unique_id)
            if captured is not None:
                return captured
        return self.captured(text, node=node, package=package, test=found)

    def captured(self, text: str, *, node: Node, package: str, test: Found | None = None) -> Captured:
        """What comes of a rendering, for who knows that the text is not literal. Raises as `parse`.

        It depends on the clock only where it is another one at other times: most templates that ask for the time write it
        into their SQL, which nobody keeps.
        """
        shared, inputs = self._shared, self._shared.inputs
        if inputs is None:
            return self._render(shared, text, node, package, test)
        shared.inputs = mine = set[Input]()
        try:
            captured = self._render(shared, text, node, package, test)
            if CLOCK in mine and self._is_timeless(captured, text, node, package, test):
                mine.remove(CLOCK)
        finally:
            shared.inputs = inputs
            inputs |= mine
        return captured

    def _is_timeless(self, captured: Captured, text: str, node: Node, package: str, test: Found | None) -> bool:
        try:
            return all(self._render(each, text, node, package, test) == captured for each in self._other_times)
        except UnderstudyError:
            return False

    @cached_property
    def _other_times(self) -> tuple[Shared, ...]:
        times = (replace(self.settings, started_at=at, invocation_id=at) for at in OTHER_TIMES)
        return tuple(self._shared.like(each) for each in times)

    def _render(self, shared: Shared, text: str, node: Node, package: str, test: Found | None) -> Captured:
        session = Session(
            shared,
            package,
            node=node,
            vars=self.vars(package),
            database=UnaskedDatabase(),
            parsing=True,
            execute=False,
            line=self.lines.get(node.unique_id),
        )
        if isinstance(node, GenericTest):
            if test is not None:
                session.uses.macros.append(test.unique_id)
            session.set(KWARGS, render_kwargs(node.test_metadata.kwargs, session.native))
        session.render(text)
        return _with_sources(session.uses, text)

    def value(
        self,
        value: Any,
        *,
        package: str,
        extra: Mapping[str, Any] | None = None,
        keep: Callable[[KeyPath], bool] = lambda path: False,
        captured: Captured | None = None,
        native: bool = True,
    ) -> Any:
        """A copy of a YAML value with the templates in its texts rendered (dbt 1.11: SchemaYamlContext; no macros).

        A text that is one expression becomes that expression's value, unless `native` is off; texts without Jinja only
        lose their last line end. Leaves for whose key path `keep` answers true stay. `extra` adds names (`doc`).
        `captured` notes variables. Raises JinjaError.
        """
        names: dict[str, Any] | None = None

        def text(source: str) -> Any:
            nonlocal names
            if not has_jinja(source):
                return literal.normal_lines(source)
            if names is None:
                names = self._settings_names(package, captured or Captured())
                names.update(extra or {})
            return render_text(source, names, native=native)

        return walk(value, text, keep)

    def _settings_names(self, package: str, captured: Captured) -> dict[str, Any]:
        from understudy.template.settings import names

        settings = self.settings

        def used(name: str, value: str) -> None:
            captured.env_vars[name] = secret_digest(value) if name.startswith(SECRET) else value

        var = Var(
            self.vars(package),
            used=captured.vars.__setitem__,
            note=lambda name: self._shared.note("var", package, name),
        )
        env_var = env_lookup(settings.env, used=used, note=lambda name: self._shared.note("env", name))
        return names(settings, var=var, env_var=env_var, note=self._shared.note)

    def vars(self, package: str) -> Mapping[str, Any]:
        """The variables that a package's nodes see."""
        if package not in self._vars:
            self._vars[package] = package_vars(self.settings, package)
        return self._vars[package]

    def generate_name(self, kind: Literal["schema", "alias", "database"], custom: str | None, node: Node) -> str:
        """A node's schema, alias or database, by the macro `generate_<kind>_name`.

        A package's own macro names its nodes, else the root project's, else the built-in one (dbt 1.11: RelationUpdate).
        """
        found = self._name_macro(kind, node.package_name)
        session = self._naming.get(found.package)
        if session is None:
            package = self.macros.root if found.package == "dbt" else found.package
            session = Session(self._shared, package, vars=self.vars(package), database=UnaskedDatabase(), execute=False)
            session.uses = self.naming
            self._naming[found.package] = session
        ours = None if found.name == f"generate_{kind}_name" else found.builtin
        # what ours hands over to asks nobody else, so there is nothing to be noted or explained
        name = ours(session, custom, node) if ours is not None else session.call_found(found, custom, node)
        return name.strip() if isinstance(name, str) else name

    def _name_macro(self, kind: str, package: str) -> Found:
        found = self._name_macros.get((kind, package))
        if found is None:
            name = f"generate_{kind}_name"
            found = self.macros.namespace(package).get(name) or self.macros.find(name, self.macros.root)
            if found is None:
                raise JinjaError(f"There is no macro named '{name}'")
            if found.builtin is not None:
                ours = self.macros.dispatch(name, "dbt", self.macros.root)
                found = ours if ours.builtin is not None else found  # what it would find for every node
            self._name_macros[kind, package] = found
        return found

    def session(
        self,
        node: Node | None,
        lookups: Lookups | None,
        *,
        database: Database | None,
        extra: Mapping[str, Any] | None = None,
        package: str | None = None,
        vars: Mapping[str, Any] | None = None,
    ) -> Session:
        """A session in which a node (or, without one, an operation of the root project) is compiled and run.

        `vars` stand for the variables of its package.
        """
        scope = package or (node.package_name if node is not None else self.macros.root)
        line = self.lines.get(node.unique_id) if node is not None else None
        session = Session(
            self._shared,
            scope,
            node=node,
            lookups=lookups,
            database=database,
            values=extra,
            vars=self.vars(scope) if vars is None else vars,
            line=line,
        )
        if isinstance(node, GenericTest):
            arguments = node.test_metadata.kwargs
            session.values[KWARGS] = Lazy(lambda: render_kwargs(arguments, session.native))
        return session


def _with_sources(captured: Captured, text: str) -> Captured:
    """Add to each configured key how it is written (dbt 1.11: statically_parse_unrendered_config)."""
    if captured.config:
        from understudy.template.syntax import config_source

        captured.config = plain(captured.config)

        written = config_source(text)
        captured.unrendered_config = {key: written.get(key, value) for key, value in captured.config.items()}
    return captured


def render_text(source: str, names: Mapping[str, Any], *, native: bool) -> Any:
    """Render one text of a settings file. Raises JinjaError that shows it."""
    from understudy.template.settings import render

    return render(source, names, native=native)
