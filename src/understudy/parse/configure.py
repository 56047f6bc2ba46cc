"""A node's config becomes the node's: config, tags, meta, group, access, docs, contract, names, relation."""

from __future__ import annotations

from typing import Any

from understudy.core.nodes import Checksum, CompilableNode, Config, Contract, Model, Node, Seed, Snapshot
from understudy.core.source_file import SourceFile
from understudy.core.walk import has_jinja
from understudy.errors import ParseError, Place
from understudy.parse.parsing import Parsing
from understudy.template import literal
from understudy.template.scope import Captured

ACCESS = ("private", "protected", "public")


def set_config(
    parsing: Parsing, node: Node, calls: Captured, patch: Config | None = None, raw_patch: Config | None = None
) -> None:
    """Compute the config and take over what of it stands on the node, too.

    Called when the node is made and, with what a properties file says (`patch`, and `raw_patch` with its Jinja as it
    stands), once more. Raises ParseError with the node's file.
    """
    kind, package, fqn = node.resource_type, node.package_name, node.fqn
    try:
        config = parsing.configs.config(
            kind, package, fqn, calls.config, patch or {}, node.config if patch is not None else None
        )
        node.config = config
        if isinstance(node, Model) and config["access"] not in ACCESS:
            raise ParseError(f"The access must be one of {', '.join(ACCESS)}, not {config['access']!r}")
        node.unrendered_config = parsing.configs.unrendered(
            kind, package, fqn, calls.unrendered_config, raw_patch if raw_patch is not None else patch or {}
        )
        _take_over(node, config)
        if kind != "test":
            _hooks(parsing, node, config)
    except ParseError as error:
        if error.place is None:
            error.place = Place(node.original_file_path, node=node.unique_id)
        raise


def _take_over(node: Node, config: Config) -> None:
    """What dbt 1.11 copies from the config to the node (update_parsed_node_config)."""
    added = [tag for tag in config["tags"] if tag not in node.tags]
    if added:
        node.tags = list(dict.fromkeys([*node.tags, *added]))
    if config["meta"]:
        node.meta = config["meta"]
    if config["group"]:
        node.group = config["group"]
    if isinstance(node, Model):
        node.access = config["access"]
    if "docs" in config:
        node.docs = config["docs"]
    elif not node.docs:
        node.docs = {"show": True, "node_color": None}
    if isinstance(node, CompilableNode) and "contract" in config:
        contract = config["contract"]
        node.contract = Contract(enforced=bool(contract["enforced"]), alias_types=bool(contract["alias_types"]))


def _hooks(parsing: Parsing, node: Node, config: Config) -> None:
    """What the hooks' SQL refers to belongs to the node."""
    for hook in (*config["pre-hook"], *config["post-hook"]):
        sql = hook["sql"]
        if has_jinja(sql):
            captured = literal.scan(sql) or parsing.renderer.parse(sql, node=node, package=node.package_name)
            if isinstance(node, Seed) and (captured.refs or captured.sources or captured.metrics):
                raise ParseError(  # dbt 1.11: SeedNode._disallow_implicit_dependencies
                    "Seeds cannot depend on other nodes; this one has a hook that calls ref, source or metric",
                    place=parsing.manifest.place(node.unique_id),
                    hint=f"The hook is: {sql}",
                )
            absorb(parsing, node, captured)


def absorb(parsing: Parsing, node: Node, captured: Captured) -> None:
    """Add what a text of the node asked for to the node's references."""
    if isinstance(node, CompilableNode):
        node.refs = [*node.refs, *captured.refs]
        node.sources = [*node.sources, *captured.sources]
        node.metrics = [*node.metrics, *captured.metrics]
        node.functions = [*node.functions, *captured.functions]
    if captured.macros:
        node.depends_on.macros = list(dict.fromkeys([*node.depends_on.macros, *captured.macros]))
    parsing.used(node.unique_id, captured)


def set_names(parsing: Parsing, node: Node) -> None:
    """Database, schema, alias and relation, by the `generate_*_name` macros. Raises JinjaError when one of them fails."""
    config = node.config
    node.database = parsing.naming.generated("database", config["database"], node)
    node.schema = parsing.naming.generated("schema", config["schema"], node) or ""
    node.alias = parsing.naming.generate("alias", config["alias"], node) or ""
    if isinstance(node, Snapshot):
        node.database = config["target_database"] or node.database
        node.schema = config["target_schema"] or node.schema
    node.relation_name = parsing.naming.relation_name(node, node.alias) if is_relational(parsing, node) else None


def generated_names(
    parsing: Parsing, file: SourceFile, name: str, database: str | None, schema: str | None, alias: str | None
) -> tuple[str | None, str, str]:
    """Database, schema and alias of something that is no node, by the same macros (dbt 1.11: the exports of saved queries)."""
    target = parsing.settings.target
    node = Model(
        database=target.database, schema=target.schema, name=name, package_name=file.package, path=file.relative_path,
        original_file_path=file.path, unique_id=f"export.{file.package}.{name}", fqn=[file.package, name], alias=name,
        checksum=Checksum("none", ""), config={"database": database, "schema": schema, "alias": alias},
    )  # fmt: skip
    made = parsing.naming.generated("database", database, node), parsing.naming.generated("schema", schema, node) or ""
    return (*made, parsing.naming.generate("alias", alias, node) or "")


def is_relational(parsing: Parsing, node: Node) -> bool:
    """Whether the node stands for a relation: models, seeds, snapshots, and tests that store their failures."""
    if isinstance(node, Model | Seed | Snapshot):
        return not node.is_ephemeral
    return node.resource_type == "test" and stores_failures(parsing, node)


def stores_failures(parsing: Parsing, node: Node) -> bool:
    """Whether a test keeps the rows that failed (dbt 1.11: should_store_failures)."""
    return bool(node.config["store_failures"] or parsing.settings.flags.get("store_failures"))


def constraint_refs(node: Model) -> None:
    """Foreign keys that name their target by `ref()` or `source()` are references (dbt 1.11: _process_constraints_refs)."""
    constraints: list[dict[str, Any]] = list(node.constraints)
    for column in node.columns.values():
        constraints += column["constraints"]
    for constraint in constraints:
        target = constraint.get("to")
        if constraint["type"] != "foreign_key" or not target:
            continue
        found = literal.scan("{{ " + target + " }}")
        if found is None or len(found.refs) + len(found.sources) != 1:
            hint = "Write ref('model') or source('name', 'table')"
            message = f"The foreign key of {node.name} points to {target!r}, which is neither a ref nor a source"
            raise ParseError(message, place=Place(node.original_file_path, node=node.unique_id), hint=hint)
        node.refs = [*node.refs, *found.refs]
        node.sources = [*node.sources, *found.sources]
