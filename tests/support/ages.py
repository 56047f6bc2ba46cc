"""Files that were written long ago: what was written a moment ago may change again unseen, so caches do not trust it."""

from __future__ import annotations

import os
from pathlib import Path

LONG_AGO = 1_600_000_000


def age(path: Path, seconds: int = 0) -> Path:
    """A file, or all that is in a folder, as if it were written long ago, and that many seconds later. Returns the path."""
    for each in [path, *path.rglob("*")] if path.is_dir() else [path]:
        os.utime(each, (LONG_AGO + seconds, LONG_AGO + seconds))
    return path
