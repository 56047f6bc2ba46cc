"""What of a node counts, in named parts: per kind the fields that `state:` compares, each under its check.

The same table reads today's nodes and the state's (`Prior`), compares them (`diff`), and digests a node alone, for whoever
records from which code a relation was built.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from understudy.core.nodes import GenericTest

BODY, CONFIGS, DESCRIPTIONS, FQN, RELATION, CONTRACT = (
    "body", "configs", "persisted_descriptions", "fqn", "relation", "contract",
)  # fmt: skip
REFERENCE, QUOTING, FRESHNESS, EXTERNAL, PROPERTIES, SIGNATURE, DEFINITION = (
    "reference", "quoting", "freshness", "external", "properties", "signature", "definition",
)  # fmt: skip


class Field(NamedTuple):
    """One thing that counts: the check under which it is reported, its key, and how it is read from a node.

    A field without a key is a map, each of whose keys counts alone.
    `read(side, current)` takes a node of either side and today's node, whose config says which descriptions are persisted.
    """

    check: str
    key: str
    read: Callable[[Any, Any], Any]


def _attribute(check: str, name: str) -> Field:
    return Field(check, name, lambda side, current: getattr(side, name))


def _text(check: str, name: str) -> Field:
    """Text whose absence is the empty text."""
    return Field(check, name, lambda side, current: getattr(side, name) or "")


def _item(check: str, name: str) -> Field:
    """A field of a kind that is kept as a map."""
    return Field(check, name, lambda side, current: tidy(get(side, name)))


def get(side: Any, name: str) -> Any:
    """A field of a map or a struct, None when it is not there."""
    return side.get(name) if isinstance(side, Mapping) else getattr(side, name, None)


def tidy(value: Any) -> Any:
    """A value without nulls and empty collections, which writers add or leave out as they like."""
    if isinstance(value, Mapping):
        kept = {key: tidy(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item != {} and item != []} or None
    if isinstance(value, list | tuple):
        return [tidy(item) for item in value] or None
    return value


def _code(side: Any, current: Any) -> str:
    """The raw code. A file's outer white space never counts (dbt 1.11 strips it when it reads)."""
    return (side.raw_code or getattr(side, "raw_sql", None) or "").strip()


def persisted(current: Any, what: str) -> bool:
    """Whether `persist_docs` of today's config asks for `relation` or `columns` (dbt 1.11: _persist_*_docs)."""
    docs = current.config.get("persist_docs")
    return isinstance(docs, Mapping) and bool(docs.get(what))


def _description(side: Any, current: Any) -> str | None:
    return (side.description or "") if persisted(current, "relation") else None


def _columns(side: Any, current: Any) -> dict[str, str] | None:
    if not persisted(current, "columns"):
        return None
    return {name: get(column, "description") or "" for name, column in side.columns.items()}


def _unrendered(side: Any, current: Any) -> Mapping[str, Any]:
    values: Mapping[str, Any] = side.unrendered_config
    return values


def _relation(side: Any, current: Any) -> dict[str, Any]:
    """The names as written; what a target or a `generate_*_name` macro makes of them never counts."""
    return {key: side.unrendered_config.get(key) for key in ("database", "schema", "alias")}


def _contract(side: Any, current: Any) -> Any:
    """Nothing where no contract is enforced; else its checksum, and the parts where there is none."""
    contract = side.contract
    if contract is None or not contract.enforced:
        return None
    return contract.checksum or contract_parts(side)


def contract_parts(side: Any) -> dict[str, Any]:
    """What a contract promises: columns by name with type and constraints, and the model's own constraints."""
    columns = {
        name: {"data_type": get(column, "data_type"), "constraints": constraints(get(column, "constraints"))}
        for name, column in sorted(side.columns.items())
    }
    return {"columns": columns, "constraints": constraints(side.constraints)}


