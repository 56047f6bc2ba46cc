"""Materializations that the project or a package wrote in Jinja (dbt 1.11: ModelRunner._execute_model)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from understudy.core.nodes import Node
from understudy.core.relation import Relation
from understudy.errors import ExecutionError, JinjaError
from understudy.execute.build import Build, Macros, Outcome, drive, sender
from understudy.execute.database import LiveDatabase, beginning
from understudy.execute.materialize import materialization
from understudy.template.contexts.results import Response, Stored
from understudy.template.macros import Found
from understudy.template.objects import unwrap, wrap

OF_ENGINE: Mapping[str, frozenset[str]] = {
    "duckdb": frozenset({"table", "incremental", "external", "table_function"}),
    "spark": frozenset({"table", "view", "incremental", "snapshot", "clone"}),
}
"""The built-in materializations that belong to an engine: only one for that engine overrides them, not one for all."""


def own_materialization(
    macros: Macros, node: Node, engine: str, built_in: frozenset[str], name: str | None = None
) -> Found | None:
    """The macro that materializes the node instead of ours; None: ours does. Raises ExecutionError for its language.

    `name`: of the materialization, where it is not the node's own.
    """
    found = macros.materialization(name or node.materialized, OF_ENGINE.get(engine, frozenset()), built_in)
    if found is None or found.macro is None:
        return None
    languages = found.macro.supported_languages or ["sql"]
    language = getattr(node, "language", "sql")
    if language not in languages:
        raise wrong_language(found.name, languages, language)
    return found


def wrong_language(macro: str, languages: Sequence[str], language: str) -> ExecutionError:
    """The error for a Python model that a materialization does not take, or a SQL model (dbt 1.11)."""
    return ExecutionError(f'Materialization "{macro}" only supports languages {list(languages)}; got "{language}"')


def run_custom(build: Build, database: LiveDatabase, found: Found | None) -> Outcome:
    """Run the macro: its statements are sent as it comes to them, the first of them opens the transaction.

    What it has not committed with `adapter.commit()` is undone, as dbt does. Raises JinjaError when it returns something
    else than its relations, or never called its main statement.
    """
    assert found is not None  # own_materialization has found it
    session = build.macros
    session.results.clear()
    session.materializes = True
    session.materialize = lambda name: _hand_over(build, database, name)
    with beginning(database, build.transactions):
        returned = session.call_found(found)
        relations = _relations(returned, build.node)
    main = session.results.get("main")
    if main is None:
        raise JinjaError("main is not being called during running model", hint="Call statement('main') in it.")
    return Outcome(main.result, str(session.results.get("written") or ""), relations)


def _hand_over(build: Build, database: LiveDatabase, name: str) -> Mapping[str, Any]:
    """Let a materialization of ours build the node, from within the project's own: what that one would return."""
    outcome = drive(materialization(name, build.dialect.name)(build), sender(build.macros, database.execute))
    response = Response(outcome.result.adapter_response())
    build.macros.results.update(main=Stored(response, outcome.result), written=outcome.sql)
    return {"relations": wrap(list(outcome.relations))}


def _relations(returned: Any, node: Node) -> tuple[Relation, ...]:
    if not isinstance(returned, Mapping):
        raise JinjaError(
            f"Invalid return value from materialization '{node.materialized}', expected a dict with key "
            f'"relations", got: {str(returned).strip()[:80]}',
            hint="End it with {{ return({'relations': [target_relation]}) }}.",
        )
    relations = returned.get("relations")
    if not isinstance(relations, list | tuple):
        raise JinjaError(f'Invalid return value from materialization, "relations" is no list: {relations!r}')
    return tuple(unwrap(each) for each in relations)
