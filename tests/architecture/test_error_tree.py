"""Each error class has a code of its own, and a test that raises it; the tree in the docstring shows all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from architecture.source_tree import ROOT

from understudy import errors


def tree(base: type[errors.UnderstudyError]) -> Iterator[type[errors.UnderstudyError]]:
    yield base
    for child in base.__subclasses__():
        yield from tree(child)


CLASSES = [cls for cls in dict.fromkeys(tree(errors.UnderstudyError)) if cls.__module__ == errors.__name__]


def test_codes_are_unique_and_their_own() -> None:
    assert all("code" in vars(cls) for cls in CLASSES)
    codes = [cls.code for cls in CLASSES]
    assert len(set(codes)) == len(codes)


def test_exit_codes_are_those_of_dbt() -> None:
    assert {cls.exit_code for cls in CLASSES} <= {1, 2}


def test_the_tree_is_drawn_in_full() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    assert drawn == {cls.__name__ for cls in CLASSES} - {"UnderstudyError"}


@pytest.mark.parametrize("name", [cls.__name__ for cls in CLASSES if cls is not errors.UnderstudyError])
def test_a_test_names_it(name: str) -> None:
    tests = [file for file in (ROOT / "tests").rglob("test_*.py") if "architecture" not in file.parts]
    assert any(re.search(rf"\b{name}\b", file.read_text(encoding="utf-8")) for file in tests), f"no test raises {name}"
