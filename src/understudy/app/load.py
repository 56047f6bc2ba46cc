"""Load, parse, link: from the disk to a manifest with its graph."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from understudy.app.events import Logged, Printed, Secrets, Stage
from understudy.app.invocation import Invocation
from understudy.app.options import variables
from understudy.artifacts.state_files import StateFile, read_prior
from understudy.cache.changes import Changes, changes
from understudy.cache.edition import Edition
from understudy.cache.kept import Kept, open_kept, refresh
from understudy.cache.slots import slot
from understudy.core.manifest import Manifest
from understudy.core.project import Settings
from understudy.core.warning import Warning_, in_order
from understudy.errors import Place, UnderstudyError
from understudy.graph.access import deprecations
from understudy.graph.dag import Dag
from understudy.project.files import Listed, list_files, read_files, read_seed
from understudy.project.settings import ProjectOptions, load_settings
from understudy.sql.dialect import Dialect, dialect

if TYPE_CHECKING:
    from understudy.cache.merge import Merge
    from understudy.graph.names import Names
    from understudy.state.prior import Prior
    from understudy.template.renderer import Renderer
    from understudy.template.state import Notify


class Project(msgspec.Struct, frozen=True, dict=True):
    """A project, parsed and linked. What not every command needs is made when it is first asked for."""

    settings: Settings
    manifest: Manifest
    dag: Dag
    dialect: Dialect
    make_renderer: Callable[[], Renderer]
    edition: Edition | None = None
    """Which parse it is; None where it is not kept."""

    @cached_property
    def renderer(self) -> Renderer:
        """The way into the project's templates."""
        return self.make_renderer()

    @cached_property
    def names(self) -> Names:
        """The names of the manifest."""
        from understudy.graph.names import Names

        return Names.of(self.manifest, self.settings)

    def read_state(self, state: StateFile) -> Prior:
        """A state's manifest, by what the cache knows of it. Raises StateError."""
        if self.edition is None:
            return read_prior(state)
        from understudy.cache.states import read_state

        return read_state(state, self.settings.root.root)

    def same_as(self, theirs: dict[str, bytes]) -> Callable[[str], bool] | None:
        """Which nodes are the same as a state's, as far as digests tell; None: nothing is known."""
        if not theirs or self.edition is None:
            return None
        mine = self.edition.digests()

        def same(unique_id: str) -> bool:
            found = theirs.get(unique_id)
            return found is not None and found == mine.get(unique_id)

        return same

    def extended(self, manifest: Manifest) -> Project:
        """The same project with a manifest that has more in it. Raises CycleError."""
        return replace(self, manifest=manifest, dag=Dag.of(manifest), make_renderer=lambda: self.renderer)

    @property
    def target_dir(self) -> str:
        """The target directory as a path to open."""
        return os.path.join(self.settings.root.root, self.settings.target_path)


def settings_of(invocation: Invocation, *, with_packages: bool = True) -> Settings:
    """The settings of the project that the options name. Raises ProjectError, ProfileError and what stands below them."""
    return load_settings(project_options(invocation, with_packages=with_packages))


def project_options(invocation: Invocation, *, with_packages: bool = True) -> ProjectOptions:
    """What the options say of the project."""
    options = invocation.options
    return ProjectOptions(
        project_dir=options.project_dir,
        profiles_dir=options.profiles_dir,
        profile=options.profile,
        target=options.target,
        cli_vars=variables(options),
        target_path=options.target_path,
        log_path=options.log_path,
        threads=options.threads,
        environment=invocation.environ,
        flags=flags(invocation),
        cwd=invocation.cwd,
        version_check=options.version_check,
        with_packages=with_packages,
        invocation_id=invocation.id,
        started_at=invocation.started.isoformat(),
        arguments=options.as_args(),
    )


def flags(invocation: Invocation) -> dict[str, object]:
    """What Jinja's `flags` shows of the options (dbt 1.11: flags.get_flag_dict; upper case there)."""
    options = invocation.options
    return {
        "full_refresh": options.full_refresh,
        "store_failures": options.store_failures,
        "fail_fast": options.fail_fast,
        "empty": options.empty,
        "which": "build" if options.command in ("plan", "explain") else options.command.rpartition(" ")[2],
        "defer": options.defer,
        "favor_state": options.favor_state,
        "indirect_selection": options.indirect_selection,
        "introspect": options.introspect,
        "print": options.print_,
        "quiet": options.quiet,
        "warn_error": options.warn_error,
        "debug": options.debug,
        "use_colors": bool(options.use_colors),
        "write_json": options.write_json,
        "target_path": options.target_path,
        "profiles_dir": options.profiles_dir,
        "log_format": options.log_format,
        "invocation_command": f"understudy {options.command}",
    }


def listener(invocation: Invocation) -> Notify:
    """Passes on what templates log, print and warn of."""
    told: dict[str, object] = {}

    def notify(kind: str, message: str, place: Place | None) -> None:
        node = None if place is None else place.node
        match kind:
            case "print":
                invocation.emit(Printed(message, node))
            case "warn":
                invocation.warn(Warning_("JinjaLogWarning", message, place))
            case "once":
                me = object()
                if told.setdefault(message, me) is me:  # of several threads, one says it
                    invocation.warn(Warning_("AdapterEventWarning", message))
            case _ if kind[0].isupper():
                invocation.warn(Warning_(kind, message, place))
            case _:
                invocation.emit(Logged(message, "info" if kind == "info" else "debug", node))

    return notify


