"""Python models: what `model(dbt, session)` refers to and configures, read from the syntax tree. Nothing is executed."""

from __future__ import annotations

import ast
from typing import Any

from understudy.core.config import combine_calls
from understudy.core.nodes import Model, RefArgs
from understudy.core.walk import plain
from understudy.errors import ParseError, Place
from understudy.template.scope import Captured


def read_python(node: Model, text: str) -> Captured:
    """The calls `dbt.ref`, `dbt.source` and `dbt.config` of a Python model, wherever in the file they stand.

    Raises ParseError with the line where the file is no Python, has not exactly one function `model(dbt, session)`, or
    passes something else than literals.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise _error(node, f"The file is no valid Python: {error.msg}", error.lineno) from error
    _check(node, tree)
    captured = Captured()
    used: dict[str, list[Any]] = {}
    calls = [call for call in ast.walk(tree) if isinstance(call, ast.Call)]
    for call in sorted(calls, key=lambda each: (each.lineno, each.col_offset)):
        name = _name(call.func)
        if name in ("dbt.ref", "dbt.source", "dbt.config", "dbt.config.get", "dbt.config.meta_get"):
            _take(node, captured, used, name, call)
    if used:
        keys = ("config_keys_used", "config_keys_defaults", "meta_keys_used", "meta_keys_defaults")
        captured.config = combine_calls(captured.config, {key: used.get(key, []) for key in keys})
    captured.config = plain(captured.config)
    captured.unrendered_config = dict(captured.config)
    return captured


def _take(node: Model, captured: Captured, used: dict[str, list[Any]], name: str, call: ast.Call) -> None:
    try:
        args = [ast.literal_eval(arg) for arg in call.args]
        kwargs = {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in call.keywords}
    except ValueError as error:
        raise _error(node, f"{name}() must be called with literals", call.lineno) from error
    if name == "dbt.ref":
        captured.refs.append(_ref(node, args, kwargs, call.lineno))
    elif name == "dbt.source":
        if len(args) != 2:
            raise _error(node, f"dbt.source() takes two arguments, not {len(args)}", call.lineno)
        captured.sources.append([str(arg) for arg in args])
    elif name == "dbt.config":
        captured.config = combine_calls(captured.config, kwargs)
    elif 1 <= len(args) <= 2:
        key = "config_keys" if name == "dbt.config.get" else "meta_keys"
        used.setdefault(f"{key}_used", []).append(args[0])
        used.setdefault(f"{key}_defaults", []).append(args[1] if len(args) == 2 else None)
    else:
        raise _error(node, f"{name}() takes one or two arguments, not {len(args)}", call.lineno)


def _ref(node: Model, args: list[Any], kwargs: dict[str, Any], line: int) -> RefArgs:
    if not 1 <= len(args) <= 2:
        raise _error(node, f"dbt.ref() takes one or two arguments, not {len(args)}", line)
    package = str(args[0]) if len(args) == 2 else None
    return RefArgs(str(args[-1]), package, kwargs.get("version", kwargs.get("v")))


def _check(node: Model, tree: ast.Module) -> None:
    models = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and each.name == "model"]
    if len(models) != 1:
        raise _error(node, f"A Python model's file has one function 'model', this one has {len(models)}", None)
    names = [arg.arg for arg in models[0].args.args]
    if len(names) != 2 or names[0] != "dbt":
        raise _error(node, "The function 'model' takes two arguments, 'dbt' and the session", models[0].lineno)
    last = models[0].body[-1]
    if not isinstance(last, ast.Return) or isinstance(last.value, ast.Tuple):
        raise _error(node, "The function 'model' ends with the return of one data frame", last.lineno)


def _name(function: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    return ".".join(reversed([*parts, function.id])) if isinstance(function, ast.Name) else ""


def _error(node: Model, message: str, line: int | None) -> ParseError:
    return ParseError(message, place=Place(node.original_file_path, line, node.unique_id))
