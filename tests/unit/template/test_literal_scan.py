"""The literal scan answers what rendering would, or nothing."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.core.config import DEFAULTS
from understudy.core.nodes import Checksum, Model, RefArgs
from understudy.core.project import Package, Settings, Target
from understudy.core.relation import Relation
from understudy.sql.dialect import dialect
from understudy.template.literal import MARKS, pieces, scan
from understudy.template.macros import MacroIndex
from understudy.template.renderer import Renderer
from understudy.template.scope import Captured

ROOT = Package("shop", ".")
SETTINGS = Settings(ROOT, (ROOT,), Target("shop", "dev", "duckdb", "db", "dev", 1, {}), {}, {}, {}.get)
DUCKDB = dialect("duckdb")
NODE = Model(
    database="db", schema="dev", name="m", package_name="shop", path="m.sql", original_file_path="models/m.sql",
    unique_id="model.shop.m", fqn=["shop", "m"], alias="m", checksum=Checksum("none", ""), config=DEFAULTS["model"],
)  # fmt: skip


class Fixed:
    """References that go to a relation of their own name."""

    def ref(self, package: str | None, name: str, version: object) -> Relation:
        return DUCKDB.relation(package, str(version), name)

    def source(self, source_name: str, table_name: str) -> Relation:
        return DUCKDB.relation(None, source_name, table_name)

    def function(self, package: str | None, name: str) -> Relation:
        return DUCKDB.relation(None, package, name)


def renderer() -> Renderer:
    return Renderer(SETTINGS, MacroIndex({}, {}, "shop", ["shop"], (), "duckdb"), DUCKDB)


def rendered_uses(text: str) -> Captured:
    """What full rendering finds, by Jinja's own compiler."""
    found = renderer()
    found._shared.engine._plain[text] = None
    return found._render(found._shared, text, NODE, "shop", None)


@pytest.mark.parametrize(
    ("text", "refs", "sources", "config"),
    [
        ("select 1", [], [], {}),
        ("select * from {{ ref('a') }}", [RefArgs("a")], [], {}),
        ('{{ref("a")}}{{- ref( "p" , "b" ) -}}', [RefArgs("a"), RefArgs("b", "p")], [], {}),
        ("{{ ref('a', v=2) }} {{ ref('a', version='1.5') }}", [RefArgs("a", None, 2), RefArgs("a", None, "1.5")], [], {}),
        ("{{ source('raw', 'o') }}", [], [["raw", "o"]], {}),
        ("{{ config(materialized='table', tags=['x', \"y\"], n=-1, f=1.5) }}", [], [], {"materialized": "table", "tags": ["x",
            "y"], "n": -1, "f": 1.5}),
        ("{{ config({'enabled': false, 'meta': {'a': none, 'b': [true]},}) }}", [], [], {"enabled": False, "meta": {"a": None,
            "b": [True]}}),
        ("{{ config(pre_hook='a }} b') }}{{ config(schema='s') }}", [], [], {"pre-hook": "a }} b", "schema": "s"}),
        ("{# {{ ref('no') }} #}{{ ref('yes') }}", [RefArgs("yes")], [], {}),
        ("{{ ref('it\\'s') }}", [RefArgs("it's")], [], {}),
    ],
)  # fmt: skip
def test_literal_calls_are_read(
    text: str, refs: list[RefArgs], sources: list[list[str]], config: dict[str, object]
) -> None:
    found = scan(text)
    assert found is not None
    assert (found.refs, found.sources, found.config, found.unrendered_config) == (refs, sources, config, config)
    full = rendered_uses(text)
    assert (full.refs, full.sources, full.config) == (refs, sources, config)


@pytest.mark.parametrize(
    "text",
    [
        "{% if x %}{% endif %}", "{% raw %}{{ ref('a') }}{% endraw %}", "{{ var('x') }}", "{{ ref('a').schema }}",
        "{{ ref('a') | upper }}", "{{ ref(x) }}", "{{ ref('a' ~ 'b') }}", "{{ config(x=var('y')) }}", "{{ ref('a'",
        "{# never closed", "{{ ref(1) }}", "{{ ref('a', x=1) }}", "{{ source('a') }}", "{{ config() }}", "{{ config('x') }}",
        "{{ config(pre_hook='a', **{'pre-hook': 'b'}) }}", "{{ ref('a', 'b', 'c') }}", "{{ ref('a') ref('b') }}",
        "{{ config(a=1, a=2) }}", "{{ ref(v=1, 'a') }}", "{{ ref('a', v=true) }}", "{{ {'a': ref('b')} }}", "{{+ ref('a') }}",
        "{{ config(x=('a', 'b')) }}", "{{ config(x=1_000) }}", "{{ config(x='a' 'b') }}", "{{ config({[1]: 2}) }}",
    ],
)  # fmt: skip
def test_anything_else_is_left_to_jinja(text: str) -> None:
    assert scan(text) is None


LITERALS = st.recursive(
    st.one_of(
        st.text("ab'\" é\n{}%#-", max_size=6),
        st.integers(-99, 99),
        st.booleans(),
        st.none(),
        st.sampled_from([0.5, 12.25]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1, max_size=2), inner, max_size=2)
    ),
    max_leaves=4,
)
CALLS = st.one_of(
    st.text("ab'", min_size=1, max_size=3).map(lambda name: f"ref({name!r})"),
    st.tuples(st.sampled_from("pq"), st.integers(1, 3)).map(lambda t: f"ref({t[0]!r}, 'm', v={t[1]})"),
    st.tuples(st.text("st", min_size=1, max_size=2), st.text("st", max_size=2)).map(
        lambda t: f"source({t[0]!r}, {t[1]!r})"
    ),
    st.dictionaries(st.sampled_from(["materialized", "tags", "post_hook", "x"]), LITERALS, min_size=1, max_size=3).map(
        lambda values: "config(" + ", ".join(f"{key}={value!r}" for key, value in values.items()) + ")"
    ),
    st.sampled_from(["var('x', 1)", "ref('a') ~ 1", "1", "this"]),
)
PARTS = st.one_of(
    st.text("abc \n\r\t-{}%#'\"", max_size=6),
    st.tuples(st.sampled_from(["{{", "{{-", "{{ "]), CALLS, st.sampled_from(["}}", "-}}", " }}", "\n}}"])).map("".join),
    st.text("ab -{}'", max_size=5).map(lambda text: "{#" + text + "#}"),
    st.sampled_from(["{#- x -#}", "{% set a = 1 %}", "{{ ref('b') }}\n", "\n\n"]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PARTS, max_size=5).map("".join))
def test_the_scan_agrees_with_rendering_wherever_it_answers(text: str) -> None:
    found = scan(text)
    if found is None:
        return
    full = rendered_uses(text)
    assert (found.refs, found.sources, found.config) == (full.refs, full.sources, full.config)


@settings(max_examples=400, deadline=None)
@given(st.lists(PARTS, max_size=5).map("".join))
def test_pieces_give_the_text_that_jinja_would(text: str) -> None:
    if pieces(text) is None or not MARKS.search(text):
        return  # without any mark the text is not touched at all (dbt 1.11: get_rendered)
    session = renderer().session(NODE, Fixed(), database=None)
    fast = session.render(text)
    engine = session.shared.engine
    assert fast == engine.render(engine.template(text, engine.text), session.names)


def test_jinja_is_not_imported() -> None:
    import subprocess

    code = "import sys; from understudy.template import literal; literal.scan(\"{{ ref('a') }}\"); sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
