"""What a profile of dbt-postgres means to libpq, and what is wrong with one."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.adapters.postgres.profile import read_profile
from understudy.errors import ProfileError

LEAST: dict[str, Any] = {
    "host": "db.example.org", "user": "ada", "pass": "s3cret", "port": 5432, "dbname": "shop", "schema": "dev",
}  # fmt: skip


def test_the_least_that_dbt_takes() -> None:
    assert read_profile(LEAST).parameters() == {
        "host": "db.example.org", "port": 5432, "user": "ada", "password": "s3cret", "dbname": "shop",
        "connect_timeout": 10, "application_name": "dbt",
    }  # fmt: skip


def test_all_that_dbt_takes() -> None:
    given = {
        **LEAST, "threads": 8, "connect_timeout": 3, "role": "builder", "search_path": "dev, my schema\\x",
        "keepalives_idle": 60, "sslmode": "verify-full", "sslcert": "c.crt", "sslkey": "c.key", "sslrootcert": "r.crt",
        "application_name": "nightly", "retries": 4, "autocommit": True, "type": "postgres",
    }  # fmt: skip
    profile = read_profile(given)
    assert profile.parameters() == {
        "host": "db.example.org", "port": 5432, "user": "ada", "password": "s3cret", "dbname": "shop",
        "connect_timeout": 3, "keepalives_idle": 60, "sslmode": "verify-full", "sslcert": "c.crt", "sslkey": "c.key",
        "sslrootcert": "r.crt", "application_name": "nightly", "options": "-c search_path=dev,\\ my\\ schema\\\\x",
    }  # fmt: skip
    assert (profile.retries, profile.autocommit, profile.set_role()) == (4, True, "set role builder")


@pytest.mark.parametrize(
    ("path", "expected"),
    [("r.crt", "/shop/r.crt"), ("/etc/r.crt", "/etc/r.crt"), ("~/r.crt", "/people/ada/r.crt"), ("system", "system")],
)
def test_certificates_beside_the_project(path: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/people/ada")
    assert read_profile({**LEAST, "sslrootcert": path}, "/shop").sslrootcert == expected


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("builder", "set role builder"),
        ("Builder", "set role Builder"),
        ('"Builder"', 'set role "Builder"'),
        ("x; drop table y", 'set role "x; drop table y"'),
        (None, None),
    ],
)
def test_a_role_is_a_name(role: str | None, statement: str | None) -> None:
    assert read_profile({**LEAST, "role": role}).set_role() == statement


def test_numbers_may_come_as_text() -> None:
    profile = read_profile({**LEAST, "port": "6432", "retries": "0"})
    assert (profile.port, profile.retries) == (6432, 0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"host": None}, "lacks 'host'"),
        ({"pass": ""}, "lacks 'password'"),
        ({"port": "many"}, "'port' must be a whole number from 0 to 65535, got 'many'"),
        ({"port": 65536}, "'port' must be"),
        ({"retries": -1}, "'retries' must be a whole number from 0, got -1"),
        ({"connect_timeout": True}, "'connect_timeout' must be"),
        ({"search_path": ["a"]}, "'search_path' must be text, got"),
        ({"sslmode": "requir"}, "'sslmode' cannot be 'requir'"),
        ({"autocommit": "yes"}, "'autocommit' must be true or false"),
        ({"sslmod": "require"}, "has no field 'sslmod'"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        read_profile({**LEAST, **fields})


def test_the_nearest_is_named() -> None:
    with pytest.raises(ProfileError) as caught:
        read_profile({**LEAST, "sslmod": "require"})
    assert caught.value.hint == "Did you mean 'sslmode'?"


def test_what_other_tools_keep_in_a_profile_is_left_alone() -> None:
    assert read_profile({**LEAST, "owner_team": "sales"}).user == "ada"


def test_the_password_is_not_shown() -> None:
    assert "s3cret" not in repr(read_profile(LEAST))
    with pytest.raises(ProfileError) as caught:
        read_profile({**LEAST, "pass": ["s3cret"]})
    assert "s3cret" not in str(caught.value)
