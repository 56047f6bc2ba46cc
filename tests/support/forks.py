"""Commands in processes of their own that start at once: a process that has imported everything forks for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import understudy

SOURCE = Path(understudy.__file__).parents[1]
PROGRAM = """
import json, os, resource, sys
import understudy.adapters.{engine}.connection, understudy.api, understudy.app.execution, understudy.template.environment
from understudy.cli.main import main

sys.stdout.write("\\n")
sys.stdout.flush()
for line in sys.stdin:
    asked = json.loads(line)
    heard, said = os.pipe()
    child = os.fork()
    if child == 0:
        os.chdir(asked["cwd"])
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.close(heard)
        if asked["file_size"] is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (asked["file_size"], asked["file_size"]))
        os._exit(main(asked["args"]))
    os.close(said)
    sys.stdout.write(f"{{child}}\\n")
    sys.stdout.flush()
    with open(os.path.join(asked["cwd"], "output.log"), "wb") as output, open(heard, "rb") as pipe:
        output.write(pipe.read())
    _, status = os.waitpid(child, 0)
    sys.stdout.write(f"{{os.waitstatus_to_exitcode(status)}}\\n")
    sys.stdout.flush()
"""


@dataclass
class Forks:
    """Starts commands of understudy in `cwd`, one at a time; what they print is in `output.log` there."""

    process: subprocess.Popen[str]
    cwd: Path

    def start(self, *args: str, file_size: int | None = None) -> int:
        """Start a command, which may write files of so many bytes; its process."""
        self._send({"cwd": str(self.cwd), "args": args, "file_size": file_size})
        return int(self._line())

    def wait(self) -> int:
        """The exit code of what was started last; that of a signal is negative."""
        return int(self._line())

    def run(self, *args: str, file_size: int | None = None) -> int:
        """Start a command and wait for it."""
        self.start(*args, file_size=file_size)
        return self.wait()

    @property
    def output(self) -> str:
        """What the last command has printed."""
        return (self.cwd / "output.log").read_text()

    def _send(self, value: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(value) + "\n")
        self.process.stdin.flush()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@contextmanager
def forks(engine: str, cwd: Path) -> Iterator[Forks]:
    """For commands on one engine."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(engine=engine)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(SOURCE)},
    ) as process:  # fmt: skip
        found = Forks(process, cwd)
        found._line()
        try:
            yield found
        finally:
            assert process.stdin is not None
            process.stdin.close()
