"""What templates are told and may do, through the command line: errors with their callers, files as sources, the context."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cli import compiled, ok, project, query, understudy

CHAIN = {
    "macros/outer.sql": """
        {# a line before #}
        {% macro outer(x) %}

          {{ middle(x) }}
        {% endmacro %}
        """,
    "macros/inner/rest.sql": """
        {% macro middle(x) %}{{ inner(x) }}{% endmacro %}

        {% macro inner(x) %}
          {% if true %}
            {{ exceptions.raise_compiler_error('no ' ~ x) }}
          {% endif %}
        {% endmacro %}
        """,
}
CALLERS = (
    "in macro inner (macros/inner/rest.sql:5)",
    "called by macro middle (macros/inner/rest.sql:1)",
    "called by macro outer (macros/outer.sql:4)",
)


def callers(text: str) -> list[str]:
    """The lines that name macros."""
    found = (line.strip(" │|") for line in text.splitlines())
    return [line for line in found if line.startswith(("in macro", "called by"))]


SPEAKING = {
    "models/a.sql": "{{ config(alias=up('a')) }} select 1 as id",
    "macros/m.sql": "{% macro up(x) %}{% do print('printed') %}{% do log('logged', info=true) %}{{ return(x) }}{% endmacro %}"
    "{% macro generate_schema_name(custom_schema_name, node) %}{% do exceptions.warn('odd ' ~ node.name) %}"
    "{{ return(target.schema) }}{% endmacro %}",
}


class TestTemplatesSpeak:
    """log(), print() and exceptions.warn() are heard whenever a template is rendered, as in dbt."""

    def test_while_the_project_is_parsed(self, tmp_path: Path) -> None:
        ran = ok("parse", cwd=project(tmp_path, SPEAKING))
        assert ran.lines == ["printed"]
        assert "logged" in ran.err
        assert "odd a" in ran.err

    def test_a_warning_may_be_an_error(self, tmp_path: Path) -> None:
        ran = understudy("--warn-error", "parse", cwd=project(tmp_path, SPEAKING))
        assert ran.exit_code == 2
        assert "odd a" in ran.err


class TestErrorsNameTheirCallers:
    """The macro, its file and line, and the chain that led there."""

    def test_of_a_model(self, tmp_path: Path) -> None:
        root = project(tmp_path, {**CHAIN, "models/a.sql": "select\n{{ outer('luck') }}"})
        ran = understudy("build", cwd=root)
        assert "no luck" in ran.err + ran.out
        assert callers(ran.err + ran.out)[:4] == [*CALLERS, "called by model.shop.a (models/a.sql:2)"]

    def test_when_the_model_runs(self, tmp_path: Path) -> None:
        root = project(tmp_path, {**CHAIN, "models/a.sql": "{% if execute %}{{ outer('luck') }}{% endif %} select 1"})
        ran = understudy("run", cwd=root)
        assert ran.exit_code == 1
        assert callers(ran.err + ran.out)[:4] == [*CALLERS, "called by model.shop.a (models/a.sql:1)"]

    def test_of_a_hook_and_a_test(self, tmp_path: Path) -> None:
        hook = "{{ config(post_hook=\"{% if execute %}{{ outer('hook') }}{% endif %}\") }} select 1 as id"
        own = "{% test odd(model) %}{% if execute %}{{ outer('test') }}{% endif %} select 1 where false{% endtest %}"
        properties = "models: [{name: b, data_tests: [odd]}]"
        files = {**CHAIN, "models/a.sql": hook, "models/b.sql": "select 1 as id", "models/m.yml": properties}
        ran = understudy("build", cwd=project(tmp_path, {**files, "macros/odd.sql": own}))
        text = ran.err + ran.out
        assert ran.exit_code == 1
        assert "no hook" in text
        assert "no test" in text
        found = callers(text)
        assert [found.count(caller) for caller in CALLERS] == [2, 2, 2]
        assert any(line.startswith("called by macro test_odd (macros/odd.sql:1)") for line in found)

    def test_of_an_operation(self, tmp_path: Path) -> None:
        ran = understudy("run-operation", "outer", "--args", "{x: operation}", cwd=project(tmp_path, CHAIN))
        assert ran.exit_code == 1
        assert callers(ran.err + ran.out) == list(CALLERS)

    def test_of_a_package(self, tmp_path: Path) -> None:
        package = {
            f"dbt_packages/tools/{path}": text.replace("{{ middle", "{{ tools.middle").replace(
                "{{ inner", "{{ tools.inner"
            )
            for path, text in CHAIN.items()
        }
        package["dbt_packages/tools/dbt_project.yml"] = "name: tools\nversion: '1'\n"
        root = project(tmp_path, {**package, "packages.yml": "packages: []", "models/a.sql": "{{ tools.outer('x') }}"})
        ran = understudy("build", cwd=root)
        named = [caller.replace("macro ", "macro tools.") for caller in CALLERS]
        assert callers(ran.err + ran.out) == [*named, "called by model.shop.a (models/a.sql:1)"]

    def test_of_python_below_jinja(self, tmp_path: Path) -> None:
        macro = "{% macro half(x) %}\n{{ x / 0 }}\n{% endmacro %}"
        ran = understudy("build", cwd=project(tmp_path, {"macros/m.sql": macro, "models/a.sql": "{{ half(1) }}"}))
        assert "division by zero" in ran.err + ran.out
        assert callers(ran.err + ran.out)[:1] == ["in macro half (macros/m.sql:2)"]

    @pytest.mark.parametrize(
        ("path", "text", "where"),
        [
            ("macros/m.sql", "{% macro half(x) %}\n{{ x / 0 }}{% endmacro %}", "(macros/m.sql:4)"),
            ("macros/m.sql", "{% macro half(x) %}\n{% if %}{% endif %}{% endmacro %}", "macros/m.sql:4"),
            ("models/m.yml", "models:\n- {name: a, columns: 3}", "models/m.yml:4"),
            ("models/m.yml", "models:\n- {name: ]}", "models/m.yml:4"),
            ("models/m.md", "\n{% docs x %}never ends", "models/m.md:4"),
            ("models/p.py", "\ndef other(): pass\ndef model(dbt): pass", "models/p.py:5"),
        ],
    )
    def test_empty_lines_before_the_text_count(self, tmp_path: Path, path: str, text: str, where: str) -> None:
        root = project(tmp_path, {"models/a.sql": "{{ half(1) }}" if path == "macros/m.sql" else "select 1 as id"})
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(f"\n\n{text}\n")
        ran = understudy("compile", cwd=root)
        assert ran.exit_code == 2
        assert where in ran.err


LOCATIONS = {
    "newstyle": "read_csv('data/{name}_{part}.csv')",
    "oldstyle": "read_csv('data/%(name)s_%(part)s.csv')",
    "template": "read_csv('data/${name}_$part.csv')",
}


class TestFilesAsSources:
    """`external_location` of a source on DuckDB."""

    @pytest.mark.parametrize("formatter", LOCATIONS)
    @pytest.mark.parametrize("place", ["meta", "config"])
    def test_a_location_is_filled_in(self, tmp_path: Path, formatter: str, place: str) -> None:
        root = project(tmp_path, source(LOCATIONS[formatter], place, formatter=formatter))
        ok("run", cwd=root)
        assert query(root, "select sum(id) from dev.a") == [(3,)]
        assert "read_csv('data/orders_1.csv')" in compiled(root, "models/a.sql")

    def test_a_bare_name_is_quoted(self, tmp_path: Path) -> None:
        root = project(tmp_path, source("data/{name}_{part}.csv", "meta"))
        ok("run", cwd=root)
        assert "from 'data/orders_1.csv'" in compiled(root, "models/a.sql")

    @pytest.mark.parametrize("field", ["{name.__class__}", "{tags[0]}", "{nobody}", "{name!r}"])
    def test_only_plain_fields_are_filled_in(self, tmp_path: Path, field: str) -> None:
        root = project(tmp_path, source(f"data/{field}.csv", "meta"))
        ran = understudy("run", cwd=root)
        assert ran.exit_code != 0
        assert "has no field" in ran.err + ran.out


def source(location: str, place: str, formatter: str = "newstyle") -> dict[str, str]:
    """A project with a source that is a file."""
    known = f'{{external_location: "{location}", formatter: {formatter}, part: "1"}}'
    meta = f"config: {{meta: {known}}}" if place == "meta" else f"config: {known}"
    return {
        "data/orders_1.csv": "id\n1\n2\n",
        "models/s.yml": f"sources: [{{name: files, {meta}, tables: [{{name: orders}}]}}]",
        "models/a.sql": "{{ config(materialized='table') }} select * from {{ source('files', 'orders') }}",
    }


class TestTheContext:
    """What the invocation tells templates."""

    def test_arguments_and_the_environment(self, tmp_path: Path) -> None:
        text = (
            "select '{{ invocation_args_dict.which }}' as a, '{{ invocation_args_dict.vars.x }}' as b,"
            " '{{ dbt_metadata_envs.TEAM }}' as c, '{{ selected_resources | join }}' as d, '{{ flags.WHICH }}' as e"
        )
        root = project(tmp_path, {"models/a.sql": text})
        ok("run", "--vars", "{x: 1}", cwd=root, env={"DBT_ENV_CUSTOM_ENV_TEAM": "core"})
        assert query(root, "select * from dev.a") == [("run", "1", "core", "model.shop.a", "run")]

    def test_a_header_comes_before_the_statement(self, tmp_path: Path) -> None:
        text = (
            "{{ config(materialized='table') }}{% call set_sql_header(config) %}"
            "create or replace temporary macro twice(x) as x * 2;{% endcall %}\nselect twice(21) as n"
        )
        root = project(tmp_path, {"models/a.sql": text})
        ok("run", cwd=root)
        assert query(root, "select n from dev.a") == [(42,)]
