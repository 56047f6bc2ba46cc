"""The sizes that keep the code readable, and a docstring for whatever is public."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator

import pytest
from architecture.source_tree import Module, modules

from understudy.sql.dialect import DIALECTS

FUNCTION_LINES = 60
FILE_LINES = 500
ENGINE_LINES = 500
"""Of the connection, and of the SQL."""
PUBLIC_METHODS = 12
BASES = 2
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def oversized(module: Module) -> Iterator[str]:
    """What is larger than the limits, as `file:line what`."""
    lines = len(module.text.splitlines())
    if lines > FILE_LINES:
        yield f"{module.path}: {lines} lines"
    for node in ast.walk(module.tree):
        if isinstance(node, FUNCTIONS):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{module.path}:{node.lineno} {node.name}: {length} lines"
        elif isinstance(node, ast.ClassDef):
            public = [item for item in node.body if isinstance(item, FUNCTIONS) and not item.name.startswith("_")]
            if len(public) > PUBLIC_METHODS:
                yield f"{module.path}:{node.lineno} {node.name}: {len(public)} public methods"
            if len(node.bases) > BASES:
                yield f"{module.path}:{node.lineno} {node.name}: {len(node.bases)} bases"


def undocumented(module: Module) -> Iterator[str]:
    """Public modules, classes, functions and methods without a docstring (a method may inherit its own)."""
    if ast.get_docstring(module.tree) is None:
        yield f"{module.path}: the module"
    for scope in [module.tree, *(node for node in module.tree.body if isinstance(node, ast.ClassDef))]:
        in_subclass = isinstance(scope, ast.ClassDef) and bool(scope.bases)
        for node in scope.body:
            if not isinstance(node, (*FUNCTIONS, ast.ClassDef)) or node.name.startswith("_"):
                continue
            decorators = {ast.unparse(decorator) for decorator in getattr(node, "decorator_list", ())}
            spoken_for = (in_subclass and isinstance(node, FUNCTIONS)) or decorators & {"overload", "override"}
            if not spoken_for and ast.get_docstring(node) is None:
                yield f"{module.path}:{node.lineno} {node.name}"


def test_nothing_is_too_large() -> None:
    assert [found for module in modules() for found in oversized(module)] == []


def test_whatever_is_public_has_a_docstring() -> None:
    assert [found for module in modules() for found in undocumented(module)] == []


def test_size_is_noticed() -> None:
    code = "def long():\n" + "    x = 1\n" * 60
    code += "class Wide(A, B, C):\n" + "".join(f"    def m{i}(self): ...\n" for i in range(13))
    code += "# more\n" * 500
    found = list(oversized(Module("understudy.x", "x.py", code, ast.parse(code))))
    assert [text.split(": ")[1] for text in found] == ["575 lines", "61 lines", "13 public methods", "3 bases"]


def test_a_missing_docstring_is_noticed() -> None:
    code = '"""Module."""\ndef f(): ...\nclass C:\n    """C."""\n    def m(self): ...\n    def _m(self): ...\n'
    assert len(list(undocumented(Module("understudy.x", "x.py", code, ast.parse(code))))) == 2


def lines_of_code(text: str) -> int:
    """Lines with code: neither empty, nor a comment, nor documentation (texts that stand alone)."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in (
            tokenize.COMMENT,
            tokenize.NL,
            tokenize.NEWLINE,
            tokenize.INDENT,
            tokenize.DEDENT,
            tokenize.ENDMARKER,
        ):
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


@pytest.mark.parametrize("engine", sorted(DIALECTS))
@pytest.mark.parametrize(("what", "prefixes"), [
    ("connection", ("understudy.adapters.{}.",)),
    ("SQL", ("understudy.sql.{}", "understudy.stdlib.{}")),
])  # fmt: skip
def test_an_engine_is_small(engine: str, what: str, prefixes: tuple[str, ...]) -> None:
    """What a fourth engine has to bring. How its profile is read is counted apart: most of that is a list of fields."""
    starts = tuple(prefix.format(engine) for prefix in prefixes)
    own = [module for module in modules() if module.name.startswith(starts) and not module.name.endswith(".profile")]
    assert 0 < sum(lines_of_code(module.text) for module in own) <= ENGINE_LINES


def test_lines_of_code_are_counted() -> None:
    code = '"""Module.\n\nText."""\n\n# comment\nx = f(\n    1,\n)  # another\n"""About x."""\n'
    assert lines_of_code(code) == 3
