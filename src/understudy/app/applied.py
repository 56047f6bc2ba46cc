"""The applied state in a run: which relations of the target are built from today's code, and the record of what is built."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from understudy.app.invocation import Invocation
from understudy.app.load import Project
from understudy.app.states import States
from understudy.artifacts.ledger import Applied, Build, Ledger, Run, Status
from understudy.core.config import refreshes
from understudy.core.manifest import Manifest
from understudy.core.relation import Relation
from understudy.core.warning import Warning_
from understudy.defer.clones import Clone
from understudy.defer.resolution import Names, node_of
from understudy.errors import ArtifactError
from understudy.execute.plan import Plan, Step
from understudy.execute.results import NodeResult
from understudy.project.revision import revision
from understudy.state.applied import Print, Prints, changed_inputs, difference
from understudy.state.built import Entry, record_of

RECORDED = frozenset({"model", "seed", "snapshot"})
WHERE = ("host", "server", "account", "port", "path", "dbname", "database", "catalog", "project", "http_path")
"""Fields of a profile that say which database it is."""
ENDED: dict[str, Status] = {"success": "success", "skipped": "skipped", "partial success": "partial"}


class AppliedState:
    """What the ledger knows of the target's relations. A ledger that cannot be used is a warning; then nothing is known."""

    def __init__(self, invocation: Invocation, project: Project, states: States) -> None:
        self._invocation = invocation
        self._project = project
        self._states = states
        self._names = Names(project.dialect, project.settings.root.quoting)
        self._prints = Prints(project.manifest, project.dag)
        self._place = place(project)
        self._opened: Ledger | None = None
        self._useless = False
        self._known: dict[str, Applied | None] = {}
        self._announced: set[str] = set()
        self._ended: dict[str, Status] = {}
        self._cloned: dict[str, Clone] = {}
        self._after_failure: Status = "error"

    def current(self, unique_ids: Iterable[str]) -> frozenset[str]:
        """Those whose own relation is known to be built from today's code."""
        found = []
        for unique_id, known in self._look(unique_ids).items():
            clear = known is not None and known.print is not None and not known.mixed
            if clear and self.stale(unique_id) is None:
                found.append(unique_id)
        return frozenset(found)

    def stale(self, unique_id: str) -> str | None:
        """Why the node's own relation is not what today's code would build; None: it is, or nothing is known of it."""
        known = self._look((unique_id,))[unique_id]
        if known is None:
            return None
        if known.print is None:
            return known.why
        changed = difference(known.print, self._prints.of(unique_id))
        return changed or ("rows of older code are in it" if known.mixed else None)

    def announce(self, plan: Plan, exists: Callable[[Relation], bool], *, transactions: bool = True) -> None:
        """Record that the plan's relations are about to be built. `transactions`: a failed build leaves what was there."""
        self._after_failure = "error" if transactions else "partial"
        steps = [step for step in plan.steps if step.action in RECORDED or (step.action == "clone" and _clones(step))]
        builds = [self._build(step, exists) for step in steps]
        ledger = self._ledger() if builds else None
        if ledger is None:
            return
        git = revision(self._project.settings.root.root, self._invocation.environ)
        run = Run(
            self._invocation.id, self._place, self._project.settings.target.name, self._invocation.started.isoformat(),
            git.commit if git else None, git.dirty if git else None,
        )  # fmt: skip
        try:
            ledger.announce(run, builds)
            self._announced = {build.unique_id for build in builds}
            self._cloned = {step.unique_id: step.clone for step in steps if step.clone is not None}
        except ArtifactError as error:
            self._give_up(error)

    def _build(self, step: Step, exists: Callable[[Relation], bool]) -> Build:
        """What a step will leave: today's code, or what the state's environment was built from, or both."""
        unique_id, key = step.unique_id, self._key(step.unique_id)
        node = node_of(self._project.manifest, unique_id)
        source, todays = self._cloned_from(unique_id) if step.clone is not None else (None, False)
        if step.action == "clone":
            return Build(unique_id, key, source, record=record_of(node) if todays else None)
        today = self._prints.of(unique_id)
        if step.clone is not None:
            return Build(unique_id, key, today, source is None or source.code != today.code, record_of(node))
        anew = refreshes(node.config, self._invocation.options.full_refresh)
        adds = node.materialized == "incremental" and not anew and exists(self._names.own(node))
        mixed = adds and _other(self._look((unique_id,))[unique_id], today)
        return Build(unique_id, key, today, mixed, record_of(node))

    def _cloned_from(self, unique_id: str) -> tuple[Print | None, bool]:
        """The print of the code that the state's relation was built from (None: nobody knows), and whether it is today's node.

        A manifest alone tells the print only where the node, and all that it reads, is today's, and no variable could have
        had another value there.
        """
        prior = next(each.prior for each in self._states.priors if each.prior.relational(unique_id) is not None)
        compared, entry = self._states.compared_with(prior), prior.entry(unique_id)
        todays = not compared.changes(unique_id)
        if entry is not None:
            return None if entry.mixed else entry.print, todays
        manifest = self._project.manifest
        for each in (unique_id, *self._project.dag.ancestors([unique_id])):
            uses = manifest.uses.get(each)
            if compared.is_new(each) or compared.changes(each) or (uses is not None and (uses.vars or uses.env_vars)):
                return None, todays
        return self._prints.of(unique_id), todays

    def confirm(self, result: NodeResult) -> None:
        """Record how a build ended, unless that was done."""
        ledger = self._opened
        if ledger is None or result.unique_id not in self._announced or result.unique_id in self._ended:
            return
        options = self._invocation.options
        status = ENDED.get(result.status, self._after_failure)
        if status == "success" and (options.empty or options.sample or self._is_part(result.unique_id)):
            status = "partial"
        try:
            ledger.confirm(self._invocation.id, result.unique_id, status, datetime.now(UTC).isoformat())
            self._ended[result.unique_id] = status
        except ArtifactError as error:
            self._give_up(error)

    @property
    def ended(self) -> Mapping[str, Status]:
        """How this run's builds ended so far."""
        return self._ended

    def recorded(self) -> dict[str, Entry] | None:
        """What the ledger says of the relations of today's nodes; None: it cannot be used."""
        ledger = self._ledger()
        if ledger is None:
            return None
        try:
            found = ledger.all_applied(self._place)
        except ArtifactError as error:
            self._give_up(error)
            return None
        nodes, entries = self._project.manifest.nodes, {}
        for relation, known in found.items():
            if known.unique_id in nodes and self._key(known.unique_id) == relation:
                entries[known.unique_id] = _entry(known)
        left = {relation for relation, known in found.items() if known.unique_id not in nodes}
        for unique_id in built(self._project.manifest) if left else ():  # built under another node's name
            if unique_id not in entries and (key := self._key(unique_id)) in left:
                entries[unique_id] = _entry(found[key])
        return entries

    def behind(self, unique_id: str, then: Print) -> tuple[str, ...]:
        """The nodes that a node reads, and that have changed since the print was made."""
        return changed_inputs(then, self._prints.of(unique_id))

    def _is_part(self, unique_id: str) -> bool:
        """Whether only some rows were cloned."""
        clone = self._cloned.get(unique_id)
        return clone is not None and clone.kind == "table" and self._invocation.options.clone_limit is not None

    def close(self) -> None:
        """Let go of the ledger."""
        ledger, self._opened = self._opened, None
        if ledger is not None:
            ledger.close()

    def _look(self, unique_ids: Iterable[str]) -> dict[str, Applied | None]:
        """What the ledger says of nodes' relations, asked once for each."""
        wanted = list(unique_ids)
        unknown: Sequence[str] = [each for each in wanted if each not in self._known]
        exists = os.path.exists(os.path.join(self._project.settings.root.root, ".understudy", "ledger.sqlite"))
        ledger = self._ledger() if unknown and exists else None
        found: dict[str, Applied] = {}
        if ledger is not None:
            try:
                found = ledger.applied(self._place, [self._key(each) for each in unknown])
            except ArtifactError as error:
                self._give_up(error)
        self._known |= {each: found.get(self._key(each)) for each in unknown}
        return {each: self._known[each] for each in wanted}

    def _key(self, unique_id: str) -> str:
        return json.dumps(self._project.dialect.key(self._names.own(node_of(self._project.manifest, unique_id))))

    def _ledger(self) -> Ledger | None:
        if self._opened is None and not self._useless:
            try:
                self._opened = Ledger(self._project.settings.root.root)
            except ArtifactError as error:
                self._give_up(error)
        return self._opened

    def _give_up(self, error: ArtifactError) -> None:
        self._useless = True
        with suppress(ArtifactError):
            self.close()
        self._invocation.warn(Warning_("LedgerNotUsed", f"{error.message} ({error.hint})", error.place))


