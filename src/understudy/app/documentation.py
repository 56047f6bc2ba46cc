"""`docs generate`: manifest, catalog and page (dbt 1.11: GenerateTask)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from understudy.adapters.catalog import Described, describe
from understudy.app import announce, deferral
from understudy.app.commands import COMMANDS
from understudy.app.compilation import compile_all
from understudy.app.events import Logged, Stage
from understudy.app.invocation import Invocation, Outcome
from understudy.app.load import Project
from understudy.app.ready import Ready, list_schemas, observer, ready
from understudy.app.written import Written
from understudy.artifacts import atomic
from understudy.artifacts.catalog import CATALOG, Catalog, CatalogTable, ColumnMetadata, TableMetadata, write_catalog
from understudy.artifacts.metadata import metadata
from understudy.artifacts.page import DATA, copy_assets, write_page
from understudy.core.nodes import BUILT
from understudy.core.relation import Relation
from understudy.core.warning import Warning_
from understudy.defer.resolution import Catalog as Listed
from understudy.defer.resolution import Names, Resolution, existence, frontier, plain, resolve
from understudy.errors import DatabaseError, ExecutionError
from understudy.execute.database import LiveDatabase
from understudy.execute.results import NodeResult
from understudy.template.relations import node_relation, source_relation


def generate(invocation: Invocation) -> Outcome:
    """Compile what is selected, describe what stands in the database, write the page. Exit code 1: not all could be read.

    Raises:
        UnderstudyError: of the nodes that cannot be compiled, all in one list; then nothing is written.
    """
    started = time.perf_counter()
    options = replace(invocation.options, write_json=True)  # without its files there is no page
    invocation = replace(invocation, options=options)
    with ready(invocation, COMMANDS["docs generate"]) as all_set:
        project, nodes = all_set.project, all_set.selection.nodes
        announce.selected(invocation, project, nodes if options.compile_ else (), all_set.deferral)
        deferral.tell(invocation, all_set.deferral)
        results = _compiled(invocation, all_set) if options.compile_ else []
        decisions = _decisions(all_set)
        tables: list[Described] = []
        errors: list[DatabaseError] = []
        wanted = _wanted(all_set, decisions, everything=not options.compile_)
        if not options.empty_catalog:
            invocation.emit(Stage("Reading the catalog"))
            tables, errors = _describe(all_set, wanted.values())
    invocation.warn(*(Warning_("CannotReadCatalog", error.message) for error in errors))
    written = Written(invocation, project, all_set.compiler)
    for result in results:
        written.node(result)
    if options.compile_:
        written.artifacts(results, time.perf_counter() - started)
    elif not os.path.exists(os.path.join(project.target_dir, "manifest.json")):
        written.manifest()
    catalog = _catalog(invocation, project, wanted, tables, errors)
    _write(invocation, project, catalog, _told(all_set, decisions))
    page = "static_index.html" if options.static else "index.html"
    path = os.path.join(project.settings.target_path, page)
    invocation.emit(Logged(f"Wrote {path}: {len(tables):,} relations with their columns", "info"))
    return Outcome(1 if errors else 0, catalog)


def _compiled(invocation: Invocation, all_set: Ready) -> list[NodeResult]:
    database = LiveDatabase(all_set.adapter.connect, all_set.cache, all_set.project.dialect, observer(invocation))
    with closing(database):
        return compile_all(all_set.compiler, database, all_set.selection.nodes)


def _decisions(all_set: Ready) -> Resolution:
    """Where each node is to be found: decided as references are, also for nodes that nothing refers to."""
    project, states, selected = all_set.project, all_set.states, all_set.selection.selected
    manifest, names = project.manifest, Names(project.dialect, project.settings.root.quoting)
    built = [i for i, card in manifest.cards.items() if card.resource_type in BUILT and i in manifest.nodes]
    asked = frontier(
        manifest, project.dag, selected, frozenset(), states.priors, states.policy, names,
        runs=(), verify=False, also=built,
    )  # fmt: skip
    listings = list_schemas(all_set.adapter, asked.schemas, all_set.cache) if asked.schemas else {}
    exists = existence(manifest, asked, names, Listed(listings, project.dialect))
    return resolve(manifest, asked, selected, frozenset(), states.priors, states.policy, names, exists)


def _wanted(all_set: Ready, decisions: Resolution, *, everything: bool) -> dict[str, Relation]:
    """unique_id -> relation of all that the catalog tells of: of everything where nothing was selected and compiled."""
    manifest, dialect, selection = all_set.project.manifest, all_set.project.dialect, all_set.selection
    chosen = {*manifest.nodes, *manifest.sources} if everything else {*selection.nodes, *selection.selected}
    found = {}
    for unique_id in manifest.nodes:
        if unique_id not in chosen or manifest.cards[unique_id].is_ephemeral:
            continue
        node = manifest.nodes[unique_id]
        if node.relation_name is None:
            continue
        decision = decisions.get(unique_id)
        relation = decision.relation if decision is not None else None
        found[unique_id] = relation or node_relation(node, dialect, all_set.project.settings.root.quoting)
    for unique_id, source in manifest.sources.items():
        if unique_id in chosen:
            found[unique_id] = source_relation(source, dialect)
    return found


def _describe(all_set: Ready, relations: Iterable[Relation]) -> tuple[list[Described], list[DatabaseError]]:
    key = all_set.project.dialect.key
    relations = list(relations)
    keys = {key(relation) for relation in relations}
    schemas = [relation.schema_name for relation in relations]
    with closing(all_set.adapter.connect()) as connection:
        return describe(connection, schemas, lambda relation: key(relation) in keys)


def _catalog(
    invocation: Invocation,
    project: Project,
    wanted: Mapping[str, Relation],
    tables: Iterable[Described],
    errors: Iterable[ExecutionError],
) -> Catalog:
    """What was found, by unique_id; several sources may name one relation."""
    key = project.dialect.key
    by_key = {key(table.relation): table for table in tables}
    found = {
        unique_id: as_table(unique_id, by_key[key(relation)])
        for unique_id, relation in sorted(wanted.items())
        if key(relation) in by_key
    }
    return Catalog(
        metadata=metadata(CATALOG, project.settings, now=datetime.now(UTC), env=invocation.environ),
        nodes={unique_id: table for unique_id, table in found.items() if not unique_id.startswith("source.")},
        sources={unique_id: table for unique_id, table in found.items() if unique_id.startswith("source.")},
        errors=[str(error) for error in errors] or None,
    )


def as_table(unique_id: str, table: Described) -> CatalogTable:
    """A relation as `catalog.json` has it."""
    relation = table.relation
    return CatalogTable(
        metadata=TableMetadata(
            type=table.kind,
            schema=relation.schema or "",
            name=relation.identifier or "",
            database=relation.database,
            comment=table.comment,
            owner=table.owner,
        ),
        columns={
            column.name: ColumnMetadata(
                type=column.data_type, index=column.index, name=column.name, comment=column.comment
            )
            for column in table.columns
        },
        unique_id=unique_id,
    )


def _told(all_set: Ready, decisions: Resolution) -> dict[str, object]:
    """What the page says of deferral: who stands in for whom, and why. Empty where deferral is off."""
    if not all_set.states.policy.defer:
        return {}
    return {
        unique_id: {
            "relation": None if decision.relation is None else plain(decision.relation),
            "reason": decision.reason.value,
            "state": decision.state,
            "deferred": decision.deferred,
        }
        for unique_id, decision in decisions.items()
    }


def _write(invocation: Invocation, project: Project, catalog: Catalog, decisions: Mapping[str, object]) -> None:
    """The files of the page. Raises ArtifactError."""
    folder, root = project.target_dir, project.settings.root
    write_catalog(catalog, os.path.join(folder, "catalog.json"))
    # The page takes the decisions for those of its manifest only if one invocation wrote both.
    deferral_file = {"invocation_id": invocation.id, "target": project.settings.target.name, "decisions": decisions}
    atomic.write(os.path.join(folder, "deferral.json"), msgspec.json.encode(deferral_file))
    copy_assets(root.paths.get("asset", ()), root.root, folder)
    write_page(os.path.join(folder, "index.html"))
    if invocation.options.static:
        data = {}
        for name in DATA:
            with open(os.path.join(folder, f"{name}.json"), "rb") as file:
                data[name] = file.read()
        write_page(os.path.join(folder, "static_index.html"), data)
