"""Macros are found, dispatched and followed as in dbt 1.11."""

from __future__ import annotations

import pytest

from understudy.core.source_file import SourceFile
from understudy.errors import DuplicateError, JinjaError
from understudy.template.macros import MacroIndex, parse_macros


def index(dispatch=(), **packages: str) -> MacroIndex:
    macros = {}
    for package, text in packages.items():
        for macro in parse_macros(SourceFile(package, "macro", "macros", "macros/m.sql", text, "")):
            macros[f"{package}.{macro.name}"] = macro
    builtins = dict.fromkeys(("concat", "default__concat", "star"), str)
    return MacroIndex(macros, builtins, "root", list(packages), dispatch, "duckdb")


def define(*names: str) -> str:
    return "".join(f"{{% macro {name}() %}}{{% endmacro %}}" for name in names)


def test_a_name_is_the_packages_own_then_the_roots_then_builtin() -> None:
    found = index(root=define("a", "star"), pkg=define("a", "b"), other=define("c"))
    assert found.find("a", "pkg").unique_id == "macro.pkg.a"
    assert found.find("a", "other").unique_id == "macro.root.a"
    assert found.find("star", "pkg").unique_id == "macro.root.star"
    assert found.find("concat", "pkg").unique_id == "macro.dbt.concat"
    assert found.find("b", "root") is None  # other packages answer to their full name only
    assert found.find("pkg.b", "root").unique_id == "macro.pkg.b"
    assert found.find("dbt.star", "root").unique_id == "macro.dbt.star"
    assert found.find("nowhere.star", "root") is None


def test_dispatch_prefers_the_adapter_and_the_root() -> None:
    found = index(root=define("default__x"), pkg=define("default__x", "duckdb__y", "default__y"))
    assert found.dispatch("x", "pkg", "pkg").unique_id == "macro.root.default__x"
    assert found.dispatch("y", "pkg", "root").unique_id == "macro.pkg.duckdb__y"
    assert found.dispatch("concat", "dbt", "pkg").unique_id == "macro.dbt.default__concat"
    with pytest.raises(JinjaError, match="No macro named 'z'") as caught:
        found.dispatch("z", "pkg", "root")
    assert "root.duckdb__z, root.default__z, pkg.duckdb__z, pkg.default__z" in caught.value.hint
    with pytest.raises(JinjaError, match="not a valid macro name"):
        found.dispatch("pkg.x", None, "root")


def test_a_search_order_decides() -> None:
    order = ({"macro_namespace": "pkg", "search_order": ["shim", "pkg"]},)
    found = index(order, root=define("default__x"), pkg=define("default__x"), shim=define("default__x"))
    assert found.dispatch("x", "pkg", "root").unique_id == "macro.shim.default__x"


def test_static_calls_are_those_of_the_text() -> None:
    text = """{% macro a() %}{{ b() }}{% if x %}{{ dbt.concat() }}{{ pkg.p() }}{% endif %}{{ ref('m') }}{{ log('x') }}
    {{ adapter.dispatch('a')() }}{{ adapter.get_relation() }}{{ unknown() }}{{ a() }}{% endmacro %}"""
    found = index(root=text + define("b", "default__a"), pkg=define("p"))
    macro = found.find("a", "root").macro
    assert found.static_calls(macro) == ["macro.root.b", "macro.dbt.concat", "macro.pkg.p", "macro.root.default__a"]


def test_the_closure_follows_calls_in_circles() -> None:
    found = index(root="{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}")
    for name in "ab":
        macro = found.find(name, "root").macro
        macro.depends_on.macros = found.static_calls(macro)
    assert found.closure(["macro.root.a"]) == {"macro.root.a", "macro.root.b"}


def test_names_of_tests_and_materializations() -> None:
    text = """{% test t(model, column_name=none) %}{% endtest %}{% data_test d(model) %}{% enddata_test %}
    {% materialization m, adapter='duckdb', supported_languages=['sql', 'python'] %}{% endmaterialization %}
    {% materialization m, default %}{% endmaterialization %}{% macro typed(a: string, b: list[int] = [1], c: dict[str,
        str]={}) %}{% endmacro %}"""
    file = SourceFile("root", "macro", "macros", "macros/m.sql", text, "")
    lines: dict[str, int] = {}
    macros = parse_macros(file, lines)
    assert [macro.name for macro in macros] == [
        "test_t",
        "test_d",
        "materialization_m_duckdb",
        "materialization_m_default",
        "typed",
    ]
    assert macros[2].supported_languages == ["sql", "python"]
    assert macros[3].supported_languages == ["sql"]
    assert [argument["name"] for argument in macros[4].arguments] == ["a", "b", "c"]
    assert lines["macro.root.typed"] == 3
    generic = parse_macros(SourceFile("root", "generic_test", "tests/generic", "tests/generic/t.sql", text, ""))
    assert [(macro.name, macro.arguments) for macro in generic] == [("test_t", []), ("test_d", [])]


def test_errors_name_file_and_line() -> None:
    broken = SourceFile(
        "root",
        "macro",
        "macros",
        "macros/m.sql",
        "{% macro ok() %}{% endmacro %}\n{% macro a() %}\n{{ x( }}{% endmacro %}",
        "",
    )
    with pytest.raises(JinjaError) as caught:
        parse_macros(broken)
    assert str(caught.value.place) == "macros/m.sql:3"
    with pytest.raises(DuplicateError, match="two macros named 'a'"):
        MacroIndex(
            dict(enumerate(parse_macros(SourceFile("root", "macro", "macros", "m.sql", define("a", "a"), "")))),
            {}, "root", ["root"], (), "duckdb",
        )  # fmt: skip


def test_what_is_dispatched_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = index(root=define("default__x"), pkg=define("duckdb__x"))
    looked: list[str] = []
    find = MacroIndex.find
    monkeypatch.setattr(
        MacroIndex, "find", lambda self, name, package: looked.append(name) or find(self, name, package)
    )
    first = [found.dispatch("x", None, package) for package in ("pkg", "root", "pkg", "root")]
    assert [each.unique_id for each in first] == ["macro.pkg.duckdb__x", "macro.root.default__x"] * 2
    assert looked == ["duckdb__x", "duckdb__x", "default__x"]
    for _ in range(2):
        assert not found.overridden("concat", "pkg")
        assert not found.overridden("star", "pkg")  # which is dispatched to nobody
    assert looked[3:] == ["concat", "duckdb__concat", "default__concat", "star", "duckdb__star", "default__star"]
