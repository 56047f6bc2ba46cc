"""Templates in settings files, before there is a project: `dbt_project.yml`, `profiles.yml`, `packages.yml`, properties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jinja2

from understudy.core.project import Settings, target_dict
from understudy.core.walk import has_jinja, walk
from understudy.errors import JinjaError, UnderstudyError
from understudy.template import literal
from understudy.template.contexts import flags, plain
from understudy.template.contexts.modules import Modules
from understudy.template.contexts.variables import Var, env_lookup
from understudy.template.environment import Engine, is_undefined


@cache
def engine() -> Engine:
    """The environments for settings; templates in them are few, and the same in every project."""
    return Engine()


def render_settings(
    value: Any,
    *,
    env: Callable[[str], str | None],
    vars: Mapping[str, Any],
    target: Mapping[str, Any] | None = None,
) -> Any:
    """A copy of a value of `profiles.yml` (no target yet; secrets allowed) or `dbt_project.yml` with its texts rendered.

    A text that is one expression becomes that expression's value. Raises JinjaError.
    """
    names: dict[str, Any] = {
        **plain.FUNCTIONS,
        "dbt_version": flags.DBT_VERSION,
        "modules": Modules(),
        "var": Var(vars),
        "env_var": env_lookup(env, secrets=target is None),
    }
    if target is not None:
        names["target"] = target

    def text(source: str) -> Any:
        return render(source, names, native=True) if has_jinja(source) else literal.normal_lines(source)

    return walk(value, text)


class Noted(dict[str, Any]):
    """Names that tell when one is asked for whose value belongs to the run."""

    def __init__(self, names: Mapping[str, Any], note: Callable[..., None]) -> None:
        super().__init__(names)
        self._note = note

    def __getitem__(self, key: str) -> Any:
        if key in flags.OF_THE_RUN:
            self._note(flags.OF_THE_RUN[key])
        return super().__getitem__(key)


def names(settings: Settings, *, var: Var, env_var: Callable[..., str], note: Callable[..., None]) -> dict[str, Any]:
    """The names for properties files (dbt 1.11: SchemaYamlContext); `note` hears what their values depend on."""
    found = {
        **plain.FUNCTIONS,
        "dbt_version": flags.DBT_VERSION,
        "modules": Modules(lambda: note("run")),
        "target": target_dict(settings.target),
        "project_name": settings.root.name,
        "invocation_id": settings.invocation_id,
        "flags": flags.Flags(settings.flags, lambda name: note("flag", name)),
        "var": var,
        "env_var": env_var,
    }
    return Noted(found, note)


def render(source: str, names: Mapping[str, Any], *, native: bool) -> Any:
    """Render one text. Raises JinjaError that shows the text."""
    try:
        templates = engine()
        template = templates.template(source, templates.native if native else templates.text)
        value = templates.render(template, names)
    except UnderstudyError as error:
        raise _could_not(source, error.message, error.hint) from error
    except (
        jinja2.TemplateError,
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
        RecursionError,
    ) as error:
        raise _could_not(source, str(error), None) from error
    if is_undefined(value):
        raise _could_not(source, f"{value._undefined_name!r} is undefined", None)
    return value


def _could_not(source: str, why: str, hint: str | None) -> JinjaError:
    return JinjaError(f"Could not render {source.strip()}: {why}", hint=hint)
