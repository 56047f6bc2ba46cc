"""Packages in git: real repositories in a temporary folder, by their path and by file://."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from understudy.errors import ProjectError
from understudy.project.packages.git import checkout

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
AUTHOR = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *AUTHOR, "-C", str(folder), *arguments]
    return subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "the repository"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "dbt_project.yml").write_text("name: inner\n")
    git(folder, "init", "--quiet", "-b", "main")
    for text in ("one", "two", "three"):
        (folder / "dbt_project.yml").write_text(f"name: outer  # {text}\n")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "-m", text)
        git(folder, "tag", "-a", "-m", text, text)
    git(folder, "branch", "old", "one")
    git(folder, "tag", "both", "one")
    git(folder, "branch", "both", "two")
    return folder


@pytest.mark.parametrize(
    ("revision", "expected"),
    [("HEAD", "three"), ("main", "three"), ("one", "one"), ("old", "one"), ("both", "one"), ("refs/heads/both", "two")],
)
def test_a_revision_is_a_branch_or_a_tag_and_a_tag_comes_first(
    repository: Path, tmp_path: Path, revision: str, expected: str
) -> None:
    folder, commit = checkout(
        f"file://{repository}".replace(" ", "%20"), revision, None, str(tmp_path / "x"), ENVIRONMENT
    )
    assert f"# {expected}" in Path(folder, "dbt_project.yml").read_text()
    assert commit == git(repository, "rev-parse", f"{expected}^{{commit}}")
    assert not Path(folder, ".git").exists()


def test_a_revision_is_a_commit(repository: Path, tmp_path: Path) -> None:
    commit = git(repository, "rev-parse", "two^{commit}")
    url = f"file://{repository}".replace(" ", "%20")
    folder, found = checkout(url, commit, None, str(tmp_path / "x"), ENVIRONMENT)
    assert found == commit
    assert "# two" in Path(folder, "dbt_project.yml").read_text()


def test_a_subdirectory(repository: Path, tmp_path: Path) -> None:
    url = f"file://{repository}".replace(" ", "%20")
    folder, _ = checkout(url, "one", "deep/er", str(tmp_path / "x"), ENVIRONMENT)
    assert folder == str(tmp_path / "x" / "deep" / "er")
    assert Path(folder, "dbt_project.yml").read_text() == "name: inner\n"
    with pytest.raises(ProjectError, match="no folder 'no/where' at 'one'"):
        checkout(url, "one", "no/where", str(tmp_path / "y"), ENVIRONMENT)


def test_an_address_may_be_a_path(repository: Path, tmp_path: Path) -> None:
    folder, _ = checkout(str(repository), "one", None, str(tmp_path / "x"), ENVIRONMENT)
    assert "# one" in Path(folder, "dbt_project.yml").read_text()


def test_a_git_hook_around_us_does_not_lead_astray(repository: Path, tmp_path: Path) -> None:
    url = f"file://{repository}".replace(" ", "%20")
    environment = ENVIRONMENT | {"GIT_DIR": str(tmp_path / "nothing"), "GIT_INDEX_FILE": "index"}
    folder, _ = checkout(url, "one", None, str(tmp_path / "x"), environment)
    assert Path(folder, "dbt_project.yml").is_file()


def test_a_revision_that_is_not_there(repository: Path, tmp_path: Path) -> None:
    url = f"file://{repository}".replace(" ", "%20")
    with pytest.raises(ProjectError, match=r"cannot fetch 'v9'.*couldn't find remote ref v9") as caught:
        checkout(url, "v9", None, str(tmp_path / "x"), ENVIRONMENT)
    assert "full commit id" in (caught.value.hint or "")


def test_a_repository_that_is_not_there_and_passwords_are_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        checkout("http://me:hunter2@127.0.0.1:9/x.git", "HEAD", None, str(tmp_path / "x"), ENVIRONMENT)
    assert "http://*****@127.0.0.1:9/x.git" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProjectError, match="no git on this machine") as caught:
        checkout("https://example.org/x.git", "HEAD", None, str(tmp_path / "x"), {"PATH": str(tmp_path)})
    assert caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "--upload-pack=touch evil", "-u", "ext::sh -c touch% evil", "EXT::sh", "fd::17", " x", "http://x/\ny", "",
        "javascript://x", "ftp://example.org/x.git", "transport::address",
    ],
)  # fmt: skip
def test_addresses_that_are_none(tmp_path: Path, url: str) -> None:
    with pytest.raises(ProjectError):
        checkout(url, "HEAD", None, str(tmp_path / "x"), ENVIRONMENT)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("revision", ["--upload-pack=x", "-x", "a b", "a:b", "+main", "main^", "a..b", "*", ""])
def test_revisions_that_are_none(tmp_path: Path, revision: str) -> None:
    with pytest.raises(ProjectError, match="no revision"):
        checkout("https://example.org/x.git", revision, None, str(tmp_path / "x"), ENVIRONMENT)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("subdirectory", ["../x", "/etc", "a/../../x", ".git/hooks", "-x", "a\nb"])
def test_subdirectories_that_lead_out(tmp_path: Path, subdirectory: str) -> None:
    with pytest.raises(ProjectError, match="leads out"):
        checkout("https://example.org/x.git", "HEAD", subdirectory, str(tmp_path / "x"), ENVIRONMENT)
    assert not (tmp_path / "x").exists()
