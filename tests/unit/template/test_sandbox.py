"""A hostile template gains nothing: no internals of Python, no files, no secrets, no environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import pytest

from understudy.core.statement import Result
from understudy.errors import JinjaError

ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ().__class__.__base__ }}",
    "{{ ''['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ '{0.__class__}'.format('') }}",
    "{{ '{0.__class__}'|format('') }}{{ ('%s' % x.__class__) }}",
    "{{ ('{0.__class__}' | attr('format'))('') }}",
    "{{ '{x.__init__}'.format_map({'x': ref}) }}",
    "{{ ref.__globals__ }}",
    "{{ ref.__closure__ }}",
    "{{ ref.__code__.co_consts }}",
    "{{ adapter.dispatch.__self__ }}",
    "{{ adapter._state.settings.env('HOME') }}",
    "{{ adapter['_state'].settings }}",
    "{{ config._state.database }}",
    "{{ var._render.__self__ }}",
    "{{ context._index }}",
    "{{ builtins._state }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'].environ }}",
    "{{ self._TemplateReference__context }}",
    "{{ modules.re.sre_compile }}{{ modules.re.enum.sys.modules.x }}",
    "{{ modules.os.getcwd() }}",
    "{{ modules.datetime.sys.modules }}",
    "{{ modules.itertools.__loader__ }}",
    "{{ modules.pytz.os.environ }}",
    "{{ modules.pytz.open_resource('x') }}",
    "{{ helper._session.settings }}",
    "{{ helper.__call__.__globals__ }}",
    "{{ run_query.__globals__ }}",
    "{{ fromyaml('!!python/object/apply:os.getcwd []').x.y }}",
    "{% set x = [] %}{{ x.append.__self__ }}",
    "{% include 'a.sql' %}",
    "{% import 'a.sql' as a %}",
    "{% for i in range(99999999) %}{% endfor %}",
    "{{ (x for x in []).gi_frame }}",
    "{{ modules.datetime.datetime.mro()[1].__subclasses__() }}",
    "{{ [ref] | map(attribute='__globals__') | first }}",
    "{{ [''] | map('attr', '__class__') | first }}",
    "{{ ['{0.__class__}'] | map('format', '') | join }}{{ [ref] | selectattr('__globals__') | first | attr('__code__') }}",
    "{{ joiner.__init__.__globals__ }}",
    "{% call(x) around() %}{{ caller.__class__ }}{{ caller._func.__globals__ }}{% endcall %}",
    "{{ api.Column.__class__ }}{{ api.Column('a', 'b').__init__.__globals__ }}",
    "{{ api.Relation._make.__globals__ }}{{ api.Relation.create.__func__ }}",
    "{{ exceptions.raise_compiler_error.__globals__ }}",
    "{{ validation.any.__globals__ }}",
    "{{ run_started_at.__class__ }}{{ modules.datetime.datetime.__subclasses__() }}",
    "{{ modules.pytz.timezone('../../../../etc/passwd') }}",
    "{{ modules.pytz.timezone('UTC').__class__ }}",
    "{{ fromyaml('!!python/object/new:os.system [id]').x.y }}",
    "{{ fromjson('{\"a\": 1}').__class__ }}",
    "{{ tojson.__globals__ }}{{ toyaml.__globals__ }}",
    "{{ graph.__class__ }}{{ model.items.__self__ }}",
    "{{ run_query('q').to_csv('gained') }}",
    "{{ run_query('q').to_json('gained') }}",
    "{{ run_query('q').from_csv('setup.cfg') }}",
    "{{ run_query('q').select(['a']).to_csv('gained') }}",
    "{{ run_query('q').group_by('a').to_csv('gained') }}",
    "{{ run_query('q').bar_chart('a', 'a', path='gained') }}",
    "{{ run_query('q') | attr('to_csv') }}{{ (run_query('q') | attr('to_csv'))('gained') }}",
    "{{ run_query('q')['to_csv']('gained') }}",
    "{{ run_query('q')._rows }}{{ run_query('q').__init__.__globals__ }}",
    "{{ this.relation.__class__ }}",
    "{{ model.__class__ }}{{ flags._flags }}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_known_escapes_are_refused(renderer, model, lookups, database, text: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "setup.cfg").write_text("a,b\n1,2\n")
    database.rows = Result(("a",), (), ((1,),))
    macros = "{% macro helper() %}{% endmacro %}{% macro around() %}{{ caller(1) }}{% endmacro %}"
    session = renderer(macros).session(model(), lookups, database=database)
    try:
        gained = session.render(text)
    except JinjaError:
        return
    assert gained.strip() == ""  # an attribute that may not be seen is empty, as in dbt
    assert not (tmp_path / "gained").exists()


OUTSIDE = ("os", "posix", "io", "_io", "pathlib", "subprocess", "shutil", "sys", "socket", "importlib", "builtins")
"""Modules whose functions would reach out of the process; of `builtins` the functions, not the types."""


def reached(environment: Any, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """What a template gets at from a value by attributes and items that the sandbox lets it see."""
    names = [name for name in dir(value) if environment.is_safe_attribute(value, name, None)]
    found = {name: getattr(value, name, None) for name in names}
    if isinstance(value, Mapping):
        found.update({str(key): value[key] for key in list(value)[:50]})
    for name, each in found.items():
        yield name, each
        if depth:
            yield from ((f"{name}.{inner}", it) for inner, it in reached(environment, each, depth - 1))


def test_nothing_that_templates_reach_leads_out(renderer, model, lookups, database) -> None:
    database.rows = Result(("a",), (), ((1,),))
    session = renderer().session(model(), lookups, database=database)
    environment = session.shared.engine.text
    roots = {name: session.names[name] for name in session.names if not name.startswith("test_")}
    roots |= {"table": session.call("run_query", "q"), **environment.globals}
    gained = [
        f"{root}.{name}"
        for root, value in roots.items()
        for name, each in reached(environment, value, 2 if root != "context" else 0)
        if isinstance(each, ModuleType)
        or (
            isinstance(each, FunctionType | BuiltinFunctionType)
            and not isinstance(
                getattr(each, "__self__", None), str | bytes | int | dict | list | tuple | set | type(None)
            )
            and getattr(each, "__module__", None) in OUTSIDE
        )
    ]
    assert gained == []


def test_the_target_shows_no_secret(renderer, model, lookups) -> None:
    session = renderer().session(model(), lookups, database=None)
    assert "hidden" not in session.render("{{ target }} {{ target.items() | list }} {{ context.get('target') }}")


def test_yaml_constructs_nothing(renderer, model, lookups) -> None:
    session = renderer().session(model(), lookups, database=None)
    assert session.render("{{ fromyaml('!!python/name:os.system', 'refused') }}") == "refused"


def test_a_macro_from_a_template_keeps_the_sandbox(renderer, model, lookups) -> None:
    session = renderer().session(model(), lookups, database=None)
    with pytest.raises(JinjaError):
        session.render("{{ render(\"{{ ''.__class__.__mro__ }}\") }}")
