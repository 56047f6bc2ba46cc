"""User-defined functions: made in the database, called by models and by each other."""

from __future__ import annotations

import pytest
from conformance.shop import Shop
from support import cli

SIGNATURE = (
    "functions: [{name: twice, config: {volatility: deterministic}, arguments: [{name: x, data_type: integer}], "
    "returns: {data_type: integer}}]"
)


@pytest.fixture(name="doubling")
def doubling_shop(shop: Shop) -> Shop:
    """A project with a function and a model that calls it."""
    shop.write({"functions/twice.sql": "x * {{ var('factor', 2) }}", "functions/f.yml": SIGNATURE})
    return shop.models(doubled="select {{ function('twice') }}(21) as n")


class TestScalar:
    """Functions that give one value."""

    def test_a_model_calls_it(self, doubling: Shop) -> None:
        doubling.ok("build")
        results = cli.results(doubling.root)
        assert results["function.shop.twice"]["status"] == "success"
        assert doubling.rows("doubled") == [(42,)]

    def test_it_is_made_anew(self, doubling: Shop) -> None:
        doubling.ok("build")
        doubling.ok("build", "--vars", "{factor: 3}")
        assert doubling.rows("doubled") == [(63,)]

    def test_a_default_and_a_function_in_a_function(self, doubling: Shop) -> None:
        yml = (
            SIGNATURE[:-1]
            + ", {name: more, arguments: [{name: y, data_type: integer, default_value: 5}], returns: {data_type: integer}}]"
        )
        doubling.write({"functions/more.sql": "{{ function('twice') }}(y) + 1", "functions/f.yml": yml})
        doubling.models(doubled="select {{ function('more') }}() as n")
        doubling.ok("build")
        assert doubling.rows("doubled") == [(11,)]

    def test_what_is_broken_skips_what_calls_it(self, doubling: Shop) -> None:
        doubling.write({"functions/twice.sql": "no_such_function(x, , )"})
        doubling.run("build")
        results = cli.results(doubling.root)
        assert results["function.shop.twice"]["status"] == "error"
        assert results["model.shop.doubled"]["status"] == "skipped"

    def test_a_kind_that_cannot_be_made(self, doubling: Shop) -> None:
        doubling.write({"functions/f.yml": SIGNATURE.replace("volatility: deterministic", "type: aggregate")})
        doubling.run("build")
        assert "cannot be made on" in cli.results(doubling.root)["function.shop.twice"]["message"]
