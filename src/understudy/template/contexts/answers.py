"""What `adapter` answers without asking the engine: quoting, types, checks of config (dbt 1.11: BaseAdapter's `@available`)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any

from understudy.core.relation import quote
from understudy.core.statement import Result
from understudy.errors import JinjaError
from understudy.template.agate_tables import to_agate
from understudy.template.state import State

DUCKDB_STRATEGIES = ("append", "delete+insert", "merge", "microbatch")
POSTGRES_STRATEGIES = ("append", "delete+insert", "merge", "microbatch")
SPARK_STRATEGIES = ("append", "merge", "insert_overwrite", "microbatch")


def quoted(state: State, identifier: Any) -> str:
    """The name in the engine's quotes."""
    return quote(str(identifier), state.dialect.quote_character)


def quote_as_configured(state: State, identifier: Any, quote_key: str) -> str:
    """The name, quoted where the project's `quoting` says so for that part."""
    default = getattr(state.dialect.quoting, quote_key, True)
    wanted = state.settings.root.quoting.get(quote_key, default)
    return quoted(state, identifier) if wanted else str(identifier)


def quote_seed_column(state: State, column: Any, quote_config: Any = None) -> str:
    """A seed's column, quoted unless the seed says not to."""
    if quote_config is not None and not isinstance(quote_config, bool):
        raise JinjaError(
            f"The seed configuration value of 'quote_columns' has an invalid type {type(quote_config).__name__}"
        )
    return str(column) if quote_config is False else quoted(state, column)


def get_incremental_strategy_macro(state: State, model_context: Any, strategy: str) -> Callable[..., Any]:
    """The macro of an incremental strategy (`delete+insert` -> get_incremental_delete_insert_sql)."""
    name = f"get_incremental_{re.sub(r'[^a-zA-Z0-9_]', '_', strategy)}_sql"
    if name not in state.names:
        raise JinjaError(f"dbt could not find an incremental strategy macro with the name '{name}'", place=state.place)
    return state.names[name]  # type: ignore[no-any-return]


def standardize_grants_dict(state: State, grants_table: Any) -> dict[str, list[str]]:
    """privilege -> grantees, from a table with those columns."""
    found: dict[str, list[str]] = {}
    for row in grants_table.rows:
        found.setdefault(row["privilege_type"], []).append(row["grantee"])
    return found


def get_hard_deletes_behavior(state: State, config: Mapping[str, Any]) -> str:
    """`hard_deletes`, or what `invalidate_hard_deletes` means (dbt 1.11)."""
    wanted, old = config.get("hard_deletes"), config.get("invalidate_hard_deletes")
    if wanted is not None and old is not None:
        raise JinjaError(
            "You cannot set both the invalidate_hard_deletes and hard_deletes config properties", place=state.place
        )
    if wanted is not None and wanted not in ("ignore", "new_record", "invalidate"):
        raise JinjaError(f"Invalid setting for property hard_deletes: {wanted}", place=state.place)
    return "invalidate" if old else str(wanted or "ignore")


def convert_type(state: State, agate_table: Any, col_idx: int) -> str:
    """The engine's type for a column of an agate table (dbt 1.11: convert_agate_type)."""
    kind = {"ISODateTime": "datetime"}.get(name := type(agate_table.columns[col_idx].data_type).__name__, name.lower())
    types: Mapping[str, str] = state.dialect.ddl.seed_types
    return types.get(kind, types["text"])


def convert_datetimes_to_strs(state: State, table: Any) -> Any:
    """The table with its times as texts."""
    rows = [[str(v) if isinstance(v, datetime.datetime) else v for v in row.values()] for row in table.rows]
    return to_agate(Result(tuple(table.column_names), rows=[tuple(row) for row in rows]))


def render_raw_columns_constraints(state: State, raw_columns: Mapping[str, Any]) -> list[str]:
    """Each column with its type and constraints, as a contract declares it."""
    return state.call("columns_with_constraints", raw_columns)  # type: ignore[no-any-return]


def render_raw_model_constraints(state: State, raw_constraints: Any) -> list[str]:
    """The model's own constraints, as a contract declares them."""
    return state.call("model_constraints", raw_constraints)  # type: ignore[no-any-return]


def valid_incremental_strategies(state: State) -> list[str]:
    """The strategies that the engine has."""
    known = {"duckdb": DUCKDB_STRATEGIES, "postgres": POSTGRES_STRATEGIES, "spark": SPARK_STRATEGIES}
    return list(known.get(state.dialect.name, ["append"]))


def parse_index(state: State, raw_index: Any) -> Any:
    """An index of the config, checked. Raises JinjaError."""
    if raw_index is None:
        return None
    columns = raw_index.get("columns") if isinstance(raw_index, Mapping) else None
    if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
        raise JinjaError(f"Could not parse index config: columns must be a list of names, got {raw_index!r}")
    return {"columns": columns, "unique": bool(raw_index.get("unique", False)), "type": raw_index.get("type")}


def batch_id_for_model(state: State, model: Any) -> str:
    """What tells one batch's temporary table from another's."""
    batch = model.get("batch") if isinstance(model, Mapping) else None
    start = str((batch or {}).get("event_time_start") or "")
    return re.sub("[-:+]", "", start).replace(" ", "_")


METHODS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        quote_as_configured, quote_seed_column, get_incremental_strategy_macro, standardize_grants_dict,
        get_hard_deletes_behavior, convert_type, convert_datetimes_to_strs, render_raw_columns_constraints,
        render_raw_model_constraints, valid_incremental_strategies, parse_index, batch_id_for_model,
    )
} | {"quote": quoted}  # fmt: skip
