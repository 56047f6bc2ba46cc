"""Diff and select: what the command acts on."""

from __future__ import annotations

from understudy.app.commands import Command
from understudy.app.invocation import Invocation
from understudy.app.load import Project
from understudy.app.states import States
from understudy.select.evaluate import Selection, Spec, evaluate
from understudy.select.grammar import INDIRECT, Indirect
from understudy.select.world import World
from understudy.select.yaml import read_selectors


def choose(invocation: Invocation, project: Project, states: States, command: Command) -> Selection:
    """The selection. Raises SelectorError, and StateError where a method needs a state that is not there."""
    options = invocation.options
    spec = Spec(
        select=options.select,
        exclude=options.exclude,
        selector=options.selector,
        indirect=_indirect(options.indirect_selection),
        resource_types=resource_types(options.resource_types, options.exclude_resource_types, command),
        empty_nodes=command.name == "list",
    )
    world = World(
        manifest=project.manifest,
        dag=project.dag,
        project_name=project.settings.root.name,
        compare=lambda: states.comparison,
        results=lambda: states.statuses,
        selectors=read_selectors(project.settings.root.selectors),
    )
    selection = evaluate(spec, world)
    invocation.warn(*selection.warnings)
    return selection


def resource_types(included: tuple[str, ...], excluded: tuple[str, ...], command: Command) -> frozenset[str]:
    """The resource types that the command acts on (dbt 1.11: resource_types_from_args)."""
    named: set[str] = set()
    for word in included or ("default",):
        named |= {"default": command.types, "all": command.all_types or command.types}.get(word, {word})
    return frozenset(named & (command.all_types or command.types)) - set(excluded)


def _indirect(word: str) -> Indirect:
    return next(mode for mode in INDIRECT if mode == word)
