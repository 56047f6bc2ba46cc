"""Diff and select: what the command acts on."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from understudy.app.commands import Command
from understudy.app.invocation import Invocation, Retried
from understudy.app.load import Project
from understudy.app.options import Options
from understudy.app.states import States
from understudy.errors import raise_all
from understudy.select.evaluate import Selection, Spec, evaluate
from understudy.select.grammar import INDIRECT, Indirect
from understudy.select.world import World
from understudy.select.yaml import read_selectors


class Chosen(msgspec.Struct, frozen=True):
    """What a command acts on.

    Attributes:
        project: with the query of the command line, where there is one.
        selection: its `nodes` are compiled or run.
        command: everything that the command, or the run that is retried, works on; what of it is built is its own.
        also: nodes that are referred to from outside of the graph, and must be there.
        maybe: nodes that may be referred to; nobody can tell before it happens.
    """

    project: Project
    selection: Selection
    command: frozenset[str]
    also: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()


def chosen(invocation: Invocation, project: Project, states: States, command: Command) -> Chosen:
    """What `--inline`, `retry` or the selection says. Raises SelectorError, StateError; JinjaError, LinkError of a query."""
    if invocation.options.inline is not None:
        from understudy.app.inline import with_inline

        extended, selection = with_inline(invocation, project, invocation.options.inline)
        return Chosen(extended, selection, frozenset())
    selection = choose(invocation, project, states, command)
    if invocation.retried is None:
        return Chosen(project, selection, frozenset(selection.nodes))
    return _again(project, selection, invocation.retried)


def _again(project: Project, selection: Selection, retried: Retried) -> Chosen:
    """What did not succeed, whatever is selected by now; what the earlier run did still counts as selected and built."""
    nodes = tuple(unique_id for unique_id in project.dag.order() if unique_id in retried.again)
    return Chosen(
        project,
        replace(selection, selected=selection.selected | retried.all, nodes=nodes),
        frozenset(selection.nodes) | retried.all,
    )


def choose(invocation: Invocation, project: Project, states: States, command: Command) -> Selection:
    """The selection. Raises SelectorError, and StateError where a method needs a state that is not there."""
    spec, world = spec_of(invocation.options, command), world_of(project, states)
    selection = evaluate(spec, world)
    warnings, errors = states.findings()
    invocation.warn(*selection.warnings, *warnings)
    raise_all(errors)
    return selection


def spec_of(options: Options, command: Command) -> Spec:
    """What the options select, as the command reads them."""
    return Spec(
        select=options.select,
        exclude=options.exclude,
        selector=options.selector,
        indirect=_indirect(options.indirect_selection),
        resource_types=resource_types_of(options, command),
        empty_nodes=command.name == "list",
    )


def world_of(project: Project, states: States) -> World:
    """What a selection may look at."""
    return World(
        manifest=project.manifest,
        dag=project.dag,
        project_name=project.settings.root.name,
        compare=lambda: states.comparison,
        results=lambda: states.statuses,
        freshness=lambda: states.freshness,
        selectors=read_selectors(project.settings.root.selectors),
    )


def resource_types_of(options: Options, command: Command) -> frozenset[str]:
    """The resource types that the command acts on, given the options."""
    return resource_types(options.resource_types, options.exclude_resource_types, command)


def resource_types(included: tuple[str, ...], excluded: tuple[str, ...], command: Command) -> frozenset[str]:
    """The resource types that the command acts on (dbt 1.11: resource_types_from_args)."""
    named: set[str] = set()
    for word in included or ("default",):
        named |= {"default": command.types, "all": command.all_types or command.types}.get(word, {word})
    return frozenset(named & (command.all_types or command.types)) - set(excluded)


def _indirect(word: str) -> Indirect:
    return next(mode for mode in INDIRECT if mode == word)
