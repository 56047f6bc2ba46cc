"""`deps`: what `packages.yml` asks for is resolved, locked and installed (dbt 1.11: DepsTask)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from understudy.app.events import Logged, Output
from understudy.app.invocation import Invocation, Outcome
from understudy.app.load import project_options
from understudy.core.warning import Warning_
from understudy.errors import ErrorList, UnderstudyError
from understudy.project.packages import hub, lock
from understudy.project.packages.add import new_entry, with_entry
from understudy.project.packages.http import Http
from understudy.project.packages.install import alone, prepare, swap, workspace, write_whole
from understudy.project.packages.notice import Notice, Tell, scrubber
from understudy.project.packages.resolve import combined, distinct, resolve
from understudy.project.packages.sources import Pinned, Sources
from understudy.project.packages.specs import DEPENDENCIES, PACKAGES, Wishes, package_renderer, read_wishes
from understudy.project.project_file import FILE, read_raw
from understudy.project.rendering import Render
from understudy.project.settings import ProjectOptions, find_project_dir
from understudy.project.versions import check_version


class DepsOptions(msgspec.Struct, frozen=True):
    """The command's options: --upgrade, --lock, --add-package (`name@version`), --source (hub, git, local), --dry-run."""

    upgrade: bool = False
    lock: bool = False
    add_package: str | None = None
    source: str = "hub"
    dry_run: bool = False


def install(invocation: Invocation) -> Outcome:
    """The command: as the options say, telling of it. Needs no profile."""
    options = invocation.options

    def tell(what: Notice | Warning_) -> None:
        if isinstance(what, Warning_):
            invocation.warn(what)
        elif what.name == "DepsDryRun":
            invocation.emit(Output(what.message))
        else:
            invocation.emit(Logged(what.message, "info"))

    wanted = DepsOptions(options.upgrade, options.lock, options.add_package, options.source, options.dry_run)
    deps(project_options(invocation), wanted, tell)
    return Outcome()


def deps(project: ProjectOptions, options: DepsOptions, tell: Tell, http: Http | None = None) -> None:
    """Install the project's packages, or leave everything as it is.

    The lock is made anew where there is none, where `packages.yml` says something else by now, and by --upgrade.

    Args:
        tell: hears each line of progress (Notice) and each warning; no secrets stand in them.
        http: how to reach the network.
    Raises:
        ProjectError: a package is not there, conditions exclude each other, an archive is hostile, git or the hub fails.
        UsageError: --add-package or --source cannot be understood.
        YamlError, JinjaError: a settings file.
    """
    scrub = scrubber(project.environment)

    def told(what: Notice | Warning_) -> None:
        message = scrub(what.message)
        tell(Notice(what.name, message) if isinstance(what, Notice) else Warning_(what.name, message, what.place))

    try:
        root = os.path.abspath(find_project_dir(project.project_dir, project.cwd))
        raw = read_raw(root)
        for warning in raw.warnings:
            told(warning)
        with alone(root, told):
            _deps(root, raw.values, project, options, told, scrub, http or Http())
    except UnderstudyError as error:
        _mask(error, scrub)
        raise


def _deps(
    root: str,
    raw: Mapping[str, Any],
    project: ProjectOptions,
    options: DepsOptions,
    tell: Tell,
    scrub: Callable[[str], str],
    http: Http,
) -> None:
    render = package_renderer(project.environment, project.cli_vars)
    name = str(raw.get("name") or "")
    if project.version_check and raw.get("require-dbt-version") is not None:
        check_version(render(raw["require-dbt-version"]), name, os.path.join(root, FILE))
    changed = _changed(root, options, tell)
    wishes = read_wishes(root, render, name, warn=tell, is_root=True, texts=changed)
    stale = options.upgrade or lock.locked_digest(root) != wishes.digest
    if options.lock and wishes.wants and not stale:
        return
    install_path = os.path.join(root, str(render(raw.get("packages-install-path") or "dbt_packages")))
    with workspace(install_path, root) as folder:
        url = project.environment.get("DBT_PACKAGE_HUB_URL") or hub.URL
        sources = Sources(
            root, folder, project.environment, render, hub.Hub(url, http, tell, project.version_check), http, tell, scrub
        )  # fmt: skip
        packages = _packages(wishes, sources, render, name, stale)
        if options.dry_run:
            for each in packages:
                tell(Notice("DepsDryRun", f"Would install {each.name} from {each.installed_from}"))
            return
        if not packages:
            tell(Notice("DepsNoPackagesFound", f"No packages were found in {wishes.file}"))
        new = None if options.lock else prepare(packages, sources, tell)
        for file, text in changed.items():
            write_whole(os.path.join(root, file), text)
        if stale and packages:
            path = os.path.join(root, lock.FILE)
            write_whole(path, lock.lock_text(packages, wishes.digest))
            tell(Notice("DepsLockUpdating", f"Updating lock file in file path: {path}"))
        if new is not None:
            swap(new, install_path)


def _packages(wishes: Wishes, sources: Sources, render: Render, name: str, stale: bool) -> list[Pinned]:
    """What to install: resolved anew, or as the lock says."""
    if not wishes.wants or stale:
        return resolve(wishes.wants, sources.pin, name)
    locked = combined(lock.locked_wants(sources.root, render)).values()
    return distinct([sources.pin(want) for want in locked], name)


def _changed(root: str, options: DepsOptions, tell: Tell) -> dict[str, str]:
    """The file that --add-package changes, with its new text."""
    if options.add_package is None:
        return {}
    entry = new_entry(options.add_package, options.source)
    texts = {}
    for name in (DEPENDENCIES, PACKAGES):
        path = os.path.join(root, name)
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                texts[name] = file.read()
    file_name = DEPENDENCIES if "packages:" in texts.get(DEPENDENCIES, "") else PACKAGES
    path = os.path.join(root, file_name)
    text, removed = with_entry(texts.get(file_name, ""), path, entry)
    for each in removed:
        tell(Notice("DepsFoundDuplicatePackage", f"Found duplicate package in {file_name}, removing: {dict(each)}"))
    if not options.dry_run:
        tell(Notice("DepsAddPackage", f"Added new package {options.add_package} to {path}"))
    return {file_name: text}


def _mask(error: UnderstudyError, scrub: Callable[[str], str]) -> None:
    """Take secrets out of an error; what caused it may have them, too, and is cut off where it does."""
    for each in error.errors if isinstance(error, ErrorList) else (error,):
        each.message, each.hint = scrub(each.message), scrub(each.hint) if each.hint else None
        each.args = (each.message,)
        cause = each.__cause__
        if cause is not None and scrub(str(cause)) != str(cause):
            each.__cause__ = None
            each.__suppress_context__ = True
