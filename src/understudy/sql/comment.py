"""The comment that every statement carries, so that whoever looks after the engine sees where it comes from (`query-comment`)."""

from __future__ import annotations

import msgspec

from understudy.errors import ExecutionError


class Comment(msgspec.Struct, frozen=True):
    """A text without comment signs; `append`: behind the statement instead of before it (dbt 1.11: _QueryComment)."""

    text: str
    append: bool = False

    def __post_init__(self) -> None:
        if "*/" in self.text:
            raise ExecutionError(
                f'query comment contains illegal value "*/": {self.text}', hint="Take it out of 'query-comment'."
            )

    def on(self, sql: str) -> str:
        """The statement with the comment."""
        text = self.text.strip()
        if not text:
            return sql
        if not self.append:
            return f"/* {text} */\n{sql}"
        sql = sql.rstrip()
        return f"{sql[:-1]}\n/* {text} */;" if sql.endswith(";") else f"{sql}\n/* {text} */"
