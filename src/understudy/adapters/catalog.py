"""What stands in the database, for the documentation: relations with their columns and comments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from understudy.adapters.base import Connection
from understudy.core.relation import Relation, SchemaName
from understudy.errors import DatabaseError

KINDS = {"view": "VIEW", "materialized_view": "MATERIALIZED VIEW", "external": "EXTERNAL TABLE"}
"""What catalogs call the types of relations; the rest is a `BASE TABLE` (dbt 1.11: get_catalog)."""


class DescribedColumn(msgspec.Struct, frozen=True):
    """A column, with its place from 1."""

    name: str
    data_type: str
    index: int
    comment: str | None = None


class Described(msgspec.Struct, frozen=True):
    """A relation as the engine describes it. `kind` is its word for it: `BASE TABLE`, `VIEW` ..."""

    relation: Relation
    kind: str
    columns: tuple[DescribedColumn, ...]
    comment: str | None = None
    owner: str | None = None


Description = Mapping[SchemaName, Sequence[Described] | DatabaseError]
"""What stands in each schema that was asked for; the error of one that may not be read."""


@runtime_checkable
class Describes(Protocol):
    """A connection that can describe whole schemas in a query per database. Without it, each relation is asked for."""

    def describe(self, schemas: Iterable[SchemaName]) -> Description:
        """Describe schemas. One that is missing is empty; errors are values."""


def describe(
    connection: Connection, schemas: Iterable[SchemaName], wanted: Callable[[Relation], bool]
) -> tuple[list[Described], list[DatabaseError]]:
    """The wanted relations of some schemas, and what could not be read, each error once."""
    names = tuple(dict.fromkeys(schemas))
    found = connection.describe(names) if isinstance(connection, Describes) else _one_by_one(connection, names, wanted)
    relations: list[Described] = []
    errors: dict[str, DatabaseError] = {}
    for answer in found.values():
        if isinstance(answer, DatabaseError):
            errors[answer.message] = answer
        else:
            relations += [each for each in answer if wanted(each.relation)]
    return relations, list(errors.values())


def _one_by_one(connection: Connection, names: Sequence[SchemaName], wanted: Callable[[Relation], bool]) -> Description:
    """The same in terms of what every connection can do; it knows no comments and no owners."""
    return {
        name: answer if isinstance(answer, DatabaseError) else list(_columns(connection, filter(wanted, answer)))
        for name, answer in connection.relations(names).items()
    }


def _columns(connection: Connection, relations: Iterable[Relation]) -> Iterator[Described]:
    for relation in relations:
        columns = enumerate(connection.columns(relation), 1)
        yield Described(
            relation,
            KINDS.get(relation.type or "", "BASE TABLE"),
            tuple(DescribedColumn(column.name, column.data_type, index) for index, column in columns),
        )
