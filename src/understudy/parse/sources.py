"""Sources: each table of each entry, what the root project overrides of a package's, and their tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from understudy.core.config import FRESHNESS
from understudy.core.nodes import Config, Source
from understudy.errors import ParseError, Place
from understudy.parse.cells import MISSING
from understudy.parse.columns import read_columns
from understudy.parse.entries import Entry, Found, columns_of, rename_tests, texts
from understudy.parse.parsing import Parsing, below, duplicate
from understudy.parse.test_definitions import Target
from understudy.parse.tests_generic import add_test, build, column_name

QUOTING = ("database", "schema", "identifier", "column")
NO_TIME: Mapping[str, Any] = {"count": None, "period": None}


class Table(msgspec.Struct, frozen=True):
    """One table of a source's entry, before overrides."""

    found: Found
    table: Entry
    raw: Entry

    @property
    def unique_id(self) -> str:
        """The source's unique_id."""
        return f"source.{self.found.file.package}.{self.found.name}.{self.table['name']}"


def tables_of(parsing: Parsing, found: Found) -> list[Table]:
    """The tables of an entry, their shape checked. Raises YamlError."""
    entry = found.entry
    tables = []
    for table, raw in zip(found.typed(entry, "tables", list, []), found.raw.get("tables", []), strict=True):
        if not isinstance(table, dict) or not isinstance(table.get("name"), str):
            raise found.error(
                f"A table of the source '{found.name}' must be a map with a 'name', not {table!r:.60}", "tables"
            )
        rename_tests(found, table)
        for column in columns_of(found, table):
            rename_tests(found, column)
        tables.append(Table(found, table, raw))
    return tables


