"""What materializations share: hooks, the transaction, the swap, and what comes after a relation stands.

On an engine with transactions everything between `begin` and `commit` is done whole or not at all: a relation is built
under another name where its own is taken, and swapped in. The runner undoes the transaction when a statement fails.
"""

from __future__ import annotations

from collections.abc import Generator

from understudy.core.nodes import Model, Node
from understudy.core.relation import Relation, RelationType
from understudy.core.statement import Request, Result, Statement
from understudy.errors import ExecutionError
from understudy.execute.build import BEGIN, COMMIT, Build, Outcome, Steps
from understudy.template.objects import unwrap

KEYS = ("primary_key", "unique", "foreign_key")
"""Constraints that tie tables together."""

Part = Generator[Request, Result, None]
"""Some statements of a materialization."""


def replace(build: Build, kind: RelationType) -> Steps:
    """Build the relation beside the old one, and put it in its place."""
    target = build.this.with_type(kind)
    existing = build.existing
    place, ddl = target, build.dialect.ddl
    in_place = ddl.can_replace and build.macros.call("is_replaced", target, existing)
    bound = ddl.keys_hold_tables and declares(build.node, "foreign_key")
    if not (in_place or bound) and (existing is not None or not build.transactions):
        place = unwrap(build.macros.call("make_intermediate_relation", target))
    yield from before(build)
    if existing is not None and ddl.keys_hold_tables and declares(build.node, *KEYS):
        build.macros.call("release_foreign_keys", existing)
    if existing is not None and bound:  # a table with a foreign key keeps the name that it is created under
        yield from drop(build, existing)
    if kind == "view":
        sql = str(build.macros.call("get_create_view_as_sql", place, build.sql))
    elif build.is_python:
        sql = str(build.macros.call("create_table_as", False, place, build.sql, "python"))
    else:
        sql = str(build.macros.call("get_create_table_as_sql", False, place, build.sql))
    result = yield build.request(sql, "main")
    indexed = ddl.indexes_before_swap
    if indexed:
        indexes(build, place.with_type(kind))
    if place is not target:
        yield from swap(build, place.with_type(kind), target)
    yield from after(build, target, fresh=True, indexed=indexed)
    return Outcome(result, sql, (target,))


def swap(build: Build, place: Relation, target: Relation) -> Part:
    """Give the new relation its name.

    Without transactions the old one is set aside for that moment, comes back when the new one cannot take its name, and
    is dropped last.
    """
    existing = build.existing
    if existing is None or build.transactions:
        if existing is not None:
            yield from drop(build, existing)
        yield from _take(build, place, target)
        return
    backup = unwrap(build.macros.call("make_backup_relation", existing, existing.type))
    yield from _take(build, existing, backup)
    try:
        yield from _take(build, place, target)
    except Exception:
        yield from _take(build, backup, existing, purpose="restore")
        raise
    yield from drop(build, backup)


def _take(build: Build, place: Relation, target: Relation, **purpose: str) -> Part:
    yield from rename(build, place, target, **purpose)
    if build.dialect.ddl.can_replace:
        build.macros.call("after_rename", target)


def drop(build: Build, relation: Relation) -> Part:
    """Drop a relation, as the project does it where it says how."""
    own = next((name for name in ("drop_relation_if_exists", "drop_relation") if build.macros.overridden(name)), None)
    if own:
        build.macros.call(own, relation)
    else:
        yield Statement(build.dialect.ddl.drop(relation), purpose="drop")


def rename(build: Build, old: Relation, new: Relation, *, purpose: str = "rename") -> Part:
    """Give a relation another's name, as the project does it where it says how."""
    if build.macros.overridden("rename_relation"):
        build.macros.call("rename_relation", old, new.with_type(old.type))
    else:
        yield Statement(build.dialect.ddl.rename(old, new.identifier or ""), purpose=purpose)


def before(build: Build) -> Part:
    """Leftovers, hooks outside of the transaction, `begin`, hooks inside."""
    check_name(build)
    for leftover in build.leftovers:
        yield from drop(build, leftover)
    yield from hooks(build, "pre-hook", inside=False)
    yield from begin(build)
    yield from hooks(build, "pre-hook", inside=True)


def after(build: Build, target: Relation, *, fresh: bool, indexed: bool = False) -> Part:
    """Indexes, grants, comments, hooks inside, `commit`, hooks outside.

    `fresh`: the relation was created in this run; `indexed`: its indexes are there already.
    """
    config, call = build.config, build.macros.call
    build.added(target)
    if fresh and not indexed:
        indexes(build, target)
    if config.get("grants") or build.macros.overridden("apply_grants"):
        revoke = call("should_revoke", build.existing, fresh)
        call("apply_grants", target, config.get("grants") or {}, should_revoke=revoke)
    if any((config.get("persist_docs") or {}).values()) or build.macros.overridden("persist_docs"):
        call("persist_docs", target, build.macros.model)
    yield from hooks(build, "post-hook", inside=True)
    yield from commit(build)
    yield from hooks(build, "post-hook", inside=False)


def indexes(build: Build, relation: Relation) -> None:
    """The indexes of the config."""
    wanted = build.config.get("indexes") or build.macros.overridden("create_indexes")
    if relation.type == "table" and wanted:
        build.macros.call("create_indexes", relation)


def check_name(build: Build) -> None:
    """Raises ExecutionError for a name that the engine would cut, so that nobody found the relation again."""
    limit, name = build.dialect.max_identifier_length, build.this.identifier or ""
    if limit is not None and len(name.encode()) > limit:
        raise ExecutionError(
            f"Relation name '{name}' is longer than {limit} bytes", hint="Give the node a shorter alias."
        )


def begin(build: Build) -> Part:
    """Open the transaction."""
    if build.transactions:
        yield BEGIN


def commit(build: Build) -> Part:
    """End the transaction, unless more belongs into it."""
    if build.transactions and build.commits:
        yield COMMIT


def hooks(build: Build, kind: str, *, inside: bool) -> Part:
    """The node's hooks of a kind, in the transaction or outside of it; run as the project does it where it says how."""
    if build.macros.overridden("run_hooks"):
        run = build.config.get(kind) if kind in build.hooks else None
        build.macros.call("run_hooks", run or [], inside_transaction=inside)
        return
    for hook in (build.config.get(kind) or ()) if kind in build.hooks else ():
        if bool(hook.get("transaction", True)) is inside:
            sql = build.macros.render(hook["sql"]).strip()
            if sql:
                yield Statement(sql, purpose="hook", in_transaction=inside)


def declares(node: Node, *types: str) -> bool:
    """Whether a node's contract has a constraint of one of the types."""
    if not (isinstance(node, Model) and node.contract.enforced):
        return False
    constraints = [
        *node.constraints,
        *(each for column in node.columns.values() for each in column.get("constraints") or ()),
    ]
    return any(str(constraint.get("type")) in types for constraint in constraints)
