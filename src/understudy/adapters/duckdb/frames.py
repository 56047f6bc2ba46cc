"""Data frames on their way into DuckDB, which reads most kinds where they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import Any

from understudy.adapters.scripts import kind_of


@contextmanager
def whole(frame: Any) -> Iterator[Any]:
    """The frame, as long as it is needed; a stream by way of a file.

    A stream may come from the model's own connection, which cannot give rows while it takes them. The file keeps memory
    bounded, and the model's table in the node's transaction.
    """
    if kind_of(frame) != ("pyarrow", "RecordBatchReader"):
        yield frame
        return
    from pyarrow import ipc

    with TemporaryFile() as file:
        with ipc.new_stream(file, frame.schema) as writer:
            for batch in frame:
                writer.write_batch(batch)
        file.seek(0)
        with ipc.open_stream(file) as stream:
            yield stream
