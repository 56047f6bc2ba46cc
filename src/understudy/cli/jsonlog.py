"""Events as JSON, one object per line, in the shape of dbt's: `info` (name, level, msg, ts ...) and `data`."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from understudy.app.events import Event, NodeFinished, NodeStarted, Secrets, Started, level
from understudy.cli.scrub import Scrubber
from understudy.cli.wording import RANKS, Wording
from understudy.errors import ErrorList, Place, UnderstudyError


class JsonLines:
    """Writes an object per event."""

    def __init__(self, write: Callable[[str], None], threshold: str, scrub: Scrubber) -> None:
        self._write, self._threshold, self._scrub = write, threshold, scrub
        self._wording = Wording(threshold="debug", debug=False)
        self._invocation_id = ""

    def tell(self, event: Event) -> None:
        """Write the event's object."""
        if isinstance(event, Started):
            self._invocation_id = event.invocation_id
        if not isinstance(event, Secrets) and RANKS[level(event)] >= RANKS[self._threshold]:
            self._write(json.dumps(self.document(event), ensure_ascii=False) + "\n")

    def document(self, event: Event) -> dict[str, Any]:
        """The object of an event, without secrets."""
        info = {
            "name": type(event).__name__,
            "level": level(event),
            "msg": self._wording.text(event).strip(),
            "ts": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "invocation_id": self._invocation_id,
            "pid": os.getpid(),
            "thread": threading.current_thread().name,
        }
        found: dict[str, Any] = self._clean({"info": info, "data": _data(event)})
        return found

    def _clean(self, value: Any) -> Any:
        """Secrets are taken out before the text is escaped, lest an escaped one be overlooked."""
        match value:
            case str():
                return self._scrub(value)
            case Mapping():
                return {str(key): self._clean(each) for key, each in value.items()}
            case Sequence():
                return [self._clean(each) for each in value]
            case None | bool() | int() | float():
                return value
            case _:
                return self._scrub(str(value))

    def aside(self, write: Callable[[], None]) -> None:
        """Nothing stands in the way."""
        write()

    def close(self) -> None:
        """Everything was said."""


def _data(event: Event) -> dict[str, Any]:
    data = _fields(event)
    if isinstance(event, NodeStarted | NodeFinished):  # where dbt's readers look for it
        data["node_info"] = {
            "unique_id": event.unique_id,
            "node_name": event.unique_id.split(".")[2] if event.unique_id.count(".") > 1 else event.name,
            "resource_type": event.unique_id.partition(".")[0],
            "materialized": event.kind,
            "node_status": event.status if isinstance(event, NodeFinished) else "started",
            "node_path": getattr(event, "path", None),
        }
    return data


def _fields(struct: Struct) -> dict[str, Any]:
    return {name: _value(getattr(struct, name)) for name in struct.__struct_fields__}


def _value(value: Any) -> Any:
    match value:
        case ErrorList(errors=errors):
            return [_value(error) for error in errors]
        case UnderstudyError():
            place = _value(value.place)
            return {"code": value.code, "message": value.message, "place": place, "hint": value.hint}
        case Place():
            return value._asdict()
        case tuple():
            return [_value(each) for each in value]
        case Struct():
            return _fields(value)
        case _:
            return value
