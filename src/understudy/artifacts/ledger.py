"""The applied state: what is really built, per relation, in `.understudy/ledger.sqlite` of the project.

A run announces each build before it begins and confirms it when it is done, each in a transaction of its own. So whatever
ends a run, a kill included, no build is recorded that did not happen: what was announced and never confirmed is not known.
Several runs may write at once (docs/adr: the ledger of builds).
"""

from __future__ import annotations

import contextlib
import os
import platform
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from understudy.errors import ArtifactError, Place
from understudy.state.applied import Print

FOLDER = ".understudy"
FILE = "ledger.sqlite"
VERSION = 3
PATIENCE = 30.0
"""Seconds to wait for another run's transaction; each takes milliseconds."""
KEEP = "90 days"
"""How long builds are kept that a later one of the same relation has replaced."""
COUNTS = "status not in ('error', 'skipped')"
INDEXES = f"""
create index builds_that_count on builds (place, relation, id) where {COUNTS};
create index builds_going_on on builds (place, relation) where status = 'building';
"""
"""So that of a relation only those builds are looked at that matter, however many there were."""
SCHEMA = f"""
create table if not exists builds (
    id integer primary key autoincrement,
    place text not null, relation text not null, unique_id text not null, target text not null,
    invocation text not null, host text not null, pid integer not null,
    print text not null, whole text not null, mixed integer not null, overlapped integer not null,
    git_commit text, git_dirty integer,
    started text not null, finished text, status text not null, record text
);
{INDEXES}"""
COLUMNS = "status, print, mixed, overlapped, host, pid, finished, started, git_commit, git_dirty, invocation, record, unique_id"
CLONED = "it was cloned, and from which code that was built is not known, or not today's"
"""What is said of a clone whose source is not known to be built from today's code."""
UPGRADES = {1: "alter table builds add column record text;", 2: f"drop index if exists builds_of_a_relation; {INDEXES}"}
"""What makes the next form of each older one."""
Status = Literal["building", "success", "partial", "error", "skipped"]
"""`error`: what was there before still is. `partial`: built in part: with --empty, of a sample, or up to a failure."""


class Build(msgspec.Struct, frozen=True):
    """A build as it is announced. `relation`: as the engine compares names. `mixed`: it adds to rows of older code.

    `print` None: a clone of another environment's relation, and nobody knows from which code that was built.
    `record`: the digest of the node that is built (state.built.record_of); None for clones of another one.
    """

    unique_id: str
    relation: str
    print: Print | None
    mixed: bool = False
    record: str | None = None


class Run(msgspec.Struct, frozen=True):
    """Who builds. `place` is the database; `commit` and `dirty` are git's, None where there is none. Times: ISO 8601, UTC."""

    invocation: str
    place: str
    target: str
    started: str
    commit: str | None = None
    dirty: bool | None = None


class Applied(msgspec.Struct, frozen=True):
    """What stands in a relation, as far as it is known.

    `print` None: that is not known, and `why` tells why. `mixed`: rows of older code are in it. `finished`: when its build
    ended, or began where the end is not known. `record`: the digest of the node that was built.
    """

    print: Print | None
    why: str = ""
    mixed: bool = False
    finished: str | None = None
    commit: str | None = None
    dirty: bool | None = None
    invocation: str | None = None
    record: str | None = None
    unique_id: str = ""


