"""A unit test's SQL: the model's own text, with the rows that the test gives as CTEs in the place of what the model reads.

The types of the rows are those of the real relations, which the run's Resolution names.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any

from understudy.compile.ctes import Cte, cte, inject
from understudy.compile.lookups import NodeLookups, References
from understudy.core.nodes import Node, Source, UnitTest, Version
from understudy.core.relation import Relation
from understudy.defer.resolution import Decision
from understudy.errors import LinkError, UnderstudyError
from understudy.template.relations import cte_relation, named_cte, source_relation
from understudy.template.renderer import Renderer, Session
from understudy.template.scope import Captured, Database


class UnitTestCompiler:
    """Compiles one unit test. `deferred` are the decisions by which types came from a state, `uses` what was asked for."""

    def __init__(self, references: References, renderer: Renderer, test: UnitTest, database: Database | None) -> None:
        self.references, self.renderer, self.test, self.database = references, renderer, test, database
        self.model = references.manifest.nodes[test.depends_on.nodes[0]]
        ids = references.manifest.inputs[test.unique_id]
        self.inputs = {unique_id: given for unique_id, given in zip(ids, test.given, strict=True) if unique_id}
        self.used: dict[str, None] = {}
        self.deferred: dict[str, Decision] = {}
        self.uses = Captured()

    def compile(self) -> tuple[str, tuple[Cte, ...], str]:
        """The SQL with the rows, the rows as CTEs, and the model's SQL alone.

        Raises LinkError for an input that names nothing, and for a reference for which the test gives no rows; JinjaError,
        ExecutionError, DatabaseError.
        """
        self._check()
        lookups = FixtureLookups(self)
        session = self._session(self.model, lookups)
        if self.model.unique_id in self.inputs:  # dbt asks for it before it renders
            session.set("this", self.cte(self.model.unique_id))
        else:
            session.set("this", None)
        self._override(session)
        query = session.render(self.model.raw_code)
        self.uses = session.uses
        ctes = tuple(self._fixture(unique_id) for unique_id in self.used)
        return inject(query, ctes), ctes, query

    def _check(self) -> None:
        if getattr(self.model, "language", "sql") != "sql":
            message = f"The unit test '{self.test.name}' tests '{self.model.name}', which is a Python model"
            raise self.error(message, "Unit tests run SQL; test the function in the model's file with pytest.")
        for unique_id, given in zip(self.references.manifest.inputs[self.test.unique_id], self.test.given, strict=True):
            if unique_id is None:
                raise self.error(f"The input {given['input']} of the unit test '{self.test.name}' was not found")

    def error(self, message: str, hint: str | None = None) -> LinkError:
        """An error of this test."""
        return LinkError(message, place=self.references.manifest.place(self.test.unique_id), hint=hint)

    def cte(self, unique_id: str) -> Relation:
        """The name under which an input stands in the SQL; from here on it is part of it."""
        self.used[unique_id] = None
        source = self.references.manifest.sources.get(unique_id)
        if source is not None:
            return named_cte(f"{source.source_name}__{source.name}", self.references.dialect)
        return cte_relation(self.references.manifest.nodes[unique_id], self.references.dialect)

    def _session(self, node: Node, lookups: Any) -> Session:
        overridden = (self.test.overrides or {}).get("vars", {})
        vars = ChainMap(overridden, dict(self.renderer.vars(node.package_name)))
        return self.renderer.session(node, lookups, database=self.database, vars=vars)

    def _override(self, session: Session) -> None:
        """Macros, environment variables and other names that the test replaces (dbt 1.11:
        generate_runtime_unit_test_context).
        """
        overrides = self.test.overrides or {}
        if overrides.get("env_vars"):
            session.set("env_var", _env_var(overrides["env_vars"], session.builtins["env_var"]))
        for name, value in overrides.get("macros", {}).items():
            self._replace(session, name, value)

    def _replace(self, session: Session, name: str, value: Any) -> None:
        """Let a macro (`name`, `package.name`) give a value; set any other name. What is not there is not replaced."""
        package, _, bare = name.rpartition(".")
        macros = self.renderer.macros
        plain = macros.find(bare, self.model.package_name)
        found = macros.namespace(package).get(bare) if package else plain
        if found is None:
            if not package and bare in session.names:
                session.set(bare, value)
            return
        session.replaced[found.unique_id] = value
        if package in ("", "dbt"):  # a macro of dbt's has two names
            also = plain if package else macros.builtins.get(bare)
            if also is not None:
                session.replaced[also.unique_id] = value

    def _fixture(self, unique_id: str) -> Cte:
        """The rows of an input as a CTE."""
        given, manifest = self.inputs[unique_id], self.references.manifest
        name = self.cte(unique_id).render()
        source = manifest.sources.get(unique_id)
        node = manifest.nodes.get(unique_id, self.model)
        session = self._session(node, NodeLookups(self.references, node, inline=False))
        if given["format"] == "sql":
            return cte(unique_id, name, session.render(given["rows"]))
        relation = self._typed(unique_id, source)
        session.set("this", relation)
        session.set("defer_relation", None)
        if source is not None:
            session.set("model", {"name": source.name, "resource_type": "source"})
        try:
            return cte(unique_id, name, str(session.call("get_fixture_sql", given["rows"], None)))
        except UnderstudyError as error:
            error.place = self.references.manifest.place(self.test.unique_id)
            raise

    def _typed(self, unique_id: str, source: Source | None) -> Relation:
        """The relation whose columns have the types of an input."""
        if source is not None:
            return source_relation(source, self.references.dialect)
        if self.references.manifest.nodes[unique_id].is_ephemeral:
            hint = "Give its rows as SQL (format: sql)."
            name = self.references.manifest.nodes[unique_id].name
            raise self.error(f"'{name}' is ephemeral: no relation tells the types of its columns", hint)
        relation, decision = self.references.decided(unique_id)
        if decision is not None:
            self.deferred[unique_id] = decision
        prior = self.references.resolution.of(unique_id).prior
        if unique_id == self.model.unique_id and prior is not None and self._absent(relation):
            return prior  # this run is about to build it, but its types are needed before
        return relation

    def _absent(self, relation: Relation) -> bool:
        return self.database is not None and not self.database.columns(relation)


class FixtureLookups:
    """References of the model under test: to the rows that the test gives. Functions are the real ones."""

    def __init__(self, compiler: UnitTestCompiler) -> None:
        self.compiler = compiler
        self.real = NodeLookups(compiler.references, compiler.model, inline=False)

    def ref(self, package: str | None, name: str, version: Version | None) -> Relation:
        """The CTE of an input. Raises LinkError where the test gives none."""
        target = self.compiler.references.names.ref(package, name, version, self.compiler.model.package_name)
        return self._input(target.found, f"ref('{name}')")

    def source(self, source_name: str, table_name: str) -> Relation:
        """The CTE of an input. Raises LinkError where the test gives none."""
        target = self.compiler.references.names.source(source_name, table_name, self.compiler.model.package_name)
        return self._input(target.found, f"source('{source_name}', '{table_name}')")

    def function(self, package: str | None, name: str) -> Relation:
        """The function's qualified name. Raises LinkError."""
        return self.real.function(package, name)

    def _input(self, unique_id: str | None, call: str) -> Relation:
        if unique_id not in self.compiler.inputs:
            raise self.compiler.error(
                f"The unit test '{self.compiler.test.name}' gives no rows for {call}",
                f'Add it to its given: {{input: "{call}", rows: []}}',
            )
        return self.compiler.cte(unique_id)


def _env_var(values: Mapping[str, Any], real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda var, default=None: values[var] if var in values else real(var, default)
