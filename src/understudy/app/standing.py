"""What speaks against a state: that it was written by a command which built nothing, or not all, or in which nodes failed."""

from __future__ import annotations

import os
from collections.abc import Iterator

from understudy.app.commands import CLONED, COMMANDS
from understudy.artifacts.built_file import APPLIED
from understudy.artifacts.run_results import PriorResults
from understudy.artifacts.state_files import RUN_RESULTS, StateFile
from understudy.core.warning import Warning_
from understudy.state.prior import Prior

BUILDING = frozenset(name for name, command in COMMANDS.items() if command.builds) - {"plan", "explain"}
BUILT = frozenset({"success", "no-op"})
"""Statuses of a node whose relation is what the manifest says (dbt's `clone` calls what it leaves alone a success)."""
NAMED = 3
SAYS = "it says what the code was, not what was built"


def doubts(state: StateFile, prior: Prior, results: PriorResults | None) -> Iterator[Warning_]:
    """Warnings about a state that does not say itself what is built. `results`: its run_results.json, where it has one."""
    if state.whole and os.path.isfile(os.path.join(state.folder, APPLIED)):
        text = f"State {state.label}: {APPLIED} belongs to another manifest, and is passed over"
        yield Warning_("AppliedStateNotUsed", text)
    if results is None:
        return
    which = str(results.args.get("which") or "")
    if results.metadata.invocation_id != prior.metadata.invocation_id:
        text = f"State {state.label}: its manifest is not of the run of its {RUN_RESULTS}, but of a later or earlier command: {SAYS}"
        yield Warning_("StateNotBuilt", text)
    elif which and which not in BUILDING:
        yield Warning_("StateNotBuilt", f"State {state.label} was written by '{which}', which builds nothing: {SAYS}")
    else:
        yield from _incomplete(state, prior, results)


def _incomplete(state: StateFile, prior: Prior, results: PriorResults) -> Iterator[Warning_]:
    """Of a run that builds: nodes that were not built in it."""
    ended = {each.unique_id: each.status for each in results.results if each.unique_id.partition(".")[0] in CLONED}
    failed = sorted(unique_id.split(".", 2)[-1] for unique_id, status in ended.items() if status not in BUILT)
    if failed:
        more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
        text = f"{len(failed)} of its nodes were not built by its last run ({', '.join(failed[:NAMED])}{more})"
        yield Warning_("StateNotBuilt", f"State {state.label}: {text}: of them {SAYS}")
    missing = prior.relations() - len(ended)
    if missing > 0:
        text = f"its last run was of {len(ended)} of {prior.relations()} nodes: of the others {SAYS}"
        yield Warning_("StateOfPartialRun", f"State {state.label}: {text}")
