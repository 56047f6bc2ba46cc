"""Why each node is in a selection: which criterion it matches, or by way of which node it came along."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import msgspec

from understudy.select.evaluate import Evaluation, Spec, tree_of
from understudy.select.grammar import Criterion, Group, Tree
from understudy.select.methods import METHODS
from understudy.select.world import World

How = Literal["matches", "below", "above", "tests", "everything"]
RANK: dict[How, int] = {"matches": 0, "below": 1, "above": 2, "tests": 3, "everything": 4}
"""Of several causes the first of these is told."""


class Cause(msgspec.Struct, frozen=True):
    """Why a node is selected.

    Attributes:
        how: it matches the criterion; it is below (or above) a node that does; it tests a selected node; nothing was said.
        criterion: as it was written; empty where nothing was.
        of: the node by way of which it came.
    """

    how: How
    criterion: str = ""
    of: str | None = None


def causes(spec: Spec, world: World, selected: Iterable[str]) -> dict[str, Cause]:
    """The cause of each selected node. Raises what `evaluate` raises for the same spec."""
    wanted = dict.fromkeys(selected)
    tree = tree_of(spec, world, [])
    by_default = not spec.exclude and any(selector.default for selector in world.selectors.values())
    said = bool(spec.select or spec.selector) or by_default
    found: dict[str, Cause] = {}
    for word in _words(tree) if said else ():
        for unique_id, cause in _of_word(word, world):
            known = found.get(unique_id)
            if unique_id in wanted and (known is None or RANK[cause.how] < RANK[known.how]):
                found[unique_id] = cause
    for unique_id in wanted:
        if unique_id not in found:
            found[unique_id] = _came_along(unique_id, world, found) if said else Cause("everything")
    return {unique_id: found[unique_id] for unique_id in wanted}


def _words(tree: Tree) -> Iterator[tuple[Tree, str]]:
    """The parts of a selection that stand beside each other, each as it was written. What is excluded gives no cause."""
    waiting: list[tuple[Tree, str | None]] = [(tree, None)]
    while waiting:
        part, text = waiting.pop(0)
        if isinstance(part, Group):
            text = part.expected or text
        if isinstance(part, Group) and (part.operator != "intersection" or len(part.parts) == 1):
            parts = part.parts[:1] if part.operator == "difference" else part.parts
            waiting = [*((each, text) for each in parts), *waiting]
        else:
            yield part, text or str(part)


def _of_word(word: tuple[Tree, str], world: World) -> Iterator[tuple[str, Cause]]:
    tree, text = word
    if not isinstance(tree, Criterion):
        yield from ((i, Cause("matches", text)) for i in Evaluation(world, "empty", []).select(tree)[0])
        return
    direct = sorted(METHODS[tree.method](world, tree))
    yield from ((i, Cause("matches", text)) for i in direct)
    family = dict.fromkeys(direct)
    if tree.children or tree.childrens_parents:
        for unique_id, origin in spread(world.dag.children, direct, tree.children_depth):
            family[unique_id] = None
            yield unique_id, Cause("below", text, origin)
    if tree.parents or tree.childrens_parents:
        roots = list(family) if tree.childrens_parents else direct
        for unique_id, origin in spread(world.dag.parents, roots, tree.parents_depth):
            yield unique_id, Cause("above", text, origin)


def spread(
    neighbours: Callable[[str], Iterable[str]], roots: Iterable[str], depth: int | None
) -> Iterator[tuple[str, str]]:
    """What can be reached from the roots within that many steps, nearest first, each with the root that it was reached
    from; the roots themselves are not in it.
    """
    waiting = deque((root, root, 0) for root in roots)
    seen = {root for root, _, _ in waiting}
    while waiting:
        unique_id, origin, steps = waiting.popleft()
        if steps == depth:
            continue
        for near in neighbours(unique_id):
            if near not in seen:
                seen.add(near)
                waiting.append((near, origin, steps + 1))
                yield near, origin


def _came_along(unique_id: str, world: World, found: dict[str, Cause]) -> Cause:
    """The cause of a test that came along with what it looks at."""
    near = (parent for parent in world.dag.parents(unique_id) if parent in found)
    return Cause("tests", of=next(near, next(iter(world.dag.parents(unique_id)), None)))
