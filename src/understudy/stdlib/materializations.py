"""The engine's own materializations as macros, for those of a project to hand over to (`dbt.materialization_table_default`)."""

from __future__ import annotations

from typing import Any

from understudy.errors import ExecutionError
from understudy.stdlib.support import Table
from understudy.template.scope import BuiltinMacro, MacroContext

macro = MACROS = Table()
NAMES = {
    "default": ("view", "table", "incremental", "materialized_view", "seed", "snapshot", "test", "function"),
    "duckdb": ("table", "incremental", "external"),
    "spark": ("table", "view", "incremental", "snapshot"),
}
"""As dbt and its adapters call them."""


def _materialization(name: str, full_name: str) -> BuiltinMacro:
    def run(ctx: MacroContext) -> Any:
        if ctx.materialize is None:
            raise ExecutionError(f"{full_name} can be called by a materialization only")
        return ctx.materialize(name)

    return run


for _suffix, _names in NAMES.items():
    for _name in _names:
        _full = f"materialization_{_name}_{_suffix}"
        MACROS[_full] = _materialization(_name, _full)
