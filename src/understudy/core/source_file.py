"""A file of a project, as read from the disk."""

from __future__ import annotations

from typing import Literal

import msgspec

FileKind = Literal[
    "model",
    "seed",
    "test",
    "generic_test",
    "analysis",
    "macro",
    "snapshot",
    "docs",
    "properties",
    "function",
    "fixture",
]


class SourceFile(msgspec.Struct, frozen=True):
    """One file with its text. `path` is relative to the package's root with forward slashes (`models/staging/a.sql`);
    `search_path` is the folder of `dbt_project.yml` under which it was found (`models`).

    The text is stripped of surrounding white space when it is read, so that such space never counts as a change. For a
    seed it is empty: its rows are read when they are loaded. `checksum` is the sha256 of the stripped text
    (dbt 1.11: FileHash.from_contents). `modified_at` is in seconds since 1970. `first_line` is the line of the file at which
    the text begins, for errors.
    """

    package: str
    kind: FileKind
    search_path: str
    path: str
    text: str
    checksum: str
    modified_at: float = 0.0
    first_line: int = 1

    @property
    def lined_text(self) -> str:
        """The text after as many empty lines as the file has before it: lines counted in it are lines of the file."""
        return "\n" * (self.first_line - 1) + self.text

    @property
    def relative_path(self) -> str:
        """The path below the search path (`staging/a.sql`)."""
        return self.path[len(self.search_path) :].lstrip("/") if self.search_path else self.path
