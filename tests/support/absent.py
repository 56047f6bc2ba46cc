"""Engines that this machine cannot run: their tests are skipped here, and told of at the end; in CI they fail."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

SAYS = "this machine cannot run "


def absent(engine: str, why: BaseException) -> NoReturn:
    """Skip the test for want of an engine. In CI, where nothing is skipped: raise the reason."""
    if os.environ.get("CI"):
        raise why
    pytest.skip(f"{SAYS}{engine}: {why}")


def told(reports: list[pytest.TestReport]) -> dict[str, int]:
    """What could not be run and why, with the number of tests, from the reports of skipped tests."""
    found: dict[str, int] = {}
    for report in reports:
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
        if SAYS in reason:
            text = reason.partition(SAYS)[2]
            found[text] = found.get(text, 0) + 1
    return found