def constraints(raw: Any) -> list[dict[str, Any]]:
    """Constraints in a form in which what is not said is not there."""
    found = [{key: item for key, item in constraint.items() if item not in (None, [], "")} for constraint in raw or ()]
    return [
        {key: item for key, item in constraint.items() if not (key.startswith("warn_") and item is True)}
        for constraint in found
    ]


def _access(side: Any, current: Any) -> str:
    return side.access or "protected"


def _deprecation(side: Any, current: Any) -> str | None:
    """A date in one form, whoever wrote it; text that is no date stays as it is."""
    text: str | None = side.deprecation_date
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return text
    return None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def _source_names(side: Any, current: Any) -> dict[str, Any]:
    return {key: getattr(side, key) for key in ("database", "schema", "unrendered_database", "unrendered_schema")}


def _parents(side: Any, current: Any) -> list[str]:
    return sorted(side.depends_on.nodes)


def _exports(side: Any, current: Any) -> Any:
    """What a saved query exports: names, and where to as written (dbt 1.11: SavedQuery.same_exports)."""
    kept = ("export_as", "schema", "alias")
    return [
        (get(export, "name"), {key: (get(export, "unrendered_config") or {}).get(key) for key in kept})
        for export in get(side, "exports") or ()
    ]


def _metric_config(side: Any, current: Any) -> dict[str, Any]:
    return {key: value for key, value in (get(side, "unrendered_config") or {}).items() if key != "group"}


def _query(name: str) -> Field:
    return Field(PROPERTIES, name, lambda side, current: tidy(get(get(side, "query_params") or {}, name)))


UNIT_TEST = ("model", "versions", "given", "expect", "overrides")


def _unit_test(side: Any, current: Any) -> str:
    """One digest over what a unit test says, fixture rows included."""
    said = {name: tidy(msgspec.to_builtins(get(side, name), enc_hook=str)) for name in UNIT_TEST}
    for part in (*(said["given"] or ()), *([said["expect"]] if said["expect"] else [])):
        part.setdefault("format", "dict")
    return digest(said)


def _checksum(side: Any, current: Any) -> Any:
    return side.checksum


CONFIG = Field(CONFIGS, "", _unrendered)
COMMON = (
    Field(BODY, "raw_code", _code),
    CONFIG,
    Field(DESCRIPTIONS, "description", _description),
    Field(DESCRIPTIONS, "columns", _columns),
    _attribute(FQN, "fqn"),
    Field(RELATION, "", _relation),
)
SEED = (Field(BODY, "checksum", _checksum), *COMMON[1:])
MODEL = (
    *COMMON,
    Field(CONTRACT, "contract", _contract),
    _attribute(REFERENCE, "latest_version"),
    Field(REFERENCE, "access", _access),
    Field(REFERENCE, "deprecation_date", _deprecation),
)
FIELDS: Mapping[str, tuple[Field, ...]] = {
    "model": MODEL,
    "seed": SEED,
    "snapshot": COMMON,
    "analysis": COMMON,
    "operation": COMMON,
    "test": COMMON,
    "generic_test": COMMON,
    "function": (*COMMON, _item(SIGNATURE, "arguments"), _item(SIGNATURE, "returns")),
    "source": (
        Field(RELATION, "", _source_names),
        _attribute(RELATION, "identifier"),
        _attribute(FQN, "fqn"),
        CONFIG,
        _item(QUOTING, "quoting"),
        _item(FRESHNESS, "freshness"),
        _attribute(FRESHNESS, "loaded_at_field"),
        _item(EXTERNAL, "external"),
    ),
    "exposure": (
        _attribute(FQN, "fqn"),
        _attribute(PROPERTIES, "type"),
        _item(PROPERTIES, "owner"),
        _attribute(PROPERTIES, "maturity"),
        _attribute(PROPERTIES, "url"),
        _text(PROPERTIES, "description"),
        _attribute(PROPERTIES, "label"),
        Field(PROPERTIES, "depends_on", _parents),
        CONFIG,
    ),
    "metric": (
        *(_item(PROPERTIES, name) for name in ("type", "description", "label")),
        Field(CONFIGS, "", _metric_config),
    ),
    "semantic_model": (
        *(_item(PROPERTIES, name) for name in ("model", "description", "defaults", "entities", "dimensions")),
        *(_item(PROPERTIES, name) for name in ("measures", "primary_entity", "group")),
        _item(CONFIGS, "config"),
    ),
    "saved_query": (
        *(_query(name) for name in ("metrics", "group_by", "where")),
        *(_item(PROPERTIES, name) for name in ("description", "label", "group", "tags")),
        Field(PROPERTIES, "exports", _exports),
        _item(CONFIGS, "config"),
    ),
    "unit_test": (Field(DEFINITION, "definition", _unit_test),),
}
"""Per kind, what counts (design: state.md, "Contents, by kind"; dbt 1.11: same_contents of each node class)."""

