"""What is really built: the rule by which it is told, the file, and the state that is read with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from support.graphs import edges, manifest, model, seed, state_bytes

from understudy.core.manifest import Manifest
from understudy.core.nodes import Macro
from understudy.errors import StateError
from understudy.state.applied import HASHED, Print, Prints, changed_inputs, difference, without_values
from understudy.state.built import FORM, NOTHING, BuiltState, Entry, Head, Older, decode_built, record_of, standing
from understudy.state.change import Change
from understudy.state.diff import Comparison, compare
from understudy.state.prior import Prior, decode_prior

A, B = "model.shop.a", "model.shop.b"
OLD, NEW = Print("old"), Print("new")
RAW = msgspec.Raw(b'{"name":"a"}')


def raw(node: Older) -> bytes:
    assert isinstance(node, msgspec.Raw)
    return bytes(node)


def entry(record: str = "r1", at: str = "t1", print_: Print | None = OLD, **fields: Any) -> Entry:
    return Entry(record=record, print=print_, finished=at, invocation=f"i{at}", **fields)


def stands(
    recorded: Entry | None = None,
    before: Entry | None = None,
    ended: str | None = None,
    *,
    today: str = "r1",
    node_before: Older = NOTHING,
    exists: bool | None = None,
    behind: tuple[str, ...] = (),
) -> Entry | None:
    """What is said of one node. `exists` None: nobody may ask."""

    def ask(unique_id: str) -> bool:
        assert exists is not None, "asked whether it exists"
        return exists

    found = standing(
        {A: today}, {A: recorded} if recorded else {}, {A: before} if before else {}, {A: ended} if ended else {},
        node_before=lambda unique_id: node_before, exists=ask, behind=lambda unique_id, then: behind,
    )  # fmt: skip
    return found.get(A)


def test_of_what_was_never_told_nothing_is_known() -> None:
    assert stands() is None
    assert stands(ended="success") is None, "the ledger did not hear of it"


def test_what_was_built_is_as_the_manifest_has_it() -> None:
    found = stands(entry(), ended="success")
    assert found == entry()
    assert found is not None
    assert (found.known, found.node, found.lost) == (True, NOTHING, False)
    assert stands(before=entry()) == entry(), "what was told before stays"


def test_the_later_build_counts() -> None:
    assert stands(entry(at="t2", print_=NEW), entry(at="t1")) == entry(at="t2", print_=NEW)
    assert stands(entry(at="t1"), entry(at="t2", print_=NEW)) == entry(at="t2", print_=NEW), "built on another machine"
    assert stands(entry(at="t1", print_=NEW), entry(at="t1")) == entry(at="t1", print_=NEW)
    assert stands(Entry(print=OLD, record="r1"), Entry(print=NEW, record="r1")) == Entry(print=OLD, record="r1")


def test_an_older_node_comes_from_the_last_file_or_its_manifest() -> None:
    found = stands(entry(), entry(), today="r2", node_before=RAW)
    assert found is not None
    assert (raw(found.node), found.lost, found.known) == (raw(RAW), False, True)
    other = msgspec.Raw(b'{"name":"older"}')
    found = stands(None, entry(node=other), today="r2", node_before=RAW)
    assert found is not None
    assert raw(found.node) == raw(other), "the last file's own node is the older one"
    assert stands(None, entry(node=other), today="r1", node_before=RAW).node is NOTHING  # type: ignore[union-attr]


@pytest.mark.parametrize("before", [None, entry(record="r0"), entry(lost=True)])
def test_an_older_node_that_nobody_has_is_lost(before: Entry | None) -> None:
    found = stands(entry(at="t2"), before, today="r2", node_before=RAW)
    assert found is not None
    assert (found.lost, found.known, found.print) == (True, False, OLD)
    found = stands(entry(), None, today="r1")
    assert found is not None
    assert found.known


@pytest.mark.parametrize("ended", ["error", "skipped"])
def test_a_build_that_failed(ended: str) -> None:
    found = stands(entry(), entry(), ended, today="r2", node_before=RAW, behind=(B,))
    assert found is not None
    assert (found.failed, found.behind, raw(found.node), found.print) == (ended, (B,), raw(RAW), OLD)
    assert stands(ended=ended, exists=False) == Entry(exists=False, failed=ended)
    assert stands(ended=ended, exists=True) == Entry(exists=True, failed=ended)
    never = stands(ended=ended, exists=False)
    assert never is not None
    assert not never.known


def test_a_failure_is_remembered_until_it_is_built() -> None:
    failed = entry(failed="error", behind=(B,))
    assert stands(before=failed, behind=(B,)) == failed
    assert stands(entry(), failed, behind=(B,)) == failed, "the ledger knows of the same build, and of no later one"
    again = stands(before=failed)
    assert again is not None
    assert (again.failed, again.behind) == ("error", ()), "what it reads is again as it was"
    assert stands(entry(at="t2"), failed, "success") == entry(at="t2")
    assert stands(before=Entry(exists=False, failed="error"), exists=False) == Entry(exists=False, failed="error")
    assert stands(entry(at="t2"), Entry(exists=False, failed="error"), "success") == entry(at="t2")


def test_what_was_built_in_part_is_not_known() -> None:
    part = entry(at="t2", print_=None)
    assert stands(part, entry(), "partial", exists=True) == Entry(finished="t2", invocation="it2")
    assert stands(part, entry()) == Entry(finished="t2", invocation="it2"), "and so is what was cut short"
    gone = stands(part, entry(), "partial", exists=False)
    assert gone is not None
    assert not gone.exists


# The file


def document(nodes: Mapping[str, Entry], **head: Any) -> BuiltState:
    return BuiltState(Head(form=FORM, invocation_id="run", **head), dict(nodes))


def test_what_is_written_is_read_back() -> None:
    there = {
        A: entry(node=RAW, commit="abc", dirty=True, failed="error", behind=(B,), mixed=True),
        B: Entry(exists=False),
    }
    data = msgspec.json.encode(document(there, target="prod"))
    found = decode_built(data, origin="applied.json")
    assert raw(found.nodes[A].node) == raw(RAW)
    assert msgspec.json.encode(found) == data
    assert found.metadata.environment() == ("", "prod", None, "")
    assert b"null" not in msgspec.json.encode(there[B])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b"[]", "cannot be read"),
        (b'{"metadata":{"form":1}}', "cannot be read"),
        (b'{"metadata":{"form":1,"invocation_id":"x"},"nodes":{"a":7}}', "cannot be read"),
        (
            b'{"metadata":{"form":99,"invocation_id":"x","understudy":"9.0"},"nodes":7}',
            "later version of understudy (9.0, form 99)",
        ),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_damaged_file(data: bytes, said: str) -> None:
    with pytest.raises(StateError, match=r"applied\.json") as caught:
        decode_built(data, origin="prod/applied.json")
    assert said in str(caught.value)
    assert caught.value.hint


def test_unknown_fields_are_passed_over() -> None:
    data = b'{"metadata":{"form":1,"invocation_id":"x","more":1},"nodes":{"a":{"later":2}},"rest":[]}'
    assert decode_built(data, origin="x").nodes == {"a": Entry()}


def test_a_record_is_of_the_whole_node() -> None:
    assert record_of(model("a")) == record_of(model("a"))
    assert record_of(model("a")) != record_of(model("a", description="x"))
    assert len(record_of(seed("s"))) == 16


def test_values_of_the_environment_do_not_leave_the_machine() -> None:
    plain = Print("c", vars={"v": [1]}, env={"E": "tell nobody", "N": None})  # type: ignore[dict-item]
    hidden = without_values(plain)
    assert "tell nobody" not in str(hidden)
    assert hidden.env["E"].startswith(HASHED)
    assert without_values(hidden) == hidden
    for then, now in ((hidden, plain), (plain, hidden), (hidden, hidden)):
        assert difference(then, now) is None
    other = Print("c", vars={"v": [1]}, env={"E": "other", "N": None})  # type: ignore[dict-item]
    assert difference(hidden, other) == "env_var('E') has another value than when it was built"


def test_inputs_that_changed() -> None:
    then, now = Print("c", inputs={A: "1", B: "1", "gone": "1"}), Print("c", inputs={A: "1", B: "2", "new": "1"})
    assert changed_inputs(then, now) == ("gone", B, "new")
    assert changed_inputs(then, then) == ()


# The state that is read with it


def macro(name: str, text: str, package: str = "shop") -> Macro:
    return Macro(
        name=name, package_name=package, path="m.sql", original_file_path="m.sql",
        unique_id=f"macro.{package}.{name}", macro_sql=text,
    )  # fmt: skip


def project(code: str = "select 1", text: str = "1", alias: str = "a") -> Manifest:
    """b reads a, which uses a macro."""
    a = model("a", raw_code=code, alias=alias)
    a.depends_on.macros.append("macro.shop.m")
    return manifest(a, model("b", A), macros={"macro.shop.m": macro("m", text)})


def prior(of: Manifest, nodes: Mapping[str, Entry]) -> Prior:
    data = state_bytes(of, schema="prod", invocation_id="run")
    return decode_prior(data, origin="prod/manifest.json").as_built(document(nodes))


def node_of(of: Manifest, unique_id: str = A) -> msgspec.Raw:
    fields = json.loads(state_bytes(of, schema="prod"))["nodes"][unique_id]
    return msgspec.Raw(json.dumps(fields).encode())


def compared(today: Manifest, nodes: Mapping[str, Entry], of: Manifest | None = None) -> Comparison:
    return compare(today, prior(of or today, nodes))


def told(found: Comparison, unique_id: str = A) -> list[tuple[str, str]]:
    return [(each.check, each.key) for each in found.changes(unique_id)]


def test_what_is_built_as_the_manifest_says_is_compared_with_that() -> None:
    today = project()
    mine = Prints(today, edges(today)).of(A)
    built_now = Entry(print=mine, invocation="run")
    assert told(compared(today, {A: built_now})) == []
    assert told(compared(project("select 2"), {A: built_now}, today)) == [("body", "raw_code")]
    assert told(compared(today, {})) == [], "of what is not in the file, the manifest tells"
    assert prior(today, {A: built_now}).not_as_written() == 0


def test_what_failed_is_compared_with_what_stands_there() -> None:
    """The manifest has today's code, and the relation is of older code."""
    today, then = project("select 2"), project("select 1", alias="a_older")
    mine = Prints(then, edges(then)).of(A)
    failed = Entry(print=mine, node=node_of(then), invocation="earlier", failed="error")
    found = compared(today, {A: failed})
    assert told(found) == [("body", "raw_code")]
    assert found.prior.not_as_written() == 1
    old = found.prior.relational(A)
    assert old is not None
    assert (old.raw_code, old.alias) == ("select 1", "a_older"), "a reference goes to the relation that is there"
    assert told(compared(then, {A: failed}, today)) == [], "the older code again"


