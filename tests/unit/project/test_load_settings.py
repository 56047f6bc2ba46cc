"""Settings from the disk: dbt_project.yml, profiles.yml, selectors.yml, installed packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from understudy.core.project import Settings
from understudy.errors import JinjaError, ProfileError, ProjectError, UnderstudyError, YamlError
from understudy.project.settings import ProjectOptions, find_project_dir, load_settings

PROJECT = "name: shop\nprofile: shop\n"
PROFILES = """
shop:
  target: "{{ env_var('TARGET', 'dev') }}"
  outputs:
    dev: {type: duckdb, path: some/ware.house.duckdb, schema: "dev_{{ var('who', 'me') }}", threads: "{{ '3' | as_number }}"}
    prod: {type: duckdb, schema: "{{ env_var('ONLY_IN_CI') }}"}
"""


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in {"dbt_project.yml": PROJECT, "profiles.yml": PROFILES, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def load(root: Path, files: dict[str, str] | None = None, **options: Any) -> Settings:
    write(root, files or {})
    options = {"project_dir": str(root), "cwd": str(root), "environment": {"HOME": str(root / "home")}, **options}
    return load_settings(ProjectOptions(**options))


def test_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.root.paths["model"] == ("models",)
    assert settings.root.paths["docs"] == ("models", "seeds", "tests", "analyses", "macros", "snapshots", "functions")
    assert (settings.target_path, settings.log_path, settings.clean_targets) == ("target", "logs", ("target",))
    assert settings.flags["require_generic_test_arguments_property"] is True
    assert settings.packages == (settings.root,)
    assert settings.warnings == ()


def test_the_target_is_rendered_and_no_other(tmp_path: Path) -> None:
    target = load(tmp_path, cli_vars={"who": "you"}).target
    assert (target.name, target.schema, target.database, target.threads) == ("dev", "dev_you", "ware", 3)
    assert target.credentials["path"] == "some/ware.house.duckdb"


def test_target_and_threads_of_the_command_line_win(tmp_path: Path) -> None:
    settings = load(tmp_path, target="prod", threads=7, environment={"ONLY_IN_CI": "x"})
    assert (settings.target.name, settings.target.schema, settings.target.threads) == ("prod", "x", 7)


def test_the_environment_chooses_the_target(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="ONLY_IN_CI"):
        load(tmp_path, environment={"TARGET": "prod"})


def test_profiles_are_looked_for_here_there_and_at_home(tmp_path: Path) -> None:
    root, here, home = write(tmp_path / "p", {}), tmp_path / "here", tmp_path / "home"
    (home / ".dbt").mkdir(parents=True)
    here.mkdir()
    environment = {"HOME": str(home)}

    def found(**options: Any) -> str:
        options = {"project_dir": str(root), "cwd": str(here), "environment": environment, **options}
        return load_settings(ProjectOptions(**options)).profiles_dir

    assert found() == str(root)
    (here / "profiles.yml").write_text(PROFILES)
    assert found() == str(here)
    (here / "profiles.yml").unlink()
    (root / "profiles.yml").rename(home / ".dbt" / "profiles.yml")
    assert found() == str(home / ".dbt")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "profiles.yml").write_text(PROFILES)
    assert found(environment={**environment, "DBT_PROFILES_DIR": str(tmp_path / "other")}) == str(tmp_path / "other")
    assert found(profiles_dir="../other") == f"{here}/../other"


def test_the_project_is_looked_for_upwards(tmp_path: Path) -> None:
    write(tmp_path, {})
    deep = tmp_path / "models" / "marts"
    deep.mkdir(parents=True)
    assert find_project_dir(None, str(deep)) == str(tmp_path)
    assert find_project_dir("x", str(deep)) == str(deep / "x")


def test_what_is_rendered_and_what_waits(tmp_path: Path) -> None:
    text = (
        PROJECT
        + """