NOT_IN_CONTENTS: Mapping[str, frozenset[str]] = {"generic_test": frozenset({BODY, DESCRIPTIONS, RELATION})}
"""Checks that a sub-selector asks a kind for, though plain `modified` does not (dbt 1.11: GenericTestNode.same_contents)."""


SCALARS = ("resource_type", "fqn", "unrendered_config", "constraints", "latest_version", "access", "deprecation_date")
OF_SOURCES = (
    "fqn", "database", "schema", "unrendered_database", "unrendered_schema", "identifier", "unrendered_config", "quoting",
    "freshness", "loaded_at_field", "external",
)  # fmt: skip
_encode = msgspec.msgpack.Encoder(order="deterministic", enc_hook=str).encode


def raw_digest(side: Any) -> bytes:
    """A digest of all that the comparison of a node or a source looks at, as it stands, on either side.

    Two sides with one digest are the same by every check of FIELDS, and use the same macros. What differs here may be the
    same all the same, in another form: it has to be looked at. Empty for other kinds, and where the state lacks something.
    """
    kind = side.resource_type
    if kind == "source":
        values: list[Any] = [getattr(side, name) for name in OF_SOURCES]
        if msgspec.UNSET in values:
            return b""
    elif kind in DIGESTED:
        contract, columns = getattr(side, "contract", None), side.columns
        values = [getattr(side, name, None) for name in SCALARS]
        values += [
            _code(side, side), side.description or "", side.checksum.name, side.checksum.checksum, side.materialized,
            side.depends_on.macros, None if contract is None else (contract.enforced, contract.checksum),
            [(name, get(each, "description"), get(each, "data_type"), get(each, "constraints")) for name, each in columns.items()],
        ]  # fmt: skip
        if kind == "function":
            values += [side.arguments, side.returns]
    else:
        return b""
    try:
        return hashlib.blake2b(_encode(values), digest_size=16).digest()
    except (TypeError, OverflowError):  # keys that are no texts have no order
        return b""


DIGESTED = frozenset({"model", "seed", "snapshot", "analysis", "operation", "test", "function"})


def kind_of(node: Any) -> str:
    """The kind under which today's node stands in FIELDS."""
    if isinstance(node, GenericTest):
        return "generic_test"
    return str(get(node, "resource_type"))


def fingerprint(node: Any) -> dict[str, dict[str, Any]]:
    """Everything that counts of one of today's nodes: check -> key -> value."""
    parts: dict[str, dict[str, Any]] = {}
    for field in FIELDS[kind_of(node)]:
        value = field.read(node, node)
        part = parts.setdefault(field.check, {})
        part.update(value if not field.key else {field.key: msgspec.to_builtins(value)})
    return parts


def digest(parts: Any) -> str:
    """A sha256 over values, whatever the order of keys."""
    text = msgspec.json.encode(msgspec.to_builtins(parts, enc_hook=str, str_keys=True), order="sorted")
    return hashlib.sha256(text).hexdigest()


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they are read back: through JSON."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(values, enc_hook=str))
    return found
