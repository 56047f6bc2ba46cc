"""One run at a time per target directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from understudy.artifacts.holder import FILE, held
from understudy.errors import ArtifactError

HOLDS = """
import sys, time
from understudy.artifacts.holder import held
with held(sys.argv[1], "build"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_told_who_has_it(tmp_path: Path) -> None:
    with held(str(tmp_path), "build"), pytest.raises(ArtifactError) as caught, held(str(tmp_path), "run", wait=0.2):
        pass
    assert f"in use by process {os.getpid()} (understudy build)" in str(caught.value)
    with held(str(tmp_path), "run", wait=0):
        assert "understudy run" in (tmp_path / FILE).read_text()


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    source = str(Path(__file__).resolve().parents[3] / "src")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], env={**os.environ, "PYTHONPATH": source}, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(ArtifactError, match=str(process.pid)), held(str(tmp_path), "run", wait=0):
            pass
        process.kill()
    with held(str(tmp_path), "run", wait=1):
        pass


def test_the_folder_is_made(tmp_path: Path) -> None:
    with held(str(tmp_path / "new" / "target"), "run"):
        assert (tmp_path / "new/target").is_dir()


def test_a_file_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("")
    with pytest.raises(ArtifactError, match="Cannot write"), held(str(tmp_path / "target"), "run"):
        pass
