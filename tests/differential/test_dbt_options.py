"""Every option of dbt 1.11 is accepted by the commands that we have, with its spellings, variables and choices."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from understudy.app.option_table import GLOBAL, LOCAL, OPTIONS, options_of
from understudy.cli.commands import LATER

RECORDED = Path(__file__).parent / "recorded" / "dbt_options.json"

NOT_OURS = {
    "--deprecated-defer": "never given as a flag: it reads DBT_DEFER_TO_STATE, which --defer does here",
    "--deprecated-favor-state": "likewise DBT_FAVOR_STATE_MODE",
    "--deprecated-print": "likewise DBT_NO_PRINT",
    "--deprecated-state": "likewise DBT_ARTIFACT_STATE_PATH",
    "--version": "stands in the tree, not in the table",
}


def dbt() -> dict[str, Any]:
    """Command -> its options; "" is dbt itself, whose options the commands have too."""
    recorded: dict[str, Any] = json.loads(RECORDED.read_text())
    return {command: {**recorded[""], **options} for command, options in recorded.items()}


@pytest.mark.parametrize("command", LOCAL)
def test_each_option_is_accepted(command: str) -> None:
    rows = {flag: row for row in options_of(command) for flag in (*row.flags, row.negative) if flag}
    for name, option in dbt().get(command, {}).items():
        if name in NOT_OURS:
            continue
        missing = [flag for flag in option["flags"] if flag not in rows]
        assert missing == [], f"{command} {name}"
        row = rows[name]
        assert (row.kind != "switch") == option["value"], f"{command} {name}"
        assert set(option["env"]) <= set(row.env), f"{command} {name}"
        if option["choices"] and row.choices:
            assert option["choices"] == sorted(row.choices), f"{command} {name}"


def test_global_options_may_stand_before_the_command() -> None:
    ours = {flag for name in GLOBAL for flag in (*OPTIONS[name].flags, OPTIONS[name].negative)}
    missing = {name for name in dbt()[""] if name not in ours and name not in NOT_OURS}
    assert missing == set()


def test_old_variables_are_read_by_the_options_that_replaced_them() -> None:
    ours = {variable.lstrip("!") for row in OPTIONS.values() for variable in row.env}
    theirs = {variable for option in dbt()[""].values() for variable in option["env"]}
    assert theirs - ours == set()


def test_each_command_is_ours_or_told_to_come_later() -> None:
    theirs = {name.split()[0] for name in dbt() if name}
    ours = {name.split()[0] for name in (*LOCAL, *LATER)}
    assert theirs - {"ls"} <= ours


@pytest.mark.differential
def test_the_record_is_dbts(oracle_bin: Path, tmp_path: Path, record_oracle: bool) -> None:
    out = RECORDED if record_oracle else tmp_path / "options.json"
    script = Path(__file__).parent / "oracle_options.py"
    subprocess.run([oracle_bin / "python", script, out], check=True, capture_output=True)
    assert out.read_text() == RECORDED.read_text()
