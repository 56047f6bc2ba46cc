"""The decisions of one run as one frozen value: `Resolution: unique_id -> Decision`.

In this order: `frontier` says whose existence must be asked, and in which schemas; the caller lists those schemas, each
once; `existence` reads the listings; `resolve` decides. Then `defer.check` finds what is missing or odd.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

import msgspec

from understudy.core.manifest import Manifest
from understudy.core.nodes import Node
from understudy.core.relation import Relation, SchemaName
from understudy.defer.decide import Facts, Policy, Reason, decide, depends_on_existence
from understudy.sql.dialect import Dialect
from understudy.state.prior import Prior, PriorNode

RELATIONAL = frozenset({"model", "seed", "snapshot", "function"})
"""Resource types that a reference can be resolved to a relation (or a function) for."""
RUNNABLE = RELATIONAL | {"test", "unit_test", "analysis", "operation", "sql_operation"}
"""Resource types whose SQL is compiled."""


class Parents(Protocol):
    """What is needed of graph.dag.Dag."""

    def parents(self, unique_id: str, /) -> Iterable[str]:
        """The direct parents of a node."""


class LabelledPrior(msgspec.Struct, frozen=True):
    """One state of the chain, with the name under which people know it (`prod-artifacts`)."""

    label: str
    prior: Prior


class Names(msgspec.Struct, frozen=True):
    """How relations are named today: the engine's dialect and the project's `quoting`."""

    dialect: Dialect
    quoting: Mapping[str, bool | None] = msgspec.field(default_factory=dict)

    def own(self, node: Node) -> Relation:
        """The relation that the node has in today's target."""
        return self.dialect.relation(node.database, node.schema, node.alias, quoting=self.quoting)

    def prior(self, node: PriorNode) -> Relation:
        """The relation that a state gives, by today's quoting rules; the state's `relation_name` is never used."""
        return self.dialect.relation(node.database, node.schema, node.alias or node.name, quoting=self.quoting)


class Unlisted(msgspec.Struct, frozen=True):
    """A schema that could not be listed, with the driver's message."""

    schema: SchemaName
    message: str
    hint: str | None = None


Existence = bool | Unlisted
"""Whether a relation is there: yes, no, or its schema could not be listed (which is never a no)."""
Listings = Mapping[SchemaName, Sequence[Relation] | Exception]
"""What the engine answered for each schema: its relations (none for a schema that is not there), or the driver's error."""


class Decision(msgspec.Struct, frozen=True):
    """Where references to one node go in this run, and why.

    Attributes:
        relation: None for an ephemeral node, and where the target could not be listed.
        state: the label of the state that has the node, whether or not its relation was taken.
        own: the node's relation in the target.
        prior: the relation that the state gives.
        exists: what was found in the target; None: nobody had to ask.
    """

    unique_id: str
    relation: Relation | None
    reason: Reason
    state: str | None = None
    own: Relation | None = None
    prior: Relation | None = None
    exists: Existence | None = None

    @property
    def deferred(self) -> bool:
        """Whether the state's relation stands in for the node's own."""
        return self.reason.defers

    def __str__(self) -> str:
        where = "a CTE" if self.relation is None else plain(self.relation)
        return f"{self.unique_id.split('.', 2)[-1]} -> {where} ({self.reason})"


class Frontier(msgspec.Struct, frozen=True):
    """What has to be known before references can be resolved.

    Attributes:
        referenced: the nodes that something selected can reach by `ref`, through ephemeral models, each with the nodes that need it.
        ask: those whose own existence must be known.
        schemas: every schema that must be listed, own and states'.
        cloned: the nodes whose relation may be cloned from a state, whether or not anything refers to them.
    """

    referenced: Mapping[str, tuple[str, ...]]
    ask: tuple[str, ...]
    schemas: frozenset[SchemaName]
    cloned: tuple[str, ...] = ()


