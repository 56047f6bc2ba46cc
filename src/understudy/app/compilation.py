"""`compile`: the SQL that would run, written and not run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing

from understudy.adapters.registry import open_adapter
from understudy.app import announce, deferral
from understudy.app.choose import choose
from understudy.app.commands import COMMANDS
from understudy.app.events import Output, Stage
from understudy.app.execution import list_schemas, observer
from understudy.app.invocation import Invocation, Outcome
from understudy.app.load import Project, load_project
from understudy.app.states import States
from understudy.app.written import Written
from understudy.compile.compiler import Compiler
from understudy.core.nodes import Seed
from understudy.errors import UnderstudyError, raise_all
from understudy.execute.database import LiveDatabase, RelationCache
from understudy.execute.results import NodeResult
from understudy.execute.runner import Clock


def compile_selected(invocation: Invocation) -> Outcome:
    """Compile what is selected, write it, and print the SQL of a single model.

    Raises:
        UnderstudyError: of the nodes that cannot be compiled, all in one list; then nothing is written.
    """
    project = load_project(invocation)
    states = States(invocation, project, defers=True)
    selection = choose(invocation, project, states, COMMANDS["compile"])
    started = time.perf_counter()
    with closing(open_adapter(project.settings.target, project.settings.root.root)) as adapter:
        cache = RelationCache(project.dialect)
        decided = deferral.decide_references(
            invocation,
            project,
            states,
            selected=selection.selected,
            runs=frozenset(selection.nodes),
            builds=frozenset(),
            list_schemas=lambda schemas: list_schemas(adapter, schemas, cache),
        )
        announce.head(invocation, project, states)
        announce.selected(invocation, project, selection.nodes, decided)
        deferral.tell(invocation, decided)
        compiler = Compiler(project.manifest, project.names, decided.resolution, project.renderer, project.dialect)
        database = LiveDatabase(adapter.connect, cache, project.dialect, observer(invocation))
        with closing(database):
            results = compile_all(compiler, database, selection.nodes)
    written = Written(invocation, project, compiler)
    for result in results:
        written.node(result)
    written.artifacts(results, time.perf_counter() - started)
    _show(invocation, project, results)
    return Outcome()


def compile_all(compiler: Compiler, database: LiveDatabase, ids: Sequence[str]) -> list[NodeResult]:
    """Compile nodes one after the other. Raises UnderstudyError, or an ErrorList: what cannot be compiled."""
    results, errors = [], []
    for unique_id in ids:
        node = compiler.manifest.nodes[unique_id]
        clock = Clock()
        try:
            with clock.phase("compile"):
                sql = None if isinstance(node, Seed) else compiler.compile(unique_id, database).sql
        except UnderstudyError as error:
            errors.append(error)
            continue
        results.append(clock.result(unique_id, "success", compiled_code=sql, relation_name=node.relation_name))
    raise_all(errors)
    return results


def _show(invocation: Invocation, project: Project, results: Sequence[NodeResult]) -> None:
    """The SQL itself, when one node was asked for."""
    models = [result for result in results if result.unique_id.partition(".")[0] in ("model", "snapshot", "analysis")]
    single = models or results
    if not invocation.options.select or len(single) != 1 or single[0].compiled_code is None:
        invocation.emit(Stage(f"Compiled {len(results)} nodes"))
        return
    result = single[0]
    node = project.manifest.nodes[result.unique_id]
    if invocation.options.output == "json":
        import json

        invocation.emit(Output(json.dumps({"node": node.name, "compiled": result.compiled_code}, indent=2)))
    else:
        invocation.emit(Output(f"Compiled node '{node.name}' is:\n{result.compiled_code}"))
