"""Names as engines quote, fold and compare them."""

from __future__ import annotations

import pytest

from understudy.core.relation import Quoting, Relation
from understudy.errors import ProfileError
from understudy.sql.ddl import Ddl
from understudy.sql.dialect import Dialect, dialect


def test_an_unknown_engine() -> None:
    with pytest.raises(ProfileError, match="Did you mean 'duckdb'"):
        dialect("duckbd")
    with pytest.raises(ProfileError, match="Known types: duckdb"):
        dialect("oracle")


def test_quoting_is_overridden_part_by_part() -> None:
    relation = dialect("duckdb").relation("db", "dev", "a", {"database": False, "schema": None}, "view")
    assert (relation.quoting, relation.type) == (Quoting(False, True, True), "view")
    assert relation.render() == 'db."dev"."a"'


def test_an_engine_without_databases() -> None:
    assert Dialect("x", Ddl(), has_databases=False).relation("db", "dev", "a").database is None


@pytest.mark.parametrize(
    ("engine", "one", "two", "same"),
    [
        (dialect("duckdb"), Relation("DB", "Dev", "A"), Relation("db", "dev", "a"), True),
        (dialect("duckdb"), Relation("db", "dev", "a"), Relation("db", "dev", "b"), False),
        (dialect("duckdb"), Relation(None, "dev", "a"), Relation("db", "dev", "a"), False),
        (Dialect("pg", Ddl(), fold="lower"), Relation("db", "dev", "A"), Relation("db", "dev", "a"), False),
        (
            Dialect("pg", Ddl(), fold="lower"),
            Relation("db", "dev", "A", quoting=Quoting(identifier=False)),
            Relation("db", "dev", "a"),
            True,
        ),
        (
            Dialect("pg", Ddl(), fold="lower"),
            Relation("db", "dev", "A b", quoting=Quoting(identifier=False)),
            Relation("db", "dev", "a b"),
            False,
        ),
    ],
)
def test_names_are_compared_as_the_engine_does(engine: Dialect, one: Relation, two: Relation, same: bool) -> None:
    assert (engine.key(one) == engine.key(two)) is same


TABLE = Relation("db", "dev", 'a"b', "table")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (Ddl().drop(TABLE), 'drop table if exists "db"."dev"."a""b" cascade'),
        (
            Ddl().drop(TABLE.with_type("materialized_view")),
            'drop materialized view if exists "db"."dev"."a""b" cascade',
        ),
        (Ddl().drop(TABLE.with_type(None)), 'drop table if exists "db"."dev"."a""b" cascade'),
        (Ddl().rename(TABLE.with_type("view"), 'c"'), 'alter view "db"."dev"."a""b" rename to "c"""'),
        (Ddl().truncate(TABLE), 'truncate table "db"."dev"."a""b"'),
        (Ddl().create_schema(Relation("db", "dev", None)), 'create schema if not exists "db"."dev"'),
        (Ddl().drop_schema(Relation("db", "dev", None)), 'drop schema if exists "db"."dev" cascade'),
        (Ddl().add_column(TABLE, "x", "int"), 'alter table "db"."dev"."a""b" add column "x" int'),
        (Ddl().drop_column(TABLE, "x"), 'alter table "db"."dev"."a""b" drop column "x"'),
        (Ddl().alter_column_type(TABLE, "x", "int"), 'alter table "db"."dev"."a""b" alter column "x" type int'),
        (Ddl().comment(TABLE, "it's"), """comment on table "db"."dev"."a""b" is 'it''s'"""),
        (Ddl().comment_column(TABLE, "x", "it's"), """comment on column "db"."dev"."a""b"."x" is 'it''s'"""),
        (Ddl().create_index(TABLE, "i", ["x", "y"], True), 'create unique index "i" on "db"."dev"."a""b" (x, y)'),
        (
            dialect("duckdb").ddl.copy_csv(TABLE, ["a", '"b"'], "it's.csv", "|"),
            """COPY "db"."dev"."a""b" (a, "b") FROM 'it''s.csv' (FORMAT CSV, HEADER TRUE, DELIMITER '|')""",
        ),
        (dialect("duckdb").ddl.constraint_target('"db"."dev"."a"'), '"dev"."a"'),
        (dialect("duckdb").ddl.constraint_target("dev.a"), "dev.a"),
        (Ddl().constraint_target("db.dev.a"), "db.dev.a"),
        (Ddl().type_name("string"), "TEXT"),
        (Ddl().type_name("integer"), "integer"),
    ],
)
def test_statements(text: str, expected: str) -> None:
    assert text == expected


def test_what_an_engine_must_say_itself() -> None:
    with pytest.raises(NotImplementedError):
        Ddl().copy_csv(TABLE, ["x"], "a", ",")
    assert "information_schema.columns" in Ddl().describe(TABLE)
