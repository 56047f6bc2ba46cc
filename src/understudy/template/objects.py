"""What templates hold in their hands: relations, and the factory `api.Relation`; columns are in `columns`.

Thin views over core's values. They show what dbt 1.11's objects show and nothing else; packages ask a relation whether it
is a mapping whose metadata type ends with "Relation" (dbt_utils), so it says that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from understudy.core.batch import Narrowed
from understudy.core.relation import Quoting, Relation, quote
from understudy.core.statement import ColumnType
from understudy.errors import JinjaError
from understudy.template.columns import Column, described_column
from understudy.template.relations import CTE_PREFIX

PARTS = ("database", "schema", "identifier")
FIELDS = ("path", "type", "quote_character", "include_policy", "quote_policy")
"""What a relation holds, walked as a mapping."""


class RelationObject:
    """A relation as templates see it.

    `included` says which parts are rendered; as text it is a subquery where `narrowed` says that a part of it is read.
    """

    __slots__ = ("included", "narrowed", "relation")

    def __init__(self, relation: Relation, included: tuple[str, ...] = PARTS, narrowed: Narrowed | None = None) -> None:
        self.relation = relation
        self.included = included
        self.narrowed = narrowed

    def render(self) -> str:
        """The name as SQL text."""
        hidden: dict[str, Any] = dict.fromkeys(set(PARTS) - set(self.included))
        return replace(self.relation, **hidden).render() if hidden else self.relation.render()

    def __str__(self) -> str:
        part = self.narrowed
        if part is None or self.relation.type == "function":
            return self.render()
        text = self.render()
        if part.limit is not None:  # the rows are counted before the window is looked at, as dbt does
            rows = "where false limit 0" if part.limit == 0 else f"limit {part.limit}"
            text = f"(select * from {text} {rows}){self._alias('limit')}"
        condition = part.window.condition() if part.window is not None else ""
        return f"(select * from {text} where {condition}){self._alias('et_filter')}" if condition else text

    def _alias(self, word: str) -> str:
        """The name of a subquery (dbt 1.11: render_limited, render_event_time_filtered)."""
        return f" _dbt_{word}_subq_{self.relation.identifier}" if self.narrowed and self.narrowed.alias else ""

    def __repr__(self) -> str:
        return f"<Relation {self.render()}>"

    def __html__(self) -> str:
        return str(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RelationObject) and (self.relation, self.included) == (other.relation, other.included)

    def __hash__(self) -> int:
        return hash(self.render())

    def __getattr__(self, name: str) -> Any:
        shown = SHOWN.get(name)
        if shown is None:
            raise AttributeError(f"A relation has no attribute {name!r}")
        return shown(self)

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str) or key.startswith("_"):
            raise KeyError(key)
        try:
            return getattr(self, key)
        except AttributeError:
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[str]:
        return iter(FIELDS)

    def __len__(self) -> int:
        return len(FIELDS)

    def get(self, key: str, default: Any = None) -> Any:
        """An attribute, as of a dict."""
        if key == "metadata":
            return {"type": "Relation"}
        try:
            return self[key]
        except KeyError:
            return default

    def include(
        self, database: bool | None = None, schema: bool | None = None, identifier: bool | None = None
    ) -> RelationObject:
        """The relation with parts shown or left out when it is rendered; None leaves a part as it is."""
        wanted = dict(zip(PARTS, (database, schema, identifier), strict=True))
        included = tuple(p for p in PARTS if (p in self.included if wanted[p] is None else wanted[p]))
        return RelationObject(self.relation, included, self.narrowed)

    def quote(
        self, database: bool | None = None, schema: bool | None = None, identifier: bool | None = None
    ) -> RelationObject:
        """The relation with parts quoted or not; None leaves a part as it is."""
        wanted = dict(zip(PARTS, (database, schema, identifier), strict=True))
        changes = {part: bool(value) for part, value in wanted.items() if value is not None}
        return self._with(replace(self.relation, quoting=replace(self.relation.quoting, **changes)))

    def replace_path(self, **parts: Any) -> RelationObject:
        """The relation under another database, schema or identifier."""
        return self._with(replace(self.relation, **_path(parts)))

    def without_identifier(self) -> RelationObject:
        """The relation's schema."""
        return self.replace_path(identifier=None)

    def incorporate(self, path: Mapping[str, Any] | None = None, type: Any = None, **other: Any) -> RelationObject:
        """The relation with another path or type."""
        changed = self.replace_path(**dict(path or {}))
        changed = changed.include(**dict(other.get("include_policy") or {}))
        changed = changed.quote(**dict(other.get("quote_policy") or {}))
        return changed._with(changed.relation.with_type(type)) if type is not None else changed

    def information_schema(self, view_name: Any = None) -> RelationObject:
        """`<database>.INFORMATION_SCHEMA`, or one of its views."""
        view = view_name if isinstance(view_name, str) else None
        quoting = replace(self.relation.quoting, schema=False, identifier=False)
        return RelationObject(
            replace(self.relation, schema="INFORMATION_SCHEMA", identifier=view, type="view", quoting=quoting)
        )

    def matches(self, database: str | None = None, schema: str | None = None, identifier: str | None = None) -> bool:
        """Whether the named parts are the relation's."""
        wanted = dict(zip(PARTS, (database, schema, identifier), strict=True))
        return all(value is None or getattr(self.relation, part) == value for part, value in wanted.items())

    def _with(self, relation: Relation) -> RelationObject:
        return RelationObject(relation, self.included, self.narrowed)


