"""What a test's row means (dbt 1.11: build_test_run_result)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from understudy.errors import ExecutionError


class Verdict(msgspec.Struct, frozen=True):
    """What a test's row means."""

    status: str
    failures: int = 0
    message: str | None = msgspec.field(default=None)


def judge(row: Sequence[Any], config: Mapping[str, Any], *, warn_error: bool = False) -> Verdict:
    """pass, warn or fail from (failures, should_warn, should_error). dbt 1.11: build_test_run_result.

    Raises ExecutionError when the row is not that, e.g. because `fail_calc` gave null.
    """
    if len(row) != 3 or row[0] is None:
        raise ExecutionError(
            f"The test's query must give failures, should_warn and should_error; it gave {tuple(row)!r}"
        )
    failures = int(row[0])
    got = f"Got {failures} result{'' if failures == 1 else 's'}, configured to"
    severity = str(config.get("severity") or "ERROR").upper()
    warn_if, error_if = config.get("warn_if") or "!= 0", config.get("error_if") or "!= 0"
    if severity == "ERROR" and _true(row[2]):
        return Verdict("fail", failures, f"{got} fail if {error_if}")
    if _true(row[1]):
        if warn_error:
            return Verdict("fail", failures, f"{got} fail if {warn_if}")
        return Verdict("warn", failures, f"{got} warn if {warn_if}")
    return Verdict("pass")


THRESHOLD = re.compile(r"\s*(>=|>|!=|<>)\s*(\d+)\s*")


def passes_at_zero(config: Mapping[str, Any]) -> bool:
    """Whether a test without failing rows passes for sure: `warn_if` and `error_if` are thresholds above nothing."""
    conditions = (config.get("warn_if") or "!= 0", config.get("error_if") or "!= 0")
    found = [THRESHOLD.fullmatch(str(condition)) for condition in conditions]
    return all(each is not None and _is_above_zero(each[1], int(each[2])) for each in found)


def _is_above_zero(operator: str, number: int) -> bool:
    return number > 0 if operator == ">=" else number == 0 if operator in ("!=", "<>") else True


def _true(value: Any) -> bool:
    """A truth as engines send it: a boolean, 0 or 1, a text, or null. Raises ExecutionError for other texts."""
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().lower()
    if word in ("y", "yes", "t", "true", "on", "1"):
        return True
    if word in ("n", "no", "f", "false", "off", "0"):
        return False
    raise ExecutionError(f"The test's query must say whether it fails, got {value!r}")
