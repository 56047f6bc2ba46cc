"""Wrappers of a project's own before every macro of dbt's: each says when it is called, and hands over to dbt's."""

from __future__ import annotations

import json
import re
from pathlib import Path

NAMES = Path(__file__).parents[1] / "unit/stdlib/dbt_macros.json"
MARK = "machinery calls "
CALLERS = ("statement", "noop_statement", "set_sql_header")
"""Macros that are called with a block."""
FILE = "macros/wrappers.sql"


def wrappers(*wanted: str) -> str:
    """The text of the macros, of all where none are named.

    Implementations for an engine (`default__x`) are what dbt's own macros dispatch to.
    """
    if wanted:
        return "\n".join(map(_wrapper, wanted)) + "\n"
    entries = [entry for listed in json.loads(NAMES.read_text()).values() for entry in listed]
    names = sorted({name for kind, _, name in (entry.partition(" ") for entry in entries) if kind == "macro"})
    return "\n".join(_wrapper(name) for name in names if "__" not in name) + "\n"


def _wrapper(name: str) -> str:
    block = "caller=caller, " if name in CALLERS else ""
    said = f"{{% do log('{MARK}{name}', info=true) %}}"
    return f"{{% macro {name}() %}}{said}{{{{ return(dbt.{name}(*varargs, {block}**kwargs)) }}}}{{% endmacro %}}"


def called(text: str) -> list[str]:
    """The macros that a command called, by what it printed."""
    return sorted(set(re.findall(MARK + r"(\w+)", text)))
