"""`plan` and `explain`: what a build would do, and why, from the same plan and the same decisions; only look-ups are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress

from msgspec.structs import replace

from understudy.app import announce
from understudy.app.choose import Chosen, choose, spec_of, world_of
from understudy.app.commands import COMMANDS
from understudy.app.events import Event, Explained, Output, Planned, StateInUse, WarningRaised
from understudy.app.invocation import Invocation, Outcome
from understudy.app.load import Project
from understudy.app.ready import Ready, list_schemas, ready
from understudy.app.states import States
from understudy.core.nodes import BUILT
from understudy.core.relation import Relation, SchemaName
from understudy.core.statement import Statement
from understudy.defer.clones import sources
from understudy.defer.resolution import Names, find_prior, read_by
from understudy.errors import DatabaseError, SelectorError, did_you_mean
from understudy.execute import outline as outlines
from understudy.execute.outline import Evidence, Explanation, Outline, State
from understudy.execute.plan import Plan, make_plan
from understudy.select.evaluate import Spec, evaluate
from understudy.select.why import causes

AS_BUILD = frozenset({"plan", "explain"})
"""Commands that look ahead at what `build` does."""


def planned(invocation: Invocation, all_set: Ready) -> Plan:
    """The steps of the command: what it runs, and what `plan` shows."""
    options, adapter = invocation.options, all_set.adapter
    fuse_tests = adapter.capabilities.fused_tests if options.fuse_tests is None else options.fuse_tests
    return make_plan(
        all_set.project.manifest,
        all_set.project.dag,
        all_set.selection.nodes,
        "build" if options.command in AS_BUILD else options.command,
        store_failures=options.store_failures,
        fuse_tests=fuse_tests,
        durations=all_set.states.took(),
        clones=all_set.deferral.clones,
    )


def plan(invocation: Invocation) -> Outcome:
    """Say what `build` would do with the same arguments. Raises what it would raise before its first statement."""
    told: list[str] = []
    recording = replace(invocation, emit=_recorder(invocation.emit, told))
    with ready(recording, COMMANDS["plan"]) as all_set:
        found = outline(recording, all_set, planned(invocation, all_set))
    found = replace(found, warnings=tuple(dict.fromkeys(told)))
    as_json = invocation.options.output == "json"
    invocation.emit(Output(outlines.as_json(found)) if as_json else Planned(found))
    return Outcome(results=found)


def explain(invocation: Invocation) -> Outcome:
    """Say why nodes are built, and where each of their references goes. Raises SelectorError for what names nothing."""
    asked: list[str] = []
    options = invocation.options
    if not (options.select or options.exclude or options.selector):  # then in the light of a build of just them
        options = replace(options, select=options.nodes)
    context = replace(invocation, options=options)
    with ready(
        context, COMMANDS["explain"], lambda project, states: _with_named(context, project, states, asked)
    ) as all_set:
        evidence = gather(context, all_set, planned(invocation, all_set), also=asked)
        found = explanation(evidence, asked, all_set.states)
    as_json = invocation.options.output == "json"
    invocation.emit(Output(outlines.as_json(found)) if as_json else Explained(found))
    return Outcome(results=found)


def explanation(evidence: Evidence, asked: Iterable[str], states: States, *, referred: bool = True) -> Explanation:
    """The nodes with their references: those that each reads, and (`referred`) those to itself."""
    nodes = tuple(outlines.describe(evidence, unique_id) for unique_id in asked)
    wanted = dict.fromkeys(each for node in nodes for each in node.reads)
    if referred:
        wanted |= dict.fromkeys(node.unique_id for node in nodes if node.unique_id.partition(".")[0] in BUILT)
    return Explanation(nodes, outlines.refer(evidence, wanted), _states(states))


def tell(invocation: Invocation, all_set: Ready, steps: Plan) -> None:
    """`--explain`: say of what is built why it is, and where its references go, before anything runs."""
    evidence = gather(invocation, all_set, steps)
    built = [step.unique_id for step in steps.steps if step.unique_id.partition(".")[0] in BUILT]
    invocation.emit(Explained(explanation(evidence, built, all_set.states, referred=False), aside=True))


def outline(invocation: Invocation, all_set: Ready, steps: Plan) -> Outline:
    """The whole plan as people read it."""
    project, states, options = all_set.project, all_set.states, invocation.options
    evidence = gather(invocation, all_set, steps)
    spared = announce.stood_in(project, all_set.deferral, {step.unique_id for step in steps.steps})
    return Outline(
        command="build" if options.command in AS_BUILD else options.command,
        target=project.settings.target.name,
        engine=project.settings.target.type,
        criteria=announce.criteria(options.select, options.exclude, options.selector),
        states=_states(states),
        steps=outlines.steps(evidence),
        references=outlines.refer(evidence),
        skipped=tuple(outlines.skipped(evidence, all_set.selection.selected)),
        removed=tuple(sorted(states.comparison.removed())) if states.compared else (),
        hooks=(*steps.on_run_start, *steps.on_run_end),
        estimate=outlines.estimate(evidence, spared),
    )


def gather(invocation: Invocation, all_set: Ready, steps: Plan, also: Iterable[str] = ()) -> Evidence:
    """Everything that an outline tells of, looked up: existence of relations, causes, changes, the states' results."""
    project, states, options = all_set.project, all_set.states, invocation.options
    names = Names(project.dialect, project.settings.root.quoting)
    wanted = [*(step.unique_id for step in steps.steps), *also]
    return Evidence(
        manifest=project.manifest,
        dag=project.dag,
        plan=steps,
        resolution=all_set.deferral.resolution,
        referenced=all_set.deferral.frontier.referenced,
        names=names,
        priors=states.priors,
        existing=_look(all_set, names, wanted),
        causes=causes(spec_of(options, COMMANDS["build"]), world_of(project, states), all_set.selection.selected),
        changes=states.comparison.reasons if states.compared else None,
        stale=all_set.applied.stale,
        seconds={i: result.execution_time for i, result in states.ran().items()},
        built=states.built,
        full_refresh=options.full_refresh,
        clones=all_set.deferral.clones,
        sizes=_sizes(all_set, sources(all_set.deferral.clones)),
        clone_limit=0 if options.empty else options.clone_limit,
    )


