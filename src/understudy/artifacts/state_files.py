"""Finding a state where the command line says it is, and reading its files.

Every error names the path, the flag or variable that it came from, and the next step.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from understudy.errors import Place, StateError, did_you_mean

if TYPE_CHECKING:  # each reader is imported when its file is read
    from understudy.artifacts.run_results import PriorResults
    from understudy.state.built import BuiltState
    from understudy.state.prior import Prior

MANIFEST = "manifest.json"
RUN_RESULTS = "run_results.json"
SOURCES = "sources.json"
GIT = "git:"
"""How a path begins that is no path, but a revision."""
PARTS = (MANIFEST, RUN_RESULTS, SOURCES)
SEPARATORS = "".join(filter(None, (os.sep, os.altsep)))


class StateFile(msgspec.Struct, frozen=True):
    """A state on the disk.

    Attributes:
        given: the path as the person wrote it; also the label under which the state is shown.
        flag: where it was written: `--state`, `DBT_STATE`, `flags: state`.
        folder: where its files stand, absolute.
        manifest: the manifest's own path, absolute: `manifest.json` in the folder, or the file that was named.
        name: what people call it, where that is not the last part of the path.
        revision: the commit whose code it is, where it comes from git: nothing was built from it.
        whole: the folder was named, and not the manifest alone: what else is there counts, too.
    """

    given: str
    flag: str
    folder: str
    manifest: str
    name: str | None = None
    revision: str | None = None
    whole: bool = False

    @property
    def key(self) -> tuple[str, bool]:
        """What two names of one state have in common."""
        return self.manifest, self.whole

    @property
    def label(self) -> str:
        """A short name for people: the last part of the path as it was given."""
        if self.name is not None:
            return self.name
        folder, name = os.path.split(self.given.rstrip(SEPARATORS))
        above = os.path.basename(folder.rstrip(SEPARATORS))
        return (above if name.endswith(".json") and above else name) or self.given


def find_state(
    text: str,
    *,
    flag: str,
    cwd: str | os.PathLike[str],
    project_dir: str | os.PathLike[str],
    target_dir: str | os.PathLike[str],
) -> StateFile:
    """The state that a path names: a folder with `manifest.json`, or the file itself.

    A relative path is taken from the working directory first, then from the project directory.

    Raises:
        StateError: there is nothing there, nothing of a state is in it, or it is the target directory.
    """
    if not text.strip():
        raise StateError(f"{flag} is empty", hint=f"{flag} names a folder that holds manifest.json of an earlier run.")
    path = os.path.expanduser(text)
    tried = list(dict.fromkeys(_joined(folder, path) for folder in (cwd, project_dir)))
    there = [candidate for candidate in tried if os.path.exists(candidate)]
    places = " and ".join(tried)
    if not there:
        raise StateError(
            f"{flag} {text}: there is no such folder or file (looked at {places})", hint=_nearest(tried, flag)
        )
    found = next((candidate for candidate in there if os.path.isfile(candidate) or _parts(candidate)), None)
    if found is None:
        raise StateError(
            f"{flag} {text}: there is no {MANIFEST} in it (looked at {places})",
            hint=f"{flag} names the folder that an earlier run wrote its artifacts to, or a copy of it.",
        )
    whole = os.path.isdir(found)
    folder = found if whole else os.path.dirname(found)
    if os.path.realpath(folder) == os.path.realpath(target_dir):
        raise StateError(
            f"{flag} {text} is the target directory: this run would overwrite the state while it reads it",
            place=Place(path=found),
            hint=f"Copy it first (cp -r {text} prod-artifacts) and name the copy, or write to another --target-path.",
        )
    manifest = os.path.join(found, MANIFEST) if whole else found
    return StateFile(text, flag, folder, manifest, whole=whole)


def read_prior(state: StateFile) -> Prior:
    """The state's manifest; with `applied.json` beside it, the one that this belongs to, and only what is really built.

    `Prior.built` is None where there is no such file, or it belongs to no manifest that is there. Raises StateError: something
    is missing, cannot be read, is damaged, or of an unreadable version.
    """
    from understudy.state.prior import decode_prior

    path, built = standing(state)
    prior = decode_prior(read_bytes(state, path), origin=path, flag=state.flag)
    return prior if built is None else prior.as_built(built)


def standing(state: StateFile) -> tuple[str, BuiltState | None]:
    """The manifest that counts, and what of it is really built; see `read_prior`. Raises StateError."""
    from understudy.artifacts.built_file import manifest_of, read_built

    for _ in range(2):  # a run that ends at this moment may have replaced one of the two
        built = read_built(state.folder) if state.whole else None
        if built is None:
            break
        path = manifest_of(state.folder, built.metadata.invocation_id)
        if path is not None:
            return path, built
    return state.manifest, None


def read_bytes(state: StateFile, path: str) -> bytes:
    """The text of a manifest of the state. Raises StateError: it is missing, or cannot be read."""
    return _read(state, path, "state: selection and deferral")


def read_results(state: StateFile) -> PriorResults:
    """The state's `run_results.json`. Raises StateError."""
    from understudy.artifacts.run_results import decode_results

    path = os.path.join(state.folder, RUN_RESULTS)
    return decode_results(_read(state, path, "result: selection"), origin=path, flag=state.flag)


def read_sources(state: StateFile) -> dict[str, str | None]:
    """The state's `sources.json`: unique_id -> `max_loaded_at`. Raises StateError."""
    from understudy.artifacts.sources import decode_sources

    path = os.path.join(state.folder, SOURCES)
    return decode_sources(_read(state, path, "source_status: selection"), origin=path, flag=state.flag)


def _read(state: StateFile, path: str, use: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        raise StateError(
            f"{state.flag} {state.given}: {use} needs {os.path.basename(path)}, which is not there",
            place=Place(path=path),
            hint="Copy it from the run that wrote the other files of this state.",
        ) from error
    except OSError as error:
        raise StateError(
            f"{state.flag} {state.given} cannot be read: {error.strerror or error}",
            place=Place(path=path),
            hint="Check the file's permissions.",
        ) from error


def _joined(folder: str | os.PathLike[str], path: str) -> str:
    """The absolute path, as it is written shortest: `a/../b` is `b`, unless `a` is a link to elsewhere."""
    joined = os.path.join(os.path.abspath(folder), path)
    short = os.path.normpath(joined)
    return short if os.path.realpath(short) == os.path.realpath(joined) else joined


def _parts(folder: str) -> bool:
    return any(os.path.isfile(os.path.join(folder, name)) for name in PARTS)


def _nearest(tried: list[str], flag: str) -> str:
    """A hint: the nearest name beside what was looked for."""
    for path in tried:
        try:
            with os.scandir(os.path.dirname(path)) as entries:
                beside = [entry.name for entry in entries if entry.is_dir() or entry.name == MANIFEST]
        except OSError:
            continue
        if near := did_you_mean(os.path.basename(path), beside):
            return near
    return f"{flag} names a folder that holds {MANIFEST} of an earlier run, or the file itself."
