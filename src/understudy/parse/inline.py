"""A query from the command line as a node, so that it is linked, deferred and compiled like any other."""

from __future__ import annotations

import hashlib

from understudy.core.nodes import Checksum, SqlOperation
from understudy.core.project import Settings
from understudy.parse.configs import Configs
from understudy.template.renderer import Renderer

NAME = "inline_query"


def inline_node(sql: str, settings: Settings, renderer: Renderer) -> SqlOperation:
    """The node of a query (dbt 1.11: SqlBlockParser.parse_remote). Its references are not linked yet.

    Raises JinjaError for a template that cannot be read.
    """
    package, target = settings.root.name, settings.target
    node = SqlOperation(
        database=target.database,
        schema=target.schema,
        name=NAME,
        package_name=package,
        path=f"sql/{NAME}",
        original_file_path="--inline",
        unique_id=f"sql_operation.{package}.{NAME}",
        fqn=[package, "sql", NAME],
        alias=NAME,
        checksum=Checksum("sha256", hashlib.sha256(sql.encode()).hexdigest()),
        raw_code=sql,
        config={},
    )
    configs = Configs(settings)
    node.config = configs.base("operation", package, node.fqn)
    captured = renderer.parse(sql, node=node, package=package)
    node.config = {**configs.config("operation", package, node.fqn, captured.config), "enabled": True}
    node.refs, node.sources = list(captured.refs), list(captured.sources)
    node.metrics, node.functions = list(captured.metrics), list(captured.functions)
    node.depends_on.macros = list(captured.macros)
    return node
