"""The moment in which a new relation takes the old one's name, with a transaction and without one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from understudy.core.relation import Relation
from understudy.core.statement import Statement
from understudy.errors import DatabaseError
from understudy.execute.materialize import is_temporary
from understudy.execute.parts import swap
from understudy.sql.dialect import dialect

SPARK = dialect("spark")
TARGET = SPARK.relation(None, "dev", "a", type="table")
PLACE = TARGET.with_identifier("a__dbt_tmp_0123abcd")


class Macros:
    """No project says how to drop or rename; a backup has dbt's name."""

    def overridden(self, name: str) -> bool:
        return False

    def __init__(self) -> None:
        self.renamed: list[Relation] = []

    def call(self, name: str, relation: Relation, kind: Any = None) -> Relation:
        if name == "after_rename":
            self.renamed.append(relation)
            return relation
        assert name == "make_backup_relation"
        return relation.with_identifier(f"{relation.identifier}__dbt_backup").with_type(kind)


def sent(existing: Relation | None, *, transactions: bool, fails_at: int | None = None) -> list[str]:
    """The statements of a swap; the one with the number `fails_at` fails, and the error comes out again."""
    macros = Macros()
    build: Any = SimpleNamespace(existing=existing, transactions=transactions, macros=macros, dialect=SPARK)
    steps, said = swap(build, PLACE, TARGET), []
    error = DatabaseError("refused")
    try:
        request = next(steps)
        while True:
            assert isinstance(request, Statement)
            said.append(request.sql)
            request = steps.throw(error) if len(said) - 1 == fails_at else next(steps)
    except StopIteration:
        assert fails_at is None
    except DatabaseError as raised:
        if raised is not error:
            raise
    taken = [text.rsplit(" ", 1)[1] for n, text in enumerate(said) if " rename to " in text and n != fails_at]
    assert [relation.render() for relation in macros.renamed] == taken, "all that has another name is told"
    return said


TAKE = "alter table dev.a__dbt_tmp_0123abcd rename to dev.a"
ASIDE = "alter table dev.a rename to dev.a__dbt_backup"
BACK = "alter table dev.a__dbt_backup rename to dev.a"


def test_in_a_transaction_the_old_one_is_dropped() -> None:
    assert sent(TARGET, transactions=True) == ["drop table if exists dev.a", TAKE]


def test_without_one_it_is_set_aside_and_dropped_last() -> None:
    assert sent(TARGET, transactions=False) == [ASIDE, TAKE, "drop table if exists dev.a__dbt_backup"]


def test_it_comes_back_when_the_new_one_cannot_take_its_name() -> None:
    assert sent(TARGET, transactions=False, fails_at=1) == [ASIDE, TAKE, BACK]


def test_it_stays_when_it_cannot_be_set_aside() -> None:
    assert sent(TARGET, transactions=False, fails_at=0) == [ASIDE]


def test_a_view_is_set_aside_as_a_view() -> None:
    statements = sent(TARGET.with_type("view"), transactions=False)
    assert statements[0] == "alter view dev.a rename to dev.a__dbt_backup"
    assert statements[-1] == "drop view if exists dev.a__dbt_backup"


def test_where_there_was_nothing() -> None:
    assert sent(None, transactions=False) == [TAKE]


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("a__dbt_tmp", True), ("a__dbt_backup", True), ("a__dbt_tmp_0123abcd", True), ("a__dbt_tmp_0123abcde", False),
        ("a__dbt_tmp_mine", False), ("a", False), ("ab__dbt_tmp", False), ("a_b__dbt_tmp", False),
    ],
)  # fmt: skip
def test_names_that_a_killed_run_leaves(identifier: str, expected: bool) -> None:
    assert is_temporary(identifier, "a") is expected
