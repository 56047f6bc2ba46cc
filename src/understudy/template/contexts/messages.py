"""What templates say: log, print, warnings and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from understudy.errors import Cancelled, ContractError, DatabaseError, ExecutionError, JinjaError, UnderstudyError
from understudy.template.contexts.flags import flag
from understudy.template.state import Return, State


def log(state: State) -> Callable[..., str]:
    """`log(message, info=False)`."""

    def log(msg: Any, info: bool = False) -> str:
        state.notify("info" if info else "debug", str(msg), state.place)
        return ""

    return log


def print_(state: State) -> Callable[..., str]:
    """`print(message)`, unless the flag `print` is off."""

    def print_(msg: Any) -> str:
        state.note("flag", "PRINT")
        if flag(state.settings, "PRINT") is not False:
            state.notify("print", str(msg), state.place)
        return ""

    return print_


def exceptions(state: State) -> dict[str, Callable[..., Any]]:
    """The name space `exceptions`."""

    def warn(msg: Any, node: Any = None) -> str:
        state.notify("warn", str(msg), state.place)
        return ""

    def warn_types(snapshot_time_data_type: Any, updated_at_data_type: Any) -> str:
        return warn(
            f"The snapshot's times are of type {snapshot_time_data_type}, but updated_at is {updated_at_data_type}: "
            "comparing them may give wrong versions"
        )

    raisers = {name: _raiser(state, text, error) for name, (text, error) in RAISED.items()}
    return {"warn": warn, "warn_snapshot_timestamp_data_types": warn_types, **raisers}


def _raiser(state: State, text: str, error: type[UnderstudyError]) -> Callable[..., NoReturn]:
    def fail(*args: Any, **kwargs: Any) -> NoReturn:
        given = [*args, *kwargs.values()]
        message = text.format(*map(_shown, given), *[""] * 4) if text else str(given[0] if given else "")
        raise error(message.strip(), place=state.place)

    return fail


def _shown(value: Any) -> str:
    """A node by its id."""
    return str(value["unique_id"]) if isinstance(value, dict) and "unique_id" in value else str(value)


RAISED: dict[str, tuple[str, type[UnderstudyError]]] = {
    "raise_compiler_error": ("", JinjaError),
    "raise_database_error": ("", DatabaseError),
    "raise_dependency_error": ("", JinjaError),
    "raise_not_implemented": ("", ExecutionError),
    "raise_fail_fast_error": ("", ExecutionError),
    "raise_cache_inconsistent": ("", ExecutionError),
    "raise_contract_error": (
        "This model has an enforced contract that failed.\nIn the contract: {0}\nIn the query: {1}", ContractError,
    ),
    "column_type_missing": ("Contracted models require data_type to be defined for each column: {0}", ContractError),
    "missing_config": ("{0} does not define a required config parameter '{1}'", JinjaError),
    "missing_materialization": ("No materialization is available for {0} on {1}", JinjaError),
    "missing_relation": ("Relation {0} not found!", JinjaError),
    "relation_wrong_type": ("Trying to create {1} {0}, but it currently exists as another type", ExecutionError),
    "raise_ambiguous_alias": ("{0} and {1} have the same database representation {2}", JinjaError),
    "raise_ambiguous_catalog_match": ("Two relations in the catalog match {0}: {1} and {2}", ExecutionError),
    "raise_dataclass_not_dict": ("{0} is no dict", JinjaError),
    "raise_dep_not_found": ("{0} depends on {1}, which is not found: {2}", JinjaError),
    "raise_duplicate_patch_name": ("Two properties are given for {0}: {1}", JinjaError),
    "raise_duplicate_resource_name": ("Two resources have one name: {0} and {1}", JinjaError),
    "raise_invalid_property_yml_version": ("The properties in {0} are not valid: {1}", JinjaError),
}  # fmt: skip


def try_or_compiler_error(state: State) -> Callable[..., Any]:
    """`try_or_compiler_error(message, function, ...)`: what the function gives, or an error with that message."""

    def attempt(message_if_exception: str, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return func(*args, **kwargs)
        except (Cancelled, Return):
            raise
        except Exception as error:
            raise JinjaError(str(message_if_exception), place=state.place) from error

    return attempt


def adapter_macro(state: State) -> Callable[..., NoReturn]:
    """What `adapter.dispatch` replaced."""

    def fail(name: str, *args: Any, **kwargs: Any) -> NoReturn:
        hint = f"Write adapter.dispatch('{name.rpartition('.')[2]}', '{name.rpartition('.')[0] or 'dbt'}')(...)."
        raise JinjaError(f"adapter_macro, called for '{name}', is gone", place=state.place, hint=hint)

    return fail


MEMBERS: dict[str, Callable[[State], Any]] = {
    "log": log, "print": print_, "exceptions": exceptions, "try_or_compiler_error": try_or_compiler_error,
    "adapter_macro": adapter_macro,
}  # fmt: skip
