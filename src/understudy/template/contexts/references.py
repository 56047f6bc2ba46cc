"""`ref`, `source`, `function`, `metric`, `this`, `model`: noted while a node is parsed, looked up when it is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from understudy.core.nodes import RefArgs
from understudy.errors import JinjaError
from understudy.template.objects import RelationObject, wrap
from understudy.template.scope import Lookups
from understudy.template.state import State


class _Settings:
    """`ref.config`: the project's settings, which another run may find changed."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __getattr__(self, name: str) -> Any:
        self._state.note("run")
        return getattr(self._state.runtime_config, name)


def ref(state: State) -> Callable[..., Any]:
    """`ref(name)`, `ref(package, name)`, with `version=` or `v=`."""

    def ref(*args: Any, **kwargs: Any) -> Any:
        package, name = _one_or_two("ref", args, state)
        version = kwargs.get("version") or kwargs.get("v")
        if not isinstance(version, str | int | float | None):
            kind = type(version).__name__
            raise JinjaError(
                f"The version argument to ref() must be a string, int, float, or None - got {kind}", place=state.place
            )
        if state.parsing:
            state.uses.refs.append(RefArgs(name=name, package=package, version=version))
            return _own(state)
        return wrap(_lookups(state).ref(package, name, version))

    setattr(ref, "config", _Settings(state))  # noqa: B010 - functions have no such attribute for mypy
    return ref


def source(state: State) -> Callable[..., Any]:
    """`source(source_name, table_name)`."""

    def source(*args: Any) -> Any:
        if len(args) != 2 or not all(isinstance(argument, str) for argument in args):
            shown = ", ".join(repr(argument) for argument in args)
            raise JinjaError(
                f"source() takes exactly two texts, a source's and a table's name; got ({shown})", place=state.place
            )
        if state.parsing:
            state.uses.sources.append(list(args))
            return _own(state)
        return wrap(_lookups(state).source(*args))

    return source


def function(state: State) -> Callable[..., Any]:
    """`function(name)`, `function(package, name)`."""

    def function(*args: Any) -> Any:
        package, name = _one_or_two("function", args, state)
        if state.parsing:
            state.uses.functions.append([name] if package is None else [package, name])
            return _own(state)
        return wrap(_lookups(state).function(package, name))

    return function


def metric(state: State) -> Callable[..., Any]:
    """`metric(name)`, `metric(package, name)`: noted; metrics have no relation."""

    def metric(*args: Any) -> Any:
        package, name = _one_or_two("metric", args, state)
        if state.parsing:
            state.uses.metrics.append([name] if package is None else [package, name])
        return name

    return metric


def _one_or_two(what: str, args: tuple[Any, ...], state: State) -> tuple[str | None, str]:
    if len(args) not in (1, 2):
        raise JinjaError(f"{what}() takes at most two arguments ({len(args)} given)", place=state.place)
    package, name = (None, args[0]) if len(args) == 1 else args
    for word, value in (("name", name), ("package", package)):
        if not isinstance(value, str) and (value is not None or word == "name"):
            kind = type(value).__name__
            raise JinjaError(f"The {word} argument to {what}() must be a string, got {kind}", place=state.place)
    return package, name


def _own(state: State) -> RelationObject | str:
    """What a reference gives while parsing: the node's own relation, so that its attributes can be asked."""
    this = state.this
    return "" if this is None else RelationObject(this)


def _lookups(state: State) -> Lookups:
    if state.lookups is None:
        raise JinjaError("References cannot be looked up here", place=state.place)
    return state.lookups


def this(state: State) -> RelationObject | None:
    """The node's own relation; None in hooks of the run, which have none."""
    return wrap(state.this)  # type: ignore[no-any-return]


def hooks(key: str) -> Callable[[State], list[Mapping[str, Any]]]:
    """`pre_hooks` and `post_hooks`: the node's hooks as dicts."""

    def build(state: State) -> list[Mapping[str, Any]]:
        return [] if state.node is None else list(state.node.config.get(key) or [])

    return build


MEMBERS: dict[str, Callable[[State], Any]] = {
    "ref": ref,
    "source": source,
    "function": function,
    "metric": metric,
    "this": this,
    "model": lambda state: state.model,
    "schema": lambda state: state.settings.target.schema if state.node is None else state.node.schema,
    "database": lambda state: state.settings.target.database if state.node is None else state.node.database,
    "pre_hooks": hooks("pre-hook"),
    "post_hooks": hooks("post-hook"),
    "graph": lambda state: {},
    "sql": lambda state: None,
    "compiled_code": lambda state: None,
    "defer_relation": lambda state: None,
}