class Ledger:
    """The ledger of one project. Every method raises ArtifactError when the file cannot be read or written."""

    def __init__(self, root: str) -> None:
        self.path = os.path.join(root, FOLDER, FILE)
        self._host = platform.node()
        self._announced: dict[tuple[str, str], int | None] = {}
        """The rows that were made here, by (invocation, unique_id), so that nobody has to look for them."""
        with self._told():
            self._database = self._open(root)

    def _open(self, root: str) -> sqlite3.Connection:
        folder = os.path.join(root, FOLDER)
        os.makedirs(folder, exist_ok=True)
        ignore = os.path.join(folder, ".gitignore")
        if not os.path.exists(ignore):
            with contextlib.suppress(FileExistsError), open(ignore, "x", encoding="utf-8") as file:
                file.write("*\n")
        database = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(database)
        except BaseException:
            database.close()
            raise
        return database

    def _prepare(self, database: sqlite3.Connection) -> None:
        self._share(database)
        database.execute("pragma synchronous = normal")
        (version,) = database.execute("pragma user_version").fetchone()
        if version > VERSION:
            raise sqlite3.DatabaseError(f"it was written by a later version of understudy (form {version})")
        if version < VERSION:
            self._upgrade(database)

    def _upgrade(self, database: sqlite3.Connection) -> None:
        """Make the tables, or bring those of an older form up to date; another run may do the same at the same time."""
        database.execute("begin immediate")
        (version,) = database.execute("pragma user_version").fetchone()
        steps = [UPGRADES[form] for form in range(version, VERSION)] if version else [SCHEMA]
        for statement in ";".join(steps).split(";"):
            database.execute(statement)
        database.execute(f"pragma user_version = {VERSION}")
        database.execute("commit")

    def _share(self, database: sqlite3.Connection) -> None:
        """Let readers and a writer work at once. SQLite's own patience does not cover the change to this mode, nor the
        recovery after a writer was killed, so whoever comes in that moment tries again.
        """
        end = time.monotonic() + PATIENCE
        while True:
            try:
                database.execute("pragma journal_mode = wal")
                return
            except sqlite3.OperationalError as error:
                if (
                    error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                    or time.monotonic() > end
                ):
                    raise
            time.sleep(0.01)

    def announce(self, run: Run, builds: Iterable[Build]) -> None:
        """Say what will be built. From here on, nothing is known of these relations until it is confirmed."""
        rows: dict[tuple[str, str], int | None] = {}
        with self._told(), self._transaction(durable=True):
            self._forget(run.started)
            for build in builds:
                rows[run.invocation, build.unique_id] = self._database.execute(
                    "insert into builds (place, relation, unique_id, target, invocation, host, pid, print, whole, mixed, "
                    "overlapped, git_commit, git_dirty, started, record, status) "
                    "values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,'building')",
                    (
                        run.place, build.relation, build.unique_id, run.target, run.invocation, self._host, os.getpid(),
                        msgspec.json.encode(build.print).decode(), build.print.whole if build.print else "", build.mixed,
                        self._being_built(run.place, build.relation), run.commit, run.dirty, run.started, build.record,
                    ),
                ).lastrowid  # fmt: skip
        self._announced |= rows

    def confirm(self, invocation: str, unique_id: str, status: Status, finished: str) -> None:
        """Say how a build ended that was announced here; what is said first holds."""
        with self._told():
            self._database.execute(
                "update builds set status = ?, finished = ? where id = ? and status = 'building'",
                (status, finished, self._announced.get((invocation, unique_id))),
            )

    def applied(self, place: str, relations: Sequence[str]) -> dict[str, Applied]:
        """What stands in relations; those of which no build was ever announced are not in it."""
        found = {}
        with self._told():
            for relation in relations:
                rows = self._database.execute(
                    f"select {COLUMNS} from builds where place = ? and relation = ? "
                    f"and {COUNTS} order by id desc limit 1",
                    (place, relation),
                ).fetchall()
                if rows:
                    found[relation] = self._read(*rows[0])
        return found

    def all_applied(self, place: str) -> dict[str, Applied]:
        """What stands in every relation of a database of which a build was announced."""
        with self._told():
            rows = self._database.execute(
                f"select relation, {COLUMNS} from builds where id in "
                f"(select max(id) from builds where place = ? and {COUNTS} group by relation)",
                (place,),
            ).fetchall()
            return {relation: self._read(*rest) for relation, *rest in rows}

    def _read(
        self,
        status: str,
        text: str,
        mixed: int,
        overlapped: int,
        host: str,
        pid: int,
        finished: str | None,
        started: str,
        *rest: Any,
    ) -> Applied:
        commit, dirty, *more = rest
        at, git = finished or started, (commit, None if dirty is None else bool(dirty), *more)
        if status == "building":
            alive = self._is_alive(host, pid)
            return Applied(None, "it is being built now" if alive else "its last build was cut short", False, at, *git)
        if status == "partial":
            return Applied(None, "it was built in part only", False, at, *git)
        if overlapped:
            return Applied(None, "two runs built it at the same time", False, at, *git)
        found = msgspec.json.decode(text, type=Print | None)
        return Applied(found, "" if found else CLONED, bool(mixed), at, *git)

    def export(self) -> Iterator[Mapping[str, Any]]:
        """Every build that is recorded, oldest first."""
        with self._told():
            cursor = self._database.execute("select * from builds order by id")
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                entry = dict(zip(names, row, strict=True))
                yield {**entry, "print": msgspec.json.decode(entry["print"])}

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _being_built(self, place: str, relation: str) -> bool:
        """Whether another run that is still alive has announced the relation."""
        rows = self._database.execute(
            "select host, pid from builds where place = ? and relation = ? and status = 'building'", (place, relation)
        )
        return any(self._is_alive(host, pid) for host, pid in rows)

    def _is_alive(self, host: str, pid: int) -> bool:
        """Whether the process may still run; of other machines nobody can tell."""
        if host != self._host:
            return True
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True

    def _forget(self, now: str) -> None:
        """Drop what is long replaced. The last build of each relation that counts is kept.

        Rows stand in the order of time, so those that are too young are not looked at.
        """
        self._database.execute(
            "delete from builds where id < coalesce("
            f"(select id from builds where datetime(started) >= datetime(?, '-{KEEP}') order by id limit 1),"
            "(select max(id) + 1 from builds)) and id not in "
            f"(select max(id) from builds where {COUNTS} group by place, relation)",
            (now,),
        )

    @contextlib.contextmanager
    def _transaction(self, *, durable: bool) -> Iterator[None]:
        """All or nothing; `durable`: also when the machine loses its power the moment after."""
        self._database.execute(f"pragma synchronous = {'full' if durable else 'normal'}")
        self._database.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._database.execute("rollback")
            raise
        self._database.execute("commit")
        self._database.execute("pragma synchronous = normal")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, msgspec.MsgspecError) as error:
            raise ArtifactError(
                f"The ledger of builds cannot be used: {error}",
                place=Place(path=self.path),
                hint=f"Make {FOLDER}/ writable; a damaged file may be deleted: what is built is then no longer known.",
            ) from error
