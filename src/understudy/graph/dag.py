"""The graph of a project: who depends on whom. Iterative, in a stable order, linear in nodes and edges."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from understudy.core.manifest import Manifest
from understudy.errors import CycleError
from understudy.graph.test_edges import waiting

Ids = Sequence[str]


class Dag:
    """Nodes with their parents and children, by unique_id. Immutable: methods that change something return a new one.

    Nodes stand in the order in which they were given, and so do a node's parents; that makes every answer stable. A
    parent that is no node of the graph is left out.
    """

    __slots__ = ("_children", "_order", "_parents")

    def __init__(self, parents: Mapping[str, Iterable[str]]) -> None:
        children: dict[str, list[str]] = {node: [] for node in parents}
        self._parents: dict[str, Ids] = {}
        self._children: Mapping[str, Ids] = children
        for node, above in parents.items():
            known = tuple([parent for parent in above if parent in children])
            if len(known) > 1:
                known = tuple(dict.fromkeys(known))
            self._parents[node] = known
            for parent in known:
                children[parent].append(node)
        self._order: list[str] | None = None

    @classmethod
    def from_parents(cls, parents: Mapping[str, Iterable[str]]) -> Dag:
        """A graph from each node's parents. Nothing is checked; see `cycle`."""
        return cls(parents)

    @classmethod
    def of(cls, manifest: Manifest) -> Dag:
        """The graph of a linked manifest. Raises CycleError with every node of the circle and its file."""
        dag = cls({unique_id: card.parents for unique_id, card in manifest.cards.items()})
        circle = dag.cycle()
        if circle is not None:
            raise cycle_error(circle, manifest)
        return dag

    def __contains__(self, unique_id: object) -> bool:
        return unique_id in self._parents

    def __iter__(self) -> Iterator[str]:
        return iter(self._parents)

    def __len__(self) -> int:
        return len(self._parents)

    def parents(self, unique_id: str, /) -> Ids:
        """The direct parents, in the order of their first use."""
        return self._parents[unique_id]

    def children(self, unique_id: str, /) -> Ids:
        """The direct children, in the order of the graph."""
        return self._children[unique_id]

    def ancestors(self, ids: Iterable[str], depth: int | None = None) -> set[str]:
        """What the nodes depend on, up to `depth` steps. A given node is in it only if it is above another one."""
        return _reach(self._parents, ids, depth)

    def descendants(self, ids: Iterable[str], depth: int | None = None) -> set[str]:
        """What depends on the nodes, up to `depth` steps. A given node is in it only if it is below another one."""
        return _reach(self._children, ids, depth)

    def order(self) -> list[str]:
        """All nodes, parents first; nodes of the same level in the order of the graph. Raises CycleError."""
        if self._order is None:
            done = self._sorted()
            if len(done) < len(self._parents):
                raise CycleError(" -> ".join(self.cycle() or ()))
            self._order = done
        return list(self._order)

    def _sorted(self) -> list[str]:
        """Kahn's order, which stops where a circle begins."""
        open_parents = {node: len(parents) for node, parents in self._parents.items()}
        done = [node for node, count in open_parents.items() if not count]
        for node in done:  # grows while it is read
            for child in self._children[node]:
                open_parents[child] -= 1
                if not open_parents[child]:
                    done.append(child)
        return done

    def cycle(self) -> list[str] | None:
        """A circle as the way around it, first node repeated at the end, each depending on the next; None without one."""
        if self._order is not None:
            return None
        done = self._sorted()
        if len(done) == len(self._parents):
            self._order = done
            return None
        stuck = dict.fromkeys(self._parents)
        for node in done:
            del stuck[node]
        path: dict[str, int] = {}
        node = next(iter(stuck))
        while node not in path:  # every stuck node has a stuck parent, so this must come around
            path[node] = len(path)
            node = next(parent for parent in self._parents[node] if parent in stuck)
        return [*list(path)[path[node] :], node]

    def subset(self, ids: Iterable[str]) -> Dag:
        """The graph of some nodes only. A path through nodes that are left out becomes an edge, so that order is kept
        (dbt 1.11: get_subset_graph). Ids that are no nodes are left out. Raises CycleError.
        """
        kept = {node for node in ids if node in self._parents}
        between = self.ancestors(kept) & self.descendants(kept) if len(kept) < len(self._parents) else kept
        nearest: dict[str, tuple[str, ...]] = {}  # of a node that is left out: the kept nodes right above it
        parents: dict[str, tuple[str, ...]] = {}
        for node in self.order():
            if node in kept or node in between:
                above: dict[str, None] = {}
                for parent in self._parents[node]:
                    above.update(dict.fromkeys((parent,) if parent in kept else nearest.get(parent, ())))
                (parents if node in kept else nearest)[node] = tuple(above)
        return Dag({node: parents[node] for node in self._parents if node in kept})

    def with_tests(self, manifest: Manifest) -> Dag:
        """The graph for `build`: what is below all nodes that a test looks at waits for the test, too, and a model for its
        unit tests (dbt 1.11: handle_model_with_unit_tests_node).

        See `graph.test_edges`. Raises CycleError when the graph has a circle already.
        """
        more = waiting(manifest, self.order(), self._parents, self._children)
        edges = {node: [*parents, *more.get(node, ())] for node, parents in self._parents.items()}
        tested = {unique_id: manifest.cards[unique_id].parents for unique_id in manifest.unit_tests}
        before = {model: list(edges[model]) for models in tested.values() for model in models if model in edges}
        for unique_id, models in tested.items():
            for model in models if unique_id in edges else ():
                if model in before:  # a unit test comes before its model, when what the model reads is there
                    edges[unique_id] = list(before[model])
                    edges[model].append(unique_id)
        return Dag(edges)

    def parent_map(self) -> Mapping[str, list[str]]:
        """`parent_map` of manifest.json: each node's parents, sorted."""
        return _Sorted(self._parents)

    def child_map(self) -> Mapping[str, list[str]]:
        """`child_map` of manifest.json: each node's children, sorted."""
        return _Sorted(self._children)