class Sources:
    """The sources of all files; they become nodes when all overrides are known (dbt 1.11: SourcePatcher)."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.overrides: dict[tuple[str, str], Found] = {}
        self.used: dict[tuple[str, str], set[str]] = {}

    def read(self, parsing: Parsing, found: Found) -> None:
        """Take an entry. Raises DuplicateError where a table or an override stands twice."""
        package = found.entry.get("overrides")
        if package is not None:
            key = (str(package), found.name)
            other = self.overrides.get(key)
            if other is not None:
                raise duplicate(
                    "override", found.name, other.file.path, found.file.path, f"source.{package}.{found.name}"
                )
            self.overrides[key] = found
            message = f"The source '{found.name}' overrides one of package '{package}': dbt is going to drop that"
            parsing.warn("SourceOverrideDeprecation", message, Place(found.file.path))
            return
        for table in tables_of(parsing, found):
            parsing.cells.touch(table.unique_id)
            twin = self.tables.get(table.unique_id)
            there = twin.found.file.path if twin is not None else _path(parsing, table.unique_id)
            if there is not None:
                label = f"{found.name}.{table.table['name']}"
                raise duplicate("source", label, there, found.file.path, table.unique_id)
            self.tables[table.unique_id] = table

    def build(self, parsing: Parsing) -> None:
        """Make the sources and their tests. Raises ParseError, YamlError or JinjaError."""
        for unique_id, table in self.tables.items():
            parsing.cells.resume(parsing.cells.of(unique_id))
            patched = self._patched(parsing, table)
            _add_tests(parsing, patched)
            source = _source(parsing, patched)
            if source.config["enabled"]:
                parsing.manifest.sources[unique_id] = source
            else:
                parsing.manifest.disabled.setdefault(unique_id, []).append(source)
        self._warn_unused(parsing)

    def _patched(self, parsing: Parsing, table: Table) -> Table:
        """A table with what the root project overrides of it."""
        key = (table.found.file.package, table.found.name)
        override = self.overrides.get(key)
        if override is None:
            return table
        parsing.cells.resume(override.cell)
        parsing.cells.touch(table.unique_id)
        used = self.used.setdefault(key, set())
        patch = {"freshness": {}, **_without(override.entry, ("name", "overrides", "tables"))}
        merged = dict(table.table)
        for each in override.entry.get("tables") or []:
            if isinstance(each, dict) and each.get("name") == table.table["name"]:
                used.add(each["name"])
                rename_tests(override, each)
                for column in columns_of(override, each):
                    rename_tests(override, column)
                merged = {**merged, "freshness": {}, "quoting": {}, **_without(each, ("name",))}
        found = replace(table.found, entry={**table.found.entry, **patch})
        return replace(table, found=found, table=merged)

    def _warn_unused(self, parsing: Parsing) -> None:
        for key, override in self.overrides.items():
            label = ".".join(key)
            place = Place(override.file.path)
            parsing.cells.resume(override.cell)
            parsing.cells.note(MISSING, f"source.{label}")
            if key not in self.used:
                parsing.warn("UnusedTables", f"There is no source {label} to override", place)
                continue
            for table in override.entry.get("tables") or []:
                if table.get("name") not in self.used[key]:
                    parsing.warn(
                        "UnusedTables", f"There is no source table {label}.{table.get('name')} to override", place
                    )


def _path(parsing: Parsing, unique_id: str) -> str | None:
    """The file of a source that is in the manifest already."""
    known = parsing.manifest.sources.get(unique_id)
    return None if known is None else known.original_file_path


def _without(entry: Entry, left_out: Sequence[str]) -> Entry:
    """What an override says. It always says a freshness, if only none (dbt 1.11: SourcePatch.to_patch_dict)."""
    return {k: v for k, v in entry.items() if k not in left_out and (v is not None or k == "freshness")}


def _add_tests(parsing: Parsing, table: Table) -> None:
    found, entry = table.found, table.found.entry
    call = f"source('{found.name}', '{table.table['name']}')"
    target = Target(f"{found.name}_{table.table['name']}", call, "source_")
    quoted = bool((table.table.get("quoting") or {}).get("column") or (entry.get("quoting") or {}).get("column"))
    own = [*texts(entry.get("tags")), *texts(table.table.get("tags"))]
    for column in columns_of(found, table.table):
        tags = [*own, *texts(column.get("tags")), *texts((column.get("config") or {}).get("tags"))]
        for test in column.get("data_tests") or []:
            add_test(parsing, build(parsing, found, target, test, column_name(parsing, column, quoted), tags))
    for test in table.table.get("data_tests") or []:
        add_test(parsing, build(parsing, found, target, test, None, own))


def _source(parsing: Parsing, table: Table) -> Source:
    found, entry, own, file = table.found, table.found.entry, table.table, table.found.file
    source_config = found.typed(entry, "config", dict, {})
    fqn = [file.package, *below(file), found.name, own["name"]]
    patch = _precedence(table)
    config = _config(parsing, table, fqn, patch)
    target = parsing.settings.target
    raw = found.raw
    source = Source(
        database=entry.get("database") or target.database,
        schema=entry.get("schema") or found.name,
        name=own["name"],
        package_name=file.package,
        path=file.path,
        original_file_path=file.path,
        unique_id=table.unique_id,
        fqn=fqn,
        source_name=found.name,
        source_description=found.typed(entry, "description", str, ""),
        loader=found.typed(entry, "loader", str, ""),
        identifier=own.get("identifier") or own["name"],
        quoting=_quoting(entry.get("quoting"), own.get("quoting")),
        loaded_at_field=config["loaded_at_field"],
        loaded_at_query=config["loaded_at_query"],
        freshness=config["freshness"],
        external=_external(own.get("external")),
        description=found.typed(own, "description", str, ""),
        columns=read_columns(found, columns_of(found, own)),
        meta=config["meta"],
        source_meta={**(entry.get("meta") or {}), **(source_config.get("meta") or {})},
        tags=config["tags"],
        config=config,
        unrendered_config=parsing.configs.unrendered("source", file.package, fqn, {}, patch),
        unrendered_database=raw.get("database") or None,
        unrendered_schema=raw.get("schema") or None,
    )
    source.relation_name = parsing.naming.relation_name(source, source.identifier)
    parsing.used(source.unique_id, found.uses)
    return source


def _config(parsing: Parsing, table: Table, fqn: Sequence[str], patch: Config) -> Config:
    """The source's config; dbt's sources keep nulls that a properties file sets."""
    package = table.found.file.package
    try:
        config = parsing.configs.config("source", package, fqn, {}, patch)
    except ParseError as error:
        error.place = error.place or table.found.place("tables", table.table["name"], node=table.unique_id)
        raise
    for key in ("freshness", "loaded_at_field", "loaded_at_query"):
        if key in patch:
            config[key] = patch[key]
    if config["freshness"] is not None:
        config["freshness"] = _threshold(table, config["freshness"])
    return config


def _precedence(table: Table) -> Config:
    """What the entry's and the table's keys say together, in dbt's order (dbt 1.11: _generate_source_config)."""
    entry, own = table.found.entry, table.table
    of_source, of_table = entry.get("config") or {}, own.get("config") or {}
    patch: Config = {**of_source, **of_table}
    freshness = _freshness(table, of_source, of_table)
    if freshness is None or _is_set(freshness):
        patch["freshness"] = freshness
    else:
        patch.pop("freshness", None)
    patch["loaded_at_field"], patch["loaded_at_query"] = _loaded_at(table, of_source, of_table)
    patch["meta"] = {
        **(entry.get("meta") or {}),
        **_map(of_source.get("meta")),
        **(own.get("meta") or {}),
        **_map(of_table.get("meta")),
    }
    tags = [
        *texts(entry.get("tags")),
        *texts(of_source.get("tags")),
        *texts(own.get("tags")),
        *texts(of_table.get("tags")),
    ]
    patch["tags"] = sorted({tag for tag in tags if isinstance(tag, str)})
    return patch


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _loaded_at(table: Table, of_source: Mapping[str, Any], of_table: Mapping[str, Any]) -> tuple[Any, Any]:
    """Field and query by which freshness is measured; a table that names its field, even as null, is on its own."""
    entry, own = table.found.entry, table.table
    present = "loaded_at_field" in own or bool(of_table.get("loaded_at_field"))
    table_query = own.get("loaded_at_query") or of_table.get("loaded_at_query")
    source_field = entry.get("loaded_at_field") or of_source.get("loaded_at_field")
    source_query = entry.get("loaded_at_query") or of_source.get("loaded_at_query")
    if (present and table_query) or (source_field and source_query):
        label = f"{table.found.name}.{own['name']}" if present and table_query else table.found.name
        raise table.found.error(f"'{label}' has both loaded_at_field and loaded_at_query; only one may stand", "tables")
    if entry.get("loaded_at_field") == "" or own.get("loaded_at_field") == "":
        raise table.found.error("loaded_at_field must not be an empty text", "tables", own["name"])
    if present:
        return own.get("loaded_at_field") or of_table.get("loaded_at_field"), table_query
    return source_field, table_query or source_query