class Resolution(Mapping[str, Decision]):
    """All decisions, frozen. `resolution.of(id)` also answers for nodes that nothing selected refers to: their own relation."""

    __slots__ = ("_decisions", "_manifest", "_names")

    def __init__(self, decisions: Mapping[str, Decision], manifest: Manifest, names: Names) -> None:
        self._decisions = dict(decisions)
        self._manifest = manifest
        self._names = names

    def __getitem__(self, unique_id: str) -> Decision:
        return self._decisions[unique_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._decisions)

    def __len__(self) -> int:
        return len(self._decisions)

    def of(self, unique_id: str) -> Decision:
        """The decision for any node that has a relation. Raises KeyError for an unknown unique_id."""
        kept = self._decisions.get(unique_id)
        if kept is not None:
            return kept
        node = node_of(self._manifest, unique_id)
        if node.is_ephemeral:
            return Decision(unique_id, None, Reason.EPHEMERAL)
        own = self._names.own(node)
        return Decision(unique_id, own, Reason.UNREACHED, own=own)

    def deferred(self) -> tuple[Decision, ...]:
        """The decisions that take a state's relation."""
        return tuple(decision for decision in self._decisions.values() if decision.deferred)


def node_of(manifest: Manifest, unique_id: str) -> Node:
    """A node or function of the manifest. Raises KeyError."""
    node: Node | None = manifest.nodes.get(unique_id) or manifest.functions.get(unique_id)
    if node is None:
        raise KeyError(unique_id)
    return node


def plain(relation: Relation) -> str:
    """A relation as people say it: `shop.prod.orders`, without quotes."""
    return ".".join(part for part in (relation.database, relation.schema, relation.identifier) if part)


def find_prior(priors: Sequence[LabelledPrior], unique_id: str) -> tuple[str | None, PriorNode | None]:
    """The first state of the chain that has a relation for the node, with its label."""
    for labelled in priors:
        node = labelled.prior.relational(unique_id)
        if node is not None:
            return labelled.label, node
    return None, None


def references(
    manifest: Manifest, parents: Parents, runs: Iterable[str], also: Iterable[str] = (), *, hooked: bool = True
) -> dict[str, tuple[str, ...]]:
    """The nodes that `runs` refer to, directly or through ephemeral models, each with those that need it.

    Hooks of the project (`operation` nodes) run with every selection of a command that is `hooked`, so theirs count.
    Exposures and the like run nothing.
    """
    hooks = [unique_id for unique_id in manifest.nodes if hooked and unique_id.startswith("operation.")]
    needed: dict[str, dict[str, None]] = {unique_id: {} for unique_id in also}
    for root in dict.fromkeys((*sorted(runs), *hooks)):
        if root.partition(".")[0] in RUNNABLE:
            for parent in read_by(manifest, parents, root):
                needed.setdefault(parent, {})[root] = None
    return {unique_id: tuple(sorted(needed[unique_id])) for unique_id in sorted(needed)}


def read_by(manifest: Manifest, parents: Parents, root: str) -> Iterator[str]:
    """The nodes that one node refers to, directly or through ephemeral models, each once.

    A unit test reads the types of what its rows stand for, where they are not given as SQL, and the model's functions.
    """
    if root in manifest.unit_tests:
        yield from _typed_by(manifest, parents, root)
        return
    waiting, seen = [root], {root}
    while waiting:
        for parent in parents.parents(waiting.pop()):
            if parent in seen or parent.partition(".")[0] not in RELATIONAL:
                continue
            seen.add(parent)
            yield parent
            if manifest.cards[parent].is_ephemeral:
                waiting.append(parent)


def _typed_by(manifest: Manifest, parents: Parents, unit_test: str) -> Iterator[str]:
    test = manifest.unit_tests[unit_test]
    given = zip(manifest.inputs.get(unit_test, ()), test.given, strict=True)
    typed = [unique_id for unique_id, each in given if unique_id is not None and each["format"] != "sql"]
    for unique_id in dict.fromkeys(typed):
        node = manifest.nodes.get(unique_id)
        if node is not None and not node.is_ephemeral:
            yield unique_id
    for model in test.depends_on.nodes:
        yield from (parent for parent in parents.parents(model) if parent in manifest.functions)


def facts(
    node: Node,
    selected: AbstractSet[str],
    builds: AbstractSet[str],
    prior: PriorNode | None,
    exists: bool | None,
    current: bool = False,
) -> Facts:
    """What the rule must know of one node."""
    return Facts(
        ephemeral=node.is_ephemeral,
        selected=node.unique_id in selected,
        builds=node.unique_id in builds,
        prior=prior is not None,
        exists=exists,
        current=current,
    )


