"""Laws of selection: text and tree are one; the sets are those of a plain reading of the rules."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from property.strategies import VALUES, criteria, manifests, trees, unions

from understudy.core.manifest import Manifest
from understudy.errors import SelectorError
from understudy.graph.dag import Dag
from understudy.select.evaluate import Spec, evaluate
from understudy.select.grammar import INDIRECT, Criterion, Group, Tree, parse
from understudy.select.world import World
from understudy.select.yaml import Selector

PAIRS = st.one_of(
    st.tuples(st.just("tag"), st.sampled_from(["x", "y", "xy", "x*", "?"])),
    st.tuples(
        st.just("fqn"),
        st.sampled_from(["n1", "n2", "n*", "a", "shop.a", "a.b", "lib", "*", "t1", "?.n1", "a.*", "none"]),
    ),
    st.tuples(st.just("resource_type"), st.sampled_from(["model", "test", "source", "seed"])),
    st.tuples(st.just("package"), st.sampled_from(["this", "lib", "s*"])),
    st.tuples(st.just("source"), st.sampled_from(["s", "s.n1", "lib.s.*"])),
)
MODES = st.sampled_from(INDIRECT)


@given(unions())
def test_what_is_printed_is_read_back(tree: Group) -> None:
    assert parse([str(tree)] if tree.parts else []) == tree


def read(arguments: list[str]) -> Group | str:
    """The tree, or why there is none."""
    try:
        return parse(arguments)
    except SelectorError as error:
        return error.message


@given(st.lists(st.text("ab:+@,. */1", max_size=10), max_size=3))
def test_all_input_is_read_or_refused(arguments: list[str]) -> None:
    """Nothing is dropped: the criteria, printed, are what was written (with the method where it was left out)."""
    tree = read(arguments)
    if isinstance(tree, str):
        assert "at character" in tree
        return
    words = [word for argument in arguments for word in argument.split()]
    groups = [part for part in tree.parts if isinstance(part, Group) and part.operator == "intersection"]
    assert [group.expected for group in groups] == words
    for group, word in zip(groups, words, strict=True):
        for criterion, text in zip(group.parts, word.split(","), strict=True):
            assert isinstance(criterion, Criterion)
            assert str(criterion) == text or str(criterion).replace(f"{criterion.method}:", "", 1) == text


@given(VALUES)
def test_a_tag_of_any_text_is_found_by_its_name(value: str) -> None:
    (group,) = parse([f"tag:{value}"]).parts
    assert isinstance(group, Group)
    assert group.parts == (Criterion("tag", value),)


class Naive:
    """The rules as sentences: slow, recursive, one node at a time."""

    def __init__(self, manifest: Manifest, mode: str) -> None:
        self.manifest = manifest
        self.mode = mode
        self.parents = {
            r.unique_id: list(getattr(getattr(r, "depends_on", None), "nodes", [])) for r in manifest.resources()
        }

    def above(self, node: str, depth: int | None) -> set[str]:
        if depth == 0:
            return set()
        less = None if depth is None else depth - 1
        return {x for parent in self.parents[node] for x in {parent} | self.above(parent, less)}

    def matches(self, criterion: Criterion, resource: Any) -> bool:
        value = criterion.value
        if criterion.method == "tag":
            return any(fnmatchcase(tag, value) for tag in resource.tags)
        if criterion.method == "resource_type":
            return bool(resource.resource_type == value)
        if criterion.method == "package":
            return fnmatchcase(resource.package_name, "shop" if value == "this" else value)
        if criterion.method == "source":
            words = value.split(".")
            package, source, table = ["*"] * (len(words) < 3) + words + ["*"] * (len(words) < 2)
            names = (resource.package_name, getattr(resource, "source_name", None), resource.name)
            return names[1] is not None and all(
                fnmatchcase(n, p) for n, p in zip(names, (package, source, table), strict=True)
            )
        if resource.resource_type == "source":
            return False
        return self.named(resource.fqn, value) or self.named(resource.fqn[1:], value)

    def named(self, fqn: list[str], value: str) -> bool:
        words = value.split(".")
        if fqn[-1] == value:
            return True
        if len(fqn) < len(words):
            return False
        wild = next((n for n, word in enumerate(words) if "*" in word or "?" in word), len(words))
        if fqn[:wild] != words[:wild]:
            return False
        return wild == len(words) or fnmatchcase(".".join(fqn[wild:]), ".".join(words[wild:])) or (
            len(words) == 1 and fnmatchcase(fqn[-1], value)
        )  # fmt: skip

    def criterion(self, c: Criterion) -> tuple[set[str], set[str]]:
        start = {r.unique_id for r in self.manifest.resources() if self.matches(c, r)}
        chosen = set(start)
        if c.childrens_parents:
            family = {n for n in self.parents if n in start or start & self.above(n, None)}
            chosen |= family | {x for n in family for x in self.above(n, None)}
        if c.parents:
            chosen |= {x for n in start for x in self.above(n, c.parents_depth)}
        if c.children:
            chosen |= {n for n in self.parents if start & self.above(n, c.children_depth)}
        mode = c.indirect or self.mode
        joined, later = set(chosen), set()
        for test, looks_at in self.parents.items():
            if not test.startswith("test.") or not set(looks_at) & chosen or mode == "empty":
                continue
            near = chosen | {x for n in chosen for x in self.above(n, None)} | set(self.manifest.sources)
            if mode == "eager" or set(looks_at) <= chosen or (mode == "buildable" and set(looks_at) <= near):
                joined.add(test)
            else:
                later.add(test)
        return joined, later

    def select(self, tree: Tree) -> tuple[set[str], set[str]]:
        if isinstance(tree, Criterion):
            return self.criterion(tree)
        pairs = [self.select(part) for part in tree.parts]
        direct = self.combined(tree.operator, [one for one, _ in pairs])
        possible = self.combined(tree.operator, [one | other for one, other in pairs])
        mode = tree.indirect or self.mode
        near = set(direct)
        if mode == "buildable":
            near |= {x for n in direct for x in self.above(n, None)}
        if mode in ("cautious", "buildable"):
            direct |= {test for test in possible if test in self.manifest.nodes and set(self.parents[test]) <= near}
        return direct, possible

    def combined(self, operator: str, sets: list[set[str]]) -> set[str]:
        everything = {x for one in sets for x in one}
        if operator == "union" or not sets:
            return everything
        if operator == "intersection":
            return {x for x in everything if all(x in one for one in sets)}
        return {x for x in sets[0] if not any(x in one for one in sets[1:])}


@given(manifests(), trees(criteria(PAIRS), st.none() | MODES), MODES)
def test_a_tree_selects_what_a_plain_reading_selects(manifest: Manifest, tree: Tree, mode: Any) -> None:
    world = World(manifest, Dag.of(manifest), "shop", selectors={"s": Selector("s", tree)})
    selection = evaluate(Spec(selector="s", indirect=mode, empty_nodes=True), world)
    assert selection.selected == Naive(manifest, mode).select(tree)[0]
    assert set(selection.nodes) == selection.selected


@given(manifests(), unions(criteria(PAIRS)), unions(criteria(PAIRS)), MODES)
def test_select_and_exclude_are_a_difference(manifest: Manifest, select: Group, exclude: Group, mode: Any) -> None:
    world = World(manifest, Dag.of(manifest), "shop")
    spec = Spec(
        [str(select)] if select.parts else None,
        [str(exclude)] if exclude.parts else None,
        indirect=mode,
        empty_nodes=True,
    )
    everything = Group("union", (Criterion("fqn", "*"), Criterion("source", "*")))
    tree = Group("difference", (select if select.parts else everything, exclude), "eager")
    assert evaluate(spec, world).selected == Naive(manifest, mode).select(tree)[0]
