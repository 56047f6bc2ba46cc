"""`run-operation`: call one macro (dbt 1.11: RunOperationTask)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from understudy.app import deferral
from understudy.app.choose import Chosen
from understudy.app.commands import COMMANDS
from understudy.app.events import ErrorRaised, Logged
from understudy.app.invocation import Invocation, Outcome
from understudy.app.load import Project
from understudy.app.options import arguments
from understudy.app.ready import Ready, observer, ready
from understudy.app.written import Written
from understudy.core.nodes import REFABLE
from understudy.errors import Cancelled, JinjaError, UnderstudyError
from understudy.execute.clock import Clock
from understudy.execute.database import LiveDatabase
from understudy.execute.results import NodeResult, with_nodes
from understudy.select.evaluate import Selection
from understudy.template.macros import Found

REF = re.compile(r"\bref\s*\(\s*(?P<q1>['\"])(?P<one>[^'\"]+)(?P=q1)(?:\s*,\s*(?P<q2>['\"])(?P<two>[^'\"]+)(?P=q2))?")
"""A `ref` of a name that stands in the text; others show only when they are called."""


def run_operation(invocation: Invocation) -> Outcome:
    """Call the macro. Exit code 1 when it fails; what it sent until then stays, as each statement commits by itself.

    Raises:
        JinjaError: there is no such macro.
        UsageError: `--args` is no map.
    """
    given = arguments(invocation.options)
    macros: list[Found] = []

    def choose(project: Project, _: object) -> Chosen:
        macros.append(find_macro(project, invocation.options.macro or ""))
        certain = frozenset(referred(project, macros[0]))
        every = frozenset(i for i, card in project.manifest.cards.items() if card.resource_type in REFABLE)
        return Chosen(project, Selection(frozenset(), ()), frozenset(), also=certain, maybe=every)

    started = time.perf_counter()
    with ready(invocation, COMMANDS["run-operation"], choose) as all_set:
        deferral.tell(invocation, all_set.deferral)
        result = call(invocation, all_set, macros[0], given)
    seconds = time.perf_counter() - started
    Written(invocation, all_set.project).artifacts([result], seconds)
    results = with_nodes([result], lambda _: None, seconds)
    if isinstance(result.error, UnderstudyError):
        invocation.emit(ErrorRaised(result.error))
        return Outcome(1, results)
    invocation.emit(Logged(f"Done in {seconds:.2f} s: ran {macros[0].unique_id}", "info"))
    return Outcome(results=results)


def find_macro(project: Project, name: str) -> Found:
    """The macro that a name (`grant_all`, `shop.grant_all`) stands for, in any package. Raises JinjaError."""
    index, root = project.renderer.macros, project.settings.root.name
    found = index.find(name, root) if "." in name else index.anywhere(name, root)
    if found is None:
        package = name.rpartition(".")[0] or root
        raise JinjaError(f"There is no macro named '{name}' in any package", hint=index.suggest(name, package))
    return found


def referred(project: Project, macro: Found) -> Iterator[str]:
    """The nodes that the macro, and what it calls, refer to by name; ephemeral ones are refused when they are called."""
    macros, waiting, seen = project.manifest.macros, [macro.unique_id], {macro.unique_id}
    while waiting:
        each = macros.get(waiting.pop())
        if each is None:
            continue
        for call in REF.finditer(each.macro_sql):
            package, name = (call["one"], call["two"]) if call["two"] else (None, call["one"])
            found = project.names.find_ref(package, name, None, each.package_name)
            if found is not None:
                yield found
        waiting += [called for called in each.depends_on.macros if called not in seen]
        seen.update(each.depends_on.macros)


def call(invocation: Invocation, all_set: Ready, macro: Found, given: Mapping[str, Any]) -> NodeResult:
    """Call the macro on a connection of its own; what goes wrong is the result's error."""
    database = LiveDatabase(all_set.adapter.connect, all_set.cache, all_set.project.dialect, observer(invocation))
    clock = Clock()
    with clock.phase("compile"):
        session = all_set.compiler.session(None, database)
    with closing(database):
        try:
            with clock.phase("execute"):
                session.call_found(macro, **given)
        except Cancelled:
            raise
        except UnderstudyError as error:
            database.rollback()
            return clock.result(macro.unique_id, "error", str(error), failures=1, error=error, thread_id="MainThread")
    return clock.result(macro.unique_id, "success", failures=0, thread_id="MainThread")
