"""The comment that statements carry, before them or behind."""

from __future__ import annotations

import pytest

from understudy.errors import ExecutionError
from understudy.sql.comment import Comment


@pytest.mark.parametrize(
    ("comment", "sql", "expected"),
    [
        (Comment("by me"), "select 1", "/* by me */\nselect 1"),
        (Comment("  by me\n"), "select 1;", "/* by me */\nselect 1;"),
        (Comment("by me", append=True), "select 1", "select 1\n/* by me */"),
        (Comment("by me", append=True), "select 1; \n", "select 1\n/* by me */;"),
        (Comment(" "), "select 1", "select 1"),
    ],
)
def test_statements(comment: Comment, sql: str, expected: str) -> None:
    assert comment.on(sql) == expected


def test_a_text_that_would_end_the_comment() -> None:
    with pytest.raises(ExecutionError, match="illegal value"):
        Comment("so */ drop table")
