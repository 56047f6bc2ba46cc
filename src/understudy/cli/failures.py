"""The end of a command that could not go on: what is said, and the exit code."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from understudy.app.options import Options
from understudy.errors import UnderstudyError

if TYPE_CHECKING:
    from understudy.app.events import Event


def tell(error: UnderstudyError, *, debug: bool = False) -> int:
    """Print an error for which there is no console yet; the exit code."""
    from understudy.app.events import ErrorRaised
    from understudy.cli.console import Console

    console = Console(Options(command="", debug=debug), os.environ)
    console(ErrorRaised(error))
    console.close()
    return error.exit_code


def guarded(action: Callable[[], int], emit: Callable[[Event], None]) -> int:
    """Do `action` and give its exit code. Whatever goes wrong is told, and gives the exit code that dbt gives for it."""
    from understudy.app.events import ErrorRaised

    try:
        return action()
    except UnderstudyError as error:
        emit(ErrorRaised(error))
        return error.exit_code
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary: nobody is to see a bare traceback
        wrapped = own_failure(error)
        emit(ErrorRaised(wrapped))
        return wrapped.exit_code


def own_failure(error: Exception) -> UnderstudyError:
    """What is told of an error that is nobody's but ours."""
    hint = "This is a mistake in understudy. Please report it, with what the same command prints with --debug"
    wrapped = UnderstudyError(f"understudy itself failed: {type(error).__name__}: {error}", hint=hint)
    wrapped.__cause__ = error
    return wrapped
