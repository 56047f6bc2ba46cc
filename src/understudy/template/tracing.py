"""From what went wrong inside of a template to an error that names the macro, its file and line, and who called it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType, TracebackType

import jinja2
import msgspec
from jinja2.exceptions import SecurityError

from understudy.errors import JinjaError, Place, UnderstudyError
from understudy.template.environment import MACRO
from understudy.template.macros import Found
from understudy.template.plain import RUNNING

SHOWN_CALLERS = 10


class Step(msgspec.Struct):
    """One template on the way to the error: a macro, or (None) the node's own text; `line` counts within it."""

    macro: Found | None
    line: int | None = None


def steps(traceback: TracebackType | None, macro_call: CodeType) -> Iterator[Step]:
    """The templates that the error came through, outermost first; `macro_call` is the function that calls macros."""
    current = Step(None)
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code is macro_call:
            if current.macro is not None or current.line is not None:
                yield current
            current = Step(frame.f_locals["found"])
        elif frame.f_code in RUNNING:
            current.line = frame.f_locals["line"]
        else:
            template = frame.f_globals.get("__jinja_template__")
            if isinstance(template, jinja2.Template):
                current.line = template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    yield current


def explain(
    error: Exception,
    macro_call: CodeType,
    node: Place | None,
    macro_place: Callable[[Found], Place],
    hint: Callable[[str], str | None],
    root: str,
) -> UnderstudyError:
    """The error to show: placed in the innermost template, with the chain of callers in its message.

    Our own errors keep their class and text, and get a place where they have none. Macros of other packages than `root`
    are named with their package, for their files are, too.
    """
    path = list(steps(error.__traceback__, macro_call))
    where = [_label(step, node, macro_place, root) for step in path]
    place = _place(path[-1], node, macro_place)
    chain = _chain(where)
    inside = any(step.macro is not None and step.macro.macro is not None for step in path)
    if isinstance(error, UnderstudyError):
        if inside and isinstance(error, JinjaError) and "\n  in macro " not in error.message:
            error.message += chain
        if error.place is None or error.place.line is None:
            error.place = place
        return error
    message = _message(error)
    return JinjaError(message + (chain if inside else ""), place=place, hint=hint(message))


def _chain(labels: list[str]) -> str:
    """Innermost first; the middle of a long one is left out."""
    callers = [f"\n  called by {label}" for label in reversed(labels[:-1])]
    if len(callers) > SHOWN_CALLERS:
        callers[SHOWN_CALLERS - 2 : -1] = [f"\n  ... {len(callers) - SHOWN_CALLERS + 1} more"]
    return f"\n  in {labels[-1]}" + "".join(callers)


def _message(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "Macros call each other without an end"
    if isinstance(error, SecurityError):
        return f"Not allowed in a template: {error}"
    return (str(error) or type(error).__name__).replace(MACRO, "")


def _place(step: Step, node: Place | None, macro_place: Callable[[Found], Place]) -> Place | None:
    if step.macro is not None and step.macro.macro is not None:
        start = macro_place(step.macro)
        line = (start.line or 1) + (step.line or 1) - 1
        return Place(start.path, line, node.node if node else None)
    if node is None or step.macro is not None:
        return node
    return Place(node.path, None if step.line is None else (node.line or 1) + step.line - 1, node.node)


def _label(step: Step, node: Place | None, macro_place: Callable[[Found], Place], root: str) -> str:
    place = _place(step, node, macro_place)
    where = f" ({place.path}:{place.line})" if place is not None and place.line is not None else ""
    if step.macro is not None:
        package = "" if step.macro.package in (root, "dbt") else f"{step.macro.package}."
        return f"macro {package}{step.macro.name}{where if step.macro.macro is not None else ''}"
    return f"{node.node if node is not None and node.node else 'the template'}{where}"
