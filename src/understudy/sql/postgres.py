"""What PostgreSQL says in its own way: names of 63 bytes, indexes, materialized views, the catalog's queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from understudy.core.relation import Relation, quote
from understudy.errors import ExecutionError
from understudy.sql.ddl import Ddl

NAME_BYTES = 63
"""Longer names are cut by the server without an error, so that nobody finds them again (NAMEDATALEN - 1)."""

DROP_LOCK = 8461811136750384245
"""The number of the advisory lock under which relations are dropped: the bytes of "understu"."""

INDEX_METHODS = ("btree", "hash", "gist", "spgist", "gin", "brin")


def fitted(identifier: str, suffix: str) -> str:
    """The name with a suffix, cut before the suffix so that both fit (dbt-postgres: make_relation_with_suffix).

    dbt counts characters; the server counts bytes, and so do we. Raises ExecutionError for a suffix that leaves no room.
    """
    room = NAME_BYTES - len(suffix.encode())
    if room <= 0:
        raise ExecutionError(f"The suffix '{suffix}' leaves no room for a name: PostgreSQL takes {NAME_BYTES} bytes")
    return identifier.encode()[:room].decode(errors="ignore") + suffix


class Postgres(Ddl):
    """PostgreSQL 12 and later."""

    binding = "%s"
    current_timestamp = "now()"
    indexes_before_swap = True
    row_estimates = (  # what the last `analyze` or `vacuum` has found
        "select current_database(), n.nspname, c.relname, c.reltuples::bigint from pg_catalog.pg_class c "
        "join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.reltuples >= 0 and lower(c.relname) in ({names})"
    )

    def create_schema(self, schema: Relation) -> str:
        """A schema's name has no database here."""
        return super().create_schema(replace(schema, database=None))

    def drop_schema(self, schema: Relation) -> str:
        """A schema's name has no database here."""
        return super().drop_schema(replace(schema, database=None))

    def drop(self, relation: Relation) -> str:
        """One at a time: `cascade` locks the views upon a relation in an order of its own, and two that lock the same
        views in different orders would wait for each other. The lock ends with the transaction."""
        drop = super().drop(relation)
        if relation.schema is None:  # a temporary table: nobody else sees it
            return drop
        return f"select pg_catalog.pg_advisory_xact_lock({DROP_LOCK});\n{drop}"

    def alter_column_type(self, relation: Relation, name: str, data_type: str) -> str:
        """By way of another column: views that stand on the old one go with it (dbt 1.11: default__alter_column_type)."""
        column, other = quote(name), quote(fitted(name, "__dbt_alter"))
        table = f"alter table {relation.render()}"
        return (
            f"{table} add column {other} {data_type};\nupdate {relation.render()} set {other} = {column};\n"
            f"{table} drop column {column} cascade;\n{table} rename column {other} to {column}"
        )

    def describe(self, relation: Relation) -> str:
        """Also finds temporary tables, and views of every kind; types with their sizes, as `character varying(10)`."""
        return (
            "select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a "
            f"where a.attrelid = pg_catalog.to_regclass({self.literal(relation.render())}) "
            "and a.attnum > 0 and not a.attisdropped order by a.attnum"
        )

    def copy_rows(self, relation: Relation, columns: Sequence[str]) -> str:
        """The statement that takes rows from the client, in COPY's text format."""
        return f"copy {relation.render()} ({', '.join(columns)}) from stdin"

    def create_index(
        self, relation: Relation, name: str, columns: Sequence[str], unique: bool, method: str | None = None
    ) -> str:
        """An index; the columns are expressions as the project wrote them. Raises ExecutionError for a strange method."""
        if method is not None and method.lower() not in INDEX_METHODS:
            raise ExecutionError(
                f"PostgreSQL has no index of type '{method}'", hint=f"Use one of: {', '.join(INDEX_METHODS)}."
            )
        word, using = "unique index" if unique else "index", f" using {method}" if method else ""
        return f"create {word} if not exists {quote(name)}\n  on {relation.render()}{using}\n  ({', '.join(columns)})"

    def drop_index(self, relation: Relation, name: str) -> str:
        """Drop an index of a relation; it lives in the relation's schema."""
        return f"drop index if exists {replace(relation, database=None, identifier=name).render()}"

    def show_indexes(self, relation: Relation) -> str:
        """A query for (name, method, unique, column_names joined by commas) of a relation's indexes."""
        return (
            'select i.relname as name, m.amname as method, x.indisunique as "unique", '
            "(select string_agg(a.attname, ',' order by a.attnum) from pg_catalog.pg_attribute a "
            "where a.attrelid = x.indrelid and a.attnum = any(x.indkey)) as column_names "
            "from pg_catalog.pg_index x join pg_catalog.pg_class i on i.oid = x.indexrelid "
            "join pg_catalog.pg_am m on m.oid = i.relam join pg_catalog.pg_class t on t.oid = x.indrelid "
            "join pg_catalog.pg_namespace n on n.oid = t.relnamespace "
            f"where t.relname = {self.literal(relation.identifier)} and n.nspname = {self.literal(relation.schema)} "
            "and t.relkind in ('r', 'p', 'm') order by 1"
        )

    def show_grants(self, relation: Relation) -> str:
        """A query for (grantee, privilege_type) of what the current role granted to others on a relation.

        Not from information_schema, which does not know materialized views.
        """
        return (
            "select coalesce(r.rolname, 'public') as grantee, lower(g.privilege_type) as privilege_type "
            "from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
            "cross join lateral pg_catalog.aclexplode(c.relacl) g "
            "left join pg_catalog.pg_roles r on r.oid = g.grantee "
            f"where c.relname = {self.literal(relation.identifier)} and n.nspname = {self.literal(relation.schema)} "
            "and g.grantee <> c.relowner and g.grantor = (select oid from pg_catalog.pg_roles where rolname = current_role)"
        )

    def list_relations(self, schemas: Iterable[str]) -> str:
        """A query for (schema, name, kind, may be used) of all relations in schemas; a schema alone where it is empty.

        Listing needs no rights on PostgreSQL, but what is listed in a schema without USAGE cannot be read.
        """
        return (
            "select n.nspname, c.relname, case c.relkind when 'v' then 'view' when 'm' then 'materialized_view' "
            "else 'table' end, pg_catalog.has_schema_privilege(n.oid, 'usage') from pg_catalog.pg_namespace n "
            "left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'p', 'f', 'v', 'm') "
            f"where n.nspname in ({self._literals(schemas)})"
        )

    def list_unreadable(self, relations: Iterable[tuple[str, str]]) -> str:
        """A query for (schema, name) of those relations that the current role may not select from."""
        wanted = ", ".join(f"({self.literal(schema)}, {self.literal(name)})" for schema, name in relations)
        return (
            "select n.nspname, c.relname from pg_catalog.pg_class c "
            "join pg_catalog.pg_namespace n on n.oid = c.relnamespace where (n.nspname, c.relname) in "
            f"({wanted}) and not (pg_catalog.has_schema_privilege(n.oid, 'usage') "
            "and pg_catalog.has_any_column_privilege(c.oid, 'select'))"
        )

    def _literals(self, values: Iterable[str]) -> str:
        return ", ".join(self.literal(value) for value in values)