def frontier(
    manifest: Manifest,
    dag: Parents,
    selected: AbstractSet[str],
    builds: AbstractSet[str],
    priors: Sequence[LabelledPrior],
    policy: Policy,
    names: Names,
    *,
    runs: Iterable[str] | None = None,
    verify: bool = True,
    also: Iterable[str] = (),
    cloned: Iterable[str] = (),
    hooked: bool = True,
) -> Frontier:
    """Whose existence must be asked, in which schemas: only nodes that something which runs refers to.

    Args:
        selected: unique_ids that match the selection, before resource types filter it.
        builds: those of them that this run materializes.
        runs: those of them that this command compiles or executes; None: all.
        also: nodes that are referred to from outside of the graph (`run-operation`, an inline query).
        verify: also ask for what `defer.check.missing` needs: the states' relations, and nodes that no state has.
        cloned: nodes that may be cloned: what stands there, here and in the state, must be known (`defer.clones`).
        hooked: the project's hooks run with the command.
    """
    needed = references(manifest, dag, selected if runs is None else runs, also, hooked=hooked)
    ask, schemas = [], set()
    for unique_id in needed:
        node = node_of(manifest, unique_id)
        if node.resource_type == "function":
            continue  # engines list relations, not functions
        _, prior = find_prior(priors, unique_id)
        known = facts(node, selected, builds, prior, None)
        unknown = depends_on_existence(known, policy)
        if unknown or (verify and decide(known, policy) is Reason.NOT_IN_STATE):
            ask.append(unique_id)
            schemas.add(names.own(node).schema_name)
        if verify and prior is not None and (unknown or decide(known, policy).defers):
            schemas.add(names.prior(prior).schema_name)
    clones = tuple(sorted(cloned))
    for unique_id in clones:
        _, prior = find_prior(priors, unique_id)
        if prior is not None:
            schemas |= {names.own(node_of(manifest, unique_id)).schema_name, names.prior(prior).schema_name}
    return Frontier(needed, tuple(ask), frozenset(schemas), clones)


class Catalog:
    """The listings of schemas, searched by name as the engine compares names."""

    def __init__(self, listings: Listings, dialect: Dialect) -> None:
        self._dialect = dialect
        self._found = {
            dialect.key(relation): relation
            for relations in listings.values()
            if not isinstance(relations, Exception)
            for relation in relations
        }
        self._refused = {
            self._schema(schema): Unlisted(schema, str(getattr(error, "message", error)), getattr(error, "hint", None))
            for schema, error in listings.items()
            if isinstance(error, Exception)
        }

    def exists(self, relation: Relation) -> Existence:
        """Whether the relation is there; Unlisted when its schema could not be listed."""
        found = self.find(relation)
        return found if isinstance(found, Unlisted) else found is not None

    def find(self, relation: Relation) -> Relation | Unlisted | None:
        """The relation as it was listed, with its type; None: it is not there."""
        return self._refused.get(self._schema(relation.schema_name)) or self._found.get(self._dialect.key(relation))

    def _schema(self, schema: SchemaName) -> object:
        return self._dialect.key(self._dialect.relation(schema.database, schema.schema, None))


def existence(manifest: Manifest, frontier: Frontier, names: Names, catalog: Catalog) -> dict[str, Existence]:
    """Whether the own relation of each node in question exists in the target."""
    return {unique_id: catalog.exists(names.own(node_of(manifest, unique_id))) for unique_id in frontier.ask}


def resolve(
    manifest: Manifest,
    frontier: Frontier,
    selected: AbstractSet[str],
    builds: AbstractSet[str],
    priors: Sequence[LabelledPrior],
    policy: Policy,
    names: Names,
    exists: Mapping[str, Existence],
    current: AbstractSet[str] = frozenset(),
) -> Resolution:
    """Decide once, for every node that something selected refers to, or that may be cloned. The result does not depend on
    any order.

    `current`: the nodes whose own relation is known to be built from today's code.
    """
    decisions = {}
    for unique_id in dict.fromkeys((*frontier.referenced, *frontier.cloned)):
        node = node_of(manifest, unique_id)
        label, prior = find_prior(priors, unique_id)
        answer = exists.get(unique_id, False if node.resource_type == "function" else None)
        known = None if isinstance(answer, Unlisted) else answer
        reason = decide(facts(node, selected, builds, prior, known, unique_id in current), policy)
        own = None if node.is_ephemeral else names.own(node)
        state = None if prior is None else names.prior(prior)
        relation = state if reason.defers else None if reason is Reason.UNLISTED else own
        decisions[unique_id] = Decision(unique_id, relation, reason, label, own, state, answer)
    return Resolution(decisions, manifest, names)
