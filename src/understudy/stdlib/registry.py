"""All built-in macros by name, and their entries in the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from understudy.core.nodes import Macro
from understudy.stdlib import (
    clones,
    contracts,
    crossdb,
    duckdb,
    duckdb_merge,
    freshness,
    functions,
    grants,
    helpers,
    incremental,
    materializations,
    materialized_views,
    merge,
    metadata,
    names,
    postgres,
    python_models,
    relations,
    runtime,
    seeds,
    snapshots,
    spark,
    spark_functions,
    staging,
    tests,
    unit_tests,
)
from understudy.template.scope import BuiltinMacro

_ROOMS = {
    "get_custom_name": names.MACROS,
    "generic_test_sql": tests.MACROS,
    "unit_test_sql": unit_tests.MACROS,
    "functions": functions.MACROS,
    "relations": relations.MACROS,
    "metadata": metadata.MACROS,
    "contracts": contracts.MACROS,
    "incremental": incremental.MACROS,
    "seeds": seeds.MACROS,
    "snapshots": snapshots.MACROS,
    "freshness": freshness.MACROS,
    "runtime": runtime.MACROS,
    "utils": crossdb.MACROS,
    "merge": merge.MACROS,
    "duckdb_merge": duckdb_merge.MACROS,
    "apply_grants": grants.MACROS,
    "materialized_view": materialized_views.MACROS,
    "python_model": python_models.MACROS,
    "materializations": materializations.MACROS,
    "duckdb": duckdb.MACROS,
    "helpers": helpers.MACROS,
    "staging": staging.MACROS,
    "clone": clones.MACROS,
    "postgres": postgres.MACROS,
    "spark": spark.MACROS,
    "spark_utils": spark_functions.MACROS,
}

BUILTINS: Mapping[str, BuiltinMacro] = MappingProxyType(
    {name: macro for room in _ROOMS.values() for name, macro in room.items()}
)
"""Name -> Python macro. `default__x` and `<adapter>__x` are what `adapter.dispatch('x')` finds."""


def builtin_macros() -> dict[str, Macro]:
    """The manifest's entries (`macro.dbt.<name>`); their SQL is a comment, for there is no template behind them."""
    return {
        f"macro.dbt.{name}": Macro(
            name=name,
            package_name="dbt",
            path=f"macros/{room}.sql",
            original_file_path=f"macros/{room}.sql",
            unique_id=f"macro.dbt.{name}",
            macro_sql=f"{{# {name}: built into understudy #}}",
        )
        for room, macros in _ROOMS.items()
        for name in macros
    }
