"""What a selection is made from: the manifest, its graph, and (when asked for) states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Protocol

import msgspec

from understudy.core.manifest import Manifest
from understudy.errors import StateError
from understudy.graph.dag import Dag
from understudy.select.index import Index
from understudy.select.yaml import Selector


class Comparing(Protocol):
    """What is needed of state.diff.Comparison."""

    def matches(self, selector: str, unique_id: str, /) -> bool:
        """Whether `state:<selector>` holds for a node. Raises SelectorError for a selector that is none."""

    def removed(self) -> Sequence[str]:
        """What the state has and today's project has not."""


class Freshness(msgspec.Struct, frozen=True):
    """When the newest row of each source was loaded, today and in the state; None where that could not be measured."""

    current: Mapping[str, datetime | None]
    previous: Mapping[str, datetime | None]


class World(msgspec.Struct, frozen=True, dict=True):
    """What `evaluate` may look at. `compare`, `results` (unique_id -> status) and `freshness` are called when a criterion
    needs them; None: the run was given no state for that. Resources that are switched off are not in it.
    """

    manifest: Manifest
    dag: Dag
    project_name: str
    compare: Callable[[], Comparing] | None = None
    results: Callable[[], Mapping[str, str]] | None = None
    freshness: Callable[[], Freshness] | None = None
    selectors: Mapping[str, Selector] = msgspec.field(default_factory=dict)

    @cached_property
    def index(self) -> Index:
        """What can be selected."""
        return Index(self.manifest, self.project_name)

    def comparison(self) -> Comparing:
        """Today against the state. Raises StateError when there is no state."""
        if self.compare is None:
            raise _missing("state:", "the manifest.json of an earlier run")
        return self.compare()

    def statuses(self) -> Mapping[str, str]:
        """How each node ended in the state's run. Raises StateError when there is no state."""
        if self.results is None:
            raise _missing("result:", "the run_results.json of an earlier run")
        return self.results()

    def fresher(self) -> set[str]:
        """Sources with newer rows than in the state, or that the state does not know (dbt 1.11: SourceStatus).

        Raises StateError when there is no state.
        """
        if self.freshness is None:
            raise _missing("source_status:", "the sources.json of an earlier run, and one of today")
        measured = self.freshness()
        found = set()
        for unique_id, now in measured.current.items():
            before = measured.previous.get(unique_id)
            if now is not None and (before is None or now > before):
                found.add(unique_id)
        return found


def _missing(method: str, what: str) -> StateError:
    return StateError(f"A selection by '{method}' needs {what}", hint="Name its folder with --state.")
