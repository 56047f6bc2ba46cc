"""The command line: what is accepted where, and what is said of what is not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest

from understudy import DBT_VERSION, __version__
from understudy.app.events import Event
from understudy.app.option_table import LOCAL, OPTIONS
from understudy.app.options import Options
from understudy.cli.commands import ALIASES, COMMANDS, LATER
from understudy.cli.help import entry
from understudy.cli.main import main
from understudy.errors import DatabaseError, UsageError


class Pipeline:
    """Stands for app.pipeline: keeps the options, and does what the test says."""

    def __init__(self) -> None:
        self.seen: list[Options] = []
        self.action: Callable[[Options, Callable[[Event], None]], int] = lambda options, emit: 0

    def run_command(self, options: Options, emit: Callable[[Event], None], **where: object) -> SimpleNamespace:
        self.seen.append(options)
        return SimpleNamespace(exit_code=self.action(options, emit))


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Pipeline:
    fake, module = Pipeline(), ModuleType("understudy.app.pipeline")
    module.run_command = fake.run_command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "understudy.app.pipeline", module)
    monkeypatch.chdir(str(tmp_path))
    return fake


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("build -s a b c --defer", {"select": ("a", "b", "c"), "defer": True}),
        ("build --select a -s b --select=c d", {"select": ("a", "b", "c", "d")}),
        ("build --models a -x -f", {"select": ("a",), "fail_fast": True, "full_refresh": True}),
        ("run --exclude x y -s tag:a,b+ 2+c @d", {"exclude": ("x", "y"), "select": ("tag:a,b+", "2+c", "@d")}),
        ("--defer --state prod build -s a", {"defer": True, "state": "prod", "select": ("a",)}),
        ("-t prod --threads 3 run", {"target": "prod", "threads": 3}),
        ("--output json list --output-keys name tags", {"output": "json", "output_keys": ("name", "tags")}),
        ("--output json compile", {"output": "json"}),
        ("ls -m a", {"command": "list", "select": ("a",), "resource_types": ("model",)}),
        ("build --no-defer --no-write-json --no-print", {"defer": False, "write_json": False, "print_": False}),
        ("--defer-state a build --defer-state b --defer-state c", {"defer_state": ("a", "b", "c")}),
        ("test --resource-type unit_test test --store-failures", {"resource_types": ("unit_test", "test")}),
        ("build --no-static-parser --no-send-anonymous-usage-stats --sqlparse {}", {"command": "build"}),
        ("build --no-empty", {"empty": False}),
        ("debug --config-dir", {"config_dir": True}),
    ],
)
def test_accepted(pipeline: Pipeline, line: str, expected: dict[str, object]) -> None:
    assert main(line.split()) == 0
    (options,) = pipeline.seen
    assert {name: getattr(options, name) for name in expected} == expected


def test_a_selection_in_one_argument(pipeline: Pipeline) -> None:
    assert main(["build", "-s", "a b", "--vars", "{a: -1}"]) == 0
    assert pipeline.seen[0].select == ("a", "b")
    assert pipeline.seen[0].vars == "{a: -1}"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("bild", ["'bild'", "Did you mean 'build'"]),
        ("frobnicate", ["'frobnicate'", "build, run, test"]),
        ("build --selct a", ["--selct", "'--select'"]),
        ("build --stat a", ["--stat", "'--state'"]),
        ("--taget x build", ["--taget", "'--target'"]),
        ("list --full-refresh", ["'list' has no option --full-refresh", "build, run, seed, compile"]),
        ("--full-refresh list", ["'list' has no option --full-refresh", "build"]),
        ("-s a build", ["-s stands after the command"]),
        ("build model_a", ["'model_a'", "--select"]),
        ("parse x", ["'x'", "options only"]),
        ("build --select --defer", ["--select needs a value"]),
        ("build --state", ["--state", "requires an argument"]),
        ("--defer build --defer", ["before and after 'build'"]),
        ("--defer build --no-defer", ["before and after 'build'"]),
        ("build --threads many", ["--threads", "'many'"]),
    ],
)
def test_refused(pipeline: Pipeline, capsys: pytest.CaptureFixture[str], line: str, told: list[str]) -> None:
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 3
    for text in told:
        assert text in err
    assert pipeline.seen == []


@pytest.mark.parametrize("command", LATER)
def test_commands_of_later_versions_say_what_to_do(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command]) == 2
    _, err = capsys.readouterr()
    assert f"'{command}' is not in understudy {__version__} yet" in err
    assert LATER[command] in err


def test_every_command_is_described() -> None:
    assert set(COMMANDS) == set(LOCAL)
    assert not set(COMMANDS) & set(LATER)


@pytest.mark.parametrize("flag", ["--version", "-v", "-V"])
@pytest.mark.parametrize("command", [[], ["build"]])
def test_version(flag: str, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    import duckdb

    assert main([*command, flag]) == 0
    out, _ = capsys.readouterr()
    assert out.startswith(f"understudy {__version__}\n")
    assert f"- installed: {DBT_VERSION}" in out
    assert f"- duckdb: {duckdb.__version__}" in out


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    whole, _ = capsys.readouterr()
    for name, about in COMMANDS.items():
        assert f"  {name} " in whole
        assert main([name, "-h"]) == 0
        page, _ = capsys.readouterr()
        assert about.text.split(". ")[0][:30] in page
        assert max(map(len, page.splitlines())) <= 100
        for row in (OPTIONS[each] for each in LOCAL[name] if OPTIONS[each].status == "works"):
            assert entry(row)[0] in page, f"{name} {row.flag}"
    assert "--static-parser" not in page
    assert not set(ALIASES) & set(whole.split())


def test_nothing_at_all_is_a_question_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    out, _ = capsys.readouterr()
    assert out.startswith("Usage: understudy COMMAND")


def test_flags_of_the_project_count(pipeline: Pipeline, tmp_path: object) -> None:
    with open("dbt_project.yml", "w") as file:
        file.write(
            "name: shop\nprofile: shop\nflags: {fail_fast: true, printer_width: 60, state_modified_compare_vars: 1}\n"
        )
    assert main(["build"]) == 0
    assert pipeline.seen[0].fail_fast
    assert pipeline.seen[0].origin("printer_width") == "flags: in dbt_project.yml"


def test_an_unreadable_project_is_the_pipelines_to_tell(pipeline: Pipeline) -> None:
    with open("dbt_project.yml", "w") as file:
        file.write("name: [")
    assert main(["build"]) == 0


# How a command ends


def test_the_pipelines_exit_code_is_ours(pipeline: Pipeline) -> None:
    pipeline.action = lambda options, emit: 1
    assert main(["build"]) == 1


def test_an_error_is_told_and_gives_its_exit_code(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(options: Options, emit: Callable[[Event], None]) -> int:
        raise DatabaseError("no such table") if options.debug else UsageError("no", hint="do this")

    pipeline.action = fail
    assert main(["build"]) == 2
    assert capsys.readouterr().err == "Usage error: no\n  do this\n"
    assert main(["build", "--debug"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("Database error: no such table\n")


def test_a_mistake_of_ours_is_no_bare_traceback(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(options: Options, emit: Callable[[Event], None]) -> int:
        raise KeyError("x")

    pipeline.action = fail
    assert main(["build"]) == 2
    err = capsys.readouterr().err
    assert "KeyError: 'x'" in err
    assert "--debug" in err
    assert "Traceback" not in err
    assert main(["-d", "build"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_interrupted(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(options: Options, emit: Callable[[Event], None]) -> int:
        raise KeyboardInterrupt

    pipeline.action = interrupt
    assert main(["build"]) == 1
    assert capsys.readouterr().err.strip() == "Interrupted"


def test_an_old_variable_is_warned_of_and_may_be_made_an_error(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_DEFER_TO_STATE", "1")
    assert main(["build"]) == 0
    assert "Warning: DBT_DEFER_TO_STATE is an old name of DBT_DEFER" in capsys.readouterr().err
    assert main(["build", "--warn-error"]) == 2
    assert main(["build", "--warn-error-options", "{silence: [EnvironmentVariableRenamed]}"]) == 0


def test_timing(pipeline: Pipeline, tmp_path: object) -> None:
    import pstats

    assert main(["build", "--record-timing-info", "timing"]) == 0
    assert pstats.Stats("timing").stats  # type: ignore[attr-defined]


@pytest.mark.parametrize(("end", "times"), [("program()", 0), ("sys.exit(main())", 1)])
def test_a_program_that_ends_looks_for_no_garbage(end: str, times: int) -> None:
    """Nor on the way: both ways of ending a process are counted, since Python's own end does."""
    code = f"""
import gc, sys
from understudy.cli.main import main, program
gc.collect()
gc.callbacks.append(lambda phase, info: print(f"{{phase}}ed {{info['generation']}}", flush=True))
sys.argv[1:] = ["--version"]
{end}
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.count("started 2") == times
