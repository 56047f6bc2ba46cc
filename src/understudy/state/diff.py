"""The comparison of today's manifest with an older one: for each node why it counts as changed, and what `state:` selects.

Pure and lazy: a node is compared when it is first asked for. Nothing is raised for flow; a breaking change of a contract is
data, and so is what cannot be told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from understudy.core.manifest import Manifest
from understudy.core.warning import Warning_
from understudy.errors import Place, SelectorError, StateError, did_you_mean
from understudy.state.change import Change
from understudy.state.contract import contract_changes, removed_contract
from understudy.state.fingerprint import (
    BODY,
    CONFIGS,
    CONTRACT,
    DESCRIPTIONS,
    FIELDS,
    NOT_IN_CONTENTS,
    RELATION,
    Field,
    get,
    kind_of,
    plain,
    tidy,
)
from understudy.state.macro_prints import MacroPrints
from understudy.state.macros import MACROS, ChangedMacros
from understudy.state.prior import Prior
from understudy.state.unrendered import differing

NODES = frozenset({"model", "seed", "snapshot", "analysis", "operation", "test", "generic_test", "function"})
"""Kinds that stand under `nodes` (and functions): they have every check."""
NEW_IS_UNMODIFIED = frozenset({"source", "exposure", "metric", "semantic_model", "saved_query"})
"""Kinds of which a new one is no modification (dbt 1.11: their same_contents(None) is true)."""
CHECKED: Mapping[str, frozenset[str]] = {
    BODY: NODES,
    CONFIGS: NODES | NEW_IS_UNMODIFIED,
    RELATION: NODES | {"source"},
    DESCRIPTIONS: NODES,
    CONTRACT: NODES,
}
"""Sub-selector -> the kinds that have its check (dbt 1.11: those whose class has the method)."""

NAMES = frozenset({"database", "schema", "alias"})
BELONGS_ELSEWHERE = NAMES | {"tags", "group"}
"""Config keys that belong to `relation`, or count nowhere."""
TEST_CONFIG = frozenset({
    "severity", "where", "limit", "fail_calc", "warn_if", "error_if", "store_failures", "store_failures_as", "sql_header",
})  # fmt: skip
"""The only config keys of tests that count."""

NEW = Change("new", "")
BUILD = "build"
"""The check that asks not for the code, but whether it was built."""
SELECTORS = (
    "new", "old", "modified", "unmodified", "modified.body", "modified.configs", "modified.relation",
    "modified.persisted_descriptions", "modified.macros", "modified.contract", "modified.vars", "modified.env", "removed",
)  # fmt: skip
OURS = frozenset({"modified.vars", "modified.env", "removed"})
"""Those that dbt does not have."""
VALUES: Mapping[str, int] = {"vars": 0, "env": 1}
"""Check -> where `Prior.values` and `Uses` have it."""
CONTRACTS = frozenset({"modified", "unmodified", "modified.contract"})
"""Selectors that look at contracts, and so find the broken ones (dbt 1.11: the checkers of StateSelectorMethod.search)."""


class ContractBreak(msgspec.Struct, frozen=True):
    """A contract that was broken: an error for versioned models, a warning for others."""

    unique_id: str
    versioned: bool
    changes: tuple[Change, ...]


Same = Callable[[str], bool]
"""Whether a node is known to be the same on both sides, by a digest of all that is compared (fingerprint.raw_digest)."""


def compare(manifest: Manifest, prior: Prior, same: Same | None = None) -> Comparison:
    """Today's manifest beside an older one. With `same`, only nodes that may differ are looked at."""
    return Comparison(manifest, prior, same)


