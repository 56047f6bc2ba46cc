"""What a person sees: plain lines, colours, JSON, the log file, secrets; judged by eye once, and kept so."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from understudy.app.events import (
    Checked,
    ErrorRaised,
    Event,
    Logged,
    NodeFinished,
    NodeStarted,
    Output,
    Printed,
    ReferenceDecided,
    RunFinished,
    Secrets,
    Selected,
    Stage,
    Started,
    StateInUse,
    Table,
    WarningRaised,
)
from understudy.app.options import resolve
from understudy.cli.console import Console
from understudy.cli.scrub import Scrubber
from understudy.core.warning import Warning_
from understudy.errors import DatabaseError, ErrorList, LinkError, Place

HEAD: list[Event] = [
    Stage("Reading 30 files"),
    Started(
        "0.1.0", "build", "dev", "duckdb", (StateInUse("prod-artifacts", "--state", "production", 7300, 14),), "id-1"
    ),
    Selected(2, 14, (("test", 5),), "state:modified+", 3, ("analytics.prod",), 7, ("table", "test"), 30),
    ReferenceDecided("stg_users", "analytics.prod.stg_users", "not selected, missing in the target"),
]
NODES: list[Event] = [
    NodeStarted("model.shop.mart_daily_sales", "table", "dev.mart_daily_sales"),
    NodeFinished("model.shop.mart_daily_sales", "table", "dev.mart_daily_sales", "success", 0.052, 31),
    NodeFinished("test.shop.unique_mart_daily_sales_date.1", "test", "unique_mart_daily_sales_date", "pass", 0.011, 0),
]
GOOD = [*HEAD, *NODES, RunFinished(0.41, built=1, passed=1, stood_in=12, stood_in_seconds=3.1)]
BAD = [
    *HEAD[:2],
    Selected(4, 14, (("test", 3),), "", 0, (), 6, ("table", "incremental", "view", "test"), 30),
    *NODES,
    NodeFinished(
        "model.shop.orders", "incremental", "dev.orders", "error", 75.2,
        message='Catalog Error: no table "users"\nDid you mean "user"?', path="models/orders.sql", line=3,
        compiled_path="target/compiled/shop/models/orders.sql",
    ),
    NodeFinished(
        "test.shop.not_null_a.1", "test", "not_null_a", "warn", 0.5, 1, "Got 1 result, configured to warn if != 0",
        "models/a.yml",
    ),
    NodeFinished(
        "test.shop.few.1", "test", "few", "fail", 3700, 1234567, "Got 1234567 results, configured to fail if != 0",
        "tests/few.sql", 1, failures_relation='"db"."audit"."few"',
    ),
    NodeFinished("model.shop.late", "view", "dev.late", "skipped", 0, message="model.shop.orders failed"),
    RunFinished(3780, built=1, passed=1, warned=1, failed=1, errors=1, skipped=1),
]  # fmt: skip


def told(
    capsys: pytest.CaptureFixture[str],
    events: list[Event],
    *flags: str,
    env: dict[str, str] | None = None,
    **given: Any,
) -> tuple[str, str]:
    """stdout and stderr of a console that is told the events."""
    options = resolve(given.pop("command", "build"), given, env or {})
    console = Console(options, env or {})
    for event in events:
        console(event)
    console.close()
    out, err = capsys.readouterr()
    return out, err


def lines(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def test_a_run_that_defers_says_so_in_its_head_and_in_its_sum(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = told(capsys, GOOD)
    assert out == ""
    assert err == lines("""
        understudy 0.1.0 · target dev (duckdb) · state prod-artifacts: production, built 2 h ago, 14 nodes
        Selected 2 of 14 models and 5 tests (state:modified+) · 3 references deferred to analytics.prod

          OK    table   dev.mart_daily_sales                   31 rows    0.05 s
          PASS  test    unique_mart_daily_sales_date                      0.01 s

        Done in 0.41 s: 1 built, 1 passed. Production stood in for 12 models (last built there in 3.10 s).
        """)


def test_failures_stand_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    _, err = told(capsys, BAD)
    assert err == lines("""
        understudy 0.1.0 · target dev (duckdb) · state prod-artifacts: production, built 2 h ago, 14 nodes
        Selected 4 of 14 models and 3 tests

          OK    table         dev.mart_daily_sales                   31 rows    0.05 s
          PASS  test          unique_mart_daily_sales_date                      0.01 s
          ERROR incremental   dev.orders                                      1 min 15 s
          WARN  test          not_null_a                               1 row    0.50 s
          FAIL  test          few                             1,234,567 rows  1 h 01 min
          SKIP  view          dev.late                        model.shop.orders failed

        WARN  test.shop.not_null_a.1 (models/a.yml)
          Got 1 result, configured to warn if != 0

        ERROR  model.shop.orders (models/orders.sql:3)
          Catalog Error: no table "users"
          Did you mean "user"?
          compiled SQL: target/compiled/shop/models/orders.sql

        FAIL  test.shop.few.1 (tests/few.sql:1)
          Got 1234567 results, configured to fail if != 0
          failing rows: "db"."audit"."few"

        Failed in 1 h 03 min: 1 built, 1 passed, 1 warned, 1 failed, 1 error, 1 skipped.
        """)


def test_quiet_leaves_errors_and_results(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = told(capsys, [*BAD, Output("a result")], quiet=True)
    assert out == "a result\n"
    assert [line.split()[0] for line in err.splitlines() if line and not line.startswith(" ")] == ["ERROR", "FAIL"]
    assert told(capsys, [*GOOD, WarningRaised(Warning_("X", "x"))], quiet=True) == ("", "")


def test_levels(capsys: pytest.CaptureFixture[str]) -> None:
    events: list[Event] = [*BAD, WarningRaised(Warning_("X", "careful"))]
    _, err = told(capsys, events, log_level="warn")
    assert "careful" in err
    assert "WARN  test.shop.not_null_a.1" in err
    assert "Selected" not in err
    assert told(capsys, [*events, ErrorRaised(LinkError("x"))], log_level="none") == ("", "")


def test_debug_tells_where_each_reference_goes(capsys: pytest.CaptureFixture[str]) -> None:
    _, err = told(capsys, [*HEAD, Logged("create table x", "debug")], debug=True)
    assert "ref stg_users -> analytics.prod.stg_users (not selected, missing in the target)\n" in err
    assert "create table x" in err
    _, err = told(capsys, HEAD)
    assert "ref stg_users" not in err


def test_list_has_nothing_around_it(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = told(capsys, [*HEAD, Output("shop.a"), Output("shop.b")], command="list")
    assert (out, err) == ("shop.a\nshop.b\n", "")


def test_results_in_columns(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("names:", ("id", "name"), [(1, "x"), (20, None)])
    out, _ = told(capsys, [table, Checked("profile", "shop", True), Checked("connection", "refused", False)])
    assert out == lines("""
        names:
        id | name
        -- | ----
         1 | x
        20 |

        OK   profile              shop
        FAIL connection           refused
        """)


def test_templates_print_to_stdout_unless_told_not_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, [Printed("hello")], quiet=True) == ("hello\n", "")
    assert told(capsys, [Printed("hello")], print_=False) == ("", "")


def test_a_warning_is_told_once_and_many_of_a_kind_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    same = WarningRaised(Warning_("A", "same", Place("a.yml", 3)))
    many: list[Event] = [WarningRaised(Warning_("B", f"number {n}")) for n in range(8)]
    _, err = told(capsys, [same, same, *many, RunFinished(0.1)])
    assert err == lines("""
        Warning: same (A)
          at a.yml:3
        Warning: number 0 (B)
        Warning: number 1 (B)
        Warning: number 2 (B)
        Warning: number 3 (B)
        Warning: number 4 (B)

        Warning: more of the kind: B (3); --debug shows all
        Done in 0.10 s: nothing to do.
        """)


def test_a_deprecated_spelling_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    many: list[Event] = [WarningRaised(Warning_("OldWordDeprecation", f"number {n}")) for n in range(4)]
    _, err = told(capsys, [*many, RunFinished(0.1)])
    assert err == lines("""
        Warning: number 0 (OldWordDeprecation)

        Warning: more of the kind: OldWordDeprecation (3); --debug shows all
        Done in 0.10 s: nothing to do.
        """)


def test_all_deprecated_spellings_are_told_where_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    many: list[Event] = [WarningRaised(Warning_(name, f"{n}")) for n in range(6) for name in ("OldDeprecation", "B")]
    _, err = told(capsys, [*many, RunFinished(0.1)], show_all_deprecations=True)
    assert err.count("OldDeprecation") == 6
    assert "more of the kind: B (1); --debug" in err


def test_errors_of_one_kind_in_one_list(capsys: pytest.CaptureFixture[str]) -> None:
    errors = [LinkError(f"no '{n}'", place=Place("a.sql", n, "model.shop.a"), hint="Did you mean 'x'?") for n in (1, 2)]
    _, err = told(capsys, [ErrorRaised(ErrorList(errors))])
    assert err == lines("""
        Unresolved reference: no '1'
          at model.shop.a (a.sql:1)
          Did you mean 'x'?
        Unresolved reference: no '2'
          at model.shop.a (a.sql:2)
          Did you mean 'x'?
        """)
    _, err = told(capsys, [ErrorRaised(ErrorList([LinkError(f"{n}") for n in range(30)]))])
    assert err.count("Unresolved") == 20
    assert err.endswith("... and 10 errors more; --debug shows all\n")


def test_an_error_ends_a_run_after_its_failures(capsys: pytest.CaptureFixture[str]) -> None:
    _, err = told(capsys, BAD[:-1])
    assert err.count("compiled SQL:") == 1


# Colours, control codes, secrets


@pytest.mark.parametrize(
    ("env", "given", "coloured"),
    [
        ({}, {}, False),
        ({}, {"use_colors": True}, True),
        ({"DBT_USE_COLORS": "true"}, {}, True),
        ({"DBT_USE_COLORS": "true", "NO_COLOR": "1"}, {}, False),
        ({"FORCE_COLOR": "1"}, {}, True),
        ({"FORCE_COLOR": "1"}, {"use_colors": False}, False),
        ({"NO_COLOR": "1"}, {"use_colors": True}, True),
    ],
)
def test_colours(
    capsys: pytest.CaptureFixture[str], env: dict[str, str], given: dict[str, bool], coloured: bool
) -> None:
    _, err = told(capsys, BAD, env=env, **given)
    assert ("\x1b[" in err) is coloured
    assert "31 rows" in err


def test_use_colors_in_the_project_is_no_wish_for_codes_in_files(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(resolve("build", {}, {}, {"use_colors": True}), {})
    console(ErrorRaised(LinkError("x")))
    console.close()
    assert "\x1b" not in capsys.readouterr().err


def test_control_codes_of_others_are_spelt_out(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2J\x07gone\r"
    events: list[Event] = [
        NodeFinished("model.shop.a", "view", f"dev.{evil}", "error", 1, message=evil, path=evil),
        WarningRaised(Warning_("X", evil)),
        Logged(evil, "info"),
        RunFinished(1, errors=1),
        ErrorRaised(DatabaseError(evil)),
    ]
    _, err = told(capsys, events)
    assert "\x1b" not in err
    assert "\\x1b[2J\\x07gone\\x0d" in err


@pytest.mark.parametrize("form", ["default", "json", "debug"])
def test_secrets_are_never_told(capsys: pytest.CaptureFixture[str], tmp_path: Path, form: str) -> None:
    secret, password = 'to"ken\\1', "hunter2"
    events: list[Event] = [
        Secrets((password, "", "a")),
        Output(f"select '{secret}'"),
        Logged(f"connecting with {password}", "info"),
        ErrorRaised(DatabaseError(f"cannot log in with {secret} and {password} at a place")),
    ]
    env = {"DBT_ENV_SECRET_TOKEN": secret}
    console = Console(resolve("build", {"log_format": form}, env), env, str(tmp_path))
    for event in events:
        console(event)
    console.close()
    out, err = capsys.readouterr()
    for text in (out, err, (tmp_path / "understudy.log").read_text()):
        for hidden in (secret, json.dumps(secret)[1:-1], password):
            assert hidden not in text
    assert "*****" in out
    assert "at a place" in err


def test_json_is_one_object_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    _, err = told(capsys, [*BAD, ErrorRaised(LinkError("x", place=Place("a.sql", 3), hint="y"))], log_format="json")
    documents = [json.loads(line) for line in err.splitlines()]
    names = [document["info"]["name"] for document in documents]
    assert names == ["Started", "Selected", *["NodeFinished"] * 6, "RunFinished", "ErrorRaised"]
    assert {document["info"]["invocation_id"] for document in documents} == {"id-1"}
    failed = next(document for document in documents if document["data"].get("status") == "error")
    assert failed["info"]["level"] == "error"
    assert failed["data"]["node_info"]["unique_id"] == "model.shop.orders"
    assert failed["data"]["node_info"]["node_status"] == "error"
    assert documents[-1]["data"]["error"] == {
        "code": "link", "message": "x", "place": {"path": "a.sql", "line": 3, "node": None}, "hint": "y",
    }  # fmt: skip


def test_a_warning_has_its_place_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    _, err = told(capsys, [WarningRaised(Warning_("Odd", "x", Place("a.sql", 3)))], log_format="json")
    warning = json.loads(err)["data"]["warning"]
    assert warning == {"name": "Odd", "message": "x", "place": {"path": "a.sql", "line": 3, "node": None}}


def test_what_holds_a_secret_keeps_its_kind() -> None:
    scrub = Scrubber({"DBT_ENV_SECRET_TOKEN": "hunter2"})
    told = WarningRaised(Warning_("Odd", "for hunter2", Place("hunter2.sql", 3, None)))
    assert scrub.clean(told) == WarningRaised(Warning_("Odd", "for *****", Place("*****.sql", 3, None)))
    assert isinstance(scrub.clean(Place("hunter2.sql")), Place)
    assert scrub.clean(("hunter2", ["hunter2"])) == ("*****", ["*****"])


def test_stamped_lines(capsys: pytest.CaptureFixture[str]) -> None:
    _, err = told(capsys, GOOD, log_format="debug")
    assert "[info ] [MainThread]: understudy 0.1.0" in err


# The log file


def logged(tmp_path: Path, events: list[Event], **given: Any) -> str:
    console = Console(resolve("build", {"quiet": True, **given}, {}), {}, str(tmp_path / "logs"))
    for event in events:
        console(event)
    console.close()
    file = tmp_path / "logs" / "understudy.log"
    return file.read_text() if file.exists() else ""


def test_the_log_file_has_it_all(tmp_path: Path) -> None:
    text = logged(tmp_path, BAD)
    assert "START table" in text
    assert "Catalog Error" in text
    assert "| id-1 =====" in text
    assert logged(tmp_path, BAD).count("id-1") == 2  # appended


def test_the_log_file_is_put_aside_when_it_is_full(tmp_path: Path) -> None:
    for n in range(8):
        logged(tmp_path, [Logged(f"run {n} " + "x" * 100, "info")], log_file_max_bytes="50")
    files = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert files == ["understudy.log", *(f"understudy.log.{n}" for n in range(1, 6))]
    assert "run 7" in (tmp_path / "logs/understudy.log").read_text()
    assert "run 6" in (tmp_path / "logs/understudy.log.1").read_text()


def test_the_log_file_in_other_forms(tmp_path: Path) -> None:
    assert logged(tmp_path, BAD, log_level_file="none") == ""
    rows = logged(tmp_path, BAD, log_format_file="json", log_level_file="error").splitlines()
    assert [json.loads(row)["data"]["status"] for row in rows] == ["error", "fail"]


def test_a_log_file_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    console = Console(resolve("build", {}, {}), {}, str(tmp_path / "logs"))
    console(Logged("x", "info"))
    console.close()


# A terminal

PROGRAM = """
import sys, time
sys.path.insert(0, {tests!r})
from test_console import GOOD, NODES, HEAD
from understudy.app.events import NodeStarted, Output
from understudy.app.options import resolve
from understudy.cli.console import Console
from understudy.cli.scrub import Scrubber
console = Console(resolve("build", {{}}, {{}}), {{"TERM": "xterm-256color", {env}}})
for event in HEAD: console(event)
console(NodeStarted("model.shop.slow", "table", "dev.slow"))
time.sleep({wait})
for event in NODES: console(event)
console(Output("a result"))
time.sleep({wait})
console(GOOD[-1])
console.close()
print("rich" in sys.modules)
"""


def on_a_terminal(wait: float, env: str = "") -> str:
    """What a run of that length sends to a terminal, as text with its control codes."""
    leader, follower = pty.openpty()
    program = PROGRAM.format(tests=str(Path(__file__).parent), wait=wait, env=env)
    environ = {**os.environ, "COLUMNS": "90", "LINES": "30", "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=follower, stdout=follower, stderr=follower, env=environ
    )
    os.close(follower)
    received = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # Linux: the other side is closed
            break
        if not part:
            break
        received += part
    assert process.wait(timeout=30) == 0
    os.close(leader)
    return received.decode()


def screen(text: str) -> list[str]:
    """What a person sees in the end: a terminal that knows as much as rich and we use of one."""
    import re

    rows, row, column = [""], 0, 0
    for token in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[^\x1b]", text):
        if token == "\n":
            row += 1
            column = 0
            rows += [""] * (row + 1 - len(rows))
        elif token == "\r":
            column = 0
        elif token[0] == "\x1b" and token.endswith("A"):
            row = max(0, row - int(token[2:-1] or 1))
        elif token[0] == "\x1b" and token.endswith("K"):
            rows[row] = "" if token == "\x1b[2K" else rows[row][:column]
        elif not token.startswith("\x1b"):
            rows[row] = rows[row][:column].ljust(column) + token + rows[row][column + 1 :]
            column += 1
    return [line.rstrip() for line in rows]


def test_the_live_block_comes_and_goes_and_the_lines_stay() -> None:
    text = on_a_terminal(0.8)
    assert "0 of 7 nodes" in text
    assert "... table        dev.slow" in text
    seen = screen(text)
    assert seen[-2:] == ["True", ""]
    assert [line.split()[0] for line in seen if line] == ["understudy", "Selected", "OK", "PASS", "a", "Done", "True"]
    assert not any("of 7 nodes" in line or "dev.slow" in line for line in seen)
    assert "\x1b[32mOK\x1b[0m" in text


def test_a_short_run_draws_no_block_and_imports_nothing_for_it() -> None:
    text = on_a_terminal(0)
    assert screen(text)[-2:] == ["False", ""]
    assert "nodes" in text.split("Selected")[0]  # of the state
    assert "of 7 nodes" not in text


def test_no_color_on_a_terminal() -> None:
    text = on_a_terminal(0.8, '"NO_COLOR": "1"')
    assert "\x1b[32m" not in text
    assert "PASS" in text
