"""`selectors.yml`: named selections as data become the same trees as the command line's (dbt 1.11: graph/cli.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from understudy.core.warning import Warning_
from understudy.errors import Place, SelectorError, did_you_mean
from understudy.select.grammar import INDIRECT, Criterion, Group, Indirect, Misread, Tree, parse_criterion, split_method

T = TypeVar("T")

FILE = "selectors.yml"
SELECTOR_KEYS = ("name", "definition", "description", "default")
CRITERION_KEYS = (
    "method", "value", "exclude", "children", "children_depth", "parents", "parents_depth", "childrens_parents",
    "indirect_selection",
)  # fmt: skip


class Selector(msgspec.Struct, frozen=True):
    """One entry of `selectors.yml`."""

    name: str
    tree: Tree
    description: str = ""
    default: bool = False
    warnings: tuple[Warning_, ...] = ()


def read_selectors(raw: Mapping[str, Any]) -> dict[str, Selector]:
    """All selectors of a (rendered) `selectors.yml`, by name. An empty map has none.

    A selector may refer to those before it. Raises SelectorError, which says where in the file it went wrong.
    """
    selectors: dict[str, Selector] = {}
    for n, entry in enumerate(_list(raw.get("selectors") or [], "selectors")):
        where = f"selectors[{n}]"
        _known(entry, SELECTOR_KEYS, where)
        name = entry.get("name")
        if not isinstance(name, str) or "definition" not in entry:
            raise _error(where, "a selector needs a name and a definition")
        if name in selectors:
            raise _error(where, f"the name '{name}' is taken")
        reader = _Reader(selectors)
        tree = reader.tree(entry["definition"], f"{name}: definition")
        default = _bool(entry, "default", where)
        selectors[name] = Selector(name, tree, str(entry.get("description") or ""), default, tuple(reader.warnings))
    defaults = [selector.name for selector in selectors.values() if selector.default]
    if len(defaults) > 1:
        raise _error("selectors", f"only one selector can be the default, not {' and '.join(defaults)}")
    return selectors


def find_selector(name: str, selectors: Mapping[str, Selector]) -> Selector:
    """The selector of that name. Raises SelectorError with the names that there are."""
    if name not in selectors:
        known = ", ".join(selectors) or "none"
        hint = did_you_mean(name, selectors) or f"{FILE} has: {known}."
        raise SelectorError(f"There is no selector '{name}'", place=Place(FILE), hint=hint)
    return selectors[name]


class _Reader:
    """Definitions to trees. Groups in the file have the mode eager, criteria that of the run if they have none (dbt 1.11)."""

    def __init__(self, earlier: Mapping[str, Selector]) -> None:
        self.earlier = earlier
        self.warnings: list[Warning_] = []

    def tree(self, definition: Any, where: str) -> Tree:
        """The tree of a definition: text as on the command line, or a map."""
        if isinstance(definition, str):
            return _misread(where, lambda: parse_criterion(definition))
        if not isinstance(definition, Mapping) or not definition:
            raise _error(
                where, f"expected text or a map, not {definition!r}", "A list stands under union or intersection."
            )
        for operator in ("union", "intersection"):
            if operator in definition:
                if len(definition) > 1:
                    others = ", ".join(str(key) for key in definition if key != operator)
                    raise _error(
                        where, f"'{operator}' stands alone, without {others}", "An exclude is an item of its list."
                    )
                return self.group(operator, definition[operator], f"{where}.{operator}")
        if definition.get("method") == "selector":
            return self.reference(definition, where)
        return self.criterion(definition, where)

    def group(self, operator: Any, items: Any, where: str) -> Tree:
        """A union or intersection; one of its items may be what is taken away.

        An item with a method and an exclude is only taken away, as in dbt 1.11 (_parse_include_exclude_subdefs), with a warning.
        """
        included: list[Tree] = []
        excluded: Tree | None = None
        for n, item in enumerate(_list(items, where)):
            here = f"{where}[{n}]"
            if isinstance(item, Mapping) and "exclude" in item:
                _known(item, CRITERION_KEYS, here)
                if len(item) > 1:
                    text = (
                        f"{FILE}: {here}: beside an exclude in a list, dbt reads nothing else; make the exclude an item"
                    )
                    self.warnings.append(Warning_("SelectorExcludeAlone", text, Place(FILE)))
                if excluded is not None:
                    raise _error(here, "there is an exclude in this list already", "One exclude has a list of its own.")
                excluded = self.exclusion(item["exclude"], f"{here}.exclude")
            else:
                included.append(self.tree(item, here))
        group = Group(operator, tuple(included), "eager")
        return group if excluded is None else Group("difference", (group, excluded), "eager")

    def exclusion(self, items: Any, where: str) -> Tree:
        """What an exclude takes away: the union of its items."""
        parts = tuple(self.tree(item, f"{where}[{n}]") for n, item in enumerate(_list(items, where)))
        return parts[0] if len(parts) == 1 else Group("union", parts, "eager")

    def reference(self, definition: Mapping[str, Any], where: str) -> Tree:
        """Another selector, which must stand before this one."""
        _known(definition, ("method", "value"), where)
        name = definition.get("value")
        if name not in self.earlier:
            raise _error(where, f"there is no selector '{name}' before this one", did_you_mean(str(name), self.earlier))
        self.warnings += self.earlier[str(name)].warnings
        return self.earlier[str(name)].tree

    def criterion(self, definition: Mapping[str, Any], where: str) -> Tree:
        """A method with its value, or `method: value`, and what is taken away from it."""
        if len(definition) == 1:
            ((method, value),) = definition.items()
            definition = {"method": method, "value": value}
        _known(definition, CRITERION_KEYS, where)
        if "method" not in definition or "value" not in definition:
            raise _error(where, f"method and value are needed, not only {', '.join(definition)}")
        method, arguments = _misread(where, lambda: split_method(str(definition["method"])))
        criterion = Criterion(
            method, _scalar(definition["value"], method, where), arguments,
            _bool(definition, "childrens_parents", where), _bool(definition, "parents", where),
            _depth(definition, "parents_depth", where), _bool(definition, "children", where),
            _depth(definition, "children_depth", where), _mode(definition, where),
        )  # fmt: skip
        if criterion.children and criterion.childrens_parents:
            raise _error(
                where, "childrens_parents and children exclude each other", "childrens_parents has the children in it."
            )
        if "exclude" not in definition:
            return criterion
        return Group("difference", (criterion, self.exclusion(definition["exclude"], f"{where}.exclude")), "eager")


def _error(where: str, problem: str, hint: str | None = None) -> SelectorError:
    return SelectorError(f"{where}: {problem}", place=Place(FILE), hint=hint)


def _misread(where: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except Misread as error:
        raise _error(where, error.problem, error.advice) from None


def _list(value: Any, where: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise _error(where, f"expected a list, not {value!r}")
    return value


def _known(value: Any, keys: Sequence[str], where: str) -> None:
    """Refuse what is no map, and keys that nobody reads."""
    if not isinstance(value, Mapping):
        raise _error(where, f"expected a map, not {value!r}")
    for key in value:
        if key not in keys:
            hint = did_you_mean(str(key), keys) or f"The keys are: {', '.join(keys)}."
            raise _error(where, f"'{key}' is no key here", hint)


def _bool(definition: Mapping[str, Any], key: str, where: str) -> bool:
    value = definition.get(key, False)
    if not isinstance(value, bool):
        raise _error(where, f"{key} is true or false, not {value!r}")
    return value


def _depth(definition: Mapping[str, Any], key: str, where: str) -> int | None:
    """A number of steps; the number 0 is no limit, the text '0' is none at all, as in dbt 1.11 (_match_to_int)."""
    value = definition.get(key)
    if value is None or (value == 0 and not isinstance(value, bool)):
        return None
    if isinstance(value, bool) or not str(value).isdecimal():
        raise _error(where, f"{key} is a number of steps, not {value!r}")
    return int(value)


def _mode(definition: Mapping[str, Any], where: str) -> Indirect | None:
    value = definition.get("indirect_selection")
    for mode in INDIRECT:
        if value == mode:
            return mode
    if value is not None:
        raise _error(where, f"indirect_selection is one of {', '.join(INDIRECT)}, not {value!r}")
    return None


def _scalar(value: Any, method: str, where: str) -> Any:
    """The value to compare with: for a config as YAML has it, else as text."""
    if isinstance(value, Mapping | list) or value is None:
        raise _error(where, f"the value of '{method}' is one word or number, not {value!r}")
    return value if isinstance(value, str) or method == "config" else str(value)


def manifest_selectors(raw: Mapping[str, Any]) -> dict[str, Any]:
    """`selectors` of manifest.json: the entries with every criterion spelled out (dbt 1.11: SelectorDict)."""
    done: dict[str, Any] = {}
    for entry in raw.get("selectors") or []:
        done[entry["name"]] = {**entry, "definition": _spelled_out(entry["definition"], done)}
    return done


def _spelled_out(definition: Any, done: Mapping[str, Any]) -> Any:
    if isinstance(definition, str):
        return _as_map(parse_criterion(definition))
    for operator in ("union", "intersection"):
        if operator in definition:
            return {operator: [_spelled_out(item, done) for item in definition[operator]]}
    if definition.get("method") == "selector":
        return done[definition["value"]]["definition"]
    if len(definition) == 1:
        ((key, value),) = definition.items()
        if key == "exclude":
            return {key: [_spelled_out(item, done) for item in value]}
        return {"method": key, "value": value}
    return dict(definition)


def _as_map(criterion: Criterion) -> dict[str, Any]:
    """A criterion of the command line as a map, with only the keys that it uses."""
    steps = {key: getattr(criterion, f"{key}_depth") for key in ("parents", "children")}
    spelled = {
        "childrens_parents": criterion.childrens_parents,
        "parents": criterion.parents,
        "parents_depth": None if steps["parents"] is None else str(steps["parents"]),
        "method": ".".join((criterion.method, *criterion.arguments)),
        "value": criterion.value,
        "children": criterion.children,
        "children_depth": None if steps["children"] is None else str(steps["children"]),
    }
    return {key: value for key, value in spelled.items() if value}
