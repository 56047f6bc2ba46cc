"""A batch: the window of time of which a microbatch model is built at once, and a relation of which a part is read."""

from __future__ import annotations

from datetime import datetime

import msgspec

from understudy.core.relation import Relation


class Batch(msgspec.Struct, frozen=True):
    """One batch: from `event_time_start` on, before `event_time_end`; both in UTC. `id` is `20240131` for a day."""

    id: str
    event_time_start: datetime
    event_time_end: datetime

    def as_dict(self) -> dict[str, object]:
        """What templates see as `model.batch`."""
        return {"id": self.id, "event_time_start": self.event_time_start, "event_time_end": self.event_time_end}


class Window(msgspec.Struct, frozen=True):
    """A condition on a column of times: from `start` on, before `end`; None: no bound."""

    column: str
    start: datetime | None = None
    end: datetime | None = None

    def condition(self) -> str:
        """The condition as SQL; empty without bounds."""
        parts = []
        if self.start:
            parts.append(f"{self.column} >= '{self.start}'")
        if self.end:
            parts.append(f"{self.column} < '{self.end}'")
        return " and ".join(parts)


class Narrowed(msgspec.Struct, frozen=True):
    """A relation of which a node reads a part: `limit` rows (0: none), those of a `window`.

    `alias`: the engine wants a name for a subquery.
    """

    relation: Relation
    limit: int | None = None
    window: Window | None = None
    alias: bool = False
