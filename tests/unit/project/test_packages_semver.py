"""Versions and conditions. The expected answers were computed by dbt 1.11's dbt_common.semver."""

from __future__ import annotations

import pytest

from understudy.errors import ProjectError
from understudy.project.packages.semver import in_order, newest, parse


def test_the_order_is_that_of_semver_2() -> None:
    ordered = [
        "1.0.0-1",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-rc.2",
        "1.0.0-rc.10",
        "1.0.0",
        "1.0.1",
        "1.2.0",
        "1.10.0",
        "10.0.0",
    ]
    assert [each.text for each in in_order(reversed(ordered))] == ordered


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (["1.0.0"], "1.0.0"),
        (["=1.0.0"], "1.0.0"),
        ([">=1.0.0"], "2.0.0"),
        ([">=1.0.0", "<2.0.0"], "1.2.0"),
        (["<=1.2.0", ">1.0.0"], "1.2.0"),
        (["<1.0.0"], "0.9.0"),
        ([">2.0.0"], None),
        (["1.0.0", ">=1.2.0"], None),
        (["1.0.0", "1.2.0"], None),
        (["2.0.0-rc1"], "2.0.0-rc1"),
        (["<=2.0.0", "<2.0.0"], "1.2.0"),  # not 2.0.0-rc1: '<' keeps clear of the pre-releases
        ([">=2.0.0-rc1", "<=2.0.0"], "2.0.0"),
        (["<2.0.0-rc2"], "2.0.0-rc1"),
    ],
)
def test_the_newest_version_that_meets_all_conditions(conditions: list[str], expected: str | None) -> None:
    versions = in_order(["1.2.0", "0.9.0", "2.0.0-rc1", "2.0.0", "1.0.0", "no-version"])
    found = newest(versions, [parse(each) for each in conditions])
    assert (found and found.text) == expected


def test_a_build_makes_no_difference_and_a_hyphen_may_lack() -> None:
    assert parse("1.0.0+build.5").order == parse("1.0.0").order
    assert parse("1.0.0b2").order == parse("1.0.0-b2").order


@pytest.mark.parametrize(
    "text", ["1.0", "1", "v1.0.0", ">= 1.0.0", "~1.0.0", "1.0.0,<2.0.0", "", "1.0.0.0", "==1.0.0", "١.0.0"]
)
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ProjectError, match="no semantic version") as caught:
        parse(text)
    assert caught.value.hint
