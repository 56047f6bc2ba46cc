"""Macros: read from files, found by name, dispatched by adapter, and followed to what they call.

Names resolve as in dbt 1.11 (MacroNamespace): from a node of package P, an unqualified name is looked for in P, in the
root project, and among the built-in macros of `dbt`; other packages answer only to `package.name`. What a macro calls is
resolved from the package of the *node* that is being rendered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from understudy.core.nodes import Macro
from understudy.core.project import Settings
from understudy.core.source_file import SourceFile
from understudy.errors import DuplicateError, JinjaError, Place, did_you_mean
from understudy.template.contexts import results
from understudy.template.scope import BuiltinMacro

if TYPE_CHECKING:
    from understudy.template.syntax import Dispatch, MacroSyntax

KINDS = {
    "macro": frozenset({"macro", "materialization", "test", "data_test"}),
    "generic_test": frozenset({"test", "data_test"}),
}
"""The blocks that count in a file of a kind (dbt 1.11: MacroParser, GenericTestParser)."""
CONTEXT_NAMES = frozenset({
    "adapter", "builtins", "context", "dbt_version", "diff_of_two_dicts", "env_var", "flags", "fromjson", "fromyaml",
    "invocation_id", "local_md5", "log", "modules", "print", "project_name", "return", "run_started_at", "set",
    "set_strict", "target", "thread_id", "tojson", "toyaml", "var", "zip", "zip_strict",
})  # fmt: skip
"""Names that are no macro calls when a macro's text is looked at (dbt 1.11: generate_macro_context)."""


def parse_macros(
    file: SourceFile,
    lines: dict[str, int] | None = None,
    unexpected: Callable[[str, int], None] = lambda kind, line: None,
) -> list[Macro]:
    """The macros, tests and materializations of one file.

    `lines`, when given, is filled with unique_id -> line; `unexpected` is told of tags beside them. The `arguments` of
    macros are filled, those of tests in a folder of generic tests are not (dbt 1.11 with its flag `validate_macro_args`).
    Raises JinjaError with file and line.
    """
    from understudy.template.blocks import blocks  # whose patterns take longer to compile than a small file to read

    found = []
    for block in blocks(file.lined_text, KINDS[file.kind], path=file.path, unexpected=unexpected):
        syntax = _syntax(block.text, file.path, block.line)
        if syntax is None:
            continue
        macro = _macro(file, block.text, syntax)
        if lines is not None:
            lines[macro.unique_id] = block.line
        found.append(macro)
    return found


def _syntax(text: str, path: str, line: int) -> MacroSyntax | None:
    """A macro's syntax; Jinja is imported when there is one to be read. Raises JinjaError with file and line."""
    from jinja2 import TemplateSyntaxError

    from understudy.template.syntax import macro_syntax, syntax_error

    try:
        return macro_syntax(text)
    except TemplateSyntaxError as error:
        raise syntax_error(error, path, line) from error


def _macro(file: SourceFile, text: str, syntax: MacroSyntax) -> Macro:
    arguments: list[dict[str, Any]] = []
    if file.kind == "macro":
        arguments = [{"name": name, "type": None, "description": ""} for name in syntax.arguments]
    return Macro(
        name=syntax.name,
        package_name=file.package,
        path=file.path,
        original_file_path=file.path,
        unique_id=f"macro.{file.package}.{syntax.name}",
        macro_sql=text,
        arguments=arguments,
        supported_languages=None if syntax.languages is None else list(syntax.languages),
    )


class Found(msgspec.Struct, frozen=True):
    """A macro that a name stands for: one of the project's (`macro`), or one of ours (`builtin`)."""

    unique_id: str
    name: str
    package: str
    macro: Macro | None = None
    builtin: BuiltinMacro | None = None