def _freshness(table: Table, of_source: Mapping[str, Any], of_table: Mapping[str, Any]) -> Config | None:
    """The thresholds of source, source's config, table and table's config, each over the one before.

    A null switches freshness off; below a null only a threshold with a time counts (dbt 1.11: merge_source_freshness).
    """
    holders = (table.found.entry, of_source, table.table, of_table)
    result: Config | None = _threshold(table, holders[0].get("freshness", {}))
    for holder in holders[1:]:
        update = _threshold(table, holder.get("freshness", {}))
        if result is not None and update is not None:
            merged = {key: update[key] if update[key] is not None else result[key] for key in result}
            for key in ("warn_after", "error_after"):
                merged[key] = _merge_time(result[key], update[key])
            result = merged
        else:
            result = update if result is None and update is not None and _is_set(update) else None
    return result


def _merge_time(base: Any, update: Any) -> Any:
    if update is None:
        return None
    if base and _has_time(base) and _has_time(update):
        return {key: update[key] if update[key] is not None else base[key] for key in NO_TIME}
    return update if _has_time(update) else (base if base and _has_time(base) else update)


def _has_time(time: Mapping[str, Any]) -> bool:
    return time.get("count") is not None and time.get("period") is not None


def _is_set(freshness: Mapping[str, Any]) -> bool:
    return any(freshness[key] and _has_time(freshness[key]) for key in ("warn_after", "error_after"))


def _threshold(table: Table, value: Any) -> Config | None:
    """A freshness with all of its fields, or None for null. Raises YamlError."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise table.found.error(f"'freshness' must be a map, not {value!r:.60}", "tables", table.table["name"])
    result = dict(FRESHNESS)
    for key in ("warn_after", "error_after"):
        if key in value:
            result[key] = _time(table, key, value[key])
    result["filter"] = value.get("filter")
    return result


def _time(table: Table, key: str, value: Any) -> Config | None:
    if value is None:
        return None
    periods = ("minute", "hour", "day")
    if not isinstance(value, dict) or (value.get("period") is not None and value["period"] not in periods):
        hint = f"Write count (a number) and period ({', '.join(periods)})"
        raise table.found.error(
            f"'{key}' cannot be understood: {value!r:.60}", "tables", table.table["name"], hint=hint
        )
    return {"count": value.get("count"), "period": value.get("period")}


def _quoting(of_source: Any, of_table: Any) -> dict[str, bool | None]:
    merged = dict.fromkeys(QUOTING)
    for quoting in (of_source, of_table):
        merged.update({key: value for key, value in (quoting or {}).items() if key in QUOTING and value is not None})
    return merged


EXTERNAL = ("location", "file_format", "row_format", "tbl_properties", "partitions")


def _external(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    return {**{key: value.get(key) for key in EXTERNAL}, **{k: v for k, v in value.items() if k not in EXTERNAL}}
