"""`applied.json`: what is really built in an environment, beside the manifest of the last command that built (state.built).

Commands that build nothing write a manifest, too. The one that `applied.json` belongs to is then kept under another name, so
that at every moment the folder holds the two that belong together.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable

import msgspec

from understudy.artifacts import atomic
from understudy.artifacts.metadata import scrubber
from understudy.errors import Place, StateError
from understudy.state.applied import without_values
from understudy.state.built import BuiltState, decode_built

APPLIED = "applied.json"
KEPT = "applied-manifest.json"
MANIFESTS = ("manifest.json", KEPT)
HEAD = 4096
INVOCATION = re.compile(rb'"invocation_id"\s*:\s*"([^"]{1,200})"')


def write_built(state: BuiltState, folder: str, *, secrets: Iterable[str] = ()) -> None:
    """Write the file whole. Values of environment variables stand in it as digests; secrets are hidden. Raises ArtifactError.

    Call it when the manifest that it belongs to is written.
    """
    scrub = scrubber(secrets)
    nodes = {
        unique_id: entry
        if entry.print is None
        else msgspec.structs.replace(
            entry,
            print=without_values(msgspec.structs.replace(entry.print, vars=scrub(entry.print.vars))),
        )
        for unique_id, entry in state.nodes.items()
    }
    content = msgspec.json.encode(BuiltState(state.metadata, nodes), enc_hook=str)
    atomic.write(os.path.join(folder, APPLIED), (content, b"\n"))
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(folder, KEPT))


def read_built(folder: str) -> BuiltState | None:
    """The file of a folder; None: there is none. Raises StateError where it is damaged, or of a later form."""
    path = os.path.join(folder, APPLIED)
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"{APPLIED} cannot be read: {error.strerror or error}", place=Place(path=path)) from error
    return decode_built(data, origin=path)


def manifest_of(folder: str, invocation_id: str) -> str | None:
    """The manifest that the file belongs to; None: it is not there."""
    paths = (os.path.join(folder, name) for name in MANIFESTS)
    return next((path for path in paths if _invocation(path) == invocation_id), None)


def keep_manifest(folder: str) -> None:
    """Before another manifest takes its place: keep the one that `applied.json` belongs to. Raises ArtifactError."""
    belongs, stands = (_invocation(os.path.join(folder, name)) for name in (APPLIED, MANIFESTS[0]))
    if belongs is not None and belongs == stands:
        atomic.keep(os.path.join(folder, MANIFESTS[0]), KEPT)


def _invocation(path: str) -> str | None:
    """The invocation that wrote a file, from its head; None: it does not say, or is not there."""
    try:
        with open(path, "rb") as file:
            found = INVOCATION.search(file.read(HEAD))
    except OSError:
        return None
    return found.group(1).decode(errors="replace") if found else None
