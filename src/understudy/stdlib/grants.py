"""Grants, for engines that have roles: what is configured against what there is (dbt 1.11: adapters/apply_grants)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from understudy.stdlib.support import Table, quoted, send
from understudy.template.scope import MacroContext

macro = MACROS = Table()
macro.dispatched("get_show_grant_sql", "get_grant_sql", "get_revoke_sql", "get_dcl_statement_list")
macro.dispatched("call_dcl_statements", "support_multiple_grantees_per_dcl_statement")

Grants = Mapping[str, Iterable[str]]
"""Privilege -> who has it."""


@macro
def default__support_multiple_grantees_per_dcl_statement(ctx: MacroContext) -> bool:
    """Whether one statement may name several grantees."""
    return True


@macro
def default__get_show_grant_sql(ctx: MacroContext, relation: Any) -> str:
    """A query for (grantee, privilege_type)."""
    return f"show grants on {relation}"


@macro
def default__get_grant_sql(ctx: MacroContext, relation: Any, privilege: str, grantees: Iterable[str]) -> str:
    """`grant`; the grantees stand as they are configured."""
    return f"grant {privilege} on {relation} to {', '.join(grantees)}"


@macro
def default__get_revoke_sql(ctx: MacroContext, relation: Any, privilege: str, grantees: Iterable[str]) -> str:
    """`revoke`; the grantees come from the engine, so they are quoted."""
    return f"revoke {privilege} on {relation} from {', '.join(quoted(ctx, name) for name in grantees)}"


@macro
def default__get_dcl_statement_list(
    ctx: MacroContext, relation: Any, grant_config: Grants, get_dcl_macro: Callable[..., Any]
) -> list[str]:
    """One statement per privilege, or per privilege and grantee where the engine wants that."""
    together = ctx.call("support_multiple_grantees_per_dcl_statement")
    return [
        str(get_dcl_macro(relation, privilege, group))
        for privilege, grantees in grant_config.items()
        if (names := list(grantees))
        for group in ([names] if together else [[name] for name in names])
    ]


@macro
def default__call_dcl_statements(ctx: MacroContext, dcl_statement_list: Iterable[str]) -> str:
    """Send them as one text."""
    send(ctx, ";\n".join(dcl_statement_list) + ";", "grant")
    return ""


def apply(ctx: MacroContext, relation: Any, grant_config: Any, should_revoke: bool) -> str:
    """Grant what is configured; with `should_revoke` first see what there is, and take away the rest."""
    wanted = {privilege: names_in(grantees) for privilege, grantees in (grant_config or {}).items()}
    if not wanted:
        return ""
    current: dict[str, list[str]] = {}
    if should_revoke:
        sql = str(ctx.call("get_show_grant_sql", relation))
        for grantee, privilege in send(ctx, sql, "introspect", fetch=True).rows:
            current.setdefault(str(privilege), []).append(str(grantee))
    statements = [
        *_statements(ctx, relation, difference(current, wanted), "get_revoke_sql"),
        *_statements(ctx, relation, difference(wanted, current), "get_grant_sql"),
    ]
    if statements:
        ctx.call("call_dcl_statements", statements)
    return ""


def names_in(grantees: Any) -> list[str]:
    """The grantees of a config's value: one, or a list of them."""
    return [grantees] if isinstance(grantees, str) else [str(name) for name in grantees or ()]


def difference(first: Grants, second: Grants) -> dict[str, list[str]]:
    """What the first has and the second has not; cases do not count (dbt 1.11: diff_of_two_dicts)."""
    other = {privilege.lower(): {name.lower() for name in names} for privilege, names in second.items()}
    rest = {
        privilege: [name for name in names if name.lower() not in other.get(privilege.lower(), ())]
        for privilege, names in first.items()
    }
    return {privilege: names for privilege, names in rest.items() if names}


def _statements(ctx: MacroContext, relation: Any, grants: Grants, name: str) -> list[str]:
    def sql(*args: Any) -> Any:
        return ctx.call(name, *args)

    return list(ctx.call("get_dcl_statement_list", relation, grants, sql)) if grants else []
