"""The states of an invocation: what `--state` and `--defer-state` name, found at once, read when something asks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from understudy.app.events import StateInUse
from understudy.app.invocation import Invocation
from understudy.app.load import Project
from understudy.artifacts.state_files import (
    GIT,
    MANIFEST,
    SOURCES,
    StateFile,
    find_state,
    read_results,
    read_sources,
)
from understudy.core.warning import Warning_
from understudy.defer.decide import Policy
from understudy.errors import Place, StateError
from understudy.project.environments import FILE, Environment, read_environments
from understudy.project.project_file import FILE as PROJECT_FILE
from understudy.project.project_file import read_raw
from understudy.select.world import Freshness

if TYPE_CHECKING:  # what compares and resolves is for who asks a state
    from understudy.artifacts.run_results import PriorResult, PriorResults
    from understudy.defer.resolution import LabelledPrior
    from understudy.state.diff import Comparison
    from understudy.state.prior import Prior

HINT = "Name the folder that holds manifest.json of an earlier run: --state PATH, or DBT_STATE."


class States:
    """The state that selection compares with (`--state`), and the chain that deferral asks (`--defer-state`, else `--state`);
    where nothing is given, what `understudy.yml` says.

    `clones`: relations of the chain's environments are cloned. That is asked for by the command of that name, which needs a
    state, or by `--clone-incrementals`, which as a setting of the project is nothing where there is none (in production).

    Their paths are checked when this is made. Raises StateError, before anything is written.
    """

    def __init__(self, invocation: Invocation, project: Project, *, defers: bool, clones: bool = False) -> None:
        options = invocation.options
        self._project = project
        self._invocation = invocation
        self._priors: dict[tuple[str, bool], Prior] = {}
        self._read_results: dict[str, PriorResults | None] = {}
        self._comparisons: dict[Prior, Comparison] = {}
        self._environments = read_environments(project.settings.root.root)
        self._given = self._find(options.state, options.origin("state")) if options.state is not None else None
        cloner = "clone" if clones else options.origin("clone_incrementals") if options.clone_incrementals else None
        self.chain = self._chain(self._given, cloner is not None)
        self.clones = cloner is not None and bool(self.chain)
        by_default = self._environments.defer and "defer" not in options.origins and bool(self.chain)
        self.policy = Policy(
            defer=(options.defer or by_default) and defers,
            favor_state=options.favor_state or options.favor == "state",
            favor_current=options.favor == "current",
        )
        what, needs = ("defer to", options.origin("defer")) if self.policy.defer else ("clone from", cloner)
        if needs is not None and not self.chain and (self.policy.defer or clones or needs.startswith("-")):
            raise StateError(f"{needs} needs a state to {what}, and there is none", hint=HINT)
        code = next((state for state in self.chain if state.revision), None)
        if needs is not None and code is not None:
            text = f"{code.flag} {code.given} is code, from which nothing was built: {needs} needs another state"
            raise StateError(text, hint="Name the state of a run: --defer-state PATH. --state then only compares.")

    @cached_property
    def compared(self) -> StateFile | None:
        """What selection compares with; what `understudy.yml` names is looked for only when it is needed."""
        if self._given is not None:
            return self._given
        if self._environments.compare is not None:
            return self._find(self._environments.compare, f"{FILE} (compare)")
        behind = self._behind
        return self._of(behind[0]) if behind else None

    def _chain(self, given: StateFile | None, clones: bool) -> tuple[StateFile, ...]:
        """Whom deferral and cloning ask: what the command line names, else the environments behind this one."""
        options = self._invocation.options
        if options.defer_state:
            return tuple(self._find(path, options.origin("defer_state")) for path in options.defer_state)
        wanted = clones or options.defer or ("defer" not in options.origins and self._environments.defer)
        known = self._behind if wanted and (given is None or given.revision) else ()
        return tuple(map(self._of, known)) or ((given,) if given else ())

    @cached_property
    def _behind(self) -> tuple[Environment, ...]:
        """The environments of `understudy.yml` that can stand in for this run's target."""
        if not self._environments.environments:
            return ()
        cloud = read_raw(self._project.settings.root.root).values.get("dbt-cloud")
        begin = cloud.get("defer-env-id") if isinstance(cloud, Mapping) else None
        found = self._environments.behind(self._project.settings.target.name, None if begin is None else str(begin))
        if begin is not None and found and not self._environments.knows(str(begin)):
            text = f"dbt-cloud: defer-env-id {begin} is no environment of {FILE}: '{found[0].name}' is asked first"
            place = Place(PROJECT_FILE)
            self._invocation.warn(Warning_("DeferEnvironmentNotFound", text, place))
        return found

    def _of(self, environment: Environment) -> StateFile:
        found = self._find(environment.state or "", f"{FILE} ({environment.name})")
        return replace(found, name=environment.name)

    def _find(self, path: str, flag: str) -> StateFile:
        if path.startswith(GIT):
            from understudy.app.baseline import git_state

            return git_state(self._invocation, self._project, path, flag)
        return find_state(
            path,
            flag=flag,
            cwd=self._invocation.cwd,
            project_dir=self._project.settings.root.root,
            target_dir=self._project.target_dir,
        )

    def _read(self, state: StateFile) -> Prior:
        prior = self._priors.get(state.key)
        if prior is None:
            prior = self._priors[state.key] = self._project.read_state(state)
            if state.revision is None and prior.built is None:
                from understudy.app.standing import doubts

                self._invocation.warn(*doubts(state, prior, self._results_of(state)))
        return prior

    def _results_of(self, state: StateFile) -> PriorResults | None:
        """The state's run_results.json, read once; None: it has none that can be read."""
        if state.folder not in self._read_results:
            try:
                self._read_results[state.folder] = read_results(state)
            except StateError:
                self._read_results[state.folder] = None
        return self._read_results[state.folder]

    @cached_property
    def comparison(self) -> Comparison:
        """Today's project against the state. Raises StateError: there is none, or it is damaged."""
        return self.compared_with(self._read(self._required("state:")))

    def compared_with(self, prior: Prior) -> Comparison:
        """Today's project against one of the states, made once."""
        if prior not in self._comparisons:
            from understudy.state.diff import compare

            same = self._project.same_as(prior.digests)
            self._comparisons[prior] = compare(self._project.manifest, prior, same)
        return self._comparisons[prior]

    def findings(self) -> tuple[list[Warning_], list[StateError]]:
        """What the comparison of the selection found beside changes: warnings, and broken contracts of versioned models
        (dbt 1.11: same_contract). Empty where nothing was compared.
        """
        if "comparison" not in self.__dict__:
            return [], []
        warnings, errors = list(self.comparison.warnings), []
        for broken in self.comparison.contract_breaks(self._started()) if self.comparison.asked_contracts else ():
            place = self._project.manifest.place(broken.unique_id)
            what = "; ".join(str(change).removeprefix("contract: ") for change in broken.changes)
            text = f"{broken.unique_id} breaks the contract that others rely on: {what}"
            if broken.versioned:
                errors.append(StateError(text, place=place, hint="Add a new version of the model, and keep this one."))
            else:
                warnings.append(Warning_("UnversionedBreakingChange", text, place))
        return warnings, errors

    def _started(self) -> str:
        return self._invocation.started.isoformat()

    @cached_property
    def statuses(self) -> Mapping[str, str]:
        """What became of each node in the state's run. Raises StateError."""
        return read_results(self._required("result:")).statuses()

    @cached_property
    def freshness(self) -> Freshness:
        """When sources were loaded, by the target directory's `sources.json` and by the state's. Raises StateError."""
        state = self._required("source_status:")
        today = os.path.join(self._project.target_dir, SOURCES)
        if not os.path.isfile(today):
            hint = "Run `understudy source freshness` first."
            raise StateError(f"Selection by source_status: needs {today}", hint=hint)
        current = read_sources(
            StateFile(self._project.target_dir, "the target directory", os.path.dirname(today), today)
        )
        return Freshness(_moments(current, today), _moments(read_sources(state), state.flag))

    @cached_property
    def priors(self) -> tuple[LabelledPrior, ...]:
        """The chain that deferral and cloning ask, in its order; empty where both are off. Raises StateError."""
        if not (self.policy.defer or self.clones):
            return ()
        from understudy.defer.resolution import LabelledPrior

        return tuple(LabelledPrior(state.label, self._read(state)) for state in self.chain)

    def durations(self) -> Mapping[str, float]:
        """How long each node took when the deferral's state was built, in seconds; empty where nothing tells."""
        return {i: ran.execution_time for i, ran in (self.ran() if self.policy.defer else {}).items()}

    def took(self) -> Mapping[str, float]:
        """How many seconds nodes took: in the last run of this target directory, else when the states were built."""
        folder = self._project.target_dir
        here = StateFile(folder, "the target directory", folder, os.path.join(folder, MANIFEST))
        found = self.ran()
        with suppress(StateError):  # no run yet, or a damaged file: the order of the work is all that hangs on it
            found = {**found, **{result.unique_id: result for result in read_results(here).results}}
        return {i: each.execution_time for i, each in found.items() if each.status in ("success", "pass", "warn")}

    def ran(self) -> Mapping[str, PriorResult]:
        """What became of each node when the states were built, the first state of the chain that tells."""
        found: dict[str, PriorResult] = {}
        for results in reversed(list(self._results.values())):
            found.update(results)
        return found

    def built(self, label: str, unique_id: str) -> tuple[int | None, float | None]:
        """How many rows a state's run wrote into a node's relation, and how many seconds ago; None where it does not say."""
        from understudy.defer.check import age

        result = self._results.get(label, {}).get(unique_id)
        if result is None:
            return None, None
        old = age(result.completed_at, self._invocation.started)
        return result.rows, None if old is None else old.total_seconds()

    @cached_property
    def _results(self) -> Mapping[str, Mapping[str, PriorResult]]:
        """Label of a state -> what became of each node when it was built; without those that bring no run_results.json."""
        found = {}
        for state in self.chain:
            read = self._results_of(state)
            if read is not None:  # a state without run_results.json is whole; only the estimate is lacking
                found[state.label] = {result.unique_id: result for result in read.results}
        return found

    def in_use(self) -> tuple[StateInUse, ...]:
        """What the head of the output says of the states that are compared with or deferred to."""
        _ = self.priors  # the chain is read here at the latest
        compared = self.__dict__.get("compared", self._given)  # what nobody asked for is not looked for here
        labels = {state.key: state for state in (compared, *self.chain) if state is not None}
        return tuple(self._describe(state, self._priors[key]) for key, state in labels.items() if key in self._priors)

    def _describe(self, state: StateFile, prior: Prior) -> StateInUse:
        from understudy.defer.check import age

        old = age(prior.metadata.generated_at, self._invocation.started)
        return StateInUse(
            label=state.label,
            origin=state.flag,
            environment=f"commit {state.revision[:10]}" if state.revision else state.given if state.name else None,
            age=None if old is None or state.revision else old.total_seconds(),
            nodes=prior.relations(),
            unbuilt=prior.not_as_written(),
        )

    def _required(self, method: str) -> StateFile:
        if self.compared is None:
            raise StateError(f"Selection by {method} needs a state to compare with, and there is none", hint=HINT)
        return self.compared


def _moments(texts: Mapping[str, str | None], origin: str) -> dict[str, datetime | None]:
    """Moments of `sources.json`; those without a zone are of UTC. Raises StateError."""
    found: dict[str, datetime | None] = {}
    for unique_id, text in texts.items():
        try:
            moment = None if text is None else datetime.fromisoformat(text)
        except ValueError:
            raise StateError(f"sources.json ({origin}): max_loaded_at of {unique_id} is no moment: {text!r}") from None
        found[unique_id] = moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
    return found
