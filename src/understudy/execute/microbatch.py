"""Which batches a microbatch model is built in (dbt 1.11: MicrobatchBuilder). All moments are in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from understudy.core.batch import Batch
from understudy.errors import ExecutionError

SIZES = ("hour", "day", "month", "year")
LABELS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


def is_microbatch(config: Mapping[str, Any]) -> bool:
    """Whether a model's config asks for batches."""
    return config.get("materialized") == "incremental" and config.get("incremental_strategy") == "microbatch"


def batches(
    config: Mapping[str, Any],
    name: str,
    *,
    incremental: bool,
    now: datetime,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[Batch]:
    """The batches of this run, the earliest first; the last one may end early.

    `incremental`: rows are there already. `start` and `end` are the command line's; else it goes from `begin`, or from
    `lookback` batches ago, until `now`. Raises ExecutionError for a config that does not say enough.
    """
    size = str(config.get("batch_size") or "")
    if size not in SIZES:
        raise ExecutionError(f"Microbatch model '{name}' needs a 'batch_size': {', '.join(SIZES)}; got {size!r}")
    stop = ceiling(as_moment(end or now), size)
    first = _start(config, name, size, incremental=incremental, start=start, stop=stop)
    return [Batch(batch_id(begin, size), begin, min(finish, stop)) for begin, finish in _windows(first, stop, size)]


def _windows(first: datetime, stop: datetime, size: str) -> Iterator[tuple[datetime, datetime]]:
    begin, finish = first, offset(first, size, 1)
    yield begin, (finish if finish < stop else stop)
    while finish < stop:
        begin, finish = finish, offset(finish, size, 1)
        yield begin, finish


def _start(
    config: Mapping[str, Any], name: str, size: str, *, incremental: bool, start: datetime | None, stop: datetime
) -> datetime:
    if start is not None:
        return truncate(as_moment(start), size)
    if not incremental:
        begin = config.get("begin")
        if not begin:
            raise ExecutionError(f"Microbatch model '{name}' requires a 'begin' configuration")
        return truncate(as_moment(begin), size)
    lookback = int(config.get("lookback", 1) or 0)
    if stop == truncate(stop, size):  # the last batch ends here, and begins one before
        lookback += 1
    return offset(stop, size, -lookback)


def as_moment(value: Any) -> datetime:
    """A moment as configs and the command line have it: a datetime, a date, or ISO text. Raises ExecutionError."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise ExecutionError(f"'{value}' is no date and no time", hint="Write it as 2024-01-31.") from error
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise ExecutionError(f"{value!r} is no date and no time", hint="Write it as 2024-01-31.")
    return value.replace(tzinfo=UTC)


def truncate(moment: datetime, size: str) -> datetime:
    """The beginning of the batch that holds the moment."""
    zero: dict[str, Any] = {"minute": 0, "second": 0, "microsecond": 0, "tzinfo": UTC}
    if size != "hour":
        zero["hour"] = 0
    if size in ("month", "year"):
        zero["day"] = 1
    if size == "year":
        zero["month"] = 1
    return moment.replace(**zero)


def offset(moment: datetime, size: str, count: int) -> datetime:
    """The beginning of the batch that is `count` batches away from the one that holds the moment."""
    start = truncate(moment, size)
    match size:
        case "hour":
            return start + timedelta(hours=count)
        case "day":
            return start + timedelta(days=count)
        case "month":
            years, month = divmod(start.year * 12 + start.month - 1 + count, 12)
            return start.replace(year=years, month=month + 1)
        case _:
            return start.replace(year=start.year + count)


def ceiling(moment: datetime, size: str) -> datetime:
    """The moment itself where a batch begins, else the beginning of the next."""
    return moment if moment == truncate(moment, size) else offset(moment, size, 1)


def label(start: datetime, size: str) -> str:
    """The batch's name in files and messages: `2024-01-31`."""
    return start.strftime(LABELS[size])


def batch_id(start: datetime, size: str) -> str:
    """The batch's id: `20240131`."""
    return label(start, size).replace("-", "")
