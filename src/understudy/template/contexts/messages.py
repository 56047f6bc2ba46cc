"""What templates say: log, print, warnings and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from understudy.errors import ContractError, DatabaseError, ExecutionError, JinjaError, UnderstudyError
from understudy.template.contexts.flags import flag
from understudy.template.state import State


def log(state: State) -> Callable[..., str]:
    """`log(message, info=False)`."""

    def log(msg: Any, info: bool = False) -> str:
        state.notify("info" if info else "debug", str(msg), _node(state))
        return ""

    return log


def print_(state: State) -> Callable[..., str]:
    """`print(message)`, unless the flag `print` is off."""

    def print_(msg: Any) -> str:
        if flag(state.settings, "PRINT") is not False:
            state.notify("print", str(msg), _node(state))
        return ""

    return print_


def exceptions(state: State) -> dict[str, Callable[..., Any]]:
    """The name space `exceptions`."""

    def warn(msg: Any, node: Any = None) -> str:
        state.notify("warn", str(msg), _node(state))
        return ""

    return {"warn": warn, **{name: _raiser(state, text, error) for name, (text, error) in RAISED.items()}}


def _raiser(state: State, text: str, error: type[UnderstudyError]) -> Callable[..., NoReturn]:
    def fail(*args: Any, **kwargs: Any) -> NoReturn:
        given = [*args, *kwargs.values()]
        message = text.format(*(str(value) for value in given), *[""] * 4) if text else str(given[0] if given else "")
        raise error(message.strip(), place=state.place)

    return fail


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
    "warn_snapshot_timestamp_data_types": ("The types of the time stamps differ: {0} and {1}", ExecutionError),
}  # fmt: skip


def _node(state: State) -> str | None:
    return None if state.node is None else state.node.unique_id


MEMBERS = {"log": log, "print": print_, "exceptions": exceptions}
