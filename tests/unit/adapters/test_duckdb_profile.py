"""Profiles of dbt-duckdb, and the statements that they mean."""

from __future__ import annotations

import os
from typing import Any

import pytest

from understudy.adapters.duckdb.profile import attach_sql, read_profile, secret_sql, secrets_of
from understudy.errors import ProfileError

ROOT = os.path.join(os.sep, "p")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (None, ":memory:"),
        (":memory:", ":memory:"),
        ("a.duckdb", os.path.join(ROOT, "a.duckdb")),
        (os.path.join(os.sep, "x", "a.duckdb"), os.path.join(os.sep, "x", "a.duckdb")),
        ("md:mine", "md:mine"),
        ("s3://bucket/a.duckdb", "s3://bucket/a.duckdb"),
    ],
)
def test_paths(path: str | None, expected: str) -> None:
    assert read_profile({"path": path}, ROOT).path == expected


def test_a_whole_profile() -> None:
    fields: dict[str, Any] = {
        "type": "duckdb", "path": "md:x", "schema": "dev", "database": "x", "threads": 4, "extensions": ["httpfs"],
        "settings": {"s3_region": "x"}, "attach": [], "secrets": [], "config_options": {}, "external_root": ".",
        "keep_open": True, "is_ducklake": False, "disable_transactions": True, "plugins": [],
    }  # fmt: skip
    profile = read_profile(fields, ROOT)
    assert profile.is_motherduck
    assert profile.disable_transactions
    assert profile.extensions == ["httpfs"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"pth": "a"}, "Did you mean 'path'"),
        ({"plugins": [{"module": "excel"}]}, "'plugins' is not supported"),
        ({"remote": {"host": "x"}}, "'remote' is not supported"),
        ({"attach": "a.duckdb"}, "must be a list"),
        ({"settings": ["a"]}, "must be a map"),
    ],
)
def test_fields_that_do_not_fit(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ProfileError, match=words):
        read_profile(fields, ROOT)


@pytest.mark.parametrize(
    ("entry", "sql"),
    [
        ({"path": os.path.join(os.sep, "a.db")}, f"ATTACH IF NOT EXISTS '{os.path.join(os.sep, 'a.db')}'"),
        ({"path": "a.db", "alias": "b"}, f"ATTACH IF NOT EXISTS '{os.path.join(ROOT, 'a.db')}' AS \"b\""),
        ({"path": "md:x?y=1", "read_only": True}, "ATTACH IF NOT EXISTS 'md:x' (READ_ONLY)"),
        (
            {"path": "host=x", "type": "postgres", "secret": "s"},
            "ATTACH IF NOT EXISTS 'host=x' (TYPE postgres, SECRET s)",
        ),
        (
            {
                "path": "ducklake:x",
                "options": {"data_path": "s3://it's", "encrypted": True, "n": 1, "off": False, "q": "'q'"},
            },
            "ATTACH IF NOT EXISTS 'ducklake:x' (DATA_PATH 's3://it''s', ENCRYPTED, N 1, Q 'q')",
        ),
    ],
)
def test_attach(entry: dict[str, Any], sql: str) -> None:
    assert attach_sql(entry, ROOT) == sql


@pytest.mark.parametrize("entry", [{}, {"path": "a", "type": "sqlite", "options": {"type": "duckdb"}}])
def test_attach_entries_that_do_not_fit(entry: dict[str, Any]) -> None:
    with pytest.raises(ProfileError):
        attach_sql(entry, ROOT)


def test_secrets() -> None:
    entry = {"type": "s3", "key_id": "it's", "scope": "s3://a", "map": {"a": "b"}, "list": ["x"], "none": None}
    assert secret_sql(entry, 2) == (
        "CREATE OR REPLACE SECRET _dbt_secret_2 (\n    type s3,\n    key_id 'it''s',\n    map map {'a': 'b'},\n"
        "    list ('x'),\n    scope 's3://a'\n)"
    )
    assert secret_sql({"type": "gcs", "name": "g", "persistent": True}, 1).startswith(
        "CREATE OR REPLACE PERSISTENT SECRET g ("
    )
    with pytest.raises(ProfileError):
        secret_sql({"key_id": "x"}, 1)
    aws = read_profile({"use_credential_provider": "aws"}, ROOT)
    assert secrets_of(aws) == [
        "CREATE OR REPLACE SECRET _dbt_secret_1 (\n    type s3,\n    provider credential_chain\n)"
    ]
    with pytest.raises(ProfileError):
        secrets_of(read_profile({"use_credential_provider": "azure"}, ROOT))
