"""Load to defer: everything that comes before the first node is compiled, for every command that resolves references."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress

import msgspec

from understudy.adapters.base import Adapter
from understudy.adapters.registry import open_adapter
from understudy.app import announce, deferral
from understudy.app.applied import AppliedState
from understudy.app.choose import Chosen, chosen
from understudy.app.commands import Command
from understudy.app.deferral import Deferral
from understudy.app.event_time import sample_window
from understudy.app.events import Logged
from understudy.app.invocation import Invocation
from understudy.app.load import Project, load_project
from understudy.app.states import States
from understudy.artifacts.holder import held
from understudy.compile.compiler import Compiler
from understudy.compile.lookups import Part
from understudy.core.project import Settings
from understudy.core.relation import Relation, SchemaName
from understudy.defer.clones import CLONE, FIRST, Cloning, gathering
from understudy.defer.resolution import Listings
from understudy.errors import DatabaseError, PermissionDenied, ProfileError
from understudy.execute.database import Observer, RelationCache
from understudy.select.evaluate import Selection


class Ready(msgspec.Struct, frozen=True):
    """What a run needs, decided and open. `cache` knows what was listed on the way.

    `release`: nothing more is asked of the engine, so it is closed beside what is left to do.
    """

    project: Project
    states: States
    selection: Selection
    adapter: Adapter
    cache: RelationCache
    deferral: Deferral
    compiler: Compiler
    applied: AppliedState
    release: Callable[[], None]


Choose = Callable[[Project, States], Chosen]


class _Engine:
    """The adapter of a run. A command that will surely connect begins to while the project is read."""

    def __init__(self, connects: bool) -> None:
        self._connects = connects
        self._adapter: Adapter | None = None
        self._closing: threading.Thread | None = None
        self._error: Exception | None = None

    def begin(self, settings: Settings) -> None:
        """The settings are known. What is wrong with them for this engine is told later, after what is wrong with the project."""
        if self._connects:
            with suppress(ProfileError):
                self.opened(settings).prepare()

    def opened(self, settings: Settings) -> Adapter:
        """The adapter. Raises ProfileError."""
        if self._adapter is None:
            self._adapter = open_adapter(settings.target, settings.root.root)
        return self._adapter

    def release(self) -> None:
        """Begin to close: some engines then bring their files in order, which takes a while."""
        if self._closing is None:
            self._closing = threading.Thread(target=self._close, name="closing")
            self._closing.start()

    def close(self) -> None:
        """Release everything, unless that has begun, and tell what went wrong with it."""
        if self._closing is None:
            self._close()
        else:
            self._closing.join()
        if self._error is not None:
            raise self._error

    def _close(self) -> None:
        try:
            if self._adapter is not None:
                self._adapter.close()
        except Exception as error:  # noqa: BLE001 - it is raised where everybody waits for the end
            self._error = error


@contextmanager
def ready(invocation: Invocation, command: Command, choose: Choose | None = None) -> Iterator[Ready]:
    """Everything up to the first statement; the adapter is closed at the end. `choose` stands in for the selection.

    Raises ProjectError, SelectorError, StateError, DeferError and what stands below them; nothing is written by then.
    """
    with closing(_Engine(command.connects)) as engine:
        project = load_project(invocation, engine.begin)
        states = States(invocation, project, defers=True, clones=command.clones)
        what = choose(project, states) if choose is not None else chosen(invocation, project, states, command)
        project, selection = what.project, what.selection
        announce.head(invocation, project, states)
        adapter = engine.opened(project.settings)
        with closing(AppliedState(invocation, project, states)) as applied:
            cache = RelationCache(project.dialect)
            decided = deferral.decide_references(
                invocation,
                project,
                states,
                selected=selection.selected,
                runs=frozenset() if command.clones else frozenset(selection.nodes),
                builds=frozenset(each for each in what.command if each.partition(".")[0] in command.builds),
                also=what.also,
                maybe=what.maybe,
                list_schemas=lambda schemas: list_schemas(adapter, schemas, cache),
                denied=lambda relations: denied(adapter, relations),
                cross_database=adapter.capabilities.cross_database,
                applied=applied,
                cloning=_cloning(invocation, command, project, states, selection, adapter),
                hooked=not command.clones,
            )
            if not invocation.options.verify_state:
                reach(adapter, decided, project.settings.target.database)
            compiler = Compiler(
                project.manifest,
                project.names,
                decided.resolution,
                project.renderer,
                project.dialect,
                selected=selection.nodes,
                part=Part(invocation.options.empty, sample_window(invocation.options, invocation.started)),
            )
            yield Ready(project, states, selection, adapter, cache, decided, compiler, applied, engine.release)


def _cloning(
    invocation: Invocation, command: Command, project: Project, states: States, selection: Selection, adapter: Adapter
) -> Cloning:
    """What the command may clone: everything that it is about, or what it would build from nothing."""
    options, lasting = invocation.options, adapter.capabilities.lasting_views
    built = [
        each for each in selection.nodes if each.partition(".")[0] in command.builds and each in project.manifest.nodes
    ]
    if command.clones:
        wanted = frozenset(each for each in built if not project.manifest.nodes[each].is_ephemeral)
        return Cloning(wanted, CLONE, options.full_refresh, lasting)
    if not states.clones:
        return Cloning()
    return Cloning(gathering(project.manifest, built, full_refresh=options.full_refresh), FIRST)


@contextmanager
def holding(invocation: Invocation, project: Project) -> Iterator[None]:
    """Nobody else writes into the target directory meanwhile. Raises ArtifactError that says who does."""
    if not invocation.options.write_json:
        yield
        return
    with held(project.target_dir, invocation.options.command):
        yield


def list_schemas(adapter: Adapter, schemas: Iterable[SchemaName], cache: RelationCache) -> Listings:
    """List schemas on a connection of its own; the run's cache learns of what was found."""
    with closing(adapter.connect()) as connection:
        listing = connection.relations(schemas)
    cache.fill(listing)
    return listing


def exists(adapter: Adapter, cache: RelationCache, relation: Relation) -> bool:
    """Whether a relation is there, as far as its schema may be listed."""
    with ExitStack() as opened:
        try:
            return cache.find(relation, lambda: opened.enter_context(closing(adapter.connect()))) is not None
        except DatabaseError:
            return True


def reach(adapter: Adapter, decided: Deferral, own: str | None) -> None:
    """Look into the other databases that deferred references read, where nobody listed them: some engines open them so.

    Raises DatabaseError when one cannot be opened.
    """
    found = {decision.relation.database for decision in decided.resolution.deferred() if decision.relation}
    others = sorted(database for database in found if database not in (None, own))
    if others:
        with closing(adapter.connect()) as connection:
            for database in others:
                connection.schemas(database)


def denied(adapter: Adapter, relations: Sequence[Relation]) -> Mapping[Relation, PermissionDenied]:
    """Which of the relations may not be read, on an engine that has rights."""
    if not adapter.capabilities.grants:
        return {}
    with closing(adapter.connect()) as connection:
        return connection.denied(relations)


def observer(invocation: Invocation) -> Observer | None:
    """With --debug, every statement is told before it is sent."""
    if not invocation.options.debug:
        return None
    return lambda request: invocation.emit(Logged(f"SQL {getattr(request, 'sql', request)}"))
