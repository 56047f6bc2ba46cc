"""Where packages come from: each kind of wish becomes one certain version, whose own wishes are known."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from understudy.core.warning import Warning_
from understudy.errors import Place, ProjectError
from understudy.project.packages import archive, git
from understudy.project.packages.http import Http
from understudy.project.packages.hub import Hub
from understudy.project.packages.notice import Tell, without_password
from understudy.project.packages.specs import Kind, Want, entries_of, read_wishes
from understudy.project.project_file import FILE, read_raw
from understudy.project.rendering import Render


class Pinned(msgspec.Struct, frozen=True):
    """One version of a package: what the lock says of it, and where its files are."""

    want: Want
    name: str
    """The project's name, which is its folder's."""
    entry: Mapping[str, str]
    """Its entry in the lock."""
    installed_from: str
    """In words: `version 1.2.0`."""
    wants: tuple[Want, ...] = ()
    folder: str | None = None
    """Where its files are by now."""
    download: str | None = None
    """Where they can be had (a package of the hub)."""
    version: str | None = None
    latest: str | None = None


class Sources(msgspec.Struct, frozen=True):
    """Turns wishes into pinned packages; what was fetched is kept for the run.

    Attributes:
        root: the root project's folder, from which local paths go out, those of packages, too (dbt 1.11: resolve_path).
        workspace: a folder for what is fetched.
        scrub: masks secrets in what the lock says.
    """

    root: str
    workspace: str
    environment: Mapping[str, str]
    render: Render
    hub: Hub
    http: Http
    tell: Tell
    scrub: Callable[[str], str]
    kept: dict[tuple[str | None, ...], Pinned] = msgspec.field(default_factory=dict)

    def pin(self, want: Want) -> Pinned:
        """One version for a wish. Raises ProjectError: not there, in conflict, damaged, hostile."""
        try:
            pinned = PINS[want.kind](self, want)
        except ProjectError as error:
            error.place = error.place or want.place
            raise
        if not re.fullmatch(r"\w[\w.-]*", pinned.name):
            raise ProjectError(f"{pinned.name!r} cannot be the name of a package", place=want.place)
        return pinned

    def fetch(self, pinned: Pinned) -> str:
        """The folder with the files of a package, downloaded where need be. Raises ProjectError."""
        if pinned.folder is not None:
            return pinned.folder
        folder = self._unpacked(pinned.download or "", pinned.name)
        if not os.path.isfile(os.path.join(folder, FILE)):
            raise ProjectError(
                f"{pinned.want.label} is no dbt project: its archive has no {FILE}", place=pinned.want.place
            )
        return folder

    def _unpacked(self, url: str, name: str) -> str:
        """The folder that an archive holds."""
        where = tempfile.mkdtemp(dir=self.workspace)

        def unpack(path: str) -> str:
            return archive.unpack(path, tempfile.mkdtemp(dir=where))

        try:
            return self.http.download(url, os.path.join(where, "archive.tar.gz"), unpack)
        except ProjectError as error:
            if "archive" in error.message[:12].lower():
                error.message = f"{name} from {without_password(url)} is refused. {error.message}"
            raise

    def _read(self, folder: str, want: Want) -> tuple[str, tuple[Want, ...]]:
        """A project's name, and what it asks for itself."""
        if not os.path.isfile(os.path.join(folder, FILE)):
            message = f"{without_password(want.label)}, which {want.who} asks for, is no dbt project: it has no {FILE}"
            raise ProjectError(message, place=want.place)
        name = read_raw(folder).values.get("name")
        if not isinstance(name, str) or not name:
            raise ProjectError(f"The project of {without_password(want.label)} has no name", place=want.place)
        wants = read_wishes(folder, self.render, name).wants
        if folder.startswith(self.workspace):  # a place there would tell nobody anything
            wants = tuple(replace(each, file=None) for each in wants)
        return name, wants

    def _masked(self, want: Want) -> str:
        """The address for the lock: as written, without what is secret in it (dbt 1.11: scrub_secrets)."""
        masked = self.scrub(want.written)
        if masked != want.written:
            message = (
                f"{masked} stands with a secret in packages.yml. The lock has no secrets, so 'deps' with it will fail"
            )
            self.tell(Warning_("DepsScrubbedPackageName", message, want.place))
        return masked


