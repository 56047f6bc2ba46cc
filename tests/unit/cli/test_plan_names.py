"""Lists of names in a plan: whole names, as many as fit, and how many more there are."""

from __future__ import annotations

from understudy.cli.plan_text import _list


def test_names_that_fit() -> None:
    assert _list(["a", "b", "c"], 7) == "a, b, c"
    names = [f"a_rather_long_name_{n:02}" for n in range(20)]
    text = _list(names, 80)
    assert text == "a_rather_long_name_00, a_rather_long_name_01, a_rather_long_name_02 and 17 more"
    assert len(text) <= 80
    assert _list(names, 10_000) == ", ".join(names)


def test_one_name_is_always_there() -> None:
    assert _list(["x" * 100, "y"], 40).endswith(" and 1 more")
    assert len(_list(["x" * 100, "y"], 40)) <= 40
