"""Tests of one relation that are asked by one query: everything that is told of them is as when they are asked one by one."""

from __future__ import annotations

from typing import Any

import pytest
from conformance.shop import Shop

GOOD = """
select 1 as id, 'a' as kind, 1 as parent, 10 as amount union all select 2, 'b', 2, 20 union all select 3, 'c', null, 30
"""
BAD = """
select 1 as id, 'a' as kind, 1 as parent, 10 as amount union all select 1, 'x', 9, -20 union all select null, 'c', 8, null
"""
EMPTY = "select id, kind, parent, amount from {{ ref('good') }} where id < 0"
TESTS = """
columns:
  - name: id
    data_tests:
      - unique
      - not_null
      - not_null: {name: not_null_where, config: {where: "kind <> 'c'"}}
      - unique: {name: unique_where, config: {where: "kind <> 'c'"}}
      - unique: {name: unique_warned, config: {severity: warn}}
      - not_null: {name: null_if_many, config: {error_if: ">= 2", warn_if: "> 1"}}
      - not_null: {name: null_unless_some, config: {error_if: "= 0"}}
      - not_null: {name: null_limited, config: {limit: 1}}
      - not_null: {name: null_counted, config: {fail_calc: "sum(1)"}}
      - unique: {name: unique_kept, config: {store_failures: true}}
  - name: kind
    data_tests:
      - not_null
      - accepted_values: {arguments: {values: [a, b, c, "its -- not; this"]}}
  - name: parent
    data_tests:
      - relationships: {arguments: {to: ref('parents'), field: id}}
      - relationships: {name: other_way, arguments: {to: ref('parents'), field: "id + 0"}}
      - accepted_values: {arguments: {values: [1, 2], quote: false}}
  - name: amount
    data_tests:
      - above_zero
      - above_all
"""
FILES = {
    "tests/generic/above_zero.sql": "{% test above_zero(model, column_name) %}\nselect *\nfrom {{ model }}\n"
    "where not ({{ column_name }} > 0 and {{ column_name }} in (select 10 union all select 20 union all select 30))\n"
    "{% endtest %}",
    "tests/generic/above_all.sql": "{% test above_all(model, column_name) %}\n"
    "select count(*) as n from {{ model }} where {{ column_name }} < 0 having count(*) > 0\n{% endtest %}",
}
SAME = ("status", "failures", "message", "adapter_response", "relation_name", "compiled", "compiled_code")


def asked(shop: Shop, command: str, *args: str) -> tuple[dict[str, Any], int]:
    """What is told of each test, and how many queries of tests were sent."""
    log = shop.root / "logs" / "understudy.log"
    log.unlink(missing_ok=True)
    shop.run(command, *args, "--debug")
    results = {name: {key: each[key] for key in SAME} for name, each in shop.results().items()}
    kept = {path.name: path.read_text() for path in (shop.root / "target" / "run").rglob("*.sql")}
    text = log.read_text()
    return {"results": results, "run": kept}, text.count("as failures,\n") + text.count("as failures_1,")


@pytest.fixture
def tested(shop: Shop) -> Shop:
    shop.models(good=GOOD, bad=BAD, empty=EMPTY, parents="select 1 as id union all select 2 union all select 2")
    names = {name: f"models:\n  - name: {name}\n" + _indented(TESTS) for name in ("good", "bad", "empty")}
    for name, text in names.items():  # tests with a name of their own need one per model
        names[name] = text.replace("{name: ", f"{{name: {name}_")
    shop.write({**FILES, **{f"models/{name}.yml": text for name, text in names.items()}})
    shop.run("run")
    return shop


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.strip().splitlines())


class TestTogether:
    """What one query settles is told as dbt tells it; what fails is asked singly."""

    @pytest.mark.parametrize("command", ["test", "build"])
    def test_the_same_is_told(self, tested: Shop, command: str) -> None:
        together, few = asked(tested, command, "--fuse-tests")
        singly, many = asked(tested, command, "--no-fuse-tests")
        assert together == singly
        assert {each["status"] for each in singly["results"].values()} >= {"pass", "fail", "warn"}
        assert few < many

    def test_one_query_for_all_that_passes(self, tested: Shop) -> None:
        chosen = ("test", "-s", "good", "--exclude", "above_all_good_amount", "good_null_unless_some", "good_null_limited",
                  "good_null_counted", "good_unique_kept")  # fmt: skip
        _, count = asked(tested, *chosen)
        assert count == 2, "one for the relation, one for the part of it that a `where` keeps"
        assert {each["status"] for each in tested.results().values()} == {"pass"}

    def test_a_query_that_cannot_run_leaves_the_tests_to_themselves(self, shop: Shop) -> None:
        tests = "{name: a, columns: [{name: id, data_tests: [unique, not_null]}, {name: gone, data_tests: [not_null]}]}"
        shop.models(a="select 1 as id").write({"models/a.yml": f"models: [{tests}]"}).run("run")
        results = shop.fails("test", "--fuse-tests")
        assert {name: each["status"] for name, each in results.items()} == {
            "unique_a_id": "pass", "not_null_a_id": "pass", "not_null_a_gone": "error"
        }  # fmt: skip

    def test_what_the_project_does_itself_is_not_asked_together(self, shop: Shop) -> None:
        macro = "{% macro get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) %}select 7 as failures, false, true{% endmacro %}"
        tests = "{name: a, columns: [{name: id, data_tests: [unique, not_null]}]}"
        shop.models(a="select 1 as id").write({"models/a.yml": f"models: [{tests}]", "macros/m.sql": macro}).run("run")
        results = shop.fails("test", "--fuse-tests")
        assert [each["failures"] for each in results.values()] == [7, 7]

    def test_in_a_build_what_hangs_on_a_failed_test_is_skipped(self, shop: Shop) -> None:
        tests = "{name: a, columns: [{name: id, data_tests: [unique, not_null]}]}"
        shop.models(a="select 1 as id union all select 1", b="select * from {{ ref('a') }}")
        results = shop.write({"models/a.yml": f"models: [{tests}]"}).fails("build", "--fuse-tests")
        assert {name: each["status"] for name, each in results.items()} == {
            "a": "success", "unique_a_id": "fail", "not_null_a_id": "pass", "b": "skipped"
        }  # fmt: skip
