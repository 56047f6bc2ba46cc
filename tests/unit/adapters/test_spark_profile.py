"""What a profile of dbt-spark means to PySpark, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from understudy.adapters.spark.profile import Profile, read_profile
from understudy.adapters.spark.session import is_unready, settings
from understudy.errors import ProfileError
from understudy.project.targets import read_fields

LEAST: dict[str, Any] = {"method": "session", "schema": "dev", "host": "NA"}
CONNECT: dict[str, Any] = {"method": "connect", "schema": "dev", "host": "spark.example.org"}


def test_the_least_that_dbt_takes() -> None:
    profile = read_profile(LEAST, "/shop")
    assert (profile.method, profile.where) == ("session", "this process")
    assert profile.server_side_parameters == {"spark.sql.ansi.enabled": "false"}


def test_all_that_dbt_takes() -> None:
    given = {
        **LEAST, "type": "spark", "threads": 8, "database": "dev", "driver": None, "cluster": None, "endpoint": None,
        "token": "t", "user": "ada", "password": "s3cret", "port": "443", "auth": "KERBEROS",
        "kerberos_service_name": "hive", "organization": 0, "connection_string_suffix": "", "connect_retries": 3,
        "connect_timeout": 60, "use_ssl": True, "retry_all": True, "query_timeout": 5, "poll_interval": 5,
        "query_retries": 1,
        "server_side_parameters": {"spark.sql.shuffle.partitions": 2, "spark.sql.ansi.enabled": True},
    }  # fmt: skip
    profile = read_profile(given, "/shop")
    assert (profile.port, profile.connect_retries, profile.connect_timeout, profile.retry_all) == (443, 3, 60, True)
    assert profile.server_side_parameters == {
        "spark.sql.shuffle.partitions": "2", "spark.sql.ansi.enabled": "true"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({}, "sc://spark.example.org:15002/"),
        ({"port": 443, "use_ssl": True, "token": "a/b;c", "user": "ada"},
         "sc://spark.example.org:443/;user_id=ada;token=a%2Fb%3Bc;use_ssl=true"),
        ({"host": None, "remote": "sc://other:1/;token=x"}, "sc://other:1/;token=x"),
    ],
)  # fmt: skip
def test_the_address_of_spark_connect(fields: dict[str, Any], url: str) -> None:
    profile = read_profile({**CONNECT, **fields}, "/shop")
    assert profile.url == url
    assert "token" not in repr(profile)


@pytest.mark.parametrize(
    ("fields", "message", "hint"),
    [
        ({"method": "thrift"}, "needs PyHive", "method: connect"),
        ({"method": "http"}, "needs Databricks' HTTP", "method: connect"),
        ({"method": "odbc"}, "needs the ODBC driver", "method: connect"),
        ({"method": "sesion"}, "has no method 'sesion'", "'session'"),
        ({"method": None}, "has no method 'None'", "session, connect"),
        ({"method": "connect", "host": None}, "needs 'remote' or 'host'", "sc://"),
        ({"method": "connect", "remote": "http://x"}, "must begin with sc://", None),
        ({"port": "x"}, "'port' must be a whole number", None),
        ({"connect_retries": True}, "'connect_retries' must be a whole number", None),
        ({"use_ssl": "yes"}, "'use_ssl' must be true or false", None),
        ({"server_side_parameters": "x"}, "'server_side_parameters' must be a map", None),
        ({"user": ["x"]}, "'user' must be text", None),
        ({"connect_retry": 3}, "no field 'connect_retry'", "connect_retries"),
    ],
)
def test_what_is_wrong_is_told(fields: dict[str, Any], message: str, hint: str | None) -> None:
    with pytest.raises(ProfileError) as caught:
        read_profile({**LEAST, **fields}, "/shop")
    assert message in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


def test_there_is_no_database_above_a_schema() -> None:
    assert read_fields("spark", {**LEAST, "database": "dev"}, "The target")["database"] is None
    with pytest.raises(ProfileError, match="a schema is a database on Spark"):
        read_fields("spark", {**LEAST, "database": "other"}, "The target")


def test_a_token_of_the_wrong_kind_is_not_shown() -> None:
    with pytest.raises(ProfileError) as caught:
        read_profile({**LEAST, "token": ["s3cret"]}, "/shop")
    assert "s3cret" not in str(caught.value)


def test_a_relative_warehouse_is_the_projects() -> None:
    def warehouse(path: str) -> str:
        profile = read_profile({**LEAST, "server_side_parameters": {"spark.sql.warehouse.dir": path}}, "/shop")
        return profile.server_side_parameters["spark.sql.warehouse.dir"]

    assert warehouse("files") == "/shop/files"
    assert warehouse("/data/files") == "/data/files"
    assert warehouse("s3a://bucket/files") == "s3a://bucket/files"


def test_a_bare_spark_keeps_its_tables_in_the_project(tmp_path: Path) -> None:
    found = settings(Profile("session"), str(tmp_path), {})
    assert found["spark.sql.catalogImplementation"] == "hive"
    assert found["spark.sql.warehouse.dir"] == str(tmp_path / "spark-warehouse")
    assert f"databaseName={tmp_path / 'metastore_db'}" in found["spark.hadoop.javax.jdo.option.ConnectionURL"]


def test_a_configured_spark_is_left_alone(tmp_path: Path) -> None:
    found = settings(Profile("session"), str(tmp_path), {"SPARK_CONF_DIR": "/etc/spark"})
    assert not {"spark.sql.warehouse.dir", "spark.hadoop.javax.jdo.option.ConnectionURL"} & set(found)


def test_the_profile_wins(tmp_path: Path) -> None:
    given = {
        "spark.ui.enabled": "true",
        "spark.hadoop.hive.metastore.uris": "thrift://x:9083",
        "spark.driver.extraJavaOptions": "-Dx=1",
    }
    found = settings(Profile("session", server_side_parameters=given), str(tmp_path), {})
    assert found["spark.ui.enabled"] == "true"
    assert "spark.hadoop.javax.jdo.option.ConnectionURL" not in found
    assert found["spark.driver.extraJavaOptions"].endswith(" -Dx=1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("StatusCode.UNAVAILABLE", True), ("the cluster is PENDING", True), ("StatusCode.UNAUTHENTICATED", False)],
)
def test_when_connecting_again_may_help(text: str, expected: bool) -> None:
    assert is_unready(RuntimeError(text)) is expected
