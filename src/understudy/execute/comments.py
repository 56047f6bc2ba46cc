"""What `query-comment` says for one node, or for the run itself (dbt 1.11: MacroQueryStringSetter)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from understudy import DBT_VERSION
from understudy.core.nodes import Node
from understudy.core.project import Settings
from understudy.sql.comment import Comment

MASTER = "master"
"""What dbt calls the connection of the run itself."""


def query_comment(settings: Settings, session: Callable[[], Any], node: Node | None) -> Comment | None:
    """The comment: dbt's own where the project says nothing, None where it wants none.

    `session` makes what renders the project's template, where it has one. Raises JinjaError, and ExecutionError for a text
    that would end the comment.
    """
    configured, append = settings.root.query_comment, False
    if isinstance(configured, Mapping):
        append = bool(configured.get("append"))
        configured = configured.get("comment")
        if configured is None and "comment" not in settings.root.query_comment:
            return Comment(_default(settings, node), append)
    elif configured is None:
        return Comment(_default(settings, node))
    if not configured:
        return None
    templates = session()
    templates.set("connection_name", MASTER if node is None else node.unique_id)
    templates.set("node", node)
    return Comment(templates.render(str(configured)), append)


def _default(settings: Settings, node: Node | None) -> str:
    said = {
        "app": "dbt",
        "dbt_version": DBT_VERSION,
        "profile_name": settings.target.profile,
        "target_name": settings.target.name,
    }
    said.update({"connection_name": MASTER} if node is None else {"node_id": node.unique_id})
    return json.dumps(said)