class MacroIndex:
    """All macros of a project by name and package, and the built-in ones.

    Args:
        macros: unique_id -> macro of the root project and the packages; `macro.dbt.*` entries are ignored.
        builtins: name -> built-in macro of package `dbt`; `statement` and `run_query` are always there.
        root: the root project's name.
        packages: the names of all packages, the root project among them.
        dispatch: the root project's `dispatch:` entries (`macro_namespace`, `search_order`).
        adapter_type: the first prefix of dispatched macros; then comes `default`.
        lines: unique_id -> line of the block in its file.

    Raises DuplicateError when a package defines a name twice.
    """

    def __init__(
        self,
        macros: Mapping[str, Macro],
        builtins: Mapping[str, BuiltinMacro],
        root: str,
        packages: Sequence[str],
        dispatch: Sequence[Mapping[str, Any]],
        adapter_type: str,
        *,
        lines: Mapping[str, int] | None = None,
    ) -> None:
        self.root = root
        self.lines: Mapping[str, int] = lines or {}
        self.packages: dict[str, dict[str, Found]] = {name: {} for name in packages}
        self.builtins = {
            name: Found(f"macro.dbt.{name}", name, "dbt", builtin=builtin)
            for name, builtin in {**results.BUILTINS, **builtins}.items()
        }
        self._orders = {str(entry["macro_namespace"]): list(entry.get("search_order") or ()) for entry in dispatch}
        self._prefixes = (adapter_type, "default")
        self._ids: dict[str, Found] = {}
        for macro in macros.values():
            if macro.package_name != "dbt":
                self._add(macro)
        self._anywhere: dict[str, Found] | None = None
        self._dispatched: dict[tuple[str, str | None, str], Found] = {}
        self._overridden: dict[tuple[str, str], bool] = {}

    @classmethod
    def of(
        cls,
        settings: Settings,
        macros: Mapping[str, Macro],
        lines: Mapping[str, int],
        builtins: Mapping[str, BuiltinMacro],
    ) -> MacroIndex:
        """The index of a project with these settings."""
        return cls(
            macros,
            builtins,
            settings.root.name,
            [package.name for package in settings.packages],
            settings.root.dispatch,
            settings.target.type,
            lines=lines,
        )

    def _add(self, macro: Macro) -> None:
        names = self.packages.setdefault(macro.package_name, {})
        if macro.name in names:
            other = names[macro.name].macro
            where = f" and {self.place(other)}" if other is not None else ""
            raise DuplicateError(
                f"Package {macro.package_name!r} has two macros named {macro.name!r}: {self.place(macro)}{where}",
                place=self.place(macro),
                hint="Rename or remove one of them.",
            )
        found = Found(macro.unique_id, macro.name, macro.package_name, macro=macro)
        names[macro.name] = self._ids[macro.unique_id] = found

    def place(self, macro: Macro) -> Place:
        """Where the macro stands."""
        return Place(macro.original_file_path, self.lines.get(macro.unique_id))

    def find(self, name: str, package: str) -> Found | None:
        """What a name (`star`, `dbt_utils.star`) means in a node of that package; None when it names no macro."""
        if "." in name:
            namespace, _, name = name.partition(".")
            return self.namespace(namespace).get(name)
        local = self.packages.get(package, {}).get(name)
        if local is not None:
            return local
        return self.packages.get(self.root, {}).get(name) or self.builtins.get(name)

    def namespace(self, package: str) -> Mapping[str, Found]:
        """The macros of one package; `dbt` holds the built-in ones. Empty for an unknown package."""
        return self.builtins if package == "dbt" else self.packages.get(package, {})

    def defines(self, names: Iterable[str], package: str) -> bool:
        """Whether the package or the root project has a macro of one of these names."""
        scopes = [self.packages.get(package, {}), self.packages.get(self.root, {})]
        return any(name in scope for name in names for scope in scopes)

    def dispatch(self, name: str, namespace: str | None, package: str) -> Found:
        """The implementation that `adapter.dispatch(name, namespace)` finds (dbt 1.11: BaseDatabaseWrapper.dispatch).

        It is looked for once: every node of a package asks for the same. Raises JinjaError that lists what was looked for.
        """
        found = self._dispatched.get((name, namespace, package))
        if found is None:
            found = self._dispatch(name, namespace, lambda candidate: self.find(candidate, package))
            self._dispatched[name, namespace, package] = found
        return found

    def overridden(self, name: str, package: str) -> bool:
        """Whether the project or a package does itself what a macro of ours does, as seen from a package; looked for once."""
        found = self._overridden.get((name, package))
        if found is None:
            found = self._overridden[name, package] = self._is_overridden(name, package)
        return found

    def _is_overridden(self, name: str, package: str) -> bool:
        found = self.find(name, package)
        if found is None or found.builtin is None:
            return found is not None
        try:
            return self.dispatch(name, "dbt", package).builtin is None
        except JinjaError:
            return False

    def _dispatch(self, name: str, namespace: str | None, find: Callable[[str], Found | None]) -> Found:
        if "." in name:
            wanted, _, macro = name.partition(".")
            raise JinjaError(
                f'In adapter.dispatch, got a macro name of "{name}", but "." is not a valid macro name component',
                hint=f'Did you mean adapter.dispatch("{macro}", macro_namespace="{wanted}")?',
            )
        attempts = []
        for package in self._search(namespace):
            for prefix in self._prefixes:
                candidate = f"{prefix}__{name}"
                found = find(candidate) if package is None else self.namespace(package).get(candidate)
                if found is not None:
                    return found
                attempts.append(candidate if package is None else f"{package}.{candidate}")
        raise JinjaError(
            f"In dispatch: No macro named '{name}' found within namespace: '{namespace}'",
            hint=f"Searched for: {', '.join(attempts)}",
        )

    def materialization(
        self, name: str, of_engine: frozenset[str], built_in: frozenset[str], *, strict: bool
    ) -> Found | None:
        """The macro of the project or a package that is a materialization, None where the built-in one goes before.

        One for the engine goes before one for all, then the root project's before a package's before ours. With `strict` a
        package's never stands for a built-in one (dbt 1.11: find_materialization_macro_by_name).
        """
        root = self.packages.get(self.root, {})
        others = [macros for package, macros in self.packages.items() if package not in (self.root, "dbt")]
        for prefix, ours in zip(self._prefixes, (of_engine, built_in), strict=True):
            macro = f"materialization_{name}_{prefix}"
            if macro in root:
                return root[macro]
            if not (strict and name in of_engine | built_in):
                found = next((macros[macro] for macros in others if macro in macros), None)
                if found is not None:
                    return found
            if name in ours:
                return None
        return None

    def _search(self, namespace: str | None) -> Sequence[str | None]:
        if namespace is None:
            return (None,)
        order = self._orders.get(namespace)
        if order:
            return order
        return (self.root, namespace) if namespace in self.packages else (None,)

    def anywhere(self, name: str, package: str) -> Found | None:
        """The macro that dbt's static look-up finds (dbt 1.11: MacroResolver): the package's, then anybody's."""
        found = self.namespace(package).get(name)
        if found is not None:
            return found
        if self._anywhere is None:
            merged = dict(self.builtins)
            for names in self.packages.values():
                merged.update(names)
            merged.update(self.packages.get(self.root, {}))
            self._anywhere = merged
        return self._anywhere.get(name)

    def static_calls(self, macro: Macro) -> list[str]:
        """The unique_ids of the macros that a macro calls, by its text (dbt 1.11: macro_depends_on)."""
        syntax = _syntax(macro.macro_sql, macro.original_file_path, self.lines.get(macro.unique_id, 1))
        found: dict[str, None] = {}
        for call in syntax.calls if syntax is not None else ():
            target = self._called(call, macro)
            if target is not None:
                found[target.unique_id] = None
        return list(found)

    def _called(self, call: str | Dispatch, macro: Macro) -> Found | None:
        if not isinstance(call, str):
            try:
                return self._dispatch(call.name, call.namespace, lambda name: self.anywhere(name, ""))
            except JinjaError:
                return None  # only an error when it is called
        if call in CONTEXT_NAMES or call == macro.name:
            return None
        package, _, name = call.rpartition(".")
        return self.anywhere(name, package or macro.package_name)

    def closure(self, unique_ids: Iterable[str]) -> set[str]:
        """These macros and all that they call, directly or not, by `depends_on.macros`."""
        seen: set[str] = set()
        stack = list(unique_ids)
        while stack:
            unique_id = stack.pop()
            if unique_id in seen:
                continue
            seen.add(unique_id)
            found = self._ids.get(unique_id)
            if found is not None and found.macro is not None:
                stack.extend(found.macro.depends_on.macros)
        return seen

    def suggest(self, name: str, package: str) -> str | None:
        """A hint for a name that no macro has."""
        known = {*self.builtins, *self.packages.get(package, {}), *self.packages.get(self.root, {})}
        return did_you_mean(name.rpartition(".")[2], known)