def test_what_failed_because_of_what_it_reads() -> None:
    today = project()
    mine = Prints(today, edges(today)).of(B)
    found = compared(today, {B: Entry(print=mine, invocation="earlier", failed="skipped", behind=(A,))})
    (change,) = found.changes(B)
    assert change == Change(
        "build", "", "the last run there did not build it, and a, which it reads, has changed since it was built"
    )
    assert found.matches("modified", B)
    assert not found.matches("unmodified", B)
    assert not found.matches("modified.body", B)
    assert not found.matches("new", B)


def test_what_was_built_with_older_macros() -> None:
    """The run that failed had the macros of today; the relation was built by those before."""
    today, then = project(text="2"), project(text="1")
    mine = Prints(then, edges(then)).of(A)
    for invocation, expected in (("earlier", [("macros", "")]), ("run", [])):
        found = compared(today, {A: Entry(print=mine, invocation=invocation)})
        assert told(found) == expected
        assert found.matches("modified.macros", A) is bool(expected)
    found = compared(project(text="3"), {A: Entry(print=mine, invocation="earlier")}, today)
    assert told(found) == [("macros", "macro.shop.m")], "told once, by name"
    assert told(compared(then, {A: Entry(print=mine, invocation="earlier")})) == []
    plain = project()
    plain.nodes[A].depends_on.macros.clear()
    plain.nodes[A].raw_code = "select 2"
    found = compared(plain, {A: Entry(print=Prints(then, edges(then)).of(A), invocation="earlier")}, then)
    assert told(found) == [("body", "raw_code")], "it uses none any more, and those that it used are as they were"


