"""The end of the process itself, which says nothing that nobody asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.cli import project


def test_a_build_ends_without_a_word_of_the_engines_binding(tmp_path: Path) -> None:
    root = project(tmp_path, {"models/a.sql": "select 1 as id"})
    ran = subprocess.run([sys.executable, "-m", "understudy", "build"], cwd=root, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")
    assert ran.stderr.rstrip().endswith("1 built."), "the run's last line is the last"
