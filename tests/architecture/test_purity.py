"""No clock, disk, terminal, network or environment in the pure zone; heavy modules are imported in one home each."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from architecture.source_tree import PURE_ZONE, Module, contract, imports, modules

FORBIDDEN = set(contract("pure", "forbidden_modules"))

# The impure things that come with innocent modules, which import-linter cannot see.
IMPURE_CALLS = {
    "open", "print", "input", "breakpoint",
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
}  # fmt: skip
IMPURE_NAMES = {"os.environ", "sys.stdout", "sys.stderr", "sys.stdin", "sys.argv"}
IMPURE_IMPORTS = {"pathlib.Path", "pathlib.PosixPath", "datetime.now"}
IMPURE_METHODS = {
    "read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "rglob", "mkdir", "unlink", "rmdir",
}  # fmt: skip

# A heavy module, and the rooms that may import it. A room in front of it is asked, never the module itself.
HOMES = {
    "agate": ("understudy.template", "understudy.execute"),
    "click": ("understudy.cli",),
    "duckdb": ("understudy.adapters.duckdb",),
    "jinja2": ("understudy.template",),
    "markupsafe": ("understudy.template",),
    "pandas": (),
    "polars": (),
    "psycopg": ("understudy.adapters.postgres",),
    "pyarrow": ("understudy.adapters.duckdb",),
    "pyspark": ("understudy.adapters.spark",),
    "rich": ("understudy.cli",),
    "yaml": ("understudy.parse", "understudy.template"),  # templates have toyaml and fromyaml
}


def leaves_the_zone(name: str) -> bool:
    """Whether a module of ours is neither in the pure zone nor a package above a part of it (as `understudy.execute`).

    The versions that stand in `understudy/__init__.py` are constants, and everybody's.
    """
    dotted = f"{name}."
    if name in ("understudy.DBT_VERSION", "understudy.__version__"):
        return False
    return dotted.startswith("understudy.") and not any(
        dotted.startswith(f"{pure}.") or pure.startswith(dotted) for pure in PURE_ZONE
    )


def impurities(module: Module) -> Iterator[str]:
    """What a module does that the pure zone may not, as `file:line what`."""
    for name, line in imports(module):
        if name in IMPURE_IMPORTS or name.partition(".")[0] in FORBIDDEN or leaves_the_zone(name):
            yield f"{module.path}:{line} imports {name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in IMPURE_CALLS or (isinstance(node.func, ast.Attribute) and node.func.attr in IMPURE_METHODS):
                yield f"{module.path}:{node.lineno} calls {called}()"
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in IMPURE_NAMES:
            yield f"{module.path}:{node.lineno} uses {ast.unparse(node)}"


def strays(module: Module) -> Iterator[str]:
    """The heavy modules that a module imports outside their homes."""
    for name, line in imports(module):
        homes = HOMES.get(name.partition(".")[0])
        if homes is not None and not module.is_in(*homes):
            yield f"{module.path}:{line} imports {name}; its home is {' or '.join(homes)}"


def test_the_pure_zone_is_pure() -> None:
    assert [found for module in modules() if module.is_in(*PURE_ZONE) for found in impurities(module)] == []


def test_heavy_modules_stay_in_their_homes() -> None:
    assert [found for module in modules() for found in strays(module)] == []


@pytest.mark.parametrize(
    "code",
    [
        "open('x')",
        "from pathlib import Path",
        "def f():\n    import os.path",
        "from understudy.adapters import protocol",
        "def f():\n    return datetime.now()",
        "import os\nos.environ['HOME']",
        "path.read_text()",
        "import sys\nsys.stdout.write('x')",
    ],
)
def test_impurity_is_noticed(code: str) -> None:
    assert list(impurities(Module("understudy.core.x", "x.py", code, ast.parse(code))))


def test_purity_is_left_alone() -> None:
    code = "from understudy.core.nodes import Model\nfrom understudy.execute import plan\nfrom pathlib import PurePosixPath\n"
    code += "from datetime import datetime\nx = datetime(2026, 1, 1)\nopened = 1"
    assert not list(impurities(Module("understudy.core.x", "x.py", code, ast.parse(code))))


def test_a_stray_import_is_noticed() -> None:
    code = "def f():\n    from jinja2.sandbox import SandboxedEnvironment"
    assert list(strays(Module("understudy.graph.dag", "x.py", code, ast.parse(code))))
    assert not list(strays(Module("understudy.template.env", "x.py", code, ast.parse(code))))