class _Sorted(Mapping[str, list[str]]):
    """The ends of edges in order, put so when they are asked for."""

    def __init__(self, edges: Mapping[str, Ids]) -> None:
        self._edges = edges

    def __getitem__(self, node: str) -> list[str]:
        return sorted(self._edges[node])

    def __iter__(self) -> Iterator[str]:
        return iter(self._edges)

    def __len__(self) -> int:
        return len(self._edges)


def _reach(edges: Mapping[str, Ids], ids: Iterable[str], depth: int | None) -> set[str]:
    """Breadth first from `ids` along `edges`; the start itself counts only where an edge leads to it."""
    reached: set[str] = set()
    layer: deque[str] = deque(node for node in dict.fromkeys(ids) if node in edges)
    steps = 0
    while layer and (depth is None or steps < depth):
        following: deque[str] = deque()
        for node in layer:
            for other in edges[node]:
                if other not in reached:
                    reached.add(other)
                    following.append(other)
        layer = following
        steps += 1
    return reached


def group_map(manifest: Manifest) -> dict[str, list[str]]:
    """`group_map` of manifest.json: the unique_ids of each group's nodes (dbt 1.11: build_group_map)."""
    groups: dict[str, list[str]] = {group.name: [] for group in manifest.groups.values()}
    grouped = (manifest.nodes, manifest.saved_queries, manifest.semantic_models, manifest.metrics) if groups else ()
    for unique_id in (each for part in grouped for each in part):
        group = manifest.cards[unique_id].group
        if group in groups:
            groups[group].append(unique_id)
    return groups


def cycle_error(circle: Ids, manifest: Manifest) -> CycleError:
    """The error for a circle: the way around it, and the file of each of its nodes."""
    files = dict.fromkeys(str(manifest.place(node)) for node in circle)
    return CycleError(
        "Nodes depend on each other in a circle: " + " -> ".join(_name(node) for node in circle),
        place=manifest.place(circle[0]),
        hint="The circle goes through: " + ", ".join(files),
    )


def _name(unique_id: str) -> str:
    return unique_id.split(".", 2)[-1]