def _local(sources: Sources, want: Want) -> Pinned:
    folder = os.path.abspath(os.path.join(sources.root, os.path.expanduser(want.at)))
    name, wants = sources._read(folder, want)
    return Pinned(want, name, {"local": want.at}, f"<local @ {want.at}>", wants, folder)


def _git(sources: Sources, want: Want) -> Pinned:
    revisions = want.versions or ("HEAD",)
    if len(revisions) > 1:
        lines = [f"{without_password(want.label)} is asked for at more than one revision", *want.conditions()]
        raise ProjectError("\n".join(lines), hint="Name one revision everywhere")
    revision = revisions[0]
    key = (want.at, revision, want.subdirectory)
    if key not in sources.kept:
        folder = os.path.join(tempfile.mkdtemp(dir=sources.workspace), "repository")  # with the usual permissions
        package, commit = git.checkout(want.at, revision, want.subdirectory, folder, sources.environment)
        for link in list(archive.links_out(package)):
            os.unlink(link)
            shown = os.path.relpath(link, package)
            message = f"{without_password(want.label)}: the link '{shown}' leads out of the package, and is left out"
            sources.tell(Warning_("PackageLinkLeftOut", message))
        if revision in ("HEAD", "main", "master") and want.warn_unpinned:
            sources.tell(Warning_("DepsUnpinned", _unpinned(want, revision), want.place))
        name, wants = sources._read(package, want)
        entry = {"git": sources._masked(want), "revision": commit}
        entry |= {"subdirectory": want.subdirectory} if want.subdirectory else {}
        pinned = Pinned(want, name, entry, f"revision {commit}", wants, package, version=commit)
        sources.kept[key] = sources.kept[want.at, commit, want.subdirectory] = pinned
    return replace(sources.kept[key], want=want)


def _unpinned(want: Want, revision: str) -> str:
    how = "is not pinned" if revision == "HEAD" else f"is pinned to the branch '{revision}'"
    return f"The git package {without_password(want.label)} {how}: it can change at any time. Name a tag or a commit"


def _tarball(sources: Sources, want: Want) -> Pinned:
    key = (want.at, None)
    if key not in sources.kept:
        folder = sources._unpacked(want.at, want.name or "")
        _, wants = sources._read(folder, want)
        entry = {"tarball": sources._masked(want), "name": want.name or ""}
        shown = without_password(want.at)
        sources.kept[key] = Pinned(
            want, want.name or "", entry, f"tarball (url: {shown})", wants, folder, version="tarball"
        )
    return replace(sources.kept[key], want=want)


def _hub(sources: Sources, want: Want) -> Pinned:
    release = sources.hub.release(want)
    path = f"{want.at}.json"
    try:
        wants = entries_of(release.packages, release.packages, path, f"{want.at} {release.version}")[0]
    except ProjectError as error:
        raise ProjectError(f"The hub's description of {want.at} {release.version}: {error.message}") from error
    return Pinned(
        want, release.name, {"package": want.at, "version": release.version}, f"version {release.version}",
        tuple(replace(each, file=None) for each in wants), download=release.download, version=release.version,
        latest=release.latest,
    )  # fmt: skip


def _private(sources: Sources, want: Want) -> Pinned:
    raise ProjectError(f"The private package {want.at!r} cannot be found", place=want.place or Place(sources.root))


PINS: Mapping[Kind, Callable[[Sources, Want], Pinned]] = {
    "local": _local, "git": _git, "tarball": _tarball, "package": _hub, "private": _private,
}  # fmt: skip
