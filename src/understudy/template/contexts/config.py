"""`config`: calls are noted while a node is parsed, and values are read when it runs (dbt 1.11: ParseConfigObject, RuntimeConfigObject)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from understudy.core.config import combine_calls
from understudy.errors import JinjaError, ParseError
from understudy.template.literal import NotLiteral, config_values
from understudy.template.state import State

MISSING: Any = object()
HOOKS = {"pre_hook": "pre-hook", "post_hook": "post-hook"}


class ParseConfig:
    """Notes what a node configures; whatever it asks for is empty as yet."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        try:
            values = config_values(args, kwargs)
        except NotLiteral:
            message = "config() takes keyword arguments, or one dict; pre_hook and pre-hook are one, name it once"
            raise JinjaError(message, place=self._state.place) from None
        try:
            self._state.uses.config = combine_calls(self._state.uses.config, values)
        except ParseError as error:
            raise JinjaError(error.message, place=self._state.place, hint=error.hint) from None
        return ""

    def set(self, name: str, value: Any) -> str:
        """The same as `config(name=value)`."""
        return self(**{name: value})

    def get(self, name: str, default: Any = None, validator: Any = None) -> str:
        """Nothing yet."""
        return ""

    def require(self, name: str, validator: Any = None) -> str:
        """Nothing yet."""
        return ""

    def meta_get(self, name: str, default: Any = None, validator: Any = None) -> str:
        """Nothing yet."""
        return ""

    def meta_require(self, name: str, validator: Any = None) -> str:
        """Nothing yet."""
        return ""

    def persist_relation_docs(self) -> bool:
        """Not yet known."""
        return False

    def persist_column_docs(self) -> bool:
        """Not yet known."""
        return False


class RunConfig:
    """Reads the node's config."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        return ""

    def set(self, name: str, value: Any) -> str:
        """Nothing: the config is settled."""
        return ""

    def get(self, name: str, default: Any = None, validator: Any = None) -> Any:
        """A value of the config, or the default when the config has no such key."""
        return self._checked(
            self._values().get(HOOKS.get(name, name), default), validator if default is not None else None
        )

    def require(self, name: str, validator: Any = None) -> Any:
        """A value of the config. Raises JinjaError when it has no such key."""
        return self._checked(self._required(self._values(), HOOKS.get(name, name)), validator)

    def meta_get(self, name: str, default: Any = None, validator: Any = None) -> Any:
        """A value of the config's `meta`, or the default."""
        value = (self._values().get("meta") or {}).get(name, default)
        return self._checked(value, validator if default is not None else None)

    def meta_require(self, name: str, validator: Any = None) -> Any:
        """A value of the config's `meta`. Raises JinjaError when it has no such key."""
        return self._checked(self._required(self._values().get("meta") or {}, name), validator)

    def persist_relation_docs(self) -> Any:
        """Whether the relation's description goes to the engine."""
        return self._persist().get("relation", False)

    def persist_column_docs(self) -> Any:
        """Whether the columns' descriptions go to the engine."""
        return self._persist().get("columns", False)

    def _persist(self) -> Mapping[str, Any]:
        value = self._values().get("persist_docs") or {}
        if not isinstance(value, Mapping):
            raise JinjaError(
                f"Invalid value provided for 'persist_docs': expected a dict, got {value!r}", place=self._state.place
            )
        return value

    def _values(self) -> Mapping[str, Any]:
        node = self._state.node
        if node is None:
            return {}
        return snapshot_values(node.config) if node.resource_type == "snapshot" else node.config

    def _required(self, values: Mapping[str, Any], name: str) -> Any:
        value = values.get(name, MISSING)
        if value is MISSING:
            raise JinjaError(f"The model does not define the required config '{name}'", place=self._state.place)
        return value

    def _checked(self, value: Any, validator: Callable[[Any], Any] | None) -> Any:
        if validator is not None:
            validator(value)
        return value


def snapshot_values(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """A snapshot's config with the names of its own columns (dbt 1.11: SnapshotConfig.snapshot_table_column_names)."""
    given = config.get("snapshot_meta_column_names") or {}
    names = ("dbt_valid_to", "dbt_valid_from", "dbt_scd_id", "dbt_updated_at", "dbt_is_deleted")
    return {**config, "snapshot_table_column_names": {name: given.get(name) or name for name in names}}


def config(state: State) -> ParseConfig | RunConfig:
    """`config` of this rendering."""
    return ParseConfig(state) if state.parsing else RunConfig(state)


def validation(state: State) -> dict[str, Callable[..., Any]]:
    """`validation.any[...]`: a check that a value is one of several, or of one of several types."""

    def any_(*allowed: Any) -> Callable[[Any], None]:
        def check(value: Any) -> None:
            if not any(value == item or (isinstance(item, type) and isinstance(value, item)) for item in allowed):
                expected = ",".join(map(str, allowed))
                raise JinjaError(f'Expected value "{value}" to be one of {expected}', place=state.place)

        return check

    return {"any": any_}


MEMBERS: dict[str, Callable[[State], Any]] = {"config": config, "validation": validation}
