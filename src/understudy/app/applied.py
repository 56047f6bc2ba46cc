"""The applied state in a run: which relations of the target are built from today's code, and the record of what is built."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from understudy.app.invocation import Invocation
from understudy.app.load import Project
from understudy.artifacts.ledger import Applied, Build, Ledger, Run, Status
from understudy.core.relation import Relation
from understudy.core.warning import Warning_
from understudy.defer.resolution import Names, node_of
from understudy.errors import ArtifactError
from understudy.execute.plan import Plan
from understudy.execute.results import NodeResult
from understudy.project.revision import revision
from understudy.state.applied import Print, Prints, difference

RECORDED = frozenset({"model", "seed", "snapshot"})
WHERE = ("host", "server", "account", "port", "path", "dbname", "database", "catalog", "project", "http_path")
"""Fields of a profile that say which database it is."""
ENDED: dict[str, Status] = {"success": "success", "skipped": "skipped", "partial success": "partial"}


class AppliedState:
    """What the ledger knows of the target's relations. A ledger that cannot be used is a warning; then nothing is known."""

    def __init__(self, invocation: Invocation, project: Project) -> None:
        self._invocation = invocation
        self._project = project
        self._names = Names(project.dialect, project.settings.root.quoting)
        self._prints = Prints(project.manifest, project.dag)
        self._place = place(project)
        self._opened: Ledger | None = None
        self._useless = False
        self._known: dict[str, Applied | None] = {}
        self._announced: set[str] = set()
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
        builds = []
        full_refresh = self._invocation.options.full_refresh
        ids = [step.unique_id for step in plan.steps if step.action in RECORDED]
        before = self._look(ids)
        for unique_id in ids:
            node, today = node_of(self._project.manifest, unique_id), self._prints.of(unique_id)
            configured = node.config.get("full_refresh")
            anew = full_refresh if configured is None else bool(configured)
            adds = node.materialized == "incremental" and not anew and exists(self._names.own(node))
            builds.append(Build(unique_id, self._key(unique_id), today, adds and _other(before[unique_id], today)))
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
            self._announced = set(ids)
        except ArtifactError as error:
            self._give_up(error)

    def confirm(self, result: NodeResult) -> None:
        """Record how a build ended."""
        ledger = self._opened
        if ledger is None or result.unique_id not in self._announced:
            return
        options = self._invocation.options
        status = ENDED.get(result.status, self._after_failure)
        if status == "success" and (options.empty or options.sample):
            status = "partial"
        try:
            ledger.confirm(self._invocation.id, result.unique_id, status, datetime.now(UTC).isoformat())
        except ArtifactError as error:
            self._give_up(error)

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


def _other(known: Applied | None, today: Print) -> bool:
    """Whether the rows that are there come, as far as is known, from other code than today's."""
    return known is None or known.print is None or known.mixed or known.print.code != today.code


def place(project: Project) -> str:
    """Which database the target builds in, as text: engine, host, file ...; the same for every target that names it."""
    target = project.settings.target
    fields = {name: target.credentials.get(name) for name in WHERE}
    if target.type == "duckdb" and fields["path"] not in (None, ":memory:"):
        path = str(fields["path"])
        fields["path"] = path if ":" in path else os.path.realpath(os.path.join(project.settings.root.root, path))
    known = ", ".join(f"{name} {value}" for name, value in fields.items() if value is not None)
    return f"{target.type}: {known}"
