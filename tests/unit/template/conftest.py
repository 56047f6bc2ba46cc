"""A small project for template tests: macros from text, one model, references that go to a relation of their own name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from understudy.core.config import DEFAULTS
from understudy.core.nodes import Checksum, Model
from understudy.core.project import Package, Settings, Target
from understudy.core.relation import Relation
from understudy.core.source_file import SourceFile
from understudy.core.statement import ColumnType, Result, Statement
from understudy.sql.dialect import dialect
from understudy.template.macros import MacroIndex, parse_macros
from understudy.template.renderer import Renderer
from understudy.template.state import Notify, unheard

DUCKDB = dialect("duckdb")


class Fixed:
    """References go to a relation of their own name."""

    def ref(self, package: str | None, name: str, version: object) -> Relation:
        return DUCKDB.relation("db", "dev", name if version is None else f"{name}_v{version}")

    def source(self, source_name: str, table_name: str) -> Relation:
        return DUCKDB.relation("db", source_name, table_name)

    def function(self, package: str | None, name: str) -> Relation:
        return DUCKDB.relation("db", "dev", name)


class OneTable:
    """An engine with one table `db.dev.t`, which remembers what was sent."""

    def __init__(self, rows: Result | None = None) -> None:
        self.sent: list[str] = []
        self.rows = rows or Result(("n",), ("INTEGER",), ((1,), (2,)))

    def execute(self, statement: Statement) -> Result:
        self.sent.append(statement.sql)
        return self.rows

    def relation(self, database: str | None, schema: str, identifier: str) -> Relation | None:
        return DUCKDB.relation("db", "dev", "t", type="table") if identifier == "t" else None

    def relations(self, schema: object) -> list[Relation]:
        return [DUCKDB.relation("db", "dev", "t", type="table")]

    def columns(self, relation: Relation) -> list[ColumnType]:
        return [ColumnType("id", "INTEGER"), ColumnType("name", "VARCHAR(10)")]

    def schemas(self, database: str | None) -> list[str]:
        return ["dev"]

    def added(self, relation: Relation) -> None: ...
    def dropped(self, relation: Relation) -> None: ...
    def renamed(self, old: Relation, new: Relation) -> None: ...


@pytest.fixture
def lookups() -> Fixed:
    return Fixed()


@pytest.fixture
def database() -> OneTable:
    return OneTable()


@pytest.fixture
def model() -> Callable[..., Model]:
    def make(package: str = "shop", **config: Any) -> Model:
        return Model(
            database="db", schema="dev", name="m", package_name=package, path="m.sql",
            original_file_path="models/m.sql", unique_id=f"model.{package}.m", fqn=[package, "m"], alias="m",
            checksum=Checksum("none", ""), config={**DEFAULTS["model"], **config},
        )  # fmt: skip

    return make


@pytest.fixture
def renderer() -> Callable[..., Renderer]:
    """`renderer(macros_of_shop, other_package="...", builtins={...}, env={...}, ...)`."""

    def make(
        text: str = "",
        *,
        builtins: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        vars: Mapping[str, Any] | None = None,
        cli_vars: Mapping[str, Any] | None = None,
        package_vars: Mapping[str, Any] | None = None,
        dispatch: tuple[Mapping[str, Any], ...] = (),
        flags: Mapping[str, Any] | None = None,
        notify: Notify = unheard,
        **packages: str,
    ) -> Renderer:
        root = Package("shop", ".", vars=vars or {})
        installed = [Package(name, name, vars=package_vars or {}) for name in packages]
        target = Target("shop", "dev", "duckdb", "db", "dev", 4, {"path": "x.db", "password": "hidden"})
        settings = Settings(
            root,
            (root, *installed),
            target,
            cli_vars or {},
            flags or {},
            (env or {}).get,
            started_at="2026-01-02T03:04:05Z",
        )
        lines: dict[str, int] = {}
        macros = [
            macro
            for package, source in {"shop": text, **packages}.items()
            for macro in parse_macros(SourceFile(package, "macro", "macros", "macros/m.sql", source, ""), lines)
        ]
        index = MacroIndex(
            {macro.unique_id: macro for macro in macros},
            builtins or {},
            "shop",
            ["shop", *packages],
            dispatch,
            "duckdb",
            lines=lines,
        )
        return Renderer(settings, index, DUCKDB, notify)

    return make
