"""What laws are tested on: graphs, edits of nodes, selection trees. Generic, for every room."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from support.resources import make, manifest_of

from understudy.core.manifest import Manifest
from understudy.select.grammar import METHODS, Criterion, Group, Tree

NAMES = st.text("abcxyz_", min_size=1, max_size=4)
VALUES = st.text("abcxyz_*?[].-/1é", min_size=1, max_size=8).filter(lambda text: text.strip())


@st.composite
def graphs(draw: st.DrawFn, *, most: int = 12) -> dict[str, list[str]]:
    """Nodes with their parents, without circles, in an order that need not have parents first."""
    count = draw(st.integers(0, most))
    edges = [draw(st.sets(st.integers(0, max(n - 1, 0)), max_size=3)) if n else set() for n in range(count)]
    order = draw(st.permutations(range(count)))
    return {f"n{n}": [f"n{parent}" for parent in sorted(edges[n])] for n in order}


@st.composite
def manifests(draw: st.DrawFn, *, most: int = 8) -> Manifest:
    """Models, sources, seeds and tests that depend on each other; tags, folders and packages from a small choice."""
    ids: list[str] = []
    resources: list[Any] = []
    for n in range(draw(st.integers(0, most))):
        kind = draw(st.sampled_from(["model", "model", "model", "seed", "source"]))
        package = draw(st.sampled_from(["shop", "shop", "lib"]))
        unique_id = f"{kind}.{package}.{'s.' if kind == 'source' else ''}n{n}"
        parents = draw(st.lists(st.sampled_from(ids), max_size=3, unique=True)) if ids and kind == "model" else []
        folder = draw(st.sampled_from(["models", "models/a", "models/a/b"]))
        tags = draw(st.lists(st.sampled_from(["x", "y", "xy"]), max_size=2, unique=True))
        resources.append(make(unique_id, *parents, tags=tags, original_file_path=f"{folder}/n{n}.sql"))
        ids.append(unique_id)
    for n in range(draw(st.integers(0, most)) if ids else 0):
        parents = draw(st.lists(st.sampled_from(ids), min_size=1, max_size=3, unique=True))
        resources.append(
            make(f"test.shop.t{n}", *parents, original_file_path="models/a/tests.yml", fqn=["shop", f"t{n}"])
        )
    return manifest_of(*draw(st.permutations(resources)))


def criteria(values: st.SearchStrategy[tuple[str, str]] | None = None) -> st.SearchStrategy[Criterion]:
    """Criteria as the command line can say them; `values` are pairs of a method and its value."""

    def build(
        pair: tuple[str, str], keys: list[str], before: tuple[bool, bool, int | None], after: tuple[bool, int | None]
    ) -> Criterion:
        (method, value), (at, parents, parents_depth), (children, children_depth) = pair, before, after
        return Criterion(
            method, value, tuple(keys) if method == "config" else (), at, parents, parents_depth if parents else None,
            children and not at, children_depth if children and not at else None,
        )  # fmt: skip

    depth = st.none() | st.integers(0, 3)
    any_pair = st.tuples(st.sampled_from(METHODS), VALUES)
    return st.builds(
        build,
        any_pair if values is None else values,
        st.lists(NAMES, min_size=1, max_size=2),
        st.tuples(st.booleans(), st.booleans(), depth),
        st.tuples(st.booleans(), depth),
    )


def unions(leaves: st.SearchStrategy[Criterion] | None = None) -> st.SearchStrategy[Group]:
    """What `--select` can say: a union of intersections."""
    intersections = st.lists(criteria() if leaves is None else leaves, min_size=1, max_size=3).map(
        lambda c: Group("intersection", tuple(c))
    )
    return st.lists(intersections, max_size=3).map(lambda parts: Group("union", tuple(parts)))


def trees(leaves: st.SearchStrategy[Criterion], modes: st.SearchStrategy[Any]) -> st.SearchStrategy[Tree]:
    """What `selectors.yml` can say: groups in groups, each with a mode."""

    def groups(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        parts = st.lists(inner, max_size=3).map(tuple)
        return st.builds(Group, st.sampled_from(["union", "intersection", "difference"]), parts, modes)

    return st.recursive(leaves, groups, max_leaves=6)
