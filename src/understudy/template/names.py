"""The name space of one rendering, filled as names are asked for: nothing is built that a template does not use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from understudy.template.contexts import adapter, config, flags, messages, plain, references, results, variables
from understudy.template.macros import Found, MacroIndex
from understudy.template.state import State

MISSING: Any = object()

MEMBERS: dict[str, Callable[[State], Any]] = {
    **flags.MEMBERS, **messages.MEMBERS, **variables.MEMBERS, **config.MEMBERS, **references.MEMBERS, **adapter.MEMBERS,
    **results.MEMBERS,
}  # fmt: skip
"""Name -> builder of its value; the functions of `plain` need no builder."""

Call = Callable[[Found], Any]
"""Makes what templates call of a macro."""


class Lazy:
    """A value that is made when a template first asks for it."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


class Builtins(Mapping[str, Any]):
    """The context's own names, whatever macros are called: `builtins.ref` in a project that has a macro `ref`."""

    __slots__ = ("_cache", "_state")

    def __init__(self, state: State) -> None:
        self._state = state
        self._cache: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        if key in self._cache:
            return self._cache[key]
        if key in plain.FUNCTIONS:
            value: Any = plain.FUNCTIONS[key]
        elif key == "render":
            value = self._state.render
        else:
            if key in flags.OF_THE_RUN:
                self._state.note(flags.OF_THE_RUN[key])
            value = MEMBERS[key](self._state)
        self._cache[key] = value
        return value

    def __contains__(self, key: object) -> bool:
        return key in MEMBERS or key in plain.FUNCTIONS or key == "render"

    def __iter__(self) -> Iterator[str]:
        return iter([*MEMBERS, *plain.FUNCTIONS, "render"])

    def __len__(self) -> int:
        return len(MEMBERS) + len(plain.FUNCTIONS) + 1


class PackageNames:
    """The macros of one package: `dbt_utils.star(...)`."""

    __slots__ = ("_call", "_macros")

    def __init__(self, macros: Mapping[str, Found], call: Call) -> None:
        self._macros = macros
        self._call = call

    def __getitem__(self, name: str) -> Any:
        return self._call(self._macros[name])

    def __contains__(self, name: object) -> bool:
        return name in self._macros

    def get(self, name: str, default: Any = None) -> Any:
        """A macro, or the default."""
        return self[name] if name in self._macros else default


class Names(Mapping[str, Any]):
    """All names: values set for this rendering, macros, packages, the context (dbt 1.11: ManifestContext.to_dict).

    Templates see it as `context`.
    """

    __slots__ = ("_builtins", "_cache", "_call", "_index", "_package", "_values")

    def __init__(self, values: dict[str, Any], index: MacroIndex, package: str, call: Call, builtins: Builtins) -> None:
        self._values = values
        self._index = index
        self._package = package
        self._call = call
        self._builtins = builtins
        self._cache: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        value = self._find(key)
        if value is MISSING:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._find(key) is not MISSING

    def __iter__(self) -> Iterator[str]:
        index = self._index
        scopes = [index.builtins, index.namespace(index.root), index.namespace(self._package), index.packages]
        return iter(
            dict.fromkeys(
                [*self._values, *self._builtins, "context", "builtins", "dbt", *(n for s in scopes for n in s)]
            )
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set names for the rest of the rendering."""
        self._values.update(*args, **kwargs)

    def _find(self, key: str) -> Any:
        if key in self._values:
            value = self._values[key]
            if isinstance(value, Lazy):
                value = self._values[key] = value.make()
            return value
        value = self._cache.get(key, MISSING)
        if value is MISSING:
            value = self._made(key)
            if value is not MISSING:
                self._cache[key] = value
        return value

    def _made(self, key: str) -> Any:
        found = None if "." in key else self._index.find(key, self._package)
        if found is not None and found.macro is not None:
            return self._call(found)
        if key == "dbt" or key in self._index.packages:
            return PackageNames(self._index.namespace(key), self._call)
        if found is not None:
            return self._call(found)
        if key in self._builtins:
            return self._builtins[key]
        return {"context": self, "builtins": self._builtins}.get(key, MISSING)
