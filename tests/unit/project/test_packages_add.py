"""--add-package: the file says one thing more, and nothing else in it changes."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.errors import ProjectError, UsageError
from understudy.project.packages.add import new_entry, with_entry

NEW = {"package": "acme/util", "version": "1.0.0"}


@pytest.mark.parametrize(
    ("wish", "source", "expected"),
    [
        ("acme/util@1.0.0", "hub", {"package": "acme/util", "version": "1.0.0"}),
        ("acme/util@>=1.0.0,<2.0.0", "hub", {"package": "acme/util", "version": [">=1.0.0", "<2.0.0"]}),
        ("https://x/y.git@v1", "git", {"git": "https://x/y.git", "revision": "v1"}),
        ("git@example.org:x/y.git@v1", "git", {"git": "git@example.org:x/y.git", "revision": "v1"}),
        ("../other", "local", {"local": "../other"}),
        ("a@b", "local", {"local": "a@b"}),
    ],
)
def test_the_entry(wish: str, source: str, expected: dict[str, Any]) -> None:
    assert new_entry(wish, source) == expected


@pytest.mark.parametrize(
    ("wish", "source"),
    [
        ("acme/util", "hub"),
        ("acme/util@", "hub"),
        ("@1.0.0", "hub"),
        ("git@example.org:x/y.git", "git"),
        ("https://me@x/y.git", "git"),
        ("", "local"),
        ("x@1", "cloud"),
    ],
)
def test_a_wish_that_cannot_be(wish: str, source: str) -> None:
    with pytest.raises(UsageError) as caught:
        new_entry(wish, source)
    assert caught.value.hint


def test_comments_and_order_stay() -> None:
    before = "# ours\npackages:\n  - local: sub  # why\n\n  # pinned\n  - package: acme/other\n    version: 1.0.0\n\n# the end\n"
    after, removed = with_entry(before, "packages.yml", NEW)
    assert after == before.rstrip("\n").removesuffix("# the end").rstrip("\n") + (
        "\n\n# the end\n  - package: acme/util\n    version: 1.0.0\n"
    )
    assert removed == []


def test_keys_after_the_list_stay_after_it() -> None:
    before = "packages:\n- local: sub\n\nprojects:\n- name: x"
    assert with_entry(before, "dependencies.yml", NEW)[0] == (
        "packages:\n- local: sub\n- package: acme/util\n  version: 1.0.0\n\nprojects:\n- name: x"
    )


@pytest.mark.parametrize("before", ["", "packages:\n", "packages: []\n", "# nothing\n"])
def test_an_empty_file(before: str) -> None:
    assert with_entry(before, "packages.yml", NEW)[0] == "packages:\n  - package: acme/util\n    version: 1.0.0\n"


def test_flow_style_is_written_anew() -> None:
    after, _ = with_entry("packages: [{local: sub}]", "packages.yml", NEW)
    assert after == "packages:\n  - local: sub\n  - package: acme/util\n    version: 1.0.0\n"


@pytest.mark.parametrize(
    "same",
    [
        "package: acme/util",
        "package: other/util",
        "git: https://x/acme/util.git",
        "git: git@x:acme/util.git",
        "local: packages/util",
        "tarball: https://x/util.tar.gz",
    ],
)
def test_what_names_the_same_package_goes_away(same: str) -> None:
    before = f"packages:\n  - local: a\n  - {same}\n    name: x\n  - local: b\n"
    after, removed = with_entry(before, "packages.yml", NEW)
    assert after == "packages:\n  - local: a\n  - local: b\n  - package: acme/util\n    version: 1.0.0\n"
    assert len(removed) == 1


def test_the_only_entry_may_go_away() -> None:
    assert with_entry("packages:\n  - package: acme/util\n    version: 0.1.0\n", "packages.yml", NEW)[0] == (
        "packages:\n  - package: acme/util\n    version: 1.0.0\n"
    )


@pytest.mark.parametrize("other", ["package: acme/util_more", "package: acme/my-util", "git: https://x/utils.git"])
def test_similar_names_stay(other: str) -> None:
    assert with_entry(f"packages:\n  - {other}\n", "packages.yml", NEW)[1] == []


def test_hyphens_and_underscores_are_one() -> None:
    before = "packages:\n  - git: https://github.com/dbt-labs/dbt-utils.git\n"
    assert with_entry(before, "packages.yml", {"package": "dbt-labs/dbt_utils", "version": "1.0.0"})[1]


def test_a_file_that_cannot_be() -> None:
    with pytest.raises(ProjectError):
        with_entry("packages: sub\n", "packages.yml", NEW)
    with pytest.raises(ProjectError):
        with_entry("- sub\n", "packages.yml", NEW)
