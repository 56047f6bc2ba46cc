"""Tests of data: the four generic ones, singular ones, severities, thresholds, stored failures."""

from __future__ import annotations

from typing import Any

import pytest
from conformance.shop import Shop

ROWS = """
select 1 as id, 'a' as kind, 1 as parent
union all select 1, 'b', 2
union all select 2, 'c', null
union all select null, 'c', 9
"""


PLAIN_NAMES = pytest.mark.never(
    "spark", raises=AssertionError, reason="names of relations are letters of ASCII, digits and _"
)


def properties(test: str) -> str:
    return (
        f"models: [{{name: a, columns: [{{name: {test.partition(':')[0]}, data_tests: [{test.partition(':')[2]}]}}]}}]"
    )


def outcome(shop: Shop, test: str, *args: str) -> dict[str, Any]:
    """The result of one generic test, written `column:test`."""
    shop.models(a=ROWS, parents="select 1 as id union all select 2").write({"models/p.yml": properties(test)}).run(
        "run"
    )
    shop.run("test", *args)
    (result,) = shop.results().values()
    return result


class TestGeneric:
    """unique, not_null, accepted_values, relationships; and a test of the project's own."""

    @pytest.mark.parametrize(
        ("test", "status", "failures"),
        [
            ("id:unique", "fail", 1),
            ("parent:unique", "pass", 0),
            ("id:not_null", "fail", 1),
            ("kind:not_null", "pass", 0),
            ("kind:{accepted_values: {arguments: {values: [a, b]}}}", "fail", 1),
            ("kind:{accepted_values: {arguments: {values: [a, b, c]}}}", "pass", 0),
            ("parent:{accepted_values: {arguments: {values: [1, 2], quote: false}}}", "fail", 1),
            ("parent:{relationships: {arguments: {to: ref('parents'), field: id}}}", "fail", 1),
            ("id:{relationships: {arguments: {to: ref('parents'), field: id}}}", "pass", 0),
            ("id:{not_null: {config: {where: \"kind <> 'c'\"}}}", "pass", 0),
            ("id:above_zero", "pass", 0),
        ],
    )
    def test_verdict(self, shop: Shop, test: str, status: str, failures: int) -> None:
        shop.write(
            {
                "tests/generic/above_zero.sql": "{% test above_zero(model, column_name) %}"
                "select * from {{ model }} where {{ column_name }} <= 0{% endtest %}"
            }
        )
        result = outcome(shop, test)
        assert (result["status"], result["failures"]) == (status, failures)
        plural = "s" if failures != 1 else ""
        expected = f"Got {failures} result{plural}, configured to fail if != 0" if failures else None
        assert result["message"] == expected


class TestThresholds:
    """severity, warn_if, error_if, limit, fail_calc."""

    @pytest.mark.parametrize(
        ("config", "status", "message"),
        [
            ("severity: warn", "warn", "Got 2 results, configured to warn if != 0"),
            ("error_if: '> 5'", "warn", "Got 2 results, configured to warn if != 0"),
            ("error_if: '> 5', warn_if: '> 4'", "pass", None),
            ("limit: 1", "fail", "Got 1 result, configured to fail if != 0"),
            ("fail_calc: 'sum(n_records)'", "fail", "Got 4 results, configured to fail if != 0"),
        ],
    )
    def test_verdict(self, shop: Shop, config: str, status: str, message: str | None) -> None:
        test = "kind:{accepted_values: {arguments: {values: [c]}, config: {%s}}}" % config  # noqa: UP031 - braces
        if "fail_calc" in config:
            test = test.replace("[c]", "[d]")
        result = outcome(shop, test)
        assert (result["status"], result["message"]) == (status, message)


class TestSingular:
    """A query that must return no rows."""

    def test_it_fails_and_passes(self, shop: Shop) -> None:
        shop.models(a=ROWS).write(
            {
                "tests/bad.sql": "select * from {{ ref('a') }} where id = 1",
                "tests/good.sql": "select * from {{ ref('a') }} where id = 7",
                "tests/broken.sql": "select missing from {{ ref('a') }}",
            }
        )
        shop.ok("run")
        results = shop.fails("test")
        assert {name: (r["status"], r["failures"]) for name, r in results.items()} == {
            "bad": ("fail", 2), "good": ("pass", 0), "broken": ("error", None)
        }  # fmt: skip


class TestBuild:
    """A failed test in `build`."""

    def test_it_skips_what_is_below(self, shop: Shop) -> None:
        shop.models(a=ROWS, b="select * from {{ ref('a') }}", c="select * from {{ ref('b') }}", d="select 1 as id")
        results = shop.write({"models/p.yml": properties("id:unique")}).fails("build")
        assert {name: result["status"] for name, result in results.items() if len(name) == 1} == {
            "a": "success", "b": "skipped", "c": "skipped", "d": "success"
        }  # fmt: skip
        assert set(shop.kinds()) == {"a", "d"}

    def test_a_warning_skips_nothing(self, shop: Shop) -> None:
        shop.models(a=ROWS, b="select * from {{ ref('a') }}")
        results = shop.write({"models/p.yml": properties("id:{unique: {config: {severity: warn}}}")}).ok("build")
        assert results["b"]["status"] == "success"


class TestStoreFailures:
    """Rows of failed tests as relations."""

    @pytest.mark.parametrize(
        ("config", "args", "kind"),
        [
            ("store_failures: true", (), "table"),
            ("store_failures_as: view", (), "view"),
            ("severity: error", ("--store-failures",), "table"),
            pytest.param("store_failures: true, alias: Bad Ones", (), "table", marks=PLAIN_NAMES),
        ],
    )
    def test_they_are_kept(self, shop: Shop, config: str, args: tuple[str, ...], kind: str) -> None:
        for _ in range(2):
            result = outcome(shop, "kind:{accepted_values: {arguments: {values: [c]}, config: {%s}}}" % config, *args)  # noqa: UP031
            assert (result["status"], result["failures"]) == ("fail", 2)
            ((name, found),) = shop.kinds("dev_dbt_test__audit").items()
            assert found == kind
            assert shop.rows(name, "value_field", "dev_dbt_test__audit") == [("a",), ("b",)]

    def test_nothing_is_kept_without_being_asked(self, shop: Shop) -> None:
        outcome(shop, "id:unique")
        assert shop.kinds("dev_dbt_test__audit") == {}