SECRET_FIELDS = ("pass", "password", "token", "secret", "private_key", "credential")


def secrets(settings: Settings) -> tuple[str, ...]:
    """The values of the profile that must never be printed."""
    fields = settings.target.credentials.items()
    return tuple(str(value) for name, value in fields if value and any(word in name for word in SECRET_FIELDS))


def load_project(invocation: Invocation, begun: Callable[[Settings], None] = lambda settings: None) -> Project:
    """Load, parse and link. Raises ProjectError and what stands below it; warnings are told as they come.

    `begun` is called as soon as the settings are known, before anything is read.
    """
    settings = settings_of(invocation)
    invocation.emit(Secrets(secrets(settings)))
    begun(settings)
    listed_at = time.time_ns()
    files = list_files(settings)
    invocation.emit(Stage(f"Reading {len(files):,} files"))
    read = recall(invocation, settings, files, listed_at) or read_all(invocation, settings, files, listed_at)
    manifest = read.manifest
    invocation.warn(*in_order((*settings.warnings, *read.warnings, *deprecations(manifest, settings.started_at))))
    if settings.root.selectors:
        from understudy.select.yaml import manifest_selectors, read_selectors

        read_selectors(settings.root.selectors)  # says what is wrong with them
        manifest.selectors = manifest_selectors(settings.root.selectors)
    dag = Dag.of(manifest) if read.dag is None else read.dag
    return Project(settings, manifest, dag, dialect(settings.target.type), read.make_renderer, read.edition)


class Read(NamedTuple):
    """What came of reading a project, or of remembering it."""

    manifest: Manifest
    warnings: Iterable[Warning_]
    make_renderer: Callable[[], Renderer]
    edition: Edition | None
    dag: Dag | None = None


def recall(invocation: Invocation, settings: Settings, files: Sequence[Listed], listed_at: int) -> Read | None:
    """What the last run read, brought up to date; None: the whole project has to be read. Raises ParseError."""
    if not invocation.options.partial_parse:
        return None
    path = slot(settings)
    kept = open_kept(path)
    if kept is None:
        return None
    found = changes(kept, settings, files)
    now: Kept | Merge = kept
    if found:
        merged = renewed(kept, settings, files, found, path, listed_at)
        if merged is None:
            return None
        now = merged
    elif found.touched:
        refresh(path, kept, files, listed_at)
    notify = listener(invocation)
    for said in now.said:
        notify(said.kind, said.message, said.place)

    def make_renderer() -> Renderer:
        from understudy.stdlib.registry import BUILTINS
        from understudy.template.renderer import Renderer

        return Renderer.of(settings, now.manifest, now.macro_lines, BUILTINS, dialect(settings.target.type), notify)

    return Read(now.manifest, now.warnings, make_renderer, now.edition, now.dag)


def renewed(
    kept: Kept, settings: Settings, files: Sequence[Listed], found: Changes, path: str, listed_at: int
) -> Merge | None:
    """A kept parse with what changed made anew, and kept as such. None: the whole project has to be read, be it for what is
    wrong with it, since only then all of that is known.
    """
    from understudy.cache.merge import Merge, Snapshot
    from understudy.cache.renew import NotSimple, Renewal, Tools
    from understudy.cache.slots import save
    from understudy.cache.snapshot import NOT_KEPT
    from understudy.stdlib.registry import BUILTINS

    try:
        renewal = Renewal(kept, settings, files, found, Tools(BUILTINS, dialect(settings.target.type), read_seed))
        merge = Merge(kept, settings, renewal.part(), volatile=found.only_the_run)
    except (NotSimple, UnderstudyError):
        return None
    with suppress(*NOT_KEPT):
        if not found.only_the_run:
            save(path, Snapshot(renewal, merge).sections(files, listed_at))
    return merge


def read_all(invocation: Invocation, settings: Settings, files: Sequence[Listed], listed_at: int) -> Read:
    """Read the whole project, and keep what was read. Raises ProjectError and what stands below it."""
    from understudy.cache.snapshot import Parse, keep
    from understudy.graph.link import link
    from understudy.parse.project import parse_project
    from understudy.stdlib.registry import BUILTINS, builtin_macros

    parsed = parse_project(
        settings,
        read_files(settings, files),
        builtins=BUILTINS,
        builtin_macros=builtin_macros(),
        dialect=dialect(settings.target.type),
        read_seed=read_seed,
        notify=listener(invocation),
    )
    for warning in link(parsed.manifest, settings, parsed.cells.missed):
        parsed.cells.add(warning)
    parsed.manifest.arrange()
    edition = None
    if invocation.options.partial_parse:
        kept = Parse(settings, parsed.manifest, parsed.cells, parsed.scans, parsed.renderer.macros.lines)
        edition = keep(slot(settings), kept, files, listed_at)
    return Read(parsed.manifest, parsed.warnings, lambda: parsed.renderer, edition)
