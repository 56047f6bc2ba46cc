"""Files as relations on DuckDB: how they are written, and read again (dbt-duckdb 1.11: materialization external)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

from understudy.core.relation import quote
from understudy.errors import ExecutionError

FORMATS = ("csv", "parquet", "json")
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
TEXTS = ("delimiter", "quote", "escape", "null")
"""Options whose values are texts in quotes; the others stand as they are given."""
REMOTE = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)


def located(path: str, root: str) -> str:
    """A file's path from the project's root; anything with a scheme (`s3://`) as it stands."""
    return path if REMOTE.match(path) else posixpath.normpath(posixpath.join(root, path))


def write_options(location: str, given: Mapping[str, Any]) -> dict[str, str]:
    """COPY's options: those of the config, and what the file's name says where they are silent."""
    options = {str(name): str(value) for name, value in given.items()}
    stem, ending = posixpath.splitext(location)
    if "format" not in options:
        compression = COMPRESSIONS.get(ending.lower())
        if compression is not None:
            ending = posixpath.splitext(stem)[1]
        options["format"] = ending[1:].lower() or ("csv" if "delimiter" in options else "parquet")
        if compression is not None and ending:
            options.setdefault("compression", compression)
    if options["format"] == "csv":
        options.setdefault("header", "1")
    partitions = options.get("partition_by", "")
    if "," in partitions and not partitions.startswith("("):
        options["partition_by"] = f"({partitions})"
    return options


def options_sql(options: Mapping[str, str]) -> str:
    """The options inside of COPY's parentheses."""
    return ", ".join(
        f"{name} {_text(value) if name.lower() in TEXTS and not value.startswith(QUOTE) else value}"
        for name, value in options.items()
    )


def is_folder(options: Mapping[str, Any]) -> bool:
    """Whether many files are written, into a folder."""
    return bool(options.get("partition_by") or options.get("per_thread_output"))


def copy_sql(relation: str, location: str, options: str) -> str:
    """The statement that writes the file."""
    return f"copy {relation} to {_text(location)} ({options})"


def read_location(location: str, options: Mapping[str, Any]) -> str:
    """What a reader is given: the file, or a pattern of the files in the folder."""
    if not is_folder(options):
        return location
    levels = str(options.get("partition_by") or "").count(",") + 1 if options.get("partition_by") else 0
    return "/".join([location, *["*"] * (levels + 1)]) + f".{options.get('format', 'parquet')}"


def read_format(configured: Any, options: Mapping[str, str]) -> str:
    """The format in which the view reads. Raises ExecutionError for one that DuckDB has no reader for."""
    if configured:
        if configured not in FORMATS:
            raise ExecutionError(f"Invalid format: {configured}. Allowed formats are: {', '.join(FORMATS)}")
        return str(configured)
    written = options["format"].lower()
    return written if written in FORMATS else "parquet"


def reader(format: str, location: str, options: Mapping[str, Any]) -> str:
    """The table function that reads the files."""
    parts = [_text(location), *(f"{name}={_value(value)}" for name, value in options.items())]
    return f"read_{format}({', '.join(parts)})"


def read_options(format: str, config: Mapping[str, Any], compression: str | None) -> dict[str, Any]:
    """The reader's options: the config's `<format>_read_options`; DuckDB does not see every compression in a name."""
    default = {"union_by_name": False} if format == "parquet" else {"auto_detect": True}
    options = dict(config.get(f"{format}_read_options") or default)
    if compression and format != "parquet":
        options.setdefault("compression", compression)
    return options


def all_there(columns: Sequence[str]) -> str:
    """A condition that holds back the one row of nulls as which no rows are written, to keep the columns."""
    return " and ".join(f"{quote(name)} is not null" for name in columns)


QUOTE = "'"


def _text(value: object) -> str:
    return QUOTE + str(value).replace(QUOTE, QUOTE * 2) + QUOTE


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(name)}: {_value(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else _text(value) if isinstance(value, str) else str(value)
