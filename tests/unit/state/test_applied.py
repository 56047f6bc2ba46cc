"""The print of a node: what changes it, what does not, and how a difference is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest
from support.graphs import edges, manifest, model, seed
from support.resources import make

from understudy.core.manifest import Manifest, Uses
from understudy.core.nodes import Checksum, Macro, MacroDependsOn
from understudy.state.applied import Print, Prints, difference

A, B, C = "model.shop.a", "model.shop.b", "model.shop.c"


def macro(name: str, text: str = "1", *calls: str, package: str = "shop") -> Macro:
    return Macro(
        name=name, package_name=package, path="m.sql", original_file_path="m.sql",
        unique_id=f"macro.{package}.{name}", macro_sql=text, depends_on=MacroDependsOn(list(calls)),
    )  # fmt: skip


def today() -> Manifest:
    """raw, numbers -> a -> b -> c; b uses macro m, which calls n."""
    nodes = [model("a", "source.shop.s.raw", "seed.shop.numbers"), model("b", A), model("c", B), seed("numbers")]
    nodes[1].depends_on.macros.extend(["macro.shop.m", "macro.dbt.is_incremental", "macro.shop.gone"])
    macros = [macro("m", "1", "macro.shop.n", "macro.shop.m"), macro("n"), macro("is_incremental", package="dbt")]
    return manifest(
        *nodes, sources={"source.shop.s.raw": make("source.shop.s.raw")},
        macros={each.unique_id: each for each in macros}, uses={A: Uses({"day": [1]}, {"ZONE": "eu"})},
    )  # fmt: skip


def edit(change: Callable[[Manifest], Any]) -> Manifest:
    found = today()
    change(found)
    return found


def put(unique_id: str, **values: Any) -> Callable[[Manifest], None]:
    def change(found: Manifest) -> None:
        for name, value in values.items():
            setattr(found.nodes[unique_id], name, value)

    return change


def text_of(name: str) -> Callable[[Manifest], None]:
    return lambda found: setattr(found.macros[name], "macro_sql", "2")


def told(new: Manifest, unique_id: str) -> str | None:
    old = today()
    return difference(Prints(old, edges(old)).of(unique_id), Prints(new, edges(new)).of(unique_id))


def uses(variables: dict[str, Any], zone: str) -> Callable[[Manifest], None]:
    return lambda found: found.uses.update({A: Uses(variables, {"ZONE": zone})})


OTHER = "has another value than when it was built"
OWN = "its code has changed since it was built"
MACRO = "a macro that it uses has changed since it was built"


@pytest.mark.parametrize(
    ("change", "unique_id", "expected"),
    [
        (lambda found: None, C, None),
        (put(A, raw_code="select 2"), A, OWN),
        (put(A, raw_code="select 2"), B, "a, which it reads, has changed since it was built"),
        (put(A, raw_code="select 2"), C, "b, which it reads, has changed since it was built"),
        (put(B, unrendered_config={"materialized": "table"}), B, OWN),
        (put(B, description="other", fqn=["shop", "x", "b"], tags=["t"]), B, None),
        (put("seed.shop.numbers", checksum=Checksum("sha256", "2")), A,
         "numbers, which it reads, has changed since it was built"),
        (lambda found: setattr(found.sources["source.shop.s.raw"], "identifier", "z"), A,
         "s.raw, which it reads, has changed since it was built"),
        (text_of("macro.shop.m"), B, MACRO),
        (text_of("macro.shop.n"), B, MACRO),
        (text_of("macro.dbt.is_incremental"), B, None),
        (uses({"day": [2]}, "eu"), A, f"var('day') {OTHER}"),
        (uses({"day": [1]}, "us"), A, f"env_var('ZONE') {OTHER}"),
        (uses({"day": [1], "new": None}, "eu"), A, f"var('new') {OTHER}"),
        (lambda found: found.nodes[C].depends_on.nodes.append(A), C, "a, which it reads, has changed since it was built"),
    ],
)  # fmt: skip
def test_difference(change: Callable[[Manifest], Any], unique_id: str, expected: str | None) -> None:
    assert told(edit(change), unique_id) == expected


def test_several_inputs_are_named() -> None:
    then, now = Print("x", inputs={A: "1", B: "1"}), Print("x", inputs={A: "2", B: "2"})
    assert difference(then, now) == "a, b, which it reads, have changed since it was built"


def test_a_print_is_the_same_when_it_is_read_back() -> None:
    found = today()
    found.uses[A] = Uses({"when": date(2026, 1, 2), "many": (1, 2)}, {})
    made = Prints(found, edges(found)).of(A)
    assert msgspec.json.decode(msgspec.json.encode(made), type=Print) == made


def test_functions_count_as_inputs() -> None:
    found = edit(lambda each: each.nodes[C].depends_on.nodes.append("function.shop.f"))
    found.functions["function.shop.f"] = make("function.shop.f")
    before = Prints(found, edges(found)).of(C)
    found.functions["function.shop.f"].raw_code = "other"
    assert difference(before, Prints(found, edges(found)).of(C)) == "f, which it reads, has changed since it was built"


def test_what_is_not_there() -> None:
    with pytest.raises(KeyError):
        Prints(today(), edges(today())).of("model.shop.nope")


def test_each_node_and_macro_is_read_once() -> None:
    found = edit(lambda each: each.nodes[C].depends_on.nodes.extend([A, "seed.shop.numbers"]))
    found.nodes[C].depends_on.macros.append("macro.shop.n")
    prints = Prints(found, edges(found))
    assert set(prints.of(C).inputs) == {A, B, "seed.shop.numbers"}
    assert prints.of(C) is prints.of(C)
    assert prints.of(B).macros != prints.of(C).macros != ""


def test_what_the_project_does_in_the_place_of_the_engine_s_macro_counts() -> None:
    def adds(name: str) -> Callable[[Manifest], None]:
        return lambda found: found.macros.update({f"macro.shop.{name}": macro(name, "1", "macro.dbt.is_incremental")})

    for name in ("default__is_incremental", "duckdb__is_incremental"):
        assert told(edit(adds(name)), B) == "a macro that it uses has changed since it was built"
    assert told(edit(adds("spark__is_incremental")), B) is None
    assert told(edit(adds("default__is_incremental")), A) is None
