"""What is really built in an environment: for each node the code that its relation was last built from.

A manifest says what a project's code was when a command read it. Whether that command built anything, and whether it went
well, the manifest does not say. `applied.json` beside it does: it belongs to the manifest of the last command that built, and
holds, for nodes whose relation is of other code than that, the node as it was then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from understudy.errors import Place, StateError
from understudy.state.applied import Print

FORM = 1
"""The form of the file; a later one cannot be read."""
Older = msgspec.Raw | msgspec.UnsetType
"""A node as it was, undecoded, or nothing."""
NOTHING = msgspec.UNSET


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What stands in one node's relation.

    Attributes:
        exists: whether anything does.
        print: of the code that it was built from; null: that is not known.
        record: a digest of the node as it was in the manifest then.
        node: the node as it was then, where the manifest holds another one.
        lost: the manifest holds another one, and what the node was is not known.
        mixed: an incremental model that holds rows of older code, too.
        finished, invocation, commit, dirty: when it was built, by which invocation, at which commit of git, and whether files
            were changed since that commit.
        failed: how the last attempt to build it ended, where it did not: `error` or `skipped`.
        behind: nodes that it reads, and that have changed since it was built; an attempt to build it since has failed.
    """

    exists: bool = True
    print: Print | None = None
    record: str | None = None
    node: Older = NOTHING
    lost: bool = False
    mixed: bool = False
    finished: str | None = None
    invocation: str | None = None
    commit: str | None = None
    dirty: bool | None = None
    failed: str | None = None
    behind: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether it is known from which code, as a node that can be compared."""
        return self.exists and self.print is not None and not self.lost


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says of itself. `invocation_id` is the manifest's that it belongs to; `database` and `schema` are those
    that the target names.
    """

    form: int
    invocation_id: str
    generated_at: str = ""
    understudy: str = ""
    command: str = ""
    project_name: str = ""
    target: str = ""
    database: str | None = None
    schema: str = ""

    def environment(self) -> tuple[object, ...]:
        """What two files of one environment have in common."""
        return self.project_name, self.target, self.database, self.schema


class BuiltState(msgspec.Struct, frozen=True):
    """The file `applied.json`. A node that is not in it may be built or not: nobody knows."""

    metadata: Head
    nodes: dict[str, Entry] = {}


def record_of(node: Any) -> str:
    """A short digest of a node as the manifest holds it."""
    return hashlib.blake2b(msgspec.json.encode(node), digest_size=8).hexdigest()


def decode_built(data: bytes, *, origin: str) -> BuiltState:
    """The file's bytes. Raises StateError: it is damaged, or of a later form."""
    hint = "Take it from a finished run again, or delete it: then the manifest counts as it stands."
    try:
        head = msgspec.json.decode(data, type=_OnlyHead).metadata
        if head.form > FORM:
            text = f"{origin} was written by a later version of understudy ({head.understudy}, form {head.form})"
            raise StateError(text, hint="Use that version here, too.")
        return msgspec.json.decode(data, type=BuiltState)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StateError(f"applied.json cannot be read: {error}", place=Place(path=origin), hint=hint) from error


class _OnlyHead(msgspec.Struct):
    metadata: Head


def standing(
    today: Mapping[str, str],
    recorded: Mapping[str, Entry],
    before: Mapping[str, Entry],
    attempted: Mapping[str, str],
    *,
    node_before: Callable[[str], Older],
    exists: Callable[[str], bool],
    behind: Callable[[str, Print], tuple[str, ...]],
) -> dict[str, Entry]:
    """What stands now in the relations of today's nodes.

    Args:
        today: unique_id -> the record of today's node, of all that can be built.
        recorded: what the ledger says, the builds of the run that has just ended among it.
        before: what the environment's last file said.
        attempted: how the run ended for each node that it was to build.
        node_before: the node as the manifest of the last file had it; NOTHING where that is not at hand.
        exists: whether a node's relation is there; asked where nothing else tells.
        behind: which of the nodes that a node reads have changed since a print was made.
    """
    found = {}
    for unique_id, record in today.items():
        mine, last = recorded.get(unique_id), before.get(unique_id)
        newest = last if mine is None or (last is not None and _later(last, mine)) else mine
        ended = attempted.get(unique_id)
        failed = ended if ended in ("error", "skipped") else _failed(newest, last)
        if newest is None:
            if failed is not None:
                found[unique_id] = Entry(exists=exists(unique_id), failed=failed)
            continue
        if newest.print is None:
            there = newest.exists if ended is None else exists(unique_id)
            found[unique_id] = Entry(
                exists=there, finished=newest.finished, invocation=newest.invocation, failed=failed
            )
            continue
        node: Older = NOTHING
        if newest.record != record and last is not None and last.record == newest.record and not last.lost:
            node = node_before(unique_id) if last.node is NOTHING else last.node
        found[unique_id] = msgspec.structs.replace(
            newest,
            node=node,
            lost=newest.record != record and node is NOTHING,
            failed=failed,
            behind=behind(unique_id, newest.print) if failed is not None else (),
        )
    return found


def _failed(newest: Entry | None, last: Entry | None) -> str | None:
    """How the last attempt ended, as the last file said, unless the node was built since."""
    if newest is None or last is None:
        return None
    return last.failed if (newest.finished, newest.invocation) == (last.finished, last.invocation) else None


def _later(one: Entry, other: Entry) -> bool:
    """Whether the one was built after the other; times are ISO 8601 in UTC."""
    return (one.finished or "") > (other.finished or "")
