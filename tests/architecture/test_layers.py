"""The contracts of .importlinter: rooms import only what stands above them, the pure zone is pure, nothing circular."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from architecture.source_tree import PACKAGE, PURE_ZONE, ROOT, contract, imports, modules

LINT = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-cache"]


def test_the_contracts_are_kept() -> None:
    result = subprocess.run(LINT, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_broken_contract_is_noticed(tmp_path: Path) -> None:
    """The same contracts over a package in which core imports duckdb and the command line."""
    package = tmp_path / "understudy"
    for room in (*PURE_ZONE[1:11], "understudy.execute", "understudy.cli"):
        (package / room.removeprefix("understudy.")).mkdir(parents=True)
        (package / room.removeprefix("understudy.") / "__init__.py").touch()
    for name in ("__init__", "__main__", "errors", *(f"execute/{each.rpartition('.')[2]}" for each in PURE_ZONE[11:])):
        (package / f"{name}.py").touch()
    (package / "core" / "bad.py").write_text("def later():\n    import duckdb\n    import understudy.cli\n")
    (tmp_path / ".importlinter").write_text((ROOT / ".importlinter").read_text())
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {LINT[2]}"
    result = subprocess.run([LINT[0], "-c", script, *LINT[3:]], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "understudy.core is not allowed to import understudy.cli" in result.stdout
    assert "understudy.core.bad -> duckdb" in result.stdout


def test_every_room_is_a_layer() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    layers = {layer.strip("()") for layer in contract("rooms", "layers")}
    assert rooms - {"__init__"} <= layers


def test_the_contract_and_the_tests_mean_the_same_zone() -> None:
    assert {source.removesuffix(".**") for source in contract("pure", "source_modules")} == set(PURE_ZONE)


def test_engines_do_not_know_each_other() -> None:
    """import-linter's independence contract needs two engines; this holds from the first one on."""
    engines = ("understudy.adapters.duckdb", "understudy.adapters.postgres", "understudy.adapters.spark")

    strangers = [
        f"{module.path}:{line} imports {name}"
        for module in modules()
        for own in engines
        if module.is_in(own)
        for name, line in imports(module)
        if any(name == other or name.startswith(other + ".") for other in engines if other != own)
    ]
    assert strangers == []
