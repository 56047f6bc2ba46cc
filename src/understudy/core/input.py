"""What a parse depends on beyond the texts that it reads."""

from __future__ import annotations

Input = tuple[str, ...]
"""Something that another run may find changed, by its kind and name.

("var", package, name), ("env", name), ("flag", name), ("macro", unique_id), ("doc", unique_id), ("file", package, path),
("fixture", package, name), ("missing", name): a name of which nothing was found, ("run",): what differs in every run,
("clock",): when that began, and its id.
"""
CLOCK: Input = ("clock",)
EVERY_RUN: frozenset[Input] = frozenset({("run",), CLOCK})