models: {shop: {+materialized: "{{ 'table' if target.name == 'dev' }}", +pre-hook: "{{ this }}", +enabled: "{{ target.name == 'dev' }}"}}
vars: {x: "{{ later }}"}
on-run-start: "{{ later }}"
query-comment: "{{ later }}"
"""
    )
    root = load(tmp_path, {"dbt_project.yml": text}).root
    assert root.configs["models"]["shop"] == {"+materialized": "table", "+pre-hook": "{{ this }}", "+enabled": True}
    assert root.unrendered["models"]["shop"]["+materialized"].startswith("{{")
    assert (root.vars, root.on_run_start, root.query_comment) == ({"x": "{{ later }}"}, ("{{ later }}",), "{{ later }}")


def test_no_query_comment_and_none_asked_for_are_not_the_same(tmp_path: Path) -> None:
    assert load(tmp_path).root.query_comment is None
    assert load(tmp_path, {"dbt_project.yml": PROJECT + "query-comment:\n"}).root.query_comment == ""


def test_old_names_count_and_unknown_keys_are_named(tmp_path: Path) -> None:
    text = PROJECT + "source-paths: [src/]\ndata-paths: [data]\ntests: {+severity: warn}\nmodel-path: [x]\n"
    settings = load(tmp_path, {"dbt_project.yml": text})
    assert (settings.root.paths["model"], settings.root.paths["seed"]) == (("src",), ("data",))
    assert settings.root.configs["data_tests"] == {"+severity": "warn"}
    assert settings.warnings[-1].name == "CustomTopLevelKeyDeprecation"
    assert "model-paths" in settings.warnings[-1].message


def test_flags_of_the_command_line_win_over_the_project(tmp_path: Path) -> None:
    text = PROJECT + "flags: {validate_macro_args: true, fail_fast: true}\n"
    flags = load(tmp_path, {"dbt_project.yml": text}, flags={"fail_fast": False}).flags
    assert (flags["validate_macro_args"], flags["fail_fast"]) == (True, False)


def test_installed_packages_come_after_the_root_by_name(tmp_path: Path) -> None:
    files = {
        "packages.yml": "packages: [{local: x}, {local: y}]",
        "dbt_packages/b/dbt_project.yml": "name: b\nvars: {v: 1}\n",
        "dbt_packages/z/dbt_project.yml": 'name: a\nmodels: {a: {+schema: "{{ target.schema }}"}}\n',
        "dbt_packages/__pycache__/x": "",
    }
    settings = load(tmp_path, files)
    assert [package.name for package in settings.packages] == ["shop", "a", "b"]
    assert settings.packages[1].configs["models"] == {"a": {"+schema": "dev_me"}}
    assert settings.package("b") is settings.packages[2]


def test_selectors_are_read(tmp_path: Path) -> None:
    assert load(tmp_path, {"selectors.yml": "selectors: [{name: x, definition: 'tag:a'}]"}).root.selectors == {
        "selectors": [{"name": "x", "definition": "tag:a"}]
    }


@pytest.mark.parametrize(
    "spec", ['">=1.0.0"', '[">=1.10.0", "<2.0.0"]', '">=1.8.0,<1.12.0"', '"1.11.16"', '">1.11.0-rc1"']
)
def test_versions_that_hold(tmp_path: Path, spec: str) -> None:
    load(tmp_path, {"dbt_project.yml": f"{PROJECT}require-dbt-version: {spec}\n"})


@pytest.mark.parametrize("spec", ['">=2.0.0"', '"<1.11.0"', '["1.10.0"]', '"<1.11.16"'])
def test_versions_that_do_not_hold(tmp_path: Path, spec: str) -> None:
    files = {"dbt_project.yml": f"{PROJECT}require-dbt-version: {spec}\n"}
    with pytest.raises(ProjectError, match="requires dbt"):
        load(tmp_path, files)
    load(tmp_path, files, version_check=False)


@pytest.mark.parametrize(
    ("files", "error", "words", "hint"),
    [
        ({"dbt_project.yml": "name: a-b\nprofile: shop"}, ProjectError, "no valid name", "letters"),
        ({"dbt_project.yml": "name: sql\nprofile: shop"}, ProjectError, "means something else", ""),
        ({"dbt_project.yml": "profile: shop"}, ProjectError, "no 'name'", ""),
        ({"dbt_project.yml": "- a"}, ProjectError, "must be a map", ""),
        ({"dbt_project.yml": "name: [a"}, YamlError, "no valid YAML", ""),
        ({"dbt_project.yml": PROJECT + "models: [a]"}, ProjectError, "'models' must be a map", ""),
        ({"dbt_project.yml": PROJECT + "model-paths: x"}, ProjectError, "must be a list", ""),
        ({"dbt_project.yml": PROJECT + "model-paths: [/x]"}, ProjectError, "relative", ""),
        ({"dbt_project.yml": PROJECT + "config-version: 1"}, ProjectError, "config-version", ""),
        ({"dbt_project.yml": PROJECT + "dispatch: [{x: 1}]"}, ProjectError, "dispatch", "search_order"),
        ({"dbt_project.yml": PROJECT + "require-dbt-version: soon"}, ProjectError, "no version", "for example"),
        ({"dbt_project.yml": PROJECT + "tests: {a: 1}\ndata_tests: {b: 1}"}, ProjectError, "mean the same", ""),
        ({"dbt_project.yml": PROJECT + "models: {+x: \"{{ nope( }}\"}"}, JinjaError, "nope", ""),
        ({"dbt_project.yml": "name: shop\nprofile: shup"}, ProfileError, "no profile 'shup'", "Did you mean 'shop'"),
        ({"dbt_project.yml": "name: shop"}, ProfileError, "names no profile", "profile: shop"),
        ({"profiles.yml": "{}"}, ProfileError, "empty", ""),
        ({"profiles.yml": "shop: {target: dev}"}, ProfileError, "no 'outputs'", ""),
        ({"profiles.yml": "shop: {outputs: {prod: {}, dev: {}}}"}, ProfileError, "it has: prod, dev", "--target"),
        ({"profiles.yml": "shop: {target: x, outputs: {x: {}}}"}, ProfileError, "no 'type'", "duckdb"),
        ({"profiles.yml": "shop: {target: x, outputs: {x: {type: duckbd}}}"}, ProfileError, "unknown", "Did you mean 'duckdb'"),
        ({"profiles.yml": "shop: {target: x, outputs: {x: {type: duckdb, path: a.db, database: b}}}"}, ProfileError, "'b'", "'a'"),
        ({"profiles.yml": "shop: {target: x, outputs: {x: {type: duckdb, threads: many}}}"}, ProfileError, "threads", ""),
        ({"profiles.yml": "shop: {target: x, outputs: {x: {type: postgres, host: h}}}"}, ProfileError, "lacks 'user'", ""),
        ({"packages.yml": "packages: [{local: x}]"}, ProjectError, "1 packages", "deps"),
        ({"dbt_packages/a/dbt_project.yml": "name: shop"}, ProjectError, "called 'shop'", ""),
    ],
)  # fmt: skip
def test_errors_name_the_file_and_the_next_step(
    tmp_path: Path, files: dict[str, str], error: type[UnderstudyError], words: str, hint: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        load(tmp_path, files)
    assert hint in (caught.value.hint or "")


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"no dbt_project\.yml"):
        load_settings(ProjectOptions(project_dir=str(tmp_path), cwd=str(tmp_path)))
    (tmp_path / "dbt_project.yml").write_text(PROJECT)
    with pytest.raises(ProfileError, match=r"no .*profiles\.yml"):
        load_settings(ProjectOptions(project_dir=str(tmp_path), cwd=str(tmp_path), environment={"HOME": str(tmp_path)}))


def test_postgres_fields_have_other_spellings(tmp_path: Path) -> None:
    fields = "{type: postgres, host: h, user: u, pass: p, port: 5432, dbname: d, schema: s}"
    target = load(tmp_path, {"profiles.yml": f"shop: {{target: x, outputs: {{x: {fields}}}}}"}).target
    assert (target.database, target.credentials["password"]) == ("d", "p")


def test_old_spellings_are_warned_of(tmp_path: Path) -> None:
    """With dbt's names of these warnings; a key with its default value is let be."""
    text = f"{PROJECT}\nsource-paths: [m]\ndata-paths: [d]\ntarget-path: out\nlog-path: logs\n"
    names = [warning.name for warning in load(tmp_path, {"dbt_project.yml": text}).warnings]
    assert names == ["ConfigSourcePathDeprecation", "ConfigDataPathDeprecation", "ConfigTargetPathDeprecation"]


def test_flags_may_stand_in_profiles_or_in_the_project(tmp_path: Path) -> None:
    """`config:` of profiles.yml is where they stood before; both at once are an error, as in dbt."""
    profiles = {"profiles.yml": f"config: {{some_flag: true}}\n{PROFILES}"}
    settings = load(tmp_path, profiles)
    assert settings.flags["some_flag"] is True
    assert [warning.name for warning in settings.warnings] == ["ProjectFlagsMovedDeprecation"]
    with pytest.raises(ProjectError, match="exclude each other"):
        load(tmp_path, {**profiles, "dbt_project.yml": f"{PROJECT}flags: {{other: true}}\n"})


def test_the_folder_of_packages_is_rendered(tmp_path: Path) -> None:
    files = {
        "dbt_project.yml": f"{PROJECT}\npackages-install-path: \"{{{{ env_var('WHERE') }}}}\"\n",
        "there/p/dbt_project.yml": "name: p",
    }
    environment = {"HOME": str(tmp_path), "WHERE": "there"}
    assert [each.name for each in load(tmp_path, files, environment=environment).packages] == ["shop", "p"]
