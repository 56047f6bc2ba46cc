"""A hostile template gains nothing: no internals of Python, no files, no secrets, no environment."""

from __future__ import annotations

import pytest

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
    "{{ this.relation.__class__ }}",
    "{{ model.__class__ }}{{ flags._flags }}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_known_escapes_are_refused(renderer, model, lookups, database, text: str) -> None:
    session = renderer("{% macro helper() %}{% endmacro %}").session(model(), lookups, database=database)
    try:
        gained = session.render(text)
    except JinjaError:
        return
    assert gained.strip() == ""  # an attribute that may not be seen is empty, as in dbt


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
