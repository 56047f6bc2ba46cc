"""`show`: the first rows of a node's query, or of a query on the command line; nothing is built or written."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import islice
from typing import Any

import msgspec

from understudy.adapters.registry import open_adapter
from understudy.app import announce, deferral
from understudy.app.commands import COMMANDS
from understudy.app.events import ErrorRaised, Output, Secrets, Stage, Table
from understudy.app.invocation import Invocation, Outcome
from understudy.app.load import secrets, settings_of
from understudy.app.ready import Ready, observer, ready
from understudy.core.nodes import Node, Seed, SqlOperation
from understudy.core.statement import Result, Statement
from understudy.errors import DatabaseError, Place, UsageError
from understudy.execute.database import LiveDatabase, RelationCache
from understudy.execute.seed_file import NULLS, delimiter_of, inspect_seed

FAILED = 2
"""The exit code of a query that fails: dbt's, where a failed node of a run gives 1."""
TYPES = ("model", "snapshot", "seed", "analysis", "sql_operation")


class Preview(msgspec.Struct, frozen=True):
    """What is shown. `name` None: a query of the command line."""

    name: str | None
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


def show(invocation: Invocation) -> Outcome:
    """Show rows (dbt 1.11: ShowTask, ShowTaskDirect).

    Raises:
        UsageError: nothing is named.
        UnderstudyError: a node cannot be compiled.
    The exit code is 2 when a query fails.
    """
    options = invocation.options
    if options.inline_direct is not None:
        sql = options.inline_direct
        shown = _shown_or_told(invocation, Place("--inline-direct"), lambda: _direct(invocation, sql))
        return Outcome(FAILED, ()) if shown is None else Outcome(results=(shown,))
    if options.inline is None and not (options.select or options.selector):
        hint = "For example: show -s orders, or show --inline \"select * from {{ ref('orders') }}\""
        raise UsageError("show needs something to show: --select, --inline or --inline-direct", hint=hint)
    with ready(invocation, COMMANDS["show"]) as all_set:
        announce.selected(invocation, all_set.project, all_set.selection.nodes, all_set.deferral)
        deferral.tell(invocation, all_set.deferral)
        database = LiveDatabase(all_set.adapter.connect, all_set.cache, all_set.project.dialect, observer(invocation))
        previews: list[Preview] = []
        with closing(database):
            for unique_id in _shown(all_set.selection.nodes):
                node = all_set.project.manifest.nodes[unique_id]
                invocation.emit(Stage(f"Querying {node.name}"))
                place = all_set.project.manifest.place(unique_id)
                find = partial(preview, all_set, database, node, _limit(invocation), introspect=options.introspect)
                shown = _shown_or_told(invocation, place, find)
                if shown is None:
                    return Outcome(FAILED, tuple(previews))
                previews.append(shown)
    return Outcome(results=tuple(previews))


def _shown_or_told(invocation: Invocation, place: Place, find: Callable[[], Preview]) -> Preview | None:
    """Print what is found; None: the query failed, which is told."""
    try:
        found = find()
    except DatabaseError as error:
        error.place = error.place or place
        invocation.emit(ErrorRaised(error))
        return None
    _tell(invocation, found)
    return found


def _limit(invocation: Invocation) -> int | None:
    return None if invocation.options.limit < 0 else invocation.options.limit


def _shown(ids: Sequence[str]) -> Sequence[str]:
    """What was asked for, without the tests that come along with it."""
    return [each for each in ids if each.partition(".")[0] in TYPES] or ids


