"""The benchmark's verdicts, and what its page says of them."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
from performance_page import amount, budgets, ratio

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def measure(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    import measure

    return measure


def test_a_budget_is_how_many_times_less_ours_is(measure: ModuleType) -> None:
    assert measure.Outcome("a", None, "s", 1.0, "dbt", 12.0, budget=12).met is True
    assert measure.Outcome("a", None, "s", 1.0, "dbt", 11.9, budget=12).met is False


def test_a_peer_that_cannot_be_beaten_may_be_exceeded_by_so_much(measure: ModuleType) -> None:
    assert measure.Outcome("a", None, "s", 1.2, "bare", 1.0, at_most=1.2).met is True
    assert measure.Outcome("a", None, "s", 1.21, "bare", 1.0, at_most=1.2).met is False


def test_without_a_peer_or_a_budget_there_is_no_verdict(measure: ModuleType) -> None:
    assert measure.Outcome("a", None, "s", 1.0, budget=12).met is None
    assert measure.Outcome("a", None, "s", 1.0, "dbt", 2.0).met is None


def side(measure: ModuleType, folder: Path, name: str, seconds: float = 0) -> object:
    """A program that notes that it ran, and takes a while."""
    code = f"import time; open('ran', 'a').write({name!r}); time.sleep({seconds})"
    return measure.Side([sys.executable, "-c", code], folder)


def test_both_run_in_turn_after_a_warm_up(measure: ModuleType, tmp_path: Path) -> None:
    row = measure.Row("", side(measure, tmp_path, "A"), side(measure, tmp_path, "B"))
    found = measure.measure(row, 3)
    assert (tmp_path / "ran").read_text() == "ABABABAB"
    assert (len(found.ours), len(found.theirs)) == (3, 3)


def test_a_slow_peer_runs_once(measure: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "SLOW", 0.0)
    row = measure.Row("", side(measure, tmp_path, "A"), side(measure, tmp_path, "B"))
    found = measure.measure(row, 3)
    assert (tmp_path / "ran").read_text() == "ABAAA"
    outcome = found.outcome(row, "s", measure.seconds)
    assert [len(each) for each in outcome.runs] == [2, 1, 1]


def test_a_run_that_fails_ends_the_benchmark(measure: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no such thing"):
        measure.run(measure.Side([sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path))


ROW = {
    "what": "ls",
    "models": 10000,
    "unit": "s",
    "ours": 0.5,
    "peer": "dbt",
    "theirs": 70.0,
    "ratio": 140.0,
    "budget": 60,
}


def test_the_page_says_what_does_not_hold() -> None:
    held, broken = ({**ROW, "at_most": None, "met": met} for met in (True, False))
    assert "| `ls`, 10,000 models | 0.50 s | dbt 70.0 s | 140.0 times less | 60 times | holds |" in budgets(
        {"rows": [held]}
    )
    assert "**does not hold**" in budgets({"rows": [broken]})


def test_figures_have_three_digits() -> None:
    assert [amount(value, "s") for value in (0.123, 12.34, 123.4)] == ["0.12 s", "12.3 s", "123 s"]
    assert ratio({"ratio": 0.8, "at_most": 1.2}) == "1.25 of it"