class Comparison:
    """What changed. `changes` and `matches` raise StateError where the state is damaged."""

    def __init__(self, manifest: Manifest, prior: Prior, same: Same | None = None) -> None:
        self.manifest = manifest
        self.prior = prior
        self._same = same or (lambda unique_id: False)
        self._kept: dict[str, tuple[Change, ...]] = {}
        self._warnings: dict[str, Warning_] = {}
        self.asked: set[str] = set()
        self._macro_changes: ChangedMacros | None = None
        self._macro_prints = MacroPrints(manifest.macros, manifest.project_name, manifest.adapter_type)
        self._selectors: Mapping[str, Callable[[str], bool]] = {
            "new": self.is_new,
            "old": lambda unique_id: not self.is_new(unique_id),
            "modified": lambda unique_id: bool(self.changes(unique_id)),
            "unmodified": lambda unique_id: not self.changes(unique_id),
            "removed": lambda unique_id: False,  # none of today's nodes is; `removed()` names them
            "modified.macros": lambda unique_id: bool(self._macros_of(unique_id)),
            **{f"modified.{check}": self._has_changed(check) for check in CHECKED},
            **{f"modified.{check}": self._has_other_values(check) for check in VALUES},
        }

    def is_new(self, unique_id: str) -> bool:
        """Whether the state has no counterpart."""
        return not self.prior.has(unique_id)

    def changes(self, unique_id: str) -> tuple[Change, ...]:
        """Why the node is `state:modified`; empty when it is not. Raises KeyError for a node that today's manifest lacks."""
        kept = self._kept.get(unique_id)
        if kept is None:
            kept = self._kept[unique_id] = self._compare(unique_id)
        return kept

    def reasons(self, unique_id: str) -> tuple[Change, ...]:
        """The node's changes, and the other values that it looked up, where a selector asked for those."""
        checks = [check for check in VALUES if f"modified.{check}" in self.asked]
        return (*self.changes(unique_id), *(change for check in checks for change in self._values(check, unique_id)))

    def matches(self, selector: str, unique_id: str) -> bool:
        """Whether `state:<selector>` selects the node. Raises SelectorError for an unknown selector."""
        check = self._selectors.get(selector)
        if check is None:
            nearest = did_you_mean(selector, SELECTORS)
            known = f"Known: {', '.join('state:' + name for name in SELECTORS)}."
            raise SelectorError(
                f"There is no selector 'state:{selector}'", hint=f"{nearest} {known}" if nearest else known
            )
        self.asked.add(selector)
        return check(unique_id)

    @property
    def asked_contracts(self) -> bool:
        """Whether a selector looked at contracts so far."""
        return not CONTRACTS.isdisjoint(self.asked)

    def removed(self) -> tuple[str, ...]:
        """Nodes of every kind that the state has and today's project has not, or has disabled."""
        return tuple(unique_id for unique_id in self.prior.unique_ids() if not self.manifest.has(unique_id))

    def contract_breaks(self, now: str | None = None) -> tuple[ContractBreak, ...]:
        """Every contract that was broken, removed models included. `now`: ISO 8601, to know what was deprecated before."""
        broken = []
        for unique_id in self.prior.nodes:
            if not unique_id.startswith("model.") or self._same(unique_id):
                continue
            old, new = self.prior.nodes[unique_id], self.manifest.nodes.get(unique_id)
            if new is None:
                gone = removed_contract(old, now, disabled=unique_id in self.manifest.disabled)
                changes: tuple[Change, ...] = (gone,) if gone else ()
            else:
                found = contract_changes(new, old, self.manifest.adapter_type)
                changes = tuple(change for change in found if change.breaking)
            if changes:
                version = (old if new is None else new).version  # type: ignore[union-attr]
                broken.append(ContractBreak(unique_id, version is not None, changes))
        return tuple(broken)

    @property
    def warnings(self) -> tuple[Warning_, ...]:
        """What could not be told for certain among the nodes compared so far."""
        return tuple(self._warnings.values())

    def _current(self, unique_id: str) -> Any:
        found = self.manifest.get(unique_id)
        if found is None:
            raise KeyError(unique_id)
        return found

    def _compare(self, unique_id: str) -> tuple[Change, ...]:
        own = () if self._same(unique_id) else self._own_changes(unique_id)
        why = self.prior.unbuilt(unique_id)
        unbuilt = () if why is None else (Change(BUILD, "", why),)
        return (*own, *self._macros_of(unique_id), *unbuilt)

    def _own_changes(self, unique_id: str) -> tuple[Change, ...]:
        new, old = self._current(unique_id), self.prior.get(unique_id)
        kind = kind_of(new)
        if old is None:
            return () if kind in NEW_IS_UNMODIFIED else (NEW,)
        skipped = NOT_IN_CONTENTS.get(kind, frozenset())
        return tuple(c for f in FIELDS[kind] if f.check not in skipped for c in self._differences(f, new, old, kind))

    def _has_changed(self, check: str) -> Callable[[str], bool]:
        def changed(unique_id: str) -> bool:
            if self._same(unique_id):
                return False
            new, old = self._current(unique_id), self.prior.get(unique_id)
            kind = kind_of(new)
            if kind not in CHECKED[check]:
                return False
            fields = (field for field in FIELDS[kind] if field.check == check)
            return old is None or any(True for field in fields for _ in self._differences(field, new, old, kind))

        return changed

    def _has_other_values(self, check: str) -> Callable[[str], bool]:
        def changed(unique_id: str) -> bool:
            if self.is_new(unique_id):
                return kind_of(self._current(unique_id)) in NODES
            return any(True for _ in self._values(check, unique_id))

        return changed

    def _values(self, check: str, unique_id: str) -> Iterator[Change]:
        """The variables (or environment variables) that the node looked up with another value than the state recorded.

        Raises StateError: its writer recorded none.
        """
        recorded = self.prior.values
        if recorded is None:
            raise StateError(
                f"state:modified.{check} needs a state that says which values its nodes looked up, and dbt writes none",
                place=Place(self.prior.origin),
                hint=f"Take a state that understudy wrote ({self.prior.flag} names it).",
            )
        uses = self.manifest.uses.get(unique_id)
        old: Mapping[str, Any] = recorded[unique_id][VALUES[check]] if unique_id in recorded else {}
        found: Mapping[str, Any] = {} if uses is None else plain((uses.vars, uses.env_vars)[VALUES[check]])
        for name in sorted({*old, *found}):
            if (name in old) != (name in found) or old.get(name) != found.get(name):
                yield Change(check, name, old.get(name), found.get(name))

    def _macros_of(self, unique_id: str) -> tuple[Change, ...]:
        """The changed macros behind a node; of one that is the same its card knows all that it takes."""
        if not self._same(unique_id):
            return self._by_macros(self._current(unique_id))
        used = self.manifest.cards[unique_id].macros
        return self._changed_macros().reaching(used) or self._by_older_macros(unique_id, used)

    def _changed_macros(self) -> ChangedMacros:
        if self._macro_changes is None:
            today = self.manifest
            self._macro_changes = ChangedMacros(today.macros, self.prior, today.adapter_type, today.project_name)
        return self._macro_changes

    def _by_macros(self, new: Any) -> tuple[Change, ...]:
        changed = self._changed_macros()
        depends_on = get(new, "depends_on")
        used = get(depends_on, "macros") if depends_on is not None else None
        old = self.prior.get(get(new, "unique_id"))
        if old is not None and get(old, "depends_on") is not None:
            before = get(get(old, "depends_on"), "macros") or []
            changed.check(get(old, "unique_id"), before)
            return changed.reaching(used or []) or self._by_older_macros(get(old, "unique_id"), before)
        return changed.reaching(used or [])

    def _by_older_macros(self, unique_id: str, used: Iterable[str]) -> tuple[Change, ...]:
        """Of a relation that was built before the state's last run: the macros that it was built with have changed since,
        which that run knew already.
        """
        then = self.prior.carried(unique_id)
        now = "" if then is None else self._macro_prints.of(used)
        return () if then is None or then.macros == now else (Change(MACROS, "", then.macros, now),)

    def _differences(self, field: Field, new: Any, old: Any, kind: str) -> Iterator[Change]:
        """What one field says about two sides. Most are equal, and that is seen at once."""
        mine, theirs = field.read(new, new), field.read(old, new)
        if mine == theirs:
            return
        if field.check == CONFIGS and not field.key:
            yield from self._config_changes(mine, theirs, new, kind)
        elif field.check == RELATION and not field.key:
            names = self._source_names if kind == "source" else self._node_names
            yield from names(mine, theirs, new)
        elif field.check == CONTRACT:
            yield from contract_changes(new, old, self.manifest.adapter_type)
        elif field.key == "checksum":
            yield from self._seed(new, old)
        else:
            yield Change(field.check, field.key, theirs, mine)

    def _config_changes(self, mine: Any, theirs: Any, new: Any, kind: str) -> Iterator[Change]:
        if kind == "source":  # writers differ in which empty values they record
            mine, theirs = tidy(mine) or {}, tidy(theirs) or {}
        found = differing(
            mine,
            theirs,
            get(new, "config") or {},
            rendered_state=self.prior.rendered_config,
            left_out=BELONGS_ELSEWHERE if kind in NODES else frozenset(),
            only=TEST_CONFIG if kind in ("test", "generic_test") else None,
        )
        return (Change(CONFIGS, key, was, now) for key, was, now in found)

    def _node_names(self, mine: Any, theirs: Any, new: Any) -> Iterator[Change]:
        found = differing(mine, theirs, new.config, rendered_state=self.prior.rendered_config)
        return (Change(RELATION, key, was, now) for key, was, now in found)

    def _source_names(self, mine: Any, theirs: Any, new: Any) -> Iterator[Change]:
        """As written where both sides recorded that; else as rendered (dbt 1.11: SourceDefinition.same_database_representation)."""
        for key in ("database", "schema"):
            written = f"unrendered_{key}"
            chosen = written if type(theirs[written]) in (str, type(None)) else key
            if mine[chosen] != theirs[chosen]:
                yield Change(RELATION, key, theirs[chosen], mine[chosen])

    def _seed(self, new: Any, old: Any) -> Iterator[Change]:
        """dbt records only the path of a seed above 1 MiB: equal paths are the same as far as anybody can tell."""
        if old.checksum.name != "path" or old.checksum.checksum != new.original_file_path:
            yield Change(BODY, "checksum", old.checksum.checksum, new.checksum.checksum)
            return
        text = f"{new.unique_id}: the state holds no digest of this large seed, so nobody can tell whether it changed"
        self._warnings[new.unique_id] = Warning_("SeedExceedsLimitSamePath", text, self.manifest.place(new.unique_id))
