"""The end of the process itself, which says nothing that nobody asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.cli import project

MODEL = """
def later():
    import time
    time.sleep(0.3)
    open({out!r}, "w").write("done")

def model(dbt, session):
    import atexit, threading
    {begin}
    return session.sql("select 1 as id")
"""


@pytest.mark.parametrize("begin", ["atexit.register(later)", "threading.Thread(target=later, daemon=False).start()"])
def test_what_a_model_leaves_for_the_end_is_done(tmp_path: Path, begin: str) -> None:
    out = tmp_path / "out.txt"
    root = project(tmp_path, {"models/a.py": MODEL.format(out=str(out), begin=begin)})
    ran = subprocess.run([sys.executable, "-m", "understudy", "run"], cwd=root, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert out.read_text() == "done"


@pytest.mark.parametrize(("sql", "code"), [("select 1 as id", 0), ("select nothing", 1), ("select {{", 2)])
def test_the_exit_code_is_that_of_the_run(tmp_path: Path, sql: str, code: int) -> None:
    root = project(tmp_path, {"models/a.sql": sql})
    assert (
        subprocess.run([sys.executable, "-m", "understudy", "-q", "run"], cwd=root, capture_output=True).returncode
        == code
    )


def test_a_build_ends_without_a_word_of_the_engines_binding(tmp_path: Path) -> None:
    root = project(tmp_path, {"models/a.sql": "select 1 as id"})
    ran = subprocess.run([sys.executable, "-m", "understudy", "build"], cwd=root, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")
    assert ran.stderr.rstrip().endswith("1 built."), "the run's last line is the last"
