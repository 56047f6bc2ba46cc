"""Finding a state, and every way in which that fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.graphs import manifest, model, state_bytes

from understudy.artifacts import state_files
from understudy.artifacts.state_files import StateFile, find_state, read_prior, read_results, read_sources
from understudy.errors import StateError

RESULTS = '{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v%d.json"}, "results": %s}'
SOURCES = '{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/sources/v3.json"}, "results": %s}'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project/prod-artifacts").mkdir(parents=True)
    (tmp_path / "project/prod-artifacts/manifest.json").write_bytes(state_bytes(manifest(model("a"))))
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "project"


def find(text: str, project: Path, *, cwd: Path | None = None, flag: str = "--state") -> StateFile:
    return find_state(text, flag=flag, cwd=cwd or project, project_dir=project, target_dir=project / "target")


def test_a_folder(project: Path) -> None:
    state = find("prod-artifacts", project)
    assert list(read_prior(state).nodes) == ["model.shop.a"]
    assert state.label == "prod-artifacts"


def test_the_file_itself(project: Path) -> None:
    os.rename(project / "prod-artifacts/manifest.json", project / "prod-artifacts/yesterday.json")
    state = find("prod-artifacts/yesterday.json", project)
    assert list(read_prior(state).nodes) == ["model.shop.a"]
    assert state.label == "prod-artifacts"


def test_the_working_directory_comes_before_the_project(project: Path) -> None:
    cwd = project.parent / "elsewhere"
    assert find("prod-artifacts", project, cwd=cwd).folder == str(project / "prod-artifacts")
    (cwd / "prod-artifacts").mkdir()
    assert find("prod-artifacts", project, cwd=cwd).folder == str(project / "prod-artifacts")
    (cwd / "prod-artifacts/manifest.json").write_text("{}")
    assert find("prod-artifacts", project, cwd=cwd).folder == str(cwd / "prod-artifacts")


def test_a_folder_with_results_only(project: Path) -> None:
    (project / "results").mkdir()
    (project / "results/run_results.json").write_text(
        RESULTS % (6, '[{"unique_id": "model.shop.a", "status": "error"}]')
    )
    state = find("results", project)
    assert read_results(state).statuses() == {"model.shop.a": "error"}
    with pytest.raises(StateError, match=r"deferral needs manifest.json"):
        read_prior(state)
    with pytest.raises(StateError, match=r"needs sources.json"):
        read_sources(state)


def test_nothing_there(project: Path) -> None:
    with pytest.raises(StateError) as caught:
        find("prod-artifcats", project, cwd=project.parent / "elsewhere", flag="DBT_STATE")
    text = str(caught.value)
    assert "DBT_STATE prod-artifcats" in text
    assert str(project.parent / "elsewhere/prod-artifcats") in text
    assert str(project / "prod-artifcats") in text
    assert "Did you mean 'prod-artifacts'" in text
    assert caught.value.exit_code == 2
    with pytest.raises(StateError, match=r"--state names a folder that holds manifest.json"):
        find("no/such/place/at/all", project)


def test_a_folder_without_a_manifest(project: Path) -> None:
    with pytest.raises(StateError, match=r"there is no manifest.json in it"):
        find("../elsewhere", project)


def test_an_empty_value(project: Path) -> None:
    with pytest.raises(StateError, match="DBT_STATE is empty"):
        find(" ", project, flag="DBT_STATE")


@pytest.mark.parametrize("text", ["target", "target/manifest.json", "link"])
def test_the_target_directory(project: Path, text: str) -> None:
    os.rename(project / "prod-artifacts", project / "target")
    (project / "link").symlink_to(project / "target")
    with pytest.raises(StateError, match="is the target directory"):
        find(text, project)


def test_a_path_is_shown_short_and_means_what_it_means(project: Path) -> None:
    (project / "deep/er").mkdir(parents=True)
    (project / "link").symlink_to(project / "deep/er")
    assert find("./deep/../prod-artifacts/", project).folder == str(project / "prod-artifacts")
    with pytest.raises(StateError, match="no such folder"):  # the parent of the link's target, and not of the link
        find("link/../prod-artifacts", project)
    os.rename(project / "prod-artifacts", project / "deep/prod-artifacts")
    assert read_prior(find("link/../prod-artifacts", project)).nodes


def test_a_file_that_may_not_be_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    state = find("prod-artifacts", project)
    monkeypatch.setattr(state_files, "open", refuse, raising=False)
    with pytest.raises(StateError, match="Permission denied"):
        read_prior(state)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        (RESULTS % (6, "{}"), "cannot be read"),
        (RESULTS % (1, "[]"), "v4 to v6"),
        ('{"metadata": {}, "results": []}', "'none'"),
    ],
)
def test_results_that_cannot_be_read(project: Path, text: str, message: str) -> None:
    (project / "prod-artifacts/run_results.json").write_text(text)
    with pytest.raises(StateError, match=message):
        read_results(find("prod-artifacts", project))


def test_sources(project: Path) -> None:
    path = project / "prod-artifacts/sources.json"
    path.write_text(
        SOURCES
        % '[{"unique_id": "a", "max_loaded_at": "2026-01-01T00:00:00Z"}, {"unique_id": "b", "error": "x", "status": "runtime error"}]'
    )
    state = find("prod-artifacts", project)
    assert read_sources(state) == {"a": "2026-01-01T00:00:00Z", "b": None}
    for text, message in (("[]", "cannot be read"), ('{"metadata": {}, "results": []}', "v1 to v3")):
        path.write_text(text)
        with pytest.raises(StateError, match=message):
            read_sources(state)
