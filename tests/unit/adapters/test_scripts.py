"""Python models as modules: what is told of their errors, how they are interrupted, and what is left of them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from understudy.adapters.scripts import Interpreter, compute
from understudy.core.statement import Script
from understudy.errors import Cancelled, ExecutionError

OBJECT = "\n\nclass dbtObj:\n    def __init__(self, load):\n        self.ref = load\n"


def script(code: str, root: Path, written: bool = True) -> Script:
    if written:
        (root / "m.py").write_text(code)
    return Script(code.strip() + OBJECT, "m.py", str(root), "model.shop.m")


def run(code: str, root: Path, interpreter: Interpreter | None = None) -> object:
    interpreter = interpreter or Interpreter()
    with interpreter.running(script(code, root), {}) as module:
        return compute(module, "session", lambda name: f"rows of {name}")


def test_the_model_gets_its_references(tmp_path: Path) -> None:
    assert run("def model(dbt, session):\n    return dbt.ref('a'), session\n", tmp_path) == ("rows of a", "session")


def test_nothing_is_left_among_the_modules(tmp_path: Path) -> None:
    before = set(sys.modules)
    name = run(
        "def model(dbt, session):\n    import sys\n    assert __name__ in sys.modules\n    return __name__\n", tmp_path
    )
    assert name not in sys.modules
    with pytest.raises(ExecutionError):
        run("raise ValueError", tmp_path)
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    ("code", "line", "told"),
    [
        ("\n\n\ndef model(dbt, session):\n    raise ValueError('no')\n", 5, "ValueError: no"),
        ("x = 1\nraise KeyError('k')\n", 2, "KeyError: 'k'"),
        ("def model(dbt, session):\n    return int('x')\n", 2, "ValueError: invalid literal"),
        ("def model(dbt, session):\n    x = (\n", 2, "SyntaxError: '(' was never closed"),
        ("def model(dbt, session):\n    raise SystemExit(1)\n", 2, "SystemExit: 1"),
        ("def model(dbt, session):\n    raise KeyboardInterrupt\n", 2, "KeyboardInterrupt"),
    ],
)
def test_an_error_has_its_line(tmp_path: Path, code: str, line: int, told: str) -> None:
    with pytest.raises(ExecutionError) as caught:
        run(code, tmp_path)
    assert told in caught.value.message
    place = caught.value.place
    assert place is not None
    assert (place.path, place.line, place.node) == ("m.py", line, "model.shop.m")


def test_without_the_file_lines_are_those_of_the_code(tmp_path: Path) -> None:
    found = script("\n\ndef model(dbt, session):\n    return 1 / 0\n", tmp_path, written=False)
    with pytest.raises(ExecutionError, match="division by zero") as caught, Interpreter().running(found, {}) as module:
        compute(module, None, lambda name: None)
    assert caught.value.place is not None
    assert caught.value.place.line == 2


def test_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ExecutionError) as caught:
        run("import no_such_package.inner\n", tmp_path)
    assert caught.value.hint == "Install it where understudy runs: pip install no_such_package"


LOOP = """
import time

def model(dbt, session):
    dbt.ref("begun")
    while True:
        try:
            time.sleep(0.01)
        except Exception:
            pass
"""


def test_a_loop_is_interrupted(tmp_path: Path) -> None:
    interpreter, begun, raised = Interpreter(), threading.Event(), list[BaseException]()

    def work() -> None:
        try:
            with interpreter.running(script(LOOP, tmp_path), {}) as module:
                compute(module, None, lambda name: begun.set())
        except Cancelled as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(30)
    interpreter.cancel()
    thread.join(30)
    assert not thread.is_alive()
    assert isinstance(raised[0], Cancelled)


def test_an_interrupt_that_comes_late_hits_nobody(tmp_path: Path) -> None:
    interpreter = Interpreter()
    assert run("def model(dbt, session):\n    return 1\n", tmp_path, interpreter) == 1
    interpreter.cancel()
    end = time.monotonic() + 0.05
    while time.monotonic() < end:
        pass
    assert run("def model(dbt, session):\n    return 2\n", tmp_path, interpreter) == 2


TRACED = """
import subprocess
import sys
from understudy.adapters.scripts import Interpreter
from understudy.core.statement import Script

interpreter = Interpreter()
with interpreter.running(Script("x = 1", "m", "models/m.py", sys.argv[1]), {}) as module:
    pass

def traced():
    return module.x

sys.settrace(lambda frame, event, argument: None)
print(traced())
"""


def test_a_program_can_be_traced_after_a_model(tmp_path: Path) -> None:
    """An interrupt that is called back leaves CPython 3.11 waiting for it, and traced code without its first line."""
    said = subprocess.run(
        [sys.executable, "-c", TRACED, str(tmp_path)], capture_output=True, text=True, timeout=120, check=True
    )
    assert said.stdout == "1\n"
