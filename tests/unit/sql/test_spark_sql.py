"""What Spark SQL says in its own way, as text."""

from __future__ import annotations

import pytest

from understudy.core.relation import Quoting, Relation
from understudy.sql.dialect import dialect
from understudy.sql.spark import Spark, is_query, relation_kind, statements

A = Relation(None, "dev", "a", "table", Quoting(False, False, False), "`")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1", ["select 1"]),
        ("select 1;", ["select 1"]),
        ("set a = b;\n\ninsert into t select ';' ; ", ["set a = b", "insert into t select ';'"]),
        ("select 'it\\'s;' ; select \"a;\\\"\" ; select `x;``y`",
         ["select 'it\\'s;'", 'select "a;\\""', "select `x;``y`"]),
        ("select r'\\' ; select 2", ["select r'\\'", "select 2"]),
        ("-- nothing; here\n;/* nor; here */;", []),
        ("-- a;\nselect 1 /* b; */ - 2 -- c;", ["-- a;\nselect 1 /* b; */ - 2 -- c;"]),
        ("select 4 / 2; select 'a' -- it's", ["select 4 / 2", "select 'a' -- it's"]),
        ("begin select 1; select 2; end", ["begin select 1; select 2; end"]),
        ("", []),
    ],
)  # fmt: skip
def test_statements_of_a_text(text: str, expected: list[str]) -> None:
    assert statements(text) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1", True),
        (" -- x\n /* y */ ( WITH a as (select 1) select * from a)", True),
        ("values (1)", True),
        ("insert into t select 1", False),
        ("create table selected (id int)", False),
        ("selection", False),
    ],
)
def test_what_runs_only_when_its_rows_are_wanted(sql: str, expected: bool) -> None:
    assert is_query(sql) is expected


@pytest.mark.parametrize(
    ("information", "kind"),
    [
        ("Table: a\nType: MANAGED\nComment: \nType: VIEW\n", "table"),
        ("Table: a\nType: EXTERNAL\n", "table"),
        ("Table: a\nType: VIEW\nView Text: select\n", "view"),
        ("Table: a\nType: METRIC_VIEW\n", "view"),
        ("", "table"),
    ],
)
def test_the_kind_of_a_relation(information: str, kind: str) -> None:
    assert relation_kind(information) == kind


def test_texts_are_escaped() -> None:
    assert Spark().literal('it\'s \\ "x"') == "'it\\'s \\\\ \"x\"'"


def test_statements_on_relations() -> None:
    spark, view = Spark(), A.with_type("view")
    assert spark.drop(A) == "drop table if exists dev.a"
    assert spark.drop(view) == "drop view if exists dev.a"
    assert spark.rename(A, "b c") == "alter table dev.a rename to dev.`b c`"
    assert spark.comment(A, "it's") == "comment on table dev.a is 'it\\'s'"
    assert spark.comment(view, "x") == "alter view dev.a set tblproperties ('comment' = 'x')"
    assert spark.add_column(A, "x`y", "int") == "alter table dev.a add columns (`x``y` int)"


def test_rows_travel_as_one_text() -> None:
    sql = Spark().insert_texts(A, ["int", "string"], [["1", "it's"], [None, '"\\']])
    assert sql == (
        "insert into dev.a select cast(cast(r[0] as decimal(38, 10)) as int), cast(r[1] as string) from "
        """(select explode(from_json('[["1", "it\\'s"], [null, "\\\\"\\\\\\\\"]]', 'array<array<string>>')) as r)"""
    )


def test_a_database_is_a_catalog_and_cases_are_one() -> None:
    spark = dialect("spark")
    assert spark.relation("iceberg", "Dev", "A").render() == "iceberg.Dev.A"
    assert spark.key(spark.relation(None, "Dev", "A")) == (None, "dev", "a")
