"""Which nodes wait for which tests in a `build`.

A node waits for a test when every node that the test looks at is above it (dbt 1.11: add_test_edges). So nothing is built
upon data that failed its tests, and no circle can come of it. An edge that follows from others is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from understudy.core.manifest import Manifest

Edges = Mapping[str, Sequence[str]]


def waiting(manifest: Manifest, order: Sequence[str], parents: Edges, children: Edges) -> dict[str, list[str]]:
    """Node -> the tests that it waits for, over those that its parents wait for already. `order` has parents first."""
    tests = [node for node in order if _is_test(manifest, node)]
    waits: dict[str, list[str]] = defaultdict(list)
    of_one: dict[str, list[str]] = defaultdict(list)
    for test in tests:
        if len(parents[test]) == 1:
            of_one[parents[test][0]].append(test)
    for tested, its_tests in of_one.items():
        for node in _next_nodes(manifest, tested, children):
            waits[node].extend(its_tests)
    several = [test for test in tests if len(parents[test]) > 1]
    for node, more in _complete(manifest, several, order, parents):
        waits[node].extend(more)
    return waits


def _is_test(manifest: Manifest, unique_id: str) -> bool:
    return unique_id in manifest.nodes and manifest.cards[unique_id].resource_type == "test"


def _next_nodes(manifest: Manifest, start: str, children: Edges) -> Iterator[str]:
    """The nearest nodes below that are run, tests aside; what is not run (a metric, a function) is passed through."""
    passed = {start}
    ways = [start]
    while ways:
        for child in children[ways.pop()]:
            if child in passed or _is_test(manifest, child):
                continue
            passed.add(child)
            if child in manifest.nodes:
                yield child
            else:
                ways.append(child)


def _complete(
    manifest: Manifest, tests: Sequence[str], order: Sequence[str], parents: Edges
) -> Iterator[tuple[str, list[str]]]:
    """For tests that look at several nodes: each node where the last of them has come together, with those tests.

    A set of tests is one integer with a bit for each, so that a step costs a machine word for 64 tests rather than a
    look at each. There is one such set per place in the tests' lists of parents: the tests whose parent there is above
    the node. A test is complete where it is in all of them.
    """
    if not tests:
        return
    tests = sorted(tests, key=lambda test: -len(parents[test]))  # the sets of the later places stay small
    places = _places(tests, parents)
    every = (1 << len(tests)) - 1
    others = [every ^ ((1 << sum(len(parents[test]) > place for test in tests)) - 1) for place in range(len(places))]
    above: dict[str, list[int]] = {}  # what a node hands down to its children, for each place
    done: dict[str, int] = {}
    for node in order:
        if _is_test(manifest, node):
            continue
        sets = [0] * len(places)
        inherited = 0
        for parent in parents[node]:
            sets = [mine | theirs for mine, theirs in zip(sets, above[parent], strict=True)]
            inherited |= done[parent]
        complete = every
        for present, without in zip(sets, others, strict=True):
            complete &= present | without
        if node in manifest.nodes:
            if complete & ~inherited:
                yield node, [tests[bit] for bit in _bits(complete & ~inherited)]
            inherited |= complete
        done[node] = inherited
        above[node] = [mine | own.get(node, 0) for mine, own in zip(sets, places, strict=True)]


def _places(tests: Sequence[str], parents: Edges) -> list[dict[str, int]]:
    """For each place in a list of parents: node -> the set of the tests that name it there."""
    places: list[dict[str, int]] = []
    for place in range(len(parents[tests[0]])):
        bits: defaultdict[str, list[int]] = defaultdict(list)
        for bit, test in enumerate(tests):
            if place < len(parents[test]):
                bits[parents[test][place]].append(bit)
        places.append({node: _mask(numbers) for node, numbers in bits.items()})
    return places


def _mask(bits: Iterable[int]) -> int:
    mask = 0
    for bit in bits:
        mask |= 1 << bit
    return mask


def _bits(mask: int) -> list[int]:
    """The numbers of the bits that are set, from the lowest."""
    found = []
    while mask:
        lowest = mask & -mask
        found.append(lowest.bit_length() - 1)
        mask ^= lowest
    return found