def _clones(step: Step) -> bool:
    return step.clone is not None and step.clone.cloned


def _other(known: Applied | None, today: Print) -> bool:
    """Whether the rows that are there come, as far as is known, from other code than today's."""
    return known is None or known.print is None or known.mixed or known.print.code != today.code


def built(manifest: Manifest) -> Iterator[str]:
    """The nodes that leave a relation."""
    for unique_id, card in manifest.cards.items():
        if card.resource_type in RECORDED and not card.is_ephemeral:
            yield unique_id


def _entry(known: Applied) -> Entry:
    return Entry(
        print=known.print, record=known.record, mixed=known.mixed, finished=known.finished, invocation=known.invocation,
        commit=known.commit, dirty=known.dirty,
    )  # fmt: skip


def place(project: Project) -> str:
    """Which database the target builds in, as text: engine, host, file ...; the same for every target that names it."""
    target = project.settings.target
    fields = {name: target.credentials.get(name) for name in WHERE}
    if target.type == "duckdb" and fields["path"] not in (None, ":memory:"):
        path = str(fields["path"])
        fields["path"] = path if ":" in path else os.path.realpath(os.path.join(project.settings.root.root, path))
    known = ", ".join(f"{name} {value}" for name, value in fields.items() if value is not None)
    return f"{target.type}: {known}"
