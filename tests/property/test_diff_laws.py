"""Laws of the comparison, over random models and edits."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.graphs import manifest, model, state, state_bytes

from understudy.core.nodes import Macro, MacroDependsOn, Model
from understudy.state.diff import compare
from understudy.state.fingerprint import digest, fingerprint
from understudy.state.prior import decode_prior
from understudy.state.unrendered import read_tree, words

SCALAR = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6)
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
KEY = st.sampled_from(["materialized", "meta", "alias", "schema", "tags", "pre-hook", "grants", "own"])
FIELDS = st.fixed_dictionaries(
    {
        "raw_code": st.text(max_size=12),
        "description": st.text(max_size=5),
        "unrendered_config": st.dictionaries(KEY, VALUE, max_size=4),
        "access": st.sampled_from(["private", "protected", "public"]),
        "deprecation_date": st.none() | st.dates().map(str) | st.text(max_size=4),
    }
)
MODELS = st.lists(FIELDS, min_size=1, max_size=5).map(lambda all: [model(f"m{i}", **f) for i, f in enumerate(all)])


@given(MODELS)
def test_a_manifest_does_not_differ_from_itself(models: list[Model]) -> None:
    for writer in ({}, {"env": {"understudy": "0.1.0"}}):
        comparison = compare(manifest(*models), state(manifest(*models), **writer))
        assert all(comparison.changes(node.unique_id) == () for node in models)


@given(MODELS, st.data())
def test_changed_iff_the_fingerprints_differ(models: list[Model], data: st.DataObject) -> None:
    edited = [copy.deepcopy(node) for node in models]
    for node in edited:
        for name, value in data.draw(FIELDS).items():
            if data.draw(st.booleans()):
                setattr(node, name, value)
    comparison = compare(manifest(*edited), state(manifest(*models), env={"understudy": "0.1.0"}))
    for old, new in zip(models, edited, strict=True):
        changes = comparison.changes(new.unique_id)
        assert comparison.matches("modified", new.unique_id) == bool(changes)
        assert comparison.matches("unmodified", new.unique_id) != bool(changes)
        ignored = {"tags", "group"}
        mine, theirs = fingerprint(new), fingerprint(old)
        for parts in (mine, theirs):
            parts["configs"] = {k: v for k, v in parts["configs"].items() if k not in ignored | set(parts["relation"])}
        assert bool(changes) == (digest(mine) != digest(theirs))
        assert {c.check for c in changes} == {check for check in mine if digest(mine[check]) != digest(theirs[check])}


@given(st.lists(st.sets(st.integers(0, 7)), min_size=8, max_size=8), st.sets(st.integers(0, 7)), st.integers(0, 7))
def test_macros_are_followed_to_the_end(calls: list[set[int]], edited: set[int], used: int) -> None:
    def macros(changed: set[int]) -> dict[str, Macro]:
        return {
            f"macro.shop.m{i}": Macro(
                name=f"m{i}", package_name="shop", path="m", original_file_path="m", unique_id=f"macro.shop.m{i}",
                macro_sql="new" if i in changed else "old",
                depends_on=MacroDependsOn([f"macro.shop.m{c}" for c in sorted(calls[i])]),
            )
            for i in range(8)
        }  # fmt: skip

    user = model("user")
    user.depends_on.macros.append(f"macro.shop.m{used}")
    comparison = compare(manifest(user, macros=macros(edited)), state(manifest(user, macros=macros(set()))))
    reached, waiting = {used}, [used]
    while waiting:
        for called in calls[waiting.pop()] - reached:
            reached.add(called)
            waiting.append(called)
    changes = comparison.changes("model.shop.user")
    assert bool(changes) == bool(reached & edited)
    assert {c.key for c in changes} <= {f"macro.shop.m{i}" for i in reached & edited}


@given(MODELS, st.integers(0, 400))
def test_a_damaged_state_is_a_state_error_and_nothing_else(models: list[Model], cut: int) -> None:
    from understudy.errors import StateError

    data = state_bytes(manifest(*models))
    for broken in (data[:cut], data[:cut] + b"\x00" + data[cut + 1 :], data[:cut] + data[cut + 1 :]):
        try:
            prior = decode_prior(broken, origin="m.json")
            comparison = compare(manifest(*models), prior)
            for node in models:
                comparison.changes(node.unique_id)
        except StateError:
            pass


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader_of_trees(text: str) -> None:
    assert words(text) is not None
    assert read_tree(f"Keyword(key='k', value={text})") is not None


@given(VALUE)
def test_any_value_reads_back_from_its_tree(value: Any) -> None:
    def tree(of: Any) -> str:
        if isinstance(of, list):
            return f"List(items=[{', '.join(map(tree, of))}])"
        if isinstance(of, dict):
            return f"Dict(items=[{', '.join(f'Pair(key={tree(k)}, value={tree(v)})' for k, v in of.items())}])"
        if isinstance(of, int) and not isinstance(of, bool) and of < 0:
            return f"Neg(node=Const(value={-of}))"
        return f"Const(value={of!r})"

    assert read_tree(f"Keyword(key='k', value={tree(value)})") == (True, value)