def _sizes(all_set: Ready, relations: Sequence[Relation]) -> Mapping[Relation, int]:
    """About how many rows stand in relations, where the engine tells without counting."""
    dialect = all_set.adapter.dialect
    query, names = dialect.ddl.row_estimates, {(each.identifier or "").lower() for each in relations}
    if query is None or not names:
        return {}
    sql = query.format(names=", ".join(map(dialect.ddl.literal, sorted(names))))
    with closing(all_set.adapter.connect()) as connection, suppress(DatabaseError):
        rows = connection.execute(Statement(sql, fetch=True, purpose="introspect")).rows
        found = {dialect.key(dialect.relation(*name)): int(size) for *name, size in rows}
        return {each: found[dialect.key(each)] for each in relations if dialect.key(each) in found}
    return {}


def _look(all_set: Ready, names: Names, wanted: Iterable[str]) -> Callable[[Relation], Relation | bool | None]:
    """Whether relations exist: what was listed for the decisions, and the schemas of the wanted nodes, here and in states."""
    key, listings = names.dialect.key, dict(all_set.deferral.listings)

    def schema_key(name: SchemaName) -> object:
        return key(names.dialect.relation(name.database, name.schema, None))

    schemas = set()
    for unique_id in wanted:
        node = all_set.project.manifest.nodes.get(unique_id)
        if node is None or node.resource_type not in BUILT or node.is_ephemeral:
            continue
        schemas.add(names.own(node).schema_name)
        _, prior = find_prior(all_set.states.priors, unique_id)
        if prior is not None:
            schemas.add(names.prior(prior).schema_name)
    known = {schema_key(name) for name in listings}
    unknown = [name for name in sorted(schemas, key=str) if schema_key(name) not in known]
    if unknown:
        listings |= list_schemas(all_set.adapter, unknown, all_set.cache)
    listed = {schema_key(name) for name, answer in listings.items() if not isinstance(answer, Exception)}
    found = {key(each): each for answer in listings.values() if not isinstance(answer, Exception) for each in answer}

    def look(relation: Relation) -> Relation | bool | None:
        if schema_key(relation.schema_name) not in listed:
            return None
        return found.get(key(relation), False)

    return look


def _with_named(invocation: Invocation, project: Project, states: States, asked: list[str]) -> Chosen:
    """The selection of the run in whose light nodes are explained; the nodes that are named go into `asked`."""
    options = invocation.options
    world = world_of(project, states)
    found = evaluate(Spec(options.nodes, indirect="empty", empty_nodes=True), world)
    asked += [each for each in found.nodes if each in project.manifest.nodes]
    if not asked:
        names = {card.name for i, card in project.manifest.cards.items() if i in project.manifest.nodes}
        hint = did_you_mean(options.nodes[0], names) or "'understudy list' names them all"
        raise SelectorError(f"There is no node {' '.join(options.nodes)!r}", hint=hint)
    selection = choose(invocation, project, states, COMMANDS["explain"])
    reached = {each for unique_id in asked for each in (unique_id, *read_by(project.manifest, project.dag, unique_id))}
    related = frozenset(each for each in reached if each.partition(".")[0] in BUILT)
    return Chosen(project, selection, frozenset(selection.nodes), maybe=related)


def _states(states: States) -> tuple[State, ...]:
    def shown(state: StateInUse) -> State:
        return State(state.label, state.origin, state.age, state.nodes)

    return tuple(shown(state) for state in states.in_use())


def _recorder(emit: Callable[[Event], None], told: list[str]) -> Callable[[Event], None]:
    """Passes events on, and keeps the warnings among them."""

    def record(event: Event) -> None:
        if isinstance(event, WarningRaised):
            told.append(event.warning.message)
        emit(event)

    return record
