"""Values of YAML files: native types, variables noted, secrets kept."""

from __future__ import annotations

import datetime
import hashlib

import pytest

from understudy.errors import JinjaError
from understudy.template.scope import Captured
from understudy.template.settings import render_settings


def test_a_single_expression_keeps_its_type(renderer) -> None:
    make = renderer(vars={"n": 3, "list": [1, 2], "s": "7"})
    source = {
        "a": "{{ var('n') }}", "b": ["{{ var('list') }}", "x{{ var('n') }}"], "c": "{{ var('s') }}", "d": "{{ var('s') | as_number }}",
        "e": "{{ 'True' | as_bool }}", "f": "{{ 1 }}{{ 2 }}", "g": "plain\n", "h": datetime.date(2026, 1, 2), "i": 5,
            "j": "{{ '[1]' | as_native }}",
        "k": "{{ '1' | as_text }}", "keep": "{{ nothing }}",
    }  # fmt: skip
    assert make.value(source, package="shop", keep=lambda path: path == ("keep",)) == {
        "a": 3, "b": [[1, 2], "x3"], "c": "7", "d": 7, "e": True, "f": "12", "g": "plain", "h": "2026-01-02", "i": 5, "j": [1], "k": "1",
        "keep": "{{ nothing }}",
    }  # fmt: skip


def test_names_used_are_noted_and_extra_names_known(renderer) -> None:
    captured = Captured()
    make = renderer(vars={"n": 3}, env={"E": "e"})
    value = make.value(
        "{{ doc('d') }} {{ var('n') }} {{ env_var('E') }} {{ target.name }}",
        package="shop",
        extra={"doc": lambda name: name * 2},
        captured=captured,
    )
    assert value == "dd 3 e dev"
    assert (captured.vars, captured.env_vars) == ({"n": 3}, {"E": "e"})
    assert make.value("{{ 5 }}", package="shop", native=False) == "5"


@pytest.mark.parametrize(
    "text",
    [
        "{{ nothing }}",
        "{{ nothing.x }}",
        "{{ var('x') }}",
        "{{ 1 / 0 }}",
        "{{ ",
        "{{ 'x' | as_bool }}",
        "{{ env_var('DBT_ENV_SECRET_A') }}",
    ],
)
def test_what_cannot_be_rendered_is_an_error_that_shows_it(renderer, text: str) -> None:
    with pytest.raises(JinjaError, match="Could not render"):
        renderer().value({"a": text}, package="shop")


def test_secrets_are_for_profiles_only() -> None:
    env = {"DBT_ENV_SECRET_P": "s", "E": "5"}.get
    assert render_settings(
        {"password": "{{ env_var('DBT_ENV_SECRET_P') }}", "port": "{{ env_var('E') | int }}"}, env=env, vars={}
    ) == {"password": "s", "port": 5}
    with pytest.raises(JinjaError, match="Secret env vars"):
        render_settings("{{ env_var('DBT_ENV_SECRET_P') }}", env=env, vars={}, target={"name": "dev"})
    assert render_settings("{{ target.name }}-{{ var('x', 1) }}", env=env, vars={}, target={"name": "dev"}) == "dev-1"


def test_secrets_are_remembered_by_hash(renderer) -> None:
    from understudy.template.state import secret_digest

    assert secret_digest("s") == "sha256:" + hashlib.sha256(b"s").hexdigest()


def test_jinja_is_imported_when_a_template_needs_it() -> None:
    import subprocess
    import sys

    code = "import sys, understudy.compile.compiler, understudy.parse.project; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
