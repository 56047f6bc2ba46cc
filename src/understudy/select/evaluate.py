"""From trees to nodes: criteria, the graph around them, the tests that come along, and what types a command wants."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from understudy.core.warning import Warning_
from understudy.errors import SelectorError
from understudy.select.grammar import Criterion, Group, Indirect, Tree, command_line
from understudy.select.methods import METHODS
from understudy.select.world import World
from understudy.select.yaml import find_selector


class Spec(msgspec.Struct, frozen=True):
    """What the command line asks for. `select` and `exclude` None or empty: nothing was said.

    `resource_types` None: of every type. `empty_nodes`: nodes without code count, too (dbt 1.11: `list` alone shows them).
    """

    select: Sequence[str] | None = None
    exclude: Sequence[str] | None = None
    selector: str | None = None
    indirect: Indirect = "eager"
    resource_types: Collection[str] | None = None
    exclude_resource_types: Collection[str] = ()
    empty_nodes: bool = False


class Selection(msgspec.Struct, frozen=True):
    """`selected`: what matches the criteria, of every type; deferral asks it. `nodes`: what the command works on, parents
    first. `removed`: where `state:removed` asks for it, what the state has and today's project has not.
    """

    selected: frozenset[str]
    nodes: tuple[str, ...]
    warnings: tuple[Warning_, ...] = ()
    removed: tuple[str, ...] = ()


def evaluate(spec: Spec, world: World) -> Selection:
    """Select. A selector that is named wins over `select` and `exclude`; the default one stands in when nothing is said.

    Raises SelectorError for what cannot be understood, StateError for a method whose state is missing.
    """
    warnings: list[Warning_] = []
    tree = tree_of(spec, world, warnings)
    selected = frozenset(Evaluation(world, spec.indirect, warnings).select(tree)[0])
    nodes = tuple(i for i in world.dag.order() if i in selected and _wanted(i, spec, world))
    removed = tuple(world.comparison().removed()) if _asks_removed(tree) else ()
    if removed:
        warnings = [each for each in warnings if "'state:removed'" not in each.message]
    elif not nodes:
        warnings.append(Warning_("NoNodesSelected", "Nothing is selected"))
    return Selection(selected, nodes, tuple(dict.fromkeys(warnings)), removed)


def _asks_removed(tree: Tree) -> bool:
    """Whether `state:removed` is asked for. Raises SelectorError where it is combined with more than a union: of what is
    gone, nothing is known that other criteria could look at.
    """
    waiting: list[tuple[Tree, bool]] = [(tree, True)]
    asked = False
    while waiting:
        part, alone = waiting.pop()
        if isinstance(part, Group):
            united = part.operator == "union" or not part.parts[1:] or _excludes_nothing(part)
            waiting += [(each, alone and united) for each in part.parts]
        elif part.method == "state" and part.value == "removed":
            if not alone or part.parents or part.children or part.childrens_parents:
                hint = "It may stand beside others: -s state:modified state:removed"
                raise SelectorError(
                    "'state:removed' has no neighbours, and cannot be intersected or excluded", hint=hint
                )
            asked = True
    return asked


def _excludes_nothing(group: Group) -> bool:
    return group.operator == "difference" and not any(isinstance(p, Criterion) or p.parts for p in group.parts[1:])


def tree_of(spec: Spec, world: World, warnings: list[Warning_]) -> Tree:
    """The tree that holds in this run (dbt 1.11: get_selection_spec)."""
    said = bool(spec.select or spec.exclude)
    default = next((each for each in world.selectors.values() if each.default), None)
    if spec.selector is not None:
        selector = find_selector(spec.selector, world.selectors)
        if said:
            text = f"--selector {spec.selector} is used alone; --select and --exclude are not looked at"
            warnings.append(Warning_("SelectionIgnored", text))
    elif default is not None and not said:
        selector = default
    else:
        return command_line(spec.select, spec.exclude)
    warnings += selector.warnings
    return selector.tree


def _wanted(unique_id: str, spec: Spec, world: World) -> bool:
    """Whether the command works on a selected node."""
    card = world.index.resources[unique_id]
    kind = card.resource_type
    if (spec.resource_types is not None and kind not in spec.resource_types) or kind in spec.exclude_resource_types:
        return False
    if spec.empty_nodes or unique_id not in world.index.nodes or kind == "seed":
        return True
    return card.coded


class Evaluation(msgspec.Struct, frozen=True):
    """One selection at work. Every step has two sets: what is selected, and the tests that may join later, when the rest
    of what they look at turns out to be selected, too (dbt 1.11: NodeSelector).
    """

    world: World
    indirect: Indirect
    warnings: list[Warning_]

    def select(self, tree: Tree) -> tuple[set[str], set[str]]:
        """The two sets of a tree."""
        mode = tree.indirect or self.indirect
        if isinstance(tree, Criterion):
            selected = self.around(tree, set(METHODS[tree.method](self.world, tree)))
            return (selected, set()) if mode == "empty" else self.with_tests(selected, mode)
        pairs = [self.select(part) for part in tree.parts]
        direct = _combine(tree, [direct for direct, _ in pairs])
        possible = _combine(tree, [direct | indirect for direct, indirect in pairs])
        self.join(direct, possible, mode)
        if tree.expected is not None and not direct:
            message = f"The selection criterion '{tree.expected}' does not match any enabled nodes"
            self.warnings.append(Warning_("NoNodesForSelectionCriteria", message))
        return direct, possible

    def around(self, criterion: Criterion, nodes: set[str]) -> set[str]:
        """The nodes with their relatives, as `+` and `@` ask."""
        dag = self.world.dag
        selected = set(nodes)
        if criterion.childrens_parents:
            family = dag.descendants(nodes) | nodes
            selected |= family | dag.ancestors(family)
        if criterion.parents:
            selected |= dag.ancestors(nodes, criterion.parents_depth)
        if criterion.children:
            selected |= dag.descendants(nodes, criterion.children_depth)
        return selected & self.world.index.resources.keys()

    def with_tests(self, selected: set[str], mode: Indirect) -> tuple[set[str], set[str]]:
        """The nodes with the tests that come along, and the tests that may join later (dbt 1.11: expand_selection)."""
        below = {child for node in selected for child in self.world.dag.children(node)}
        tests = (below & self.world.index.tests) - selected
        if mode == "eager":
            return selected | tests, set()
        reach = selected
        if tests and mode == "buildable":
            reach = selected | self.world.dag.ancestors(selected) | self.world.manifest.sources.keys()
        joining = {test for test in tests if reach.issuperset(self.world.dag.parents(test))}
        return selected | joining, tests - joining

    def join(self, direct: set[str], possible: set[str], mode: Indirect) -> None:
        """Add the possible tests whose nodes are selected by now (dbt 1.11: incorporate_indirect_nodes; unlike the first
        look, it takes no unit tests, and sources only when they are selected).
        """
        later = (possible - direct) & self.world.index.nodes.keys()
        if not later or mode not in ("cautious", "buildable"):
            return
        reach = direct if mode == "cautious" else direct | self.world.dag.ancestors(direct)
        direct |= {test for test in later if reach.issuperset(self.world.dag.parents(test))}


def _combine(group: Group, sets: Iterable[set[str]]) -> set[str]:
    """Union, intersection or difference; of nothing it is nothing."""
    sets = list(sets)
    if not sets:
        return set()
    if group.operator == "union":
        return set().union(*sets)
    return sets[0].intersection(*sets[1:]) if group.operator == "intersection" else sets[0].difference(*sets[1:])
