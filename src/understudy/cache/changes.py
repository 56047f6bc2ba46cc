"""What differs from the last run: files by what the disk says of them, then by digest, and inputs by their values."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from understudy.cache.inputs import NEVER, Inputs
from understudy.cache.kept import Kept
from understudy.cache.rows import UNKNOWN, Text
from understudy.core.input import EVERY_RUN, Input
from understudy.core.project import Settings
from understudy.core.source_file import SourceFile
from understudy.project.files import Listed, read_file

FROM_FILES = frozenset({"file", "fixture", "macro", "doc", "missing"})
"""Kinds of inputs that change only when a file does."""


class Changes(msgspec.Struct):
    """What differs. `read` holds the files that are new or have another text, `gone` those that are no longer there.

    `inputs` are the inputs of the settings that have another value. `touched`: some file's stamp is another one, whether or
    not its text is.
    """

    read: list[SourceFile] = msgspec.field(default_factory=list)
    gone: list[Listed] = msgspec.field(default_factory=list)
    inputs: set[Input] = msgspec.field(default_factory=set)
    touched: bool = False

    @property
    def only_the_run(self) -> bool:
        """Whether nothing changed but what changes with every run."""
        return not (self.read or self.gone or self.touched) and set() != self.inputs <= EVERY_RUN

    def __bool__(self) -> bool:
        return bool(self.read or self.gone or self.inputs)


def changes(kept: Kept, settings: Settings, files: Sequence[Listed]) -> Changes:
    """What differs from a kept parse. Raises ParseError for a file that cannot be read."""
    found = Changes()
    if msgspec.msgpack.encode(files) != kept.sections["listing"]:
        _compare(kept, settings, files, found)
    inputs = Inputs(settings, {})
    for n, answer in enumerate(kept.answers):
        if answer.input[0] in FROM_FILES or (inputs.now(answer.input) == answer.digest != NEVER):
            continue
        if n in kept.common.inputs or kept.users[n]:  # else nobody depends on it any more
            found.inputs.add(answer.input)
    return found


def _compare(kept: Kept, settings: Settings, files: Sequence[Listed], found: Changes) -> None:
    roots = {package.name: package.root for package in settings.packages}
    contents: dict[tuple[str, str], tuple[str, str, int]] = {}
    texts = kept.section("texts", list[Text])
    before = {file.key: (file, text) for file, text in zip(kept.section("listing", list[Listed]), texts, strict=True)}
    for file in files:
        old = before.pop(file.key, None)
        if old is not None and old[0].stamp == file.stamp != UNKNOWN:
            continue
        found.touched = True
        read = read_file(roots, file, contents)
        if old is None or old[1] != Text(read.checksum, read.first_line):
            found.read.append(read)
    found.gone = [file for file, _ in before.values()]
