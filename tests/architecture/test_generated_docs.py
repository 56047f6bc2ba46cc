"""Generated pages of docs/ are what the code says today."""

from __future__ import annotations

import subprocess
import sys

from architecture.source_tree import ROOT


def test_generated_pages_are_up_to_date() -> None:
    command = [sys.executable, "scripts/build_docs.py", "--check"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