def test_what_was_never_built_is_in_no_state() -> None:
    today = project()
    found = compared(today, {A: Entry(exists=False, failed="error")})
    assert found.is_new(A)
    assert found.prior.relational(A) is None
    assert [str(each) for each in found.changes(A)] == ["new", "build: it was never built there -> nothing"]
    assert found.prior.relations() == 1
    assert A not in found.removed()


@pytest.mark.parametrize("unknown", [Entry(), Entry(print=OLD, lost=True, record="r")])
def test_what_is_not_known_counts_as_changed_and_can_be_read(unknown: Entry) -> None:
    found = compared(project(), {A: unknown})
    assert told(found) == [("build", "")]
    assert found.prior.relational(A) is not None
    assert found.prior.carried(A) is None


def test_a_manifest_alone_is_as_ever() -> None:
    data = state_bytes(project(), schema="prod")
    alone = decode_prior(data, origin="x")
    assert (alone.entry(A), alone.carried(A), alone.unbuilt(A), alone.not_as_written()) == (None, None, None, 0)


def test_the_nodes_are_those_that_are_built() -> None:
    today = project()
    found = prior(today, {A: Entry(exists=False), "model.shop.gone": Entry(print=OLD, node=node_of(today, B))})
    assert list(found.nodes) == [B, "model.shop.gone"]
    assert (len(found.nodes), A in found.nodes, B in found.nodes) == (2, False, True)
    with pytest.raises(KeyError):
        found.nodes[A]
    assert found.nodes["model.shop.gone"] == found.nodes[B]
    counted = decode_prior(state_bytes(today, schema="prod"), origin="x")
    assert (counted.relations(), counted.as_built(document({A: Entry(exists=False)})).relations()) == (2, 1)


def test_a_damaged_node_of_the_file_is_told() -> None:
    found = compared(project(), {A: Entry(print=OLD, node=msgspec.Raw(b'{"name":7}'))})
    with pytest.raises(StateError, match="damaged"):
        found.changes(A)
