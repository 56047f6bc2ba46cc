"""Whether a model keeps the contract that it had, and whether what changed breaks those who rely on it.

dbt 1.11: same_contract and same_contract_removed, with one difference: its checksum covers the *rendered* materialization, so
that a model which is a view in development and a table in production differs. Here the parts are compared, and of the
materialization what is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from understudy.state.change import Change
from understudy.state.fingerprint import CONTRACT, constraints, contract_parts

KEEPS_CONSTRAINTS = frozenset({"table", "incremental"})
"""Materializations that carry constraints into the database."""
ENFORCED: Mapping[str, frozenset[str]] = {
    "duckdb": frozenset({"check", "not_null", "unique", "primary_key", "foreign_key"}),
    "postgres": frozenset({"check", "not_null", "unique", "primary_key", "foreign_key"}),
    "spark": frozenset(),
}
"""Constraint types that an engine enforces (dbt 1.11: CONSTRAINT_SUPPORT of its adapters)."""
ENFORCED_BY_MOST = frozenset({"not_null", "foreign_key"})


def enforced(node: Any) -> bool:
    """Whether the node's contract is enforced."""
    return node.contract is not None and bool(node.contract.enforced)


def contract_changes(new: Any, old: Any, adapter_type: str) -> tuple[Change, ...]:
    """What differs between two contracts, breaking or not; empty when they are the same.

    Call it with two models of one unique_id. A change is `breaking` when it takes something away that was promised.
    """
    if not enforced(old):
        return (Change(CONTRACT, "enforced", False, True),) if enforced(new) else ()
    if not enforced(new):
        return (
            Change(CONTRACT, "enforced", True, False, breaking=True),
            *_columns(new, old, adapter_type, broken=True),
        )
    if new.contract.checksum is not None and new.contract.checksum == old.contract.checksum:
        return ()
    return (
        *_columns(new, old, adapter_type, broken=False),
        *_model_constraints(new, old, adapter_type),
        *_materialization(new, old),
    )


def removed_contract(old: Any, now: str | None, *, disabled: bool) -> Change | None:
    """The change when a model with an enforced contract is gone; None past its deprecation date.

    `now`: the time of this run, ISO 8601, as `deprecation_date` is written; None: nobody knows.
    """
    if not enforced(old) or (now is not None and old.deprecation_date is not None and old.deprecation_date < now):
        return None
    return Change(CONTRACT, "model", "enforced", "disabled" if disabled else "deleted or renamed", breaking=True)


def base_type(data_type: str | None) -> str | None:
    """A data type without size, precision and scale: `Varchar(10)` is `varchar`."""
    return data_type.partition("(")[0].strip().lower() if data_type else data_type


def _columns(new: Any, old: Any, adapter_type: str, *, broken: bool) -> Iterator[Change]:
    """Columns that went, came, or changed. `broken`: only what is worth telling when enforcement is gone altogether."""
    mine, theirs = contract_parts(new)["columns"], contract_parts(old)["columns"]
    for name, was in theirs.items():
        now = mine.get(name)
        if now is None:
            yield Change(CONTRACT, f"columns.{name}", was["data_type"], None, breaking=True)
            continue
        if now["data_type"] != was["data_type"]:
            other = base_type(now["data_type"]) != base_type(was["data_type"])
            if other or not broken:
                yield Change(CONTRACT, f"columns.{name}.data_type", was["data_type"], now["data_type"], breaking=other)
        if now["constraints"] != was["constraints"]:
            lost = _lost(old, was["constraints"], now["constraints"], adapter_type)
            if lost or not broken:
                key = f"columns.{name}.constraints"
                yield Change(CONTRACT, key, was["constraints"], now["constraints"], breaking=lost)
    if not broken:
        for name in mine.keys() - theirs.keys():
            yield Change(CONTRACT, f"columns.{name}", None, mine[name]["data_type"])


def _model_constraints(new: Any, old: Any, adapter_type: str) -> Iterator[Change]:
    was, now = constraints(old.constraints), constraints(new.constraints)
    if was != now and (_keeps(old) or _keeps(new)):
        yield Change(CONTRACT, "constraints", was, now, breaking=_lost(old, was, now, adapter_type))


def _materialization(new: Any, old: Any) -> Iterator[Change]:
    """Only what is written: what a target makes of it is no change."""
    was, now = old.unrendered_config.get("materialized"), new.unrendered_config.get("materialized")
    if was == now or not (_keeps(old) or _keeps(new)):
        return
    any_constraints = bool(old.constraints) or any(c["constraints"] for c in contract_parts(old)["columns"].values())
    yield Change(CONTRACT, "materialized", was, now, breaking=_keeps(old) and not _keeps(new) and any_constraints)


def _keeps(node: Any) -> bool:
    return node.materialized in KEEPS_CONSTRAINTS


def _lost(old: Any, was: list[dict[str, Any]], now: list[dict[str, Any]], adapter_type: str) -> bool:
    """Whether a constraint that the engine enforced is gone."""
    kinds = ENFORCED.get(adapter_type, ENFORCED_BY_MOST)
    return _keeps(old) and any(item not in now and item.get("type") in kinds for item in was)
