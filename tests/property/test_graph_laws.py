"""Laws of the graph: on random ones against plain recursion, on long ones without any."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from property.strategies import graphs, manifests

from understudy.core.manifest import Manifest
from understudy.graph.dag import Dag

Parents = dict[str, list[str]]


def above(parents: Parents, node: str, depth: int | None = None) -> set[str]:
    """All ancestors, the plain way."""
    if depth == 0:
        return set()
    less = None if depth is None else depth - 1
    return {found for parent in parents[node] for found in {parent} | above(parents, parent, less)}


@given(graphs())
def test_order_has_every_node_once_after_its_parents(parents: Parents) -> None:
    order = Dag.from_parents(parents).order()
    place = {node: n for n, node in enumerate(order)}
    assert sorted(order) == sorted(parents)
    assert all(place[parent] < place[node] for node in parents for parent in parents[node])


@given(graphs(), st.data())
def test_ancestors_and_descendants_mirror_each_other(parents: Parents, data: st.DataObject) -> None:
    dag = Dag.from_parents(parents)
    start = data.draw(st.sets(st.sampled_from(sorted(parents)))) if parents else set()
    depth = data.draw(st.none() | st.integers(0, 4))
    assert dag.ancestors(start, depth) == {found for node in start for found in above(parents, node, depth)}
    below = {node for node in parents if start & above(parents, node, depth)}
    assert dag.descendants(start, depth) == below


@given(graphs(), st.data())
def test_a_subset_says_the_same_of_what_is_above_what(parents: Parents, data: st.DataObject) -> None:
    kept = data.draw(st.sets(st.sampled_from(sorted(parents)))) if parents else set()
    subset = Dag.from_parents(parents).subset(kept)
    assert set(subset) == kept
    assert all(subset.ancestors([node]) == above(parents, node) & kept for node in kept)


@given(graphs(), st.data())
def test_one_edge_against_the_order_is_found_as_a_circle(parents: Parents, data: st.DataObject) -> None:
    pairs = sorted((node, parent) for node in parents for parent in above(parents, node) | {node})
    if not pairs:
        return
    node, parent = data.draw(st.sampled_from(pairs))
    circular = {**parents, parent: [*parents[parent], node]}
    circle = Dag.from_parents(circular).cycle()
    assert circle is not None
    assert circle[0] == circle[-1]
    assert len(set(circle)) == len(circle) - 1
    assert all(after in circular[before] for before, after in pairwise(circle))


@given(manifests())
def test_a_node_waits_for_exactly_the_tests_whose_nodes_are_all_above_it(manifest: Manifest) -> None:
    plain = Dag.of(manifest)
    dag = plain.with_tests(manifest)
    tests = [node for node in plain if node.startswith("test.")]
    for node in plain:
        upstream = plain.ancestors([node])
        waits = {test for test in tests if set(plain.parents(test)) <= upstream} if node in manifest.nodes else set()
        if node not in tests:
            assert dag.ancestors([node]) & set(tests) == waits
    assert dag.cycle() is None


def test_a_chain_of_many_thousands_needs_no_recursion() -> None:
    length = 30_000
    parents = {f"n{n}": [f"n{n - 1}"] if n else [] for n in range(length)}
    dag = Dag.from_parents(parents)
    assert len(dag.order()) == length
    assert len(dag.ancestors([f"n{length - 1}"])) == length - 1
    assert len(dag.descendants(["n0"])) == length - 1
    assert list(dag.subset(["n0", f"n{length - 1}"]).parents(f"n{length - 1}")) == ["n0"]
    circle = Dag.from_parents({**parents, "n0": [f"n{length - 1}"]}).cycle()
    assert circle is not None
    assert len(circle) == length + 1
