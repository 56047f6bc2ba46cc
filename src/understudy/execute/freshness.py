"""How fresh sources are: asked of the engine, and held against what their project expects (dbt 1.11: FreshnessRunner)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from understudy.compile.compiler import Compiler
from understudy.core.nodes import Source
from understudy.errors import DatabaseError, ExecutionError, Place, UnderstudyError
from understudy.execute.clock import Clock
from understudy.execute.database import LiveDatabase
from understudy.execute.plan import Bundle, Step
from understudy.execute.results import NodeResult
from understudy.sql.dialect import Dialect
from understudy.template.relations import source_relation

NEVER = datetime.min.replace(tzinfo=UTC)
"""When a table without rows was loaded."""
Verdict = Literal["pass", "warn", "error"]


class Measured(msgspec.Struct, frozen=True):
    """What the engine said of one source; both moments are of UTC."""

    max_loaded_at: datetime
    snapshotted_at: datetime
    response: Mapping[str, Any]

    @property
    def age(self) -> float:
        """In seconds."""
        return (self.snapshotted_at - self.max_loaded_at).total_seconds()


def is_checked(source: Source) -> bool:
    """Whether the source expects to be fresh (dbt 1.11: FreshnessThreshold.__bool__)."""
    return any(limit(source, key) is not None for key in ("warn_after", "error_after"))


def limit(source: Source, key: str) -> timedelta | None:
    """The age from which `warn_after` or `error_after` holds."""
    after = (source.freshness or {}).get(key) or {}
    if after.get("count") is None or after.get("period") is None:
        return None
    return timedelta(**{f"{after['period']}s": after["count"]})


def verdict(source: Source, age: float) -> Verdict:
    """What an age in seconds means for the source."""
    for key, found in (("error_after", "error"), ("warn_after", "warn")):
        most = limit(source, key)
        if most is not None and age > most.total_seconds():
            return "error" if found == "error" else "warn"
    return "pass"


class FreshnessWorker:
    """One thread's work: sources, one after the other, on one connection. `found` takes what was measured."""

    def __init__(
        self, compiler: Compiler, dialect: Dialect, database: LiveDatabase, found: dict[str, Measured]
    ) -> None:
        self.compiler, self.dialect, self.database, self.found = compiler, dialect, database, found

    def cancel(self) -> None:
        """Interrupt the query that runs."""
        self.database.cancel()

    def close(self) -> None:
        """Leave the connection."""
        self.database.close()

    def run(self, step: Step) -> NodeResult:
        """Ask for one source; whatever goes wrong is its error."""
        source, clock = self.compiler.manifest.sources[step.unique_id], Clock()
        try:
            with clock.phase("execute"):
                measured = self._measure(source)
        except Exception as error:  # noqa: BLE001 - every error of a source is its result
            self.database.rollback()
            return clock.result(step.unique_id, "error", _text(error, source), error=error)
        self.found[step.unique_id] = measured
        status = verdict(source, measured.age)
        message = None if status == "pass" else _complaint(source, status, measured)
        return clock.result(step.unique_id, status, message, adapter_response=measured.response)

    def run_together(self, bundle: Bundle) -> list[NodeResult]:
        """Sources are asked singly."""
        return []

    def _measure(self, source: Source) -> Measured:
        relation = source_relation(source, self.dialect)
        extra = {"this": relation, "source_node": source, "model": source}
        session = self.compiler.session(None, self.database, extra=extra)
        if source.loaded_at_query is not None:
            query = session.render(source.loaded_at_query)
            result = session.call("collect_freshness_custom_sql", relation, query)
        elif source.loaded_at_field is not None:
            only = (source.freshness or {}).get("filter")
            result = session.call("collect_freshness", relation, source.loaded_at_field, only)
        else:
            raise ExecutionError(
                f"Could not compute freshness for source {source.name}: it has no loaded_at_field, and "
                f"{self.dialect.name} does not know when a table was changed",
                hint="Say loaded_at_field (a column) or loaded_at_query in its properties.",
            )
        return _read(result, source)


def _read(result: Any, source: Source) -> Measured:
    """The answer of a `collect_freshness` macro: what load_result() gives, or (in old packages) its table alone."""
    rows = getattr(result, "data", None)
    if rows is None:
        rows = [tuple(row.values()) for row in getattr(result, "rows", ())]
    if len(rows) != 1 or len(rows[0]) != 2:
        raise ExecutionError(f"The freshness of {source.name} must be one row with two moments; it is {rows!r:.200}")
    newest, now = rows[0]
    response = {"_message": str(getattr(result, "response", "OK"))}
    return Measured(NEVER if newest is None else _moment(newest, source), _moment(now, source), response)


def _moment(value: Any, source: Source) -> datetime:
    if not isinstance(value, datetime):
        what = source.loaded_at_field or "loaded_at_query"
        raise ExecutionError(
            f"{what} must give a timestamp, and gives {value!r:.60} ({type(value).__name__})",
            hint=f"Cast it: loaded_at_field: {source.loaded_at_field}::timestamp" if source.loaded_at_field else None,
        )
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _complaint(source: Source, status: Verdict, measured: Measured) -> str:
    after = (source.freshness or {})["error_after" if status == "error" else "warn_after"]
    allowed = f"{after['count']} {after['period']}{'s' if after['count'] != 1 else ''}"
    if measured.max_loaded_at == NEVER:
        return f"There are no rows; it should not be older than {allowed}"
    newest = measured.max_loaded_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"The newest row is of {newest}; it should not be older than {allowed}"


def _text(error: Exception, source: Source) -> str:
    if not isinstance(error, UnderstudyError):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, DatabaseError) and error.place is None:
        error.place = Place(source.original_file_path, node=source.unique_id)
    return f"{error.message}\n{error.hint}" if error.hint else error.message
