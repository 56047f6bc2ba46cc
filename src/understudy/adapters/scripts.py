"""Running Python models: each is a module of its own for as long as it runs, and its errors name the line of its file.

Nothing is kept from the user's code, which is run because the user wrote it; the sandbox is for templates.
"""

from __future__ import annotations

import os
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from understudy.core.statement import Script
from understudy.errors import Cancelled, ExecutionError, Place

Load = Callable[[str], Any]
"""A relation's name as SQL -> its data frame."""


class Interrupted(BaseException):
    """Thrown into the thread that runs a model. No Exception, so that the model does not take it for one of its own."""


class Interpreter:
    """Runs the scripts of one connection, one at a time; only `cancel` may be called from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: int | None = None
        self._cancelled = False

    @contextmanager
    def running(self, script: Script, names: Mapping[str, Any]) -> Iterator[ModuleType]:
        """The script as a module, which has been executed. Raises ExecutionError for whatever goes wrong in it, Cancelled.

        `names` are the module's from the start. It is importable by its name meanwhile: dataclasses and pickle ask for that.
        """
        path, code = located(script)
        module = ModuleType(f"understudy_model_{uuid.uuid4().hex}")
        module.__dict__.update(names, __file__=path)
        sys.modules[module.__name__] = module
        try:
            with self._interruptible():
                exec(compile(code, path, "exec", dont_inherit=True), module.__dict__)
                yield module
        except ExecutionError:
            raise
        except BaseException as error:
            if self._cancelled:
                raise Cancelled("Interrupted") from error
            raise failed(error, script, path) from error
        finally:
            del sys.modules[module.__name__]

    def cancel(self) -> None:
        """Interrupt the model that runs, as soon as Python is at work; what runs in the engine is the engine's to stop."""
        with self._lock:
            self._cancelled = True
            if self._thread is not None:
                _interrupt(self._thread)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        thread = threading.get_ident()
        with self._lock:
            self._thread, self._cancelled = thread, False
        try:
            yield
        finally:
            self._end()

    def _end(self) -> None:
        """From here on nobody is interrupted; an interrupt that came too late must not meet what comes next."""
        while True:
            try:
                with self._lock:
                    self._thread = None
                if self._cancelled:
                    _receive()
            except Interrupted:
                continue
            return


def _interrupt(thread: int) -> None:
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Interrupted))


def _receive() -> None:
    """Take an interrupt that is on its way to this thread. Raises Interrupted where there is one.

    To call it back would leave the interpreter waiting for it for good (CPython 3.11): every thread then looks for it at
    each step, and one that is traced or profiled never comes to its first line.
    """
    for _ in range(100):  # it is raised at one of the first steps, or it is not there
        pass


def compute(module: ModuleType, session: Any, load: Load) -> Any:
    """The data frame that the model returns. Raises ExecutionError where it returns nothing."""
    frame = module.model(module.dbtObj(load), session)
    if frame is None:
        raise ExecutionError("The function 'model' returned None", hint="End it with the return of a data frame.")
    return frame


def kind_of(frame: Any) -> tuple[str, str]:
    """The package and the class of a data frame, for engines that must not import either."""
    found = type(frame)
    return found.__module__.partition(".")[0], found.__name__


def unfit(frame: Any, wanted: str) -> ExecutionError:
    """The error for a model that returns something else than rows."""
    package, name = kind_of(frame)
    shown = name if package == "builtins" else f"{package}'s {name}"
    return ExecutionError(f"The function 'model' returned {shown}, which is no data frame", hint=f"Return {wanted}.")


def located(script: Script) -> tuple[str, str]:
    """The path of the model's file, and the code with the lines where the file has them: blank ones at its head are lost
    when it is read, and put back."""
    path = os.path.join(script.root, script.path)
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return path, script.code.lstrip()
    blank = text[: len(text) - len(text.lstrip())].count("\n")
    return path, "\n" * blank + script.code.lstrip()


def failed(error: BaseException, script: Script, path: str) -> ExecutionError:
    """Our error for one of the model's: what, the lines of the file on the way to it, and what to install."""
    import traceback

    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    if isinstance(error, SyntaxError) and error.filename == path:
        line = error.lineno
        shown = [f"  line {line}: {(error.text or '').strip()}"]
        said = f"{type(error).__name__}: {error.msg}"
    else:
        line = frames[-1].lineno if frames else None
        shown = [f"  line {frame.lineno}, in {frame.name}: {frame.line}" for frame in frames]
        said = "".join(traceback.format_exception_only(error)).strip()
    hint = None
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        hint = f"Install it where understudy runs: pip install {package}"
    place = Place(script.path, line, script.node)
    return ExecutionError("\n".join([f"Python model failed: {said}", *shown]), place=place, hint=hint)
