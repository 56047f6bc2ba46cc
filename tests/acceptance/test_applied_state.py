"""The applied state: a relation of the target that is not built from today's code is reported, and can be passed over."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cli import compiled, ok, project, query, understudy

from understudy.artifacts.ledger import Ledger

FILES = {
    "models/a.sql": "select {{ var('n', 1) }} as id",
    "models/b.sql": "select id from {{ ref('a') }}",
    "models/c.sql": "select id from {{ ref('b') }}",
    "models/events.sql": "{{ config(materialized='incremental') }} select 1 as id",
}
STATE = ("--defer", "--state", "prod")
SHADOWS = "StaleRelationShadowsState"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Built in production and in dev, from the same code."""
    root = project(tmp_path, FILES)
    ok("build", "--target", "prod", "--target-path", "prod", cwd=root)
    ok("build", cwd=root)
    return root


def read_by_c(root: Path, *args: str) -> str:
    ok("compile", "-s", "c", *STATE, *args, cwd=root)
    return compiled(root, "models/c.sql").split('"')[3]


def statuses(root: Path) -> list[tuple[str, str]]:
    ledger = Ledger(str(root))
    try:
        return [(str(entry["unique_id"]).rpartition(".")[2], str(entry["status"])) for entry in ledger.export()]
    finally:
        ledger.close()


def test_a_copy_of_today_is_current(shop: Path) -> None:
    ran = ok("run", "-s", "c", *STATE, cwd=shop)
    assert SHADOWS not in ran.err
    assert read_by_c(shop, "--favor", "current") == "dev"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("models/b.sql", "its code has changed since it was built"),
        ("models/a.sql", "a, which it reads, has changed since it was built"),
    ],
)
def test_a_copy_of_older_code_is_reported_and_passed_over(shop: Path, path: str, why: str) -> None:
    (shop / path).write_text((shop / path).read_text() + " -- changed")
    ran = ok("run", "-s", "c", *STATE, cwd=shop)
    assert f"shop.dev.b is read instead of shop.prod.b, though {why}" in ran.err
    assert SHADOWS in ran.err
    assert why in ok("plan", "-s", "c", *STATE, cwd=shop).out
    assert read_by_c(shop) == "dev"
    assert read_by_c(shop, "--favor", "target") == "dev"
    assert read_by_c(shop, "--favor", "current") == "prod"
    assert read_by_c(shop, "--favor", "state") == "prod"
    ok("run", "-s", "+b", cwd=shop)
    assert read_by_c(shop, "--favor", "current") == "dev"


def test_a_variable_has_another_value(shop: Path) -> None:
    ran = ok("run", "-s", "b", "--vars", "n: 2", *STATE, cwd=shop)
    assert (
        "shop.dev.a is read instead of shop.prod.a, though var('n') has another value than when it was built" in ran.err
    )


def test_a_copy_of_unknown_origin_is_passed_over(shop: Path) -> None:
    (shop / ".understudy" / "ledger.sqlite").unlink()
    for file in (shop / ".understudy").glob("ledger.sqlite-*"):
        file.unlink()
    assert SHADOWS not in ok("compile", "-s", "c", *STATE, cwd=shop).err
    assert read_by_c(shop, "--favor", "current") == "prod"
    assert read_by_c(shop) == "dev"


def test_a_failed_build_leaves_the_older_one(shop: Path) -> None:
    good = (shop / "models/b.sql").read_text()
    (shop / "models/b.sql").write_text("select nothing from {{ ref('a') }}")
    assert understudy("run", "-s", "b+", cwd=shop).exit_code == 1
    assert statuses(shop)[-2:] == [("b", "error"), ("c", "skipped")]
    assert "its code has changed" in ok("plan", "-s", "c", *STATE, cwd=shop).out
    (shop / "models/b.sql").write_text(good)
    assert read_by_c(shop, "--favor", "current") == "dev"


def test_rows_of_older_code(shop: Path) -> None:
    (shop / "models/events.sql").write_text("{{ config(materialized='incremental') }} select 2 as id")
    (shop / "models/reader.sql").write_text("select id from {{ ref('events') }}")
    ok("run", "-s", "events", cwd=shop)
    ran = ok("run", "-s", "reader", *STATE, cwd=shop)
    assert "though rows of older code are in it" in ran.err
    ok("run", "-s", "events", "--full-refresh", cwd=shop)
    assert SHADOWS not in ok("run", "-s", "reader", *STATE, cwd=shop).err
    assert query(shop, "select id from dev.events") == [(2,)]


def test_only_what_builds_is_recorded(shop: Path) -> None:
    before = statuses(shop)
    for command in (("plan",), ("compile",), ("test",), ("list",), ("parse",), ("explain", "a")):
        ok(*command, cwd=shop)
    assert statuses(shop) == before
    assert {name for name, _ in before} == {"a", "b", "c", "events"}


def test_a_ledger_that_cannot_be_used_is_a_warning(shop: Path) -> None:
    (shop / ".understudy" / "ledger.sqlite").write_bytes(b"damaged" * 1000)
    for file in (shop / ".understudy").glob("ledger.sqlite-*"):
        file.unlink()
    ran = ok("run", "-s", "c", *STATE, cwd=shop)
    assert "LedgerNotUsed" in ran.err
    assert "may be deleted" in ran.err
    assert read_by_c(shop, "--favor", "current") == "prod"


def test_favor_and_favor_state_exclude_each_other(shop: Path) -> None:
    ran = understudy("run", "--favor", "current", "--favor-state", *STATE, cwd=shop)
    assert ran.exit_code == 2
    assert "--favor and --favor-state exclude each other" in ran.err
