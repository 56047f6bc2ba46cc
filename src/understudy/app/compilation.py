"""`compile`: the SQL that would run, written and not run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from understudy.app import announce, deferral
from understudy.app.commands import COMMANDS
from understudy.app.events import Output, Stage
from understudy.app.invocation import Invocation, Outcome
from understudy.app.load import Project
from understudy.app.ready import observer, ready
from understudy.app.written import Written
from understudy.compile.compiler import Compiler
from understudy.core.nodes import Seed
from understudy.errors import UnderstudyError, raise_all
from understudy.execute.clock import Clock
from understudy.execute.database import LiveDatabase
from understudy.execute.results import NodeResult, with_nodes


def compile_selected(invocation: Invocation) -> Outcome:
    """Compile what is selected, write it, and print the SQL of a single model.

    Raises:
        UnderstudyError: of the nodes that cannot be compiled, all in one list; then nothing is written.
    """
    started = time.perf_counter()
    with ready(invocation, COMMANDS["compile"]) as all_set:
        project, decided = all_set.project, all_set.deferral
        announce.selected(invocation, project, all_set.selection.nodes, decided)
        deferral.tell(invocation, decided)
        database = LiveDatabase(all_set.adapter.connect, all_set.cache, project.dialect, observer(invocation))
        with closing(database):
            asked = database if invocation.options.introspect else None
            results = compile_all(all_set.compiler, asked, all_set.selection.nodes)
    seconds = time.perf_counter() - started
    if invocation.options.inline is None:  # a query of the command line leaves the last run's artifacts alone
        written = Written(invocation, project, all_set.compiler)
        for result in results:
            written.node(result)
        written.artifacts(results, seconds)
    _show(invocation, project, results)
    return Outcome(results=with_nodes(results, project.manifest.get, seconds))


def compile_all(compiler: Compiler, database: LiveDatabase | None, ids: Sequence[str]) -> list[NodeResult]:
    """Compile nodes one after the other; templates may ask `database`, if there is one.

    Raises UnderstudyError, or an ErrorList: what cannot be compiled.
    """
    results, errors = [], []
    for unique_id in ids:
        node = compiler.manifest.nodes[unique_id]
        clock = Clock()
        known: dict[str, Any] = {}
        try:
            with clock.phase("compile"):
                if not isinstance(node, Seed):
                    compiled = compiler.compile(unique_id, database)
                    known.update(compiled_code=compiled.sql, ctes=compiled.ctes)
        except UnderstudyError as error:
            errors.append(error)
            continue
        results.append(clock.result(unique_id, "success", relation_name=node.relation_name, **known))
    raise_all(errors)
    return results


def _show(invocation: Invocation, project: Project, results: Sequence[NodeResult]) -> None:
    """The SQL itself, when one node was asked for."""
    options = invocation.options
    models = [result for result in results if result.unique_id.partition(".")[0] in ("model", "snapshot", "analysis")]
    single = models or results
    asked = options.select or options.inline is not None
    if not asked or len(single) != 1 or single[0].compiled_code is None:
        invocation.emit(Stage(f"Compiled {len(results)} nodes"))
        return
    sql, name = single[0].compiled_code, project.manifest.nodes[single[0].unique_id].name
    inline = options.inline is not None
    if options.output == "json":
        import json

        document = {"compiled": sql} if inline else {"node": name, "compiled": sql}
        invocation.emit(Output(json.dumps(document, indent=2)))
    elif options.quiet:
        invocation.emit(Output(sql))
    else:
        invocation.emit(Output(f"Compiled {'inline node' if inline else f'node {name!r}'} is:\n{sql}"))