def preview(
    all_set: Ready, database: LiveDatabase, node: Node, limit: int | None, *, introspect: bool = True
) -> Preview:
    """The rows of one node; its templates may ask the database unless `introspect` forbids it.

    Raises UsageError for a Python model, DatabaseError for a query that fails.
    """
    if isinstance(node, Seed):
        return seed_preview(node, limit)
    if getattr(node, "language", "sql") != "sql":
        hint = f"Once it is built: show --inline \"select * from {{{{ ref('{node.name}') }}}}\""
        raise UsageError(f"{node.name} is a Python model, which has no query to show", hint=hint)
    sql = all_set.compiler.compile(node.unique_id, database if introspect else None).sql
    session = all_set.compiler.session(node.unique_id, database)
    query = session.call("get_show_sql", sql, node.config.get("sql_header"), limit)
    result = database.execute(Statement(str(query).strip(), fetch=True, purpose="show"))
    version = getattr(node, "version", None)
    name = node.name if version is None else f"{node.name}.v{version}"
    return Preview(None if isinstance(node, SqlOperation) else name, result.columns, result.rows)


def _direct(invocation: Invocation, sql: str) -> Preview:
    """The rows of a query that is sent as it stands. Only so many are fetched; its text has no limit added."""
    settings = settings_of(invocation, with_packages=False)
    invocation.emit(Secrets(secrets(settings)))
    with closing(open_adapter(settings.target, settings.root.root)) as adapter:
        database = LiveDatabase(adapter.connect, RelationCache(adapter.dialect), adapter.dialect, observer(invocation))
        with closing(database):
            result: Result = database.execute(Statement(sql, fetch=True, purpose="show"))
    return Preview(None, result.columns, list(islice(result.rows, _limit(invocation))))


def seed_preview(node: Seed, limit: int | None) -> Preview:
    """The first rows of a seed's file, with the values that its columns will hold. Raises ExecutionError."""
    path = os.path.join(node.root_path or "", node.original_file_path)
    configured = node.config.get("column_types") or {}
    file = inspect_seed(path, delimiter=delimiter_of(node.config), text_columns=frozenset(configured))
    kinds = [kind for _, kind in file.columns]
    with open(path, encoding="utf-8-sig", newline="") as stream:
        lines = (row for row in islice(csv.reader(stream, delimiter=file.delimiter), 1, None) if row)
        rows = [[_cell(*pair) for pair in zip(row, kinds, strict=False)] for row in islice(lines, limit)]
    width = len(kinds)
    return Preview(
        node.name, tuple(name for name, _ in file.columns), [row + [None] * (width - len(row)) for row in rows]
    )


def _cell(text: str, kind: str) -> Any:
    """A value of a CSV file by the kind of its column."""
    if text.strip().lower() in NULLS:
        return None
    try:
        match kind:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return text.strip().lower() in ("true", "1", "yes", "y")
    except ValueError:
        return text  # a number in one of the forms that only the engine reads
    return text


def _tell(invocation: Invocation, found: Preview) -> None:
    """Print rows as a table or as JSON, in dbt's form."""
    if invocation.options.output == "json":
        head = {} if found.name is None else {"node": found.name}
        document = {**head, "show": [dict(_json_row(found.columns, row)) for row in found.rows]}
        invocation.emit(Output(json.dumps(document, indent=2, ensure_ascii=False)))
        return
    what = "inline node" if found.name is None else f"node '{found.name}'"
    title = "" if invocation.options.quiet else f"Previewing {what}:"
    invocation.emit(Table(title, found.columns, found.rows))


def _json_row(columns: Sequence[str], row: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Names and values of a row; a name that occurs again is numbered."""
    seen: dict[str, int] = {}
    for name, value in zip(columns, row, strict=True):
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name}_{seen[name]}", json_value(value)


def json_value(value: Any) -> Any:
    """A value of the engine in JSON's types: numbers stay numbers, what JSON does not know becomes text."""
    from datetime import date, datetime, time
    from decimal import Decimal

    match value:
        case None | bool() | int() | str():
            return value
        case float() | Decimal():
            number = float(value)
            return number if number - number == 0 else str(value)  # JSON has no NaN and no infinity
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return {str(key): json_value(each) for key, each in value.items()}
        case list() | tuple():
            return [json_value(each) for each in value]
        case _:
            return str(value)
