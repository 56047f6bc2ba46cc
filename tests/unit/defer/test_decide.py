"""The rule against the truth table: the whole of it, the data file's rows, and laws for each."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from understudy.defer.decide import Facts, Policy, Reason, decide, depends_on_existence

TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "truth_table.json").read_text())
COLUMNS = TABLE["columns"]
CASES = [dict(zip(COLUMNS, line.split(), strict=True)) for line in TABLE["cases"]]
ROWS = {str(row["row"]): row for row in TABLE["rows"]}
EXISTS = {"yes": True, "stale": True, "no": False, "unknown": None}


def asked(case: dict[str, str]) -> tuple[Facts, Policy]:
    facts = Facts(
        ephemeral=case["ephemeral"] == "yes",
        selected=case["selected"] == "yes",
        builds=case["builds"] == "yes",
        prior=case["prior"] == "yes",
        exists=EXISTS[case["exists"]],
        current=case["exists"] == "yes",
    )
    return facts, Policy(case["defer"] == "yes", case["favor"] == "state", case["favor"] == "current")


@pytest.mark.parametrize("case", CASES, ids=TABLE["cases"])
def test_decide(case: dict[str, str]) -> None:
    reason = decide(*asked(case))
    assert reason.value == ROWS[case["row"]]["reason"]
    assert reason.row == (None if case["row"] == "9" else case["row"])
    assert reason.defers == (ROWS[case["row"]]["relation"] == "state's")


def test_the_table_is_complete() -> None:
    answers = [("yes", "no")] * 5 + [("target", "state", "current"), ("yes", "stale", "no", "unknown")]
    assert {tuple(case[name] for name in COLUMNS[:-1]) for case in CASES} == set(itertools.product(*answers))
    assert len(CASES) == 384


def test_the_cases_follow_from_the_rows() -> None:
    """Read apart from the code: the first row whose conditions the case meets."""
    for case in CASES:
        fitting = [row for row in TABLE["rows"] if all(case[name] in value for name, value in row["when"].items())]
        assert str(fitting[0]["row"]) == case["row"]


def test_every_row_is_met() -> None:
    assert {case["row"] for case in CASES} == set(ROWS)


def test_the_rows_are_those_of_the_design() -> None:
    assert [row["reason"] for row in TABLE["rows"] if row["row"] in range(1, 9)] == [
        "ephemeral: inlined",
        "deferral is off",
        "built in this run",
        "not in state",
        "favored: not selected",
        "exists in the target",
        "not selected, missing in the target",
        "selected, not built by this command, missing in the target",
    ]


@pytest.mark.parametrize("case", CASES, ids=TABLE["cases"])
def test_existence_is_asked_only_where_it_matters(case: dict[str, str]) -> None:
    facts, policy = asked(case)
    answers = {decide(asked({**case, "exists": answer})[0], policy) for answer in EXISTS}
    assert depends_on_existence(facts, policy) == (len(answers) > 1)


def test_unknown_is_never_no() -> None:
    facts = Facts(ephemeral=False, selected=False, builds=False, prior=True, exists=None)
    assert decide(facts, Policy(defer=True)) is Reason.UNLISTED
