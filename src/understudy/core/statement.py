"""What is sent to an engine, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from understudy.core.relation import Relation


class Statement(msgspec.Struct, frozen=True):
    """One SQL statement (or several, for engines that take them as one text).

    `fetch` asks for rows. `purpose` is a word for logs and tests ("create", "test", "hook", "rename", "introspect");
    "restore" brings back what was there before, so it is sent even when the run was cancelled.
    `in_transaction` False: sent outside of the node's transaction (hooks with `transaction: false`).
    """

    sql: str
    fetch: bool = False
    purpose: str = ""
    in_transaction: bool = True


class Load(msgspec.Struct, frozen=True):
    """The rows of a CSV file, with a header line, into a table.

    `path` is absolute; `columns` are the table's, as SQL, in the file's order. Empty cells are null.
    Engines read the file in bounded memory.
    """

    relation: Relation
    path: str
    columns: tuple[str, ...]
    delimiter: str = ","
    purpose: str = "load"


class Script(msgspec.Struct, frozen=True):
    """Python that runs in the engine's session: a compiled Python model, and the function that stores its data frame.

    `code` begins with the text of the model's file, which stands at `path` below `root`, so that lines of errors are the
    file's. It has `dbtObj(load)`, `model(dbt, session)` and `materialize(df, session)`, as dbt compiles it.
    """

    code: str
    path: str
    root: str = ""
    node: str | None = None
    purpose: str = "main"


Request = Statement | Load | Script
"""What a materialization may ask of an engine."""


class Result(msgspec.Struct, frozen=True):
    """What a statement returned: column names and rows where it was fetched; the engine's message for `run_results.json`."""

    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    rows: Sequence[tuple[Any, ...]] = ()
    message: str = "OK"
    code: str = ""
    rows_affected: int | None = None
    extra: Mapping[str, Any] = msgspec.field(default_factory=dict)

    def adapter_response(self) -> dict[str, Any]:
        """The `adapter_response` of `run_results.json` (dbt 1.11: AdapterResponse.to_dict(omit_none))."""
        response: dict[str, Any] = {"_message": self.message}
        if self.code:
            response["code"] = self.code
        if self.rows_affected is not None:
            response["rows_affected"] = self.rows_affected
        return {**response, **self.extra}


class ColumnType(msgspec.Struct, frozen=True):
    """A column as the engine describes it."""

    name: str
    data_type: str
