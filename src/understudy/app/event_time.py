"""`--sample`, `--event-time-start` and `--event-time-end`, and the batches that a retry builds again."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import datetime, timedelta

from understudy.app.options import Options
from understudy.artifacts.run_results import PriorResult
from understudy.errors import StateError, UnderstudyError, UsageError
from understudy.execute.microbatch import as_moment
from understudy.execute.results import Moments
from understudy.execute.worker import Again
from understudy.parse import yaml

FORMATS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")
Window = tuple[datetime | None, datetime | None]


def event_window(options: Options) -> Window:
    """The two moments, in UTC. Raises UsageError: one without the other, no moment, or the wrong way round.

    dbt 1.11: Flags._validate_event_time_configs.
    """
    start = _moment(options, "event_time_start")
    end = _moment(options, "event_time_end")
    if (start is None) != (end is None):
        given, other = ("start", "end") if end is None else ("end", "start")
        raise UsageError(f"--event-time-{given} needs --event-time-{other}", hint="Give both, or none of them.")
    if start is not None and end is not None and start >= end:
        raise UsageError(f"--event-time-start ({start}) must be before --event-time-end ({end})")
    return start, end


def _moment(options: Options, name: str) -> datetime | None:
    text = getattr(options, name)
    if text is None:
        return None
    for layout in FORMATS:
        try:
            return datetime.strptime(text, layout)
        except ValueError:
            continue
    raise UsageError(
        f"{options.origin(name)} must be a date or a time, not {text!r}",
        hint="Write it as 2024-01-31 or 2024-01-31T15:00:00.",
    )


def sample_window(options: Options, now: datetime) -> tuple[datetime, datetime] | None:
    """`--sample`: `3 days` back from now, or `{start: 2024-01-01, end: 2024-02-01}`; in UTC. Raises UsageError.

    dbt 1.11: SampleWindow.
    """
    text = options.sample
    if text is None:
        return None
    hint = "Write it as '3 days', or as '{start: 2024-01-01, end: 2024-02-01}'."
    try:
        if text.lstrip().startswith("{"):
            given = yaml.load(text, options.origin("sample"))
            start, end = as_moment(given["start"]), as_moment(given["end"])
        else:
            count, grain = text.split(" ")
            start, end = _back(now, int(count), grain.lower().rstrip("s")), now
    except (KeyError, TypeError, ValueError, UnderstudyError) as error:
        raise UsageError(f"{options.origin('sample')} makes no sense: {text!r}", hint=hint) from error
    if start >= end:
        raise UsageError(f"{options.origin('sample')}: the start ({start}) must be before the end ({end})", hint=hint)
    return start, end


def _back(now: datetime, count: int, grain: str) -> datetime:
    """So many hours, days, months or years ago; the last day of a month where it has no such day."""
    if grain in ("hour", "day"):
        return now - timedelta(**{f"{grain}s": count})
    if grain not in ("month", "year"):
        raise ValueError(grain)
    months = now.year * 12 + now.month - 1 - count * (12 if grain == "year" else 1)
    year, month = divmod(months, 12)
    return now.replace(year=year, month=month + 1, day=min(now.day, monthrange(year, month + 1)[1]))


def unfinished(results: list[PriorResult]) -> Mapping[str, Again]:
    """The batches of the microbatch models that a retry takes up. Raises StateError for moments that are none."""
    return {
        each.unique_id: Again(_windows(each, "failed"), _windows(each, "successful"))
        for each in results
        if each.batch_results
    }


def _windows(result: PriorResult, key: str) -> tuple[Moments, ...]:
    try:
        pairs = (result.batch_results or {}).get(key) or []
        return tuple((datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in pairs)
    except (TypeError, ValueError) as error:
        raise StateError(f"The batches of {result.unique_id} in run_results.json make no sense: {error}") from error
