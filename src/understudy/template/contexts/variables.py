"""`var()` and `env_var()`: look-ups in what the project and its environment set, each noted with its value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from understudy.core.walk import has_jinja
from understudy.errors import JinjaError, Place, did_you_mean
from understudy.template.state import SECRET, State

MISSING: Any = object()


def _nobody(name: str) -> None:
    """Hears of a name that was looked up, and forgets it."""


class Var:
    """`var(name, default)`; `var.has_var(name)`. `note` hears of every name that is looked up, `used` of what is set for
    it, as it is written, or else of the default.
    """

    __slots__ = ("_found", "_lenient", "_note", "_owner", "_place", "_render", "_used")

    def __init__(
        self,
        found: Mapping[str, Any],
        *,
        owner: str = "<Configuration>",
        place: Place | None = None,
        lenient: bool = False,
        used: Callable[[str, Any], None] | None = None,
        render: Callable[[str], Any] | None = None,
        note: Callable[[str], None] = _nobody,
    ) -> None:
        self._found = found
        self._note = note
        self._owner = owner
        self._place = place
        self._lenient = lenient
        self._used = used
        self._render = render

    def has_var(self, var_name: str) -> bool:
        """Whether anybody sets the variable."""
        self._note(var_name)
        return var_name in self._found

    def __call__(self, var_name: str, default: Any = MISSING) -> Any:
        self._note(var_name)
        value = self._value(var_name, default)
        if self._used is not None:
            self._used(var_name, self._found.get(var_name, value))
        return value

    def _value(self, name: str, default: Any) -> Any:
        if name in self._found:
            value = self._found[name]
            if isinstance(value, str) and self._render is not None and has_jinja(value):
                return self._render(value)
            return value
        if default is not MISSING:
            return default
        if self._lenient:
            return None
        hint = did_you_mean(str(name), self._found)
        raise JinjaError(
            f"Required var '{name}' not found in config.\nVars supplied to {self._owner}: {', '.join(sorted(self._found)) or 'none'}",
            place=self._place,
            hint=hint or f"Set it under vars: in dbt_project.yml, or with --vars '{{{name}: value}}'.",
        )


def node_var(state: State) -> Var:
    """`var` for a node: an unknown variable is None while parsing, and an error after that."""
    return Var(
        state.vars,
        owner=state.node.name if state.node is not None else state.package,
        place=state.place,
        lenient=state.parsing,
        used=state.uses.vars.__setitem__,
        render=state.render,
        note=lambda name: state.note("var", state.package, name),
    )


def env_lookup(
    env: Callable[[str], str | None],
    *,
    secrets: bool = False,
    used: Callable[[str, str], None] | None = None,
    place: Place | None = None,
    note: Callable[[str], None] = _nobody,
) -> Callable[..., str]:
    """`env_var(name, default)`; secrets only where `secrets` says so (profiles.yml, packages.yml).

    Raises JinjaError that names the variable: not set and no default, or a secret in the wrong place.
    """

    def env_var(var: str, default: str | None = None) -> str:
        if var.startswith(SECRET) and not secrets:
            raise JinjaError(
                f"Secret env vars are allowed only in profiles.yml or packages.yml. Found '{var}' referenced elsewhere",
                place=place,
            )
        note(var)
        value = env(var)
        if value is None:
            value = default
        if value is None:
            hint = f"Set it, or give a default: env_var('{var}', '...')."
            raise JinjaError(f"Env var required but not provided: '{var}'", place=place, hint=hint)
        if used is not None:
            used(var, value)
        return value

    return env_var


def node_env_var(state: State) -> Callable[..., str]:
    """`env_var` for a node."""
    return env_lookup(
        state.settings.env, used=state.used_env_var, place=state.place, note=lambda name: state.note("env", name)
    )


MEMBERS: dict[str, Callable[[State], Any]] = {"var": node_var, "env_var": node_env_var}
