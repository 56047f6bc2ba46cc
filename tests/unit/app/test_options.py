"""Options: where a value comes from, what it may be, and how that is told."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from understudy.app.option_table import ARGUMENTS, LOCAL, OPTIONS, options_of
from understudy.app.options import PROJECT_FLAGS, Options, WarnRules, resolve, variables
from understudy.errors import UsageError

SWITCHES = ["defer", "favor_state", "debug", "quiet", "fail_fast", "write_json", "verify_state"]


@pytest.mark.parametrize("name", SWITCHES)
def test_precedence(name: str) -> None:
    for given in itertools.product([None, True, False], repeat=4):
        flag, engine_env, env, project = given
        environ = {f"DBT_ENGINE_{name.upper()}": engine_env, f"DBT_{name.upper()}": env}
        found = resolve(
            "build",
            {} if flag is None else {name: flag},
            {key: str(value).lower() for key, value in environ.items() if value is not None},
            {} if project is None else {name: project},
        )
        expected = next((value for value in given if value is not None), OPTIONS[name].default)
        assert getattr(found, name) is expected, given


def test_each_value_keeps_its_origin() -> None:
    found = resolve(
        "build",
        {"state": "a", "defer": False},
        {"DBT_DEFER_STATE": "b", "DBT_ENGINE_TARGET": "prod"},
        {"favor_state": True},
    )
    assert {name: found.origin(name) for name in ("state", "defer", "defer_state", "target", "favor_state")} == {
        "state": "--state",
        "defer": "--no-defer",
        "defer_state": "DBT_DEFER_STATE",
        "target": "DBT_ENGINE_TARGET",
        "favor_state": PROJECT_FLAGS,
    }
    assert found.origin("print_") == "--print"  # nobody gave it


@pytest.mark.parametrize(
    ("environ", "field", "value"),
    [
        ({"DBT_DEFER_TO_STATE": "true"}, "defer", True),
        ({"DBT_ARTIFACT_STATE_PATH": "old"}, "state", "old"),
        ({"DBT_FAVOR_STATE_MODE": "1"}, "favor_state", True),
        ({"DBT_NO_PRINT": "yes"}, "print_", False),
        ({"DBT_ENGINE_NO_PRINT": "no"}, "print_", True),
    ],
)
def test_old_names_of_variables_count_and_are_told(environ: Mapping[str, str], field: str, value: Any) -> None:
    found = resolve("run", {}, environ)
    assert getattr(found, field) == value
    (note,) = found.notes
    assert next(iter(environ)) in note.message


def test_a_new_name_beats_the_old_one() -> None:
    found = resolve("run", {}, {"DBT_STATE": "new", "DBT_ARTIFACT_STATE_PATH": "old"})
    assert (found.state, found.notes) == ("new", ())


@pytest.mark.parametrize("text", ["1", "true", "T", "yes", "Y", "ON", " true "])
def test_switch_on(text: str) -> None:
    assert resolve("build", {}, {"DBT_DEFER": text}).defer


@pytest.mark.parametrize("text", ["0", "false", "F", "no", "N", "off"])
def test_switch_off(text: str) -> None:
    assert not resolve("build", {}, {"DBT_DEFER": text}, {"defer": True}).defer


def test_an_empty_variable_is_not_set() -> None:
    assert resolve("build", {}, {"DBT_DEFER": "", "DBT_STATE": ""}).origins == {}


@pytest.mark.parametrize(
    ("flags", "environ", "project", "told"),
    [
        ({}, {"DBT_DEFER": "maybe"}, {}, ["DBT_DEFER", "'maybe'"]),
        ({}, {}, {"debug": "perhaps"}, ["'debug'", PROJECT_FLAGS, "perhaps"]),
        ({"threads": "four"}, {}, {}, ["--threads", "'four'"]),
        ({"threads": "0"}, {}, {}, ["--threads", "at least 1"]),
        ({"log_format": "jsn"}, {}, {}, ["--log-format", "Did you mean 'json'"]),
        ({}, {"DBT_INDIRECT_SELECTION": "brave"}, {}, ["DBT_INDIRECT_SELECTION", "eager, cautious"]),
        ({"resource_types": ("modle",)}, {}, {}, ["--resource-type", "Did you mean 'model'"]),
        ({"state_max_age": "24"}, {}, {}, ["--state-max-age", "24h"]),
        ({"inline": "select 1", "select": ("a",)}, {}, {}, ["--inline", "--select"]),
        ({"warn_error": True, "warn_error_options": "{}"}, {}, {}, ["--warn-error-options"]),
    ],
)
def test_a_value_that_cannot_be(
    flags: Mapping[str, Any], environ: Mapping[str, str], project: Mapping[str, Any], told: list[str]
) -> None:
    command = "compile" if "inline" in flags else "build"
    with pytest.raises(UsageError) as caught:
        resolve(command, flags, environ, project)
    for text in told:
        assert text in str(caught.value)


def test_what_comes_later_may_be_turned_off() -> None:
    assert resolve("build", {"empty": False}, {}).empty is False


def test_the_stronger_place_wins_among_options_that_exclude_each_other() -> None:
    found = resolve("build", {"warn_error": True}, {}, {"warn_error_options": {"error": ["X"]}})
    assert WarnRules.of(found) == WarnRules(error=frozenset({"all"}))
    found = resolve("build", {"warn_error_options": "{error: [X]}"}, {"DBT_WARN_ERROR": "1"})
    assert WarnRules.of(found) == WarnRules(error=frozenset({"X"}))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("a b", "c"), ("a", "b", "c")),
        (("tag:x,a+",), ("tag:x,a+",)),
        (("",), ("",)),
    ],
)
def test_words(given: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert resolve("build", {"select": given}, {}).select == words


def test_resource_types_from_the_environment_are_parted_by_spaces() -> None:
    assert resolve("build", {}, {"DBT_RESOURCE_TYPES": "model Test"}).resource_types == ("model", "test")


def test_a_chain_of_states() -> None:
    assert resolve("build", {"defer_state": ("pr", "staging")}, {}).defer_state == ("pr", "staging")
    assert resolve("build", {}, {"DBT_DEFER_STATE": "s3://b/x y"}).defer_state == ("s3://b/x y",)
    assert resolve("build", {}, {}, {"defer_state": ["pr", "prod"]}).defer_state == ("pr", "prod")


def test_list_models_lists_models() -> None:
    found = resolve("list", {"models": ("tag:x",)}, {})
    assert (found.select, found.resource_types) == (("tag:x",), ("model",))
    with pytest.raises(UsageError, match="--select"):
        resolve("list", {"models": ("a",), "select": ("b",)}, {})


def test_an_option_of_another_command_is_not_read_from_the_environment() -> None:
    assert resolve("list", {}, {"DBT_FULL_REFRESH": "no such value"}).full_refresh is False


def test_ages() -> None:
    assert resolve("build", {"state_max_age": "1.5h"}, {}).state_max_age == 5400
    assert resolve("build", {}, {}, {"state_max_age": "7d"}).state_max_age == 7 * 86400


def test_variables() -> None:
    assert variables(resolve("build", {"vars": "{a: 1, b: [x]}"}, {})) == {"a": 1, "b": ["x"]}
    assert variables(resolve("build", {}, {})) == {}
    for text in ("a", "[1]", "{a: ", ""):
        with pytest.raises(UsageError, match="--vars"):
            variables(resolve("build", {"vars": text}, {}))


@pytest.mark.parametrize(
    ("options", "verdicts"),
    [
        ("{}", {"X": "warn"}),
        ("{error: all}", {"X": "error", "YDeprecation": "error"}),
        ("{error: '*', warn: [X]}", {"X": "warn", "Y": "error"}),
        ("{error: all, silence: [X], warn: [X]}", {"X": "silence"}),
        (
            "{error: [Deprecations], warn: [YDeprecation]}",
            {"X": "warn", "YDeprecation": "warn", "ZDeprecation": "error"},
        ),
        ("{error: [YDeprecation], silence: [Deprecations]}", {"YDeprecation": "error", "ZDeprecation": "silence"}),
        ("{include: all, exclude: [X]}", {"X": "warn", "Y": "error"}),
    ],
)
def test_warn_error_options(options: str, verdicts: Mapping[str, str]) -> None:
    rules = WarnRules.of(resolve("build", {"warn_error_options": options}, {}))
    assert {name: rules.verdict(name) for name in verdicts} == verdicts


@pytest.mark.parametrize(
    "options", ["{errors: all}", "{error: some}", "{warn: X}", "{error: [a], include: [b]}", "[x]"]
)
def test_warn_error_options_that_make_no_sense(options: str) -> None:
    with pytest.raises(UsageError, match="--warn-error-options"):
        WarnRules.of(resolve("build", {"warn_error_options": options}, {}))


def test_the_table_and_the_value_have_the_same_names_and_defaults() -> None:
    fields = {f.name: f.default for f in msgspec.structs.fields(Options)} | {"output": "selector"}
    rows = {
        name: row
        for name, row in OPTIONS.items()
        if row.status != "idle" and name not in ("models", "output_text", "output_path")
    }
    assert {name: row.default for name, row in rows.items()} == {name: fields[name] for name in rows}
    assert set(fields) - set(rows) == {"command", "origins", "notes"} | {
        argument.name for argument in ARGUMENTS.values()
    }


@pytest.mark.parametrize("command", LOCAL)
def test_a_command_spells_each_option_once(command: str) -> None:
    flags = [flag for row in options_of(command) for flag in (*row.flags, row.negative) if flag]
    assert len(flags) == len(set(flags))


def test_as_args_holds_what_was_given() -> None:
    found = resolve("run", {"select": ("a",), "defer": True}, {"DBT_STATE": "prod"})
    assert found.as_args() == {"which": "run", "select": ["a"], "state": "prod", "defer": True}
