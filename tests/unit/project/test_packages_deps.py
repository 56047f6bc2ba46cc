"""`deps` as a whole: real projects, a hub on loopback, real git. Locks and messages are compared with what dbt 1.11 writes."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.hub import Hub, archive, member

from understudy.app.deps import DepsOptions, deps
from understudy.core.warning import Warning_
from understudy.errors import ErrorList, ParseError, ProjectError, UnderstudyError, UsageError
from understudy.project.packages import install
from understudy.project.packages.http import Http
from understudy.project.packages.notice import Notice
from understudy.project.settings import ProjectOptions

QUICK = Http(delays=(0.01,), timeout=5)


class Shop:
    """A project that asks for packages."""

    def __init__(self, root: Path, hub: Hub) -> None:
        self.root = root / "shop"
        self.root.mkdir()
        self.hub = hub
        self.told: list[Notice | Warning_] = []
        self.environment = {"PATH": os.environ["PATH"], "DBT_PACKAGE_HUB_URL": hub.url, "GIT_CONFIG_NOSYSTEM": "1"}
        self.write("dbt_project.yml", "name: shop\nversion: '1.0'\n")

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def local(self, folder: str, name: str, packages: str | None = None) -> None:
        self.write(f"{folder}/dbt_project.yml", f"name: {name}\nversion: '1.0'\n")
        if packages is not None:
            self.write(f"{folder}/packages.yml", f"packages:\n{packages}")

    def wants(self, entries: str) -> None:
        self.write("packages.yml", f"packages:\n{entries}")

    def deps(self, *, vars: dict[str, Any] | None = None, version_check: bool = True, **options: Any) -> None:
        project = ProjectOptions(
            project_dir=str(self.root),
            cli_vars=vars or {},
            environment=self.environment,
            version_check=version_check,
        )
        self.told.clear()
        deps(project, DepsOptions(**options), self.told.append, QUICK)

    def refused(self, **options: Any) -> UnderstudyError:
        """The error; nothing may have changed."""
        before = self.files()
        with pytest.raises(UnderstudyError) as caught:
            self.deps(**options)
        assert self.files() == before
        return caught.value

    def lock(self) -> str:
        return (self.root / "package-lock.yml").read_text()

    def installed(self) -> list[str]:
        return sorted(os.listdir(self.root / "dbt_packages"))

    def version(self, name: str) -> str:
        return (self.root / "dbt_packages" / name / "dbt_project.yml").read_text().split("'")[1]

    def files(self) -> dict[str, str]:
        return {str(path.relative_to(self.root)): path.read_text() for path in self.root.rglob("*") if path.is_file()}

    def names(self) -> list[str]:
        return [each.name for each in self.told]

    def text(self) -> str:
        return "\n".join(each.message for each in self.told)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    served = Hub()
    yield served
    served.close()


@pytest.fixture
def shop(tmp_path: Path, hub: Hub) -> Shop:
    return Shop(tmp_path, hub)


def git(folder: Path, *arguments: str) -> str:
    author = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *author, "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "inner").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text("name: gitted\nversion: '1.0'\n")
    (folder / "inner" / "dbt_project.yml").write_text("name: innermost\nversion: '1.0'\n")
    git(folder, "init", "--quiet", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    git(folder, "tag", "v1")
    return folder


# local packages


def test_local_packages_are_links_and_the_lock_is_dbts(shop: Shop) -> None:
    shop.local("sub", "subby", "  - local: deeper\n")
    shop.local("deeper", "deeper")
    shop.local("z z", "spaced")
    shop.wants("  - local: sub\n  - local: z z\n")
    shop.deps()
    assert shop.installed() == ["deeper", "spaced", "subby"]
    assert os.readlink(shop.root / "dbt_packages" / "subby") == str(shop.root / "sub")
    assert shop.lock() == (  # written by dbt 1.11 for the same project
        "packages:\n  - local: sub\n    name: subby\n  - local: z z\n    name: spaced\n  - local: deeper\n    name: deeper\n"
        "sha1_hash: 428ec42d444afb2c7fa14215a9c5995a0b9f84d8\n"
    )
    assert shop.hub.requests == []
    assert not [name for name in os.listdir(shop.root) if name.startswith(".")]


def test_where_links_are_not_to_be_had_a_local_package_is_copied(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: Any) -> None:
        raise OSError("no links")

    monkeypatch.setattr(os, "symlink", no_links)
    shop.local("sub", "subby")
    shop.wants("  - local: sub\n")
    shop.deps()
    assert not (shop.root / "dbt_packages" / "subby").is_symlink()
    assert shop.version("subby") == "1.0"
    assert "DepsSymlinkNotAvailable" in shop.names()


def test_no_packages_empty_the_folder(shop: Shop) -> None:
    shop.local("dbt_packages/old", "old")
    shop.deps()
    assert shop.installed() == []
    assert "DepsNoPackagesFound" in shop.names()


def test_a_local_package_that_is_not_there(shop: Shop) -> None:
    shop.wants("  - local: nowhere\n")
    error = shop.refused()
    assert "nowhere, which shop asks for, is no dbt project" in error.message
    assert error.place is not None
    assert error.place.line == 2


@pytest.mark.parametrize("name", ["shop", "../evil", "a/b", "..", ".", "''"])
def test_names_that_cannot_be(shop: Shop, name: str) -> None:
    shop.local("sub", name)
    shop.wants("  - local: sub\n")
    assert isinstance(shop.refused(), ProjectError)


def test_two_packages_of_one_name(shop: Shop) -> None:
    shop.local("a", "same")
    shop.local("b", "same")
    shop.wants("  - local: a\n  - local: b\n")
    assert "Two packages are called 'same': a and b" in shop.refused().message


def test_packages_that_ask_for_each_other_come_to_an_end(shop: Shop) -> None:
    shop.local("a", "a", "  - local: b\n")
    shop.local("b", "b", "  - local: a\n")
    shop.wants("  - local: a\n")
    shop.deps()
    assert shop.installed() == ["a", "b"]


# the hub


def test_the_newest_version_that_meets_all_conditions_of_the_tree(shop: Shop, hub: Hub) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0", "2.0.0", "2.1.0-rc1"):
        hub.add("acme/util", version)
    hub.add("acme/dates", "0.3.0", [{"package": "acme/util", "version": [">=1.0.0", "<1.2.0"]}])
    shop.wants(
        '  - package: acme/util\n    version: [">=1.0.0", "<2.0.0"]\n  - package: acme/dates\n    version: 0.3.0\n'
    )
    shop.deps()
    assert (shop.version("util"), shop.version("dates")) == ("1.1.0", "0.3.0")
    assert shop.lock() == (  # written by dbt 1.11 for the same project and hub
        "packages:\n  - name: util\n    package: acme/util\n    version: 1.1.0\n  - name: dates\n    package: acme/dates\n"
        "    version: 0.3.0\nsha1_hash: 2d26b1ddb49a4b9bfbaaef5a0c68e6169cb6780c\n"
    )
    assert "Updated version available: 2.0.0" in shop.text()
    assert shop.names()[-1] == "DepsLockUpdating"
    assert hub.paths().count("/api/v1/acme/util.json") == 1


def test_a_narrowed_choice_brings_its_own_wishes(shop: Shop, hub: Hub) -> None:
    for name in ("acme/legacy", "acme/extra"):
        hub.add(name, "1.0.0")
    hub.add("acme/util", "1.0.0", [{"package": "acme/legacy", "version": "1.0.0"}])
    hub.add("acme/util", "1.1.0", [{"package": "acme/extra", "version": "1.0.0"}])
    hub.add("acme/dates", "0.3.0", [{"package": "acme/util", "version": "<1.1.0"}])
    shop.wants('  - package: acme/util\n    version: ">=1.0.0"\n  - package: acme/dates\n    version: 0.3.0\n')
    shop.deps()
    assert shop.version("util") == "1.0.0"
    assert shop.installed() == ["dates", "extra", "legacy", "util"]  # as dbt 1.11: what was asked for once stays


def test_the_lock_counts_until_an_upgrade_or_another_wish(shop: Shop, hub: Hub) -> None:
    hub.add("acme/util", "1.0.0")
    shop.wants('  - package: acme/util\n    version: ">=1.0.0"\n')
    shop.deps()
    hub.add("acme/util", "1.1.0")
    lock = shop.lock()
    shop.deps()
    assert (shop.version("util"), shop.lock()) == ("1.0.0", lock)
    assert "DepsUpdateAvailable" in shop.names()
    assert "DepsLockUpdating" not in shop.names()
    shop.deps(upgrade=True)
    assert shop.version("util") == "1.1.0"
    assert "Up to date!" in shop.text()
    shop.wants('  - package: acme/util\n    version: "<1.1.0"\n')
    shop.deps()
    assert shop.version("util") == "1.0.0"


def test_lock_only(shop: Shop, hub: Hub) -> None:
    hub.add("acme/util", "1.0.0")
    shop.wants("  - package: acme/util\n    version: 1.0.0\n")
    shop.deps(lock=True)
    assert "version: 1.0.0" in shop.lock()
    assert not (shop.root / "dbt_packages").exists()
    assert not [path for path in hub.paths() if path.startswith("/tarballs")]
    hub.requests.clear()
    shop.deps(lock=True)
    assert hub.requests == []


def test_a_conflict_names_who_asks_for_what(shop: Shop, hub: Hub) -> None:
    hub.add("acme/util", "1.0.0")
    hub.add("acme/util", "2.0.0")
    hub.add("acme/dates", "0.3.0", [{"package": "acme/util", "version": [">=1.0.0", "<2.0.0"]}])
    shop.wants('  - package: acme/util\n    version: ">=2.0.0"\n  - package: acme/dates\n    version: 0.3.0\n')
    message = shop.refused().message
    assert "No version of acme/util meets all conditions" in message
    assert "shop asks for >=2.0.0" in message
    assert "acme/dates 0.3.0 asks for >=1.0.0, <2.0.0" in message
    assert "1.0.0, 2.0.0" in message


def test_pre_releases_come_only_when_asked_for(shop: Shop, hub: Hub) -> None:
    hub.add("acme/util", "1.0.0")
    hub.add("acme/util", "1.1.0-rc1")
    shop.wants('  - package: acme/util\n    version: ">=1.0.0"\n')
    shop.deps()
    assert shop.version("util") == "1.0.0"
    shop.wants('  - package: acme/util\n    version: ">=1.0.0"\n    install_prerelease: true\n')
    shop.deps()
    assert shop.version("util") == "1.1.0-rc1"
    shop.deps()  # from the lock
    assert shop.version("util") == "1.1.0-rc1"


def test_versions_for_another_dbt_are_left_out(shop: Shop, hub: Hub) -> None:
    hub.add("acme/util", "1.0.0", require_dbt_version=[">=1.0.0", "<2.0.0"])
    hub.add("acme/util", "1.1.0", require_dbt_version=">=2.0.0")
    hub.add("acme/util", "1.2.0", require_dbt_version="whatever")
    shop.wants('  - package: acme/util\n    version: ">=1.0.0"\n')
    shop.deps()
    assert shop.version("util") == "1.0.0"
    shop.deps(upgrade=True, version_check=False)
    assert shop.version("util") == "1.2.0"


def test_an_unknown_package_gets_a_hint(shop: Shop, hub: Hub) -> None:
    hub.add("acme/util", "1.0.0")
    shop.wants("  - package: acme/utils\n    version: 1.0.0\n")
    error = shop.refused()
    assert "no package 'acme/utils', which shop asks for" in error.message
    assert "'acme/util'" in (error.hint or "")


@pytest.mark.parametrize("version", ["1.0", '">=1.0.0,<2.0.0"', "latest"])
def test_a_version_that_is_none(shop: Shop, hub: Hub, version: str) -> None:
    hub.add("acme/util", "1.0.0")
    shop.wants(f"  - package: acme/util\n    version: {version}\n")
    error = shop.refused()
    assert "no semantic version" in error.message
    assert error.place is not None


def test_a_package_that_moved(shop: Shop, hub: Hub) -> None:
    hub.add("acme/util", "1.0.0")
    hub.publish("acme/util", {**hub.packages["acme/util"], "redirectnamespace": "other", "redirectname": None})
    shop.wants("  - package: acme/util\n    version: 1.0.0\n")
    shop.deps()
    assert "now called 'other/util'" in shop.text()


def about(**description: Any) -> bytes:
    """What a hub says about version 1.0.0 of acme/util."""
    known = {"name": "util", "packages": [], "downloads": {"tarball": "http://127.0.0.1/"}}
    return json.dumps({"versions": {"1.0.0": known | description}}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>", b"[]", b"{}", b'{"versions": []}', b'{"versions": {"1.0.0": {}}}', b"[" * 100_000, b"\xff",
        about(name="../evil"), about(name=1), about(packages=[{"x": 1}]), about(packages="x"), about(downloads="x"),
        about(downloads={"tarball": "file:///etc/passwd"}), about(downloads={"tarball": None}),
    ],
)  # fmt: skip
def test_a_hub_that_talks_nonsense(shop: Shop, hub: Hub, body: bytes) -> None:
    hub.answers["/api/v1/acme/util.json"] = 200, {}, body
    shop.wants("  - package: acme/util\n    version: 1.0.0\n")
    assert isinstance(shop.refused(), ProjectError)


def test_offline(shop: Shop, hub: Hub) -> None:
    shop.local("sub", "subby")
    hub.close()
    shop.wants("  - local: sub\n  - package: acme/util\n    version: 1.0.0\n")
    error = shop.refused()
    assert hub.url in error.message
    assert "DBT_PACKAGE_HUB_URL" in (error.hint or "")
    shop.wants("  - local: sub\n")
    shop.deps()
    assert shop.installed() == ["subby"]


# whole or not at all


def hostile() -> bytes:
    return archive([member("util/dbt_project.yml", b"name: util\n"), member("../../../evil", b"x")])


@pytest.mark.parametrize(
    "body",
    [hostile(), b"no archive", archive([member("util/readme.md", b"x")]), archive([member("x", b"x")])],
    ids=["a way out", "no archive", "no project", "no folder"],
)
def test_a_failed_install_leaves_the_old_packages_and_the_old_lock(shop: Shop, hub: Hub, body: bytes) -> None:
    hub.add("acme/dates", "1.0.0")
    hub.add("acme/util", "1.0.0")
    hub.add("acme/util", "1.1.0", body=body)
    shop.wants('  - package: acme/dates\n    version: ">=1.0.0"\n  - package: acme/util\n    version: "<1.1.0"\n')
    shop.deps()
    hub.add("acme/dates", "1.1.0")
    shop.wants('  - package: acme/dates\n    version: ">=1.0.0"\n  - package: acme/util\n    version: ">=1.0.0"\n')
    shop.refused()
    assert (shop.version("dates"), shop.version("util")) == ("1.0.0", "1.0.0")
    assert not list(shop.root.parent.rglob("evil"))
    assert not [name for name in os.listdir(shop.root) if name.startswith(".")]


def test_an_error_of_the_disk_leaves_the_old_packages(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.local("sub", "subby")
    shop.wants("  - local: sub\n")
    shop.deps()
    rename = os.rename

    def failing(source: str, target: str) -> None:
        if str(source).endswith("/new"):
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    assert "No space left" in shop.refused().message
    assert shop.installed() == ["subby"]


def test_a_volume_has_its_content_exchanged(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.local("sub", "subby")
    shop.local("dbt_packages/old", "old")
    inode = (shop.root / "dbt_packages").stat().st_ino
    monkeypatch.setattr(os.path, "ismount", lambda path: str(path).endswith("dbt_packages"))
    shop.wants("  - local: sub\n")
    shop.deps()
    assert shop.installed() == ["subby"]
    assert (shop.root / "dbt_packages").stat().st_ino == inode


def test_what_an_interrupted_run_left_is_removed(shop: Shop) -> None:
    shop.write(".dbt_packages.deps-abc/new/x", "x")
    shop.write(".dbt_packages.other", "x")
    shop.deps()
    assert not (shop.root / ".dbt_packages.deps-abc").exists()
    assert (shop.root / ".dbt_packages.other").exists()


def test_the_install_path_is_a_setting(shop: Shop, tmp_path: Path) -> None:
    shop.local("sub", "subby")
    shop.wants("  - local: sub\n")
    shop.write("dbt_project.yml", "name: shop\npackages-install-path: \"{{ env_var('WHERE', 'a/b') }}\"\n")
    shop.deps()
    assert os.listdir(shop.root / "a" / "b") == ["subby"]
    shop.environment["WHERE"] = str(tmp_path / "elsewhere")
    shop.deps()
    assert os.listdir(tmp_path / "elsewhere") == ["subby"]


@pytest.mark.parametrize("path", [".", "..", "/", "a/../.."])
def test_an_install_path_that_holds_the_project_is_refused(shop: Shop, path: str) -> None:
    shop.write("dbt_project.yml", f"name: shop\npackages-install-path: {path}\n")
    assert "holds the project itself" in shop.refused().message


def test_runs_at_the_same_time_take_turns(shop: Shop, hub: Hub) -> None:
    for n in range(4):
        hub.add(f"acme/p{n}", "1.0.0")
    shop.wants("".join(f"  - package: acme/p{n}\n    version: 1.0.0\n" for n in range(4)))
    failures: list[BaseException] = []

    def run() -> None:
        try:
            project = ProjectOptions(project_dir=str(shop.root), environment=shop.environment)
            deps(project, DepsOptions(upgrade=True), lambda _: None, QUICK)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shall say it
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert shop.installed() == ["p0", "p1", "p2", "p3"]


def test_a_run_that_never_ends_is_not_waited_for_for_ever(shop: Shop) -> None:
    descriptor = os.open(shop.root, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(ProjectError, match="Another 'deps'"), install.alone(str(shop.root), shop.told.append, 0.2):
            pass
    finally:
        os.close(descriptor)
    assert shop.names() == ["DepsWaiting"]


# git and tarballs


def test_git(shop: Shop, repository: Path) -> None:
    shop.wants(f"  - git: file://{repository}\n    revision: v1\n")
    shop.deps()
    commit = git(repository, "rev-parse", "v1")
    assert shop.version("gitted") == "1.0"
    assert f"  - git: file://{repository}\n    name: gitted\n    revision: {commit}\nsha1_hash: " in shop.lock()
    assert f"Installed from revision {commit}" in shop.text()
    shutil.rmtree(shop.root / "dbt_packages")
    git(repository, "tag", "-d", "v1")
    shop.deps()  # the lock names the commit
    assert shop.installed() == ["gitted"]


def test_git_with_a_subdirectory(shop: Shop, repository: Path) -> None:
    shop.wants(f"  - git: file://{repository}\n    subdirectory: inner\n    revision: v1\n")
    shop.deps()
    assert shop.installed() == ["innermost"]
    assert "subdirectory: inner" in shop.lock()
    assert "and subdirectory inner" in shop.text()


@pytest.mark.parametrize(
    ("entry", "warned"),
    [("", True), ("revision: main", True), ("revision: v1", False), ("warn-unpinned: false", False)],
)
def test_a_moving_revision_is_warned_of(shop: Shop, repository: Path, entry: str, warned: bool) -> None:
    shop.wants(f"  - git: file://{repository}\n    {entry}\n")
    shop.deps()
    assert ("DepsUnpinned" in shop.names()) is warned


def test_two_revisions_of_one_repository(shop: Shop, repository: Path) -> None:
    shop.local("sub", "subby", f"  - git: file://{repository}/\n    revision: main\n".replace("/\n", "\n", 1))
    shop.wants(f"  - git: file://{repository}\n    revision: v1\n  - local: sub\n")
    message = shop.refused().message
    assert "shop asks for v1" in message
    assert "subby asks for main" in message


def test_who_names_no_revision_takes_the_others(shop: Shop, repository: Path) -> None:
    shop.local("sub", "subby", f"  - git: file://{repository}\n    revision: v1\n")
    shop.local("other", "other", f"  - git: file://{repository}\n    revision: v2\n")
    shop.wants(f"  - git: file://{repository}\n    warn-unpinned: false\n  - local: sub\n")
    shop.deps()
    assert git(repository, "rev-parse", "v1") in shop.lock()
    shop.wants(f"  - git: file://{repository}\n  - local: sub\n  - local: other\n")
    message = shop.refused().message
    assert "shop asks for any version\n  subby asks for v1\n  other asks for v2" in message


def test_one_folder_in_two_ways(shop: Shop, repository: Path) -> None:
    shop.local("sub", "subby")
    shop.wants("  - local: sub\n  - tarball: sub\n    name: x\n")
    assert "asked for in two ways" in shop.refused().message


def test_links_out_of_a_repository_are_left_out(shop: Shop, repository: Path) -> None:
    os.symlink("/etc/passwd", repository / "passwd")
    os.symlink("../../secret", repository / "inner" / "secret")
    os.symlink("dbt_project.yml", repository / "fine")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "links")
    shop.wants(f"  - git: file://{repository}\n    warn-unpinned: false\n")
    shop.deps()
    folder = shop.root / "dbt_packages" / "gitted"
    assert sorted(os.listdir(folder)) == ["dbt_project.yml", "fine", "inner"]
    assert os.listdir(folder / "inner") == ["dbt_project.yml"]
    assert shop.names().count("PackageLinkLeftOut") == 2


def test_tarballs(shop: Shop, hub: Hub) -> None:
    hub.add("acme/util", "1.0.0", files={"packages.yml": "packages:\n  - local: sub\n"})
    shop.local("sub", "subby")
    shop.wants(f"  - tarball: {hub.url}tarballs/acme/util/1.0.0.tar.gz\n    name: renamed\n")
    shop.deps()
    assert shop.installed() == ["renamed", "subby"]
    assert f"  - name: renamed\n    tarball: {hub.url}tarballs/acme/util/1.0.0.tar.gz\n" in shop.lock()
    shop.deps()
    assert shop.installed() == ["renamed", "subby"]


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", ".git", "a/b"])
def test_a_tarballs_name_stays_in_the_folder(shop: Shop, hub: Hub, name: str) -> None:
    hub.add("acme/util", "1.0.0")
    shop.wants(f"  - tarball: {hub.url}tarballs/acme/util/1.0.0.tar.gz\n    name: {name}\n")
    assert "cannot be the name" in shop.refused().message


def test_private_packages(shop: Shop) -> None:
    shop.wants("  - private: org/repo\n")
    assert "private package 'org/repo'" in shop.refused().message


# secrets


def test_secrets_reach_neither_the_lock_nor_a_message(shop: Shop, hub: Hub, repository: Path) -> None:
    hub.add("acme/util", "1.0.0")
    shop.environment["DBT_ENV_SECRET_TOKEN"] = "hunter2"
    shop.environment["DBT_ENV_SECRET_PLACE"] = repository.name
    address = hub.url.replace("://", "://{{ env_var('DBT_ENV_SECRET_TOKEN') }}@") + "tarballs/acme/util/1.0.0.tar.gz"
    place = str(repository.parent / "{{ env_var('DBT_ENV_SECRET_PLACE') }}")
    shop.wants(f'  - tarball: "{address}"\n    name: util\n  - git: "{place}"\n    revision: v1\n')
    shop.deps()
    assert [headers["Authorization"] for _, headers in hub.requests] == ["Basic aHVudGVyMg=="]
    assert "env_var('DBT_ENV_SECRET_TOKEN')" in shop.lock()
    assert "hunter2" not in shop.text() + shop.lock()
    assert repository.name not in shop.text() + shop.lock()
    shop.deps()  # the lock is rendered, too
    assert shop.installed() == ["gitted", "util"]


def test_a_secret_that_stands_in_the_file_is_masked_in_the_lock(shop: Shop, hub: Hub) -> None:
    hub.add("acme/util", "1.0.0")
    shop.environment["DBT_ENV_SECRET_TOKEN"] = "hunter2"
    shop.wants(f"  - tarball: {hub.url.replace('://', '://hunter2@')}tarballs/acme/util/1.0.0.tar.gz\n    name: util\n")
    shop.deps()
    assert "*****@127.0.0.1" in shop.lock()
    assert "DepsScrubbedPackageName" in shop.names()


def test_secrets_do_not_stand_in_errors(shop: Shop) -> None:
    shop.environment["DBT_ENV_SECRET_TOKEN"] = "hunter2"
    shop.wants("  - local: \"no-{{ env_var('DBT_ENV_SECRET_TOKEN') }}-where\"\n")
    error = shop.refused()
    assert "no-*****-where" in str(error)
    assert "hunter2" not in repr(error)


# the rest of the command


def test_add_package(shop: Shop, hub: Hub) -> None:
    hub.add("acme/util", "1.0.0")
    hub.add("acme/util", "1.1.0")
    shop.local("sub", "subby")
    shop.wants("  - local: sub  # ours\n  - package: acme/util\n    version: 1.0.0\n")
    shop.deps(add_package="acme/util@>=1.0.0,<2.0.0")
    assert (shop.root / "packages.yml").read_text() == (
        "packages:\n  - local: sub  # ours\n  - package: acme/util\n    version:\n      - '>=1.0.0'\n      - <2.0.0\n"
    )
    assert shop.version("util") == "1.1.0"
    assert {"DepsFoundDuplicatePackage", "DepsAddPackage", "DepsLockUpdating"} <= set(shop.names())
    hub.requests.clear()
    shop.deps()
    assert "DepsLockUpdating" not in shop.names()


def test_add_package_to_nothing_and_to_dependencies_yml(shop: Shop) -> None:
    shop.local("sub", "subby")
    shop.local("other", "other")
    shop.deps(add_package="sub", source="local")
    assert (shop.root / "packages.yml").read_text() == "packages:\n  - local: sub\n"
    (shop.root / "packages.yml").rename(shop.root / "dependencies.yml")
    shop.deps(add_package="other", source="local")
    assert not (shop.root / "packages.yml").exists()
    assert shop.installed() == ["other", "subby"]


def test_add_package_that_is_not_there_changes_nothing(shop: Shop, hub: Hub) -> None:
    shop.write("packages.yml", "# empty\n")
    shop.refused(add_package="acme/util@1.0.0")
    shop.refused(add_package="nowhere", source="local")
    assert isinstance(shop.refused(add_package="acme/util"), UsageError)


def test_a_dry_run_changes_nothing(shop: Shop, hub: Hub) -> None:
    hub.add("acme/util", "1.0.0")
    before = shop.files()
    shop.deps(add_package="acme/util@1.0.0", dry_run=True)
    assert shop.files() == before
    assert not (shop.root / "dbt_packages").exists()
    assert "Would install util from version 1.0.0" in shop.text()


def test_a_project_for_another_dbt(shop: Shop) -> None:
    shop.write("dbt_project.yml", "name: shop\nrequire-dbt-version: '>=2.0.0'\n")
    assert "requires dbt" in shop.refused().message
    shop.deps(version_check=False)


def test_no_project(shop: Shop) -> None:
    (shop.root / "dbt_project.yml").unlink()
    assert "dbt_project.yml" in shop.refused().message


def test_a_lock_that_is_no_lock(shop: Shop) -> None:
    shop.local("sub", "subby")
    shop.wants("  - local: sub\n")
    for text in ("- x\n", "a: [\n"):
        shop.write("package-lock.yml", text)
        assert isinstance(shop.refused(), ProjectError | ParseError)
    shop.write("package-lock.yml", "")
    shop.deps()
    assert "name: subby" in shop.lock()


def test_an_unset_variable(shop: Shop) -> None:
    shop.wants("  - local: \"{{ env_var('NOWHERE') }}\"\n")
    error = shop.refused()
    assert not isinstance(error, ErrorList)
    assert "NOWHERE" in str(error)
