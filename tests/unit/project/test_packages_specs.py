"""Entries of packages.yml. The digests were computed by dbt 1.11 (_create_sha1_hash) for the same entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from understudy.core.warning import Warning_
from understudy.errors import ProjectError, YamlError
from understudy.project.packages.specs import Want, digest, entries_of, package_renderer, read_wishes

PLAIN = package_renderer({}, {})


def wants_of(*entries: Any) -> tuple[Want, ...]:
    return entries_of(list(entries), list(entries), "packages.yml", "shop")[0]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ([{"local": "sub"}], "c9a122853dcfefac595749dd2264173cf539691d"),
        ([{"local": "sub"}, {"local": "other"}], "956acb2a558654cc4263295d6737b4a88d052f59"),
        ([{"local": "other"}, {"local": "sub"}], "956acb2a558654cc4263295d6737b4a88d052f59"),
        ([{"local": "sub", "name": "x"}], "2be9452649709a6ed25a0b6a4ef34596b5adac90"),
        ([{"git": "https://x/y.git"}], "f48a339deec875966716571e6eca5cf96910edd3"),
        (
            [{"git": "https://x/y.git", "revision": "v1.0", "warn-unpinned": False, "subdirectory": "a/b"}],
            "d66b2863735c363181b8287e1aa097ff0391ba28",
        ),
        ([{"git": "https://x/y.git", "revision": 1.0}], "14ad9efd9ece9f3d4ac11f57d65216f0a9a6d1ed"),
        ([{"git": "https://x/y.git", "revision": 1}], "9899e8fcd21f9b28e0c441da7332c9f360a9e53f"),
        ([{"git": "x", "revision": None}], "4b5d248482d6d6f0b15ecaad60dea67f5964e97e"),
        ([{"git": "x", "warn-unpinned": None}], "a054d41a28e158cf156fd7602c66d97b508367e3"),
        ([{"git": "é", "subdirectory": "ü"}], "15f617d34229823e706f51ab59675baf65110831"),
        ([{"package": "a/b", "version": "1.0.0"}], "fbe59819b389dd3c16eebc554e4ec5b3ce2924bc"),
        ([{"package": "a/b", "version": [">=1.0.0", "<2.0.0"]}], "3fb81c1ba79cf8f4ae304803deaa6a9f1b48f61d"),
        ([{"package": "a/b", "version": 1.0}], "bbcacd8a45bfe08b1b0e318c1c09cccb5c12fe57"),
        (
            [{"package": "a/b", "version": "1.0.0", "install_prerelease": True}],
            "c3abe22411807d7e886d361b3a1ce2cce9664ba6",
        ),
        ([{"package": "a/b", "version": "1.0.0", "name": "n"}], "9a0eaf55c5f949b249811555a0e78c4c625b98dd"),
        ([{"tarball": "https://x/y.tar.gz", "name": "foo"}], "880e8cd05071c567b9802e761ac6a7e64f63bdf3"),
    ],
)
def test_the_digest_is_dbts(entries: list[Any], expected: str) -> None:
    assert digest(entries_of(entries, entries, "packages.yml", "shop")[1]) == expected


@pytest.mark.parametrize(
    ("entry", "message", "hint"),
    [
        ("sub", "no package", "dbt-labs"),
        ({"locl": "sub"}, "one of the keys", "'local'"),
        ({"local": "sub", "git": "x"}, "one of the keys", None),
        ({"local": "sub", "nme": "x"}, "Unknown key 'nme'", "'name'"),
        ({"local": 1}, "cannot be the 'local'", None),
        ({"local": None}, "cannot be the 'local'", None),
        ({"local": ""}, "empty value", None),
        ({"local": "a", "warn-unpinned": False}, "Unknown key", None),
        ({"git": "x", "warn_unpinned": False}, "Unknown key", "'warn-unpinned'"),
        ({"git": "x", "revision": ["a", "b"]}, "cannot be the 'revision'", None),
        ({"git": "x", "revision": True}, "cannot be the 'revision'", None),
        ({"git": "x", "warn-unpinned": "no"}, "cannot be the 'warn-unpinned'", None),
        ({"package": "a/b"}, "has no 'version'", ">=1.0.0"),
        ({"package": "a/b", "version": []}, "has no 'version'", None),
        ({"package": "a/b", "version": [">=1.0.0", ["<2"]]}, "cannot be the 'version'", None),
        ({"package": "b", "version": "1.0.0"}, "no name of a package of the hub", "namespace"),
        ({"package": "a/b", "version": "1.0.0", "install-prerelease": True}, "Unknown key", "'install_prerelease'"),
        ({"tarball": "https://x"}, "needs a 'name'", None),
        ({"private": "org/repo", "provider": "github"}, "private package 'org/repo'", "'git'"),
    ],
)
def test_an_entry_that_cannot_be(entry: Any, message: str, hint: str | None) -> None:
    with pytest.raises(ProjectError, match=message) as caught:
        wants_of({"local": "fine"}, entry)
    assert hint is None or hint in (caught.value.hint or "")


def test_git_with_and_without_its_ending_is_one_repository() -> None:
    a, b, c = wants_of({"git": "x.git"}, {"git": "x"}, {"git": "x", "subdirectory": "s"})
    assert a.key == b.key != c.key


def test_packages_of_packages_yml_are_rendered(tmp_path: Path) -> None:
    text = (
        "packages:\n  - package: a/b\n    version: \"{{ env_var('V', '1.0.0') }}\"\n  - local: \"{{ var('where') }}\"\n"
    )
    (tmp_path / "packages.yml").write_text(text)
    wishes = read_wishes(str(tmp_path), package_renderer({"V": "2.0.0"}, {"where": "here"}), "shop", is_root=True)
    assert [(want.at, want.written, want.versions) for want in wishes.wants] == [
        ("a/b", "a/b", ("2.0.0",)),
        ("here", "{{ var('where') }}", ()),
    ]
    other = read_wishes(str(tmp_path), package_renderer({}, {"where": "here"}), "shop", is_root=True)
    assert other.digest != wishes.digest


def test_the_root_projects_dependencies_yml_is_taken_as_it_stands(tmp_path: Path) -> None:
    text = "projects:\n  - name: other\npackages:\n  - local: \"{{ var('where') }}\"\n"
    (tmp_path / "dependencies.yml").write_text(text)
    render = package_renderer({}, {"where": "here"})
    root = read_wishes(str(tmp_path), render, "shop", is_root=True)
    assert (root.file, root.wants[0].at) == ("dependencies.yml", "{{ var('where') }}")
    assert read_wishes(str(tmp_path), render, "shop").wants[0].at == "here"


def test_dependencies_yml_without_packages_leaves_packages_yml_to_speak(tmp_path: Path) -> None:
    (tmp_path / "dependencies.yml").write_text("projects:\n  - name: other\n")
    (tmp_path / "packages.yml").write_text("packages:\n  - local: sub\n")
    wishes = read_wishes(str(tmp_path), PLAIN, "shop", is_root=True)
    assert (wishes.file, wishes.wants[0].at) == ("packages.yml", "sub")


@pytest.mark.parametrize("text", ["", "packages:\n", "packages: []\n", "# nothing\n"])
def test_no_packages(tmp_path: Path, text: str) -> None:
    (tmp_path / "packages.yml").write_text(text)
    assert read_wishes(str(tmp_path), PLAIN, "shop", is_root=True).wants == ()


@pytest.mark.parametrize(
    ("packages", "dependencies", "message"),
    [
        ("packages: []\n", "packages: []\n", "stands in both"),
        ("projects: []\n", "", "'projects' cannot stand in packages.yml"),
        ("package: []\n", "", "Unknown key 'package'"),
        ("packages: {a: 1}\n", "", "must be a list"),
        ("- local: sub\n", "", "must be a map"),
        ("", "packages: sub\n", "must be a list"),
    ],
)
def test_files_that_cannot_be(tmp_path: Path, packages: str, dependencies: str, message: str) -> None:
    (tmp_path / "packages.yml").write_text(packages)
    (tmp_path / "dependencies.yml").write_text(dependencies)
    with pytest.raises(ProjectError, match=message):
        read_wishes(str(tmp_path), PLAIN, "shop", is_root=True)


def test_an_error_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "packages.yml").write_text("packages:\n  - local: fine\n\n  # wrong:\n  - gitt: x\n")
    with pytest.raises(ProjectError) as caught:
        read_wishes(str(tmp_path), PLAIN, "shop", is_root=True)
    assert caught.value.place is not None
    assert caught.value.place.line == 5


def test_tags_construct_nothing(tmp_path: Path) -> None:
    (tmp_path / "packages.yml").write_text("packages:\n  - local: !!python/object/apply:os.system [id]\n")
    with pytest.raises(YamlError):
        read_wishes(str(tmp_path), PLAIN, "shop", is_root=True)


def test_a_key_that_stands_twice_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "packages.yml").write_text("packages:\n  - local: a\n    local: b\n")
    heard: list[Warning_] = []
    wishes = read_wishes(str(tmp_path), PLAIN, "shop", is_root=True, warn=heard.append)
    assert wishes.wants[0].at == "b"
    assert [warning.name for warning in heard] == ["DuplicateYAMLKeysDeprecation"]


def test_jinja_never_sees_a_secret(tmp_path: Path) -> None:
    environment = {"DBT_ENV_SECRET_TOKEN": "hunter2", "HOST": "example.org"}
    render = package_renderer(environment, {})
    url = "https://{{ env_var('DBT_ENV_SECRET_TOKEN') }}@{{ env_var('HOST') }}/x.git"
    assert render({"packages": [{"git": url}]}) == {"packages": [{"git": "https://hunter2@example.org/x.git"}]}
    assert "2retnuh" not in render("{{ env_var('DBT_ENV_SECRET_TOKEN') | reverse }}")
