"""A query of the command line (`--inline`) as a part of the project, for this invocation only."""

from __future__ import annotations

from msgspec.structs import replace

from understudy.app.invocation import Invocation
from understudy.app.load import Project
from understudy.graph.link import link_node
from understudy.parse.inline import inline_node
from understudy.select.evaluate import Selection


def with_inline(invocation: Invocation, project: Project, sql: str) -> tuple[Project, Selection]:
    """The project with the query as a node, and the selection of that node alone; the given project stays as it is.

    Raises JinjaError and LinkError, of the query.
    """
    node = inline_node(sql, project.settings, project.renderer)
    manifest = replace(project.manifest, nodes={**project.manifest.nodes, node.unique_id: node})
    invocation.warn(*link_node(manifest, project.settings, node.unique_id))
    return project.extended(manifest), Selection(frozenset((node.unique_id,)), (node.unique_id,))