Mapping.register(RelationObject)  # `relation is mapping`, as in dbt

TYPES = {
    "Table": "table", "View": "view", "CTE": "cte", "External": "external", "MaterializedView": "materialized_view",
    "Function": "function",
}  # fmt: skip

SHOWN: dict[str, Callable[[RelationObject], Any]] = {
    "database": lambda r: r.relation.database,
    "schema": lambda r: r.relation.schema,
    "identifier": lambda r: r.relation.identifier,
    "table": lambda r: r.relation.identifier,
    "name": lambda r: r.relation.identifier,
    "type": lambda r: r.relation.type,
    "is_table": lambda r: r.relation.type == "table",
    "is_view": lambda r: r.relation.type == "view",
    "is_cte": lambda r: r.relation.type == "cte",
    "is_materialized_view": lambda r: r.relation.type == "materialized_view",
    "is_function": lambda r: r.relation.type == "function",
    "is_pointer": lambda r: False,
    "can_be_renamed": lambda r: r.relation.type in ("table", "view"),
    "can_be_replaced": lambda r: r.relation.type in ("table", "view"),
    "path": lambda r: {part: getattr(r.relation, part) for part in PARTS},
    "quote_policy": lambda r: {part: getattr(r.relation.quoting, part) for part in PARTS},
    "include_policy": lambda r: {part: part in r.included for part in PARTS},
    "quote_character": lambda r: r.relation.quote_character,
    "quoted": lambda r: lambda name: quote(str(name), r.relation.quote_character),
    "Table": lambda r: "table",
    "View": lambda r: "view",
    "CTE": lambda r: "cte",
    "External": lambda r: "external",
    "MaterializedView": lambda r: "materialized_view",
}


def _path(parts: Mapping[str, Any]) -> dict[str, Any]:
    for part, value in parts.items():
        if part not in PARTS or not isinstance(value, str | None):
            raise JinjaError(f"Got an invalid path {part}: {value}")
    return dict(parts)


class RelationFactory:
    """`api.Relation`: makes relations of this engine, quoted as the project says."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Relation]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> str:
        if name in TYPES:
            return TYPES[name]
        raise AttributeError(name)

    def create(
        self,
        database: str | None = None,
        schema: str | None = None,
        identifier: str | None = None,
        type: Any = None,
        quote_policy: Mapping[str, bool] | None = None,
        **other: Any,
    ) -> RelationObject:
        """A relation of these parts."""
        path = _path({"database": database, "schema": schema, "identifier": identifier})
        relation = self._make(*path.values(), dict(quote_policy or {})).with_type(type or None)
        return RelationObject(relation).include(**dict(other.get("include_policy") or {}))

    def add_ephemeral_prefix(self, name: str) -> str:
        """The CTE's name of an ephemeral model."""
        return CTE_PREFIX + name

    def scd_args(self, primary_key: str | list[str], updated_at: str) -> list[str]:
        """What identifies one version of a snapshot's row."""
        return [*([primary_key] if isinstance(primary_key, str) else primary_key), updated_at]


def wrap(value: Any, columns: type[Column] = Column) -> Any:
    """Core's relations and columns (of the engine's class) as templates see them, in lists, too; anything else as it is.

    A list in which nothing is wrapped is given back itself, for macros fill the lists of their callers.
    """
    if isinstance(value, Relation):
        return RelationObject(value)
    if isinstance(value, Narrowed):
        return RelationObject(value.relation, narrowed=value)
    if isinstance(value, ColumnType):
        return described_column(value.name, value.data_type, columns)
    if isinstance(value, list | tuple):
        wrapped = [wrap(item, columns) for item in value]
        if all(new is old for new, old in zip(wrapped, value, strict=True)):
            return value
        return wrapped if isinstance(value, list) else tuple(wrapped)
    return value


def unwrap(value: Any) -> Relation:
    """The relation behind an object. Raises JinjaError for anything else."""
    if isinstance(value, RelationObject):
        hidden: dict[str, Any] = dict.fromkeys(set(PARTS) - set(value.included))
        return replace(value.relation, **hidden) if hidden else value.relation
    if isinstance(value, Relation):
        return value
    raise JinjaError(f"Expected a relation, got {type(value).__name__}: {value!r}")


__all__ = ["Quoting", "RelationFactory", "RelationObject", "unwrap", "wrap"]
