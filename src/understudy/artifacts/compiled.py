"""Where compiled and run SQL stand under the target directory, and writing it (dbt 1.11: get_target_write_path)."""

from __future__ import annotations

import posixpath
from typing import Literal

from understudy.artifacts import atomic
from understudy.core.nodes import Node


def sql_path(node: Node, kind: Literal["compiled", "run"], target_path: str = "target") -> str:
    """The path of a node's SQL, as the manifest names it (`target/compiled/shop/models/a.sql`).

    A node that is alone in its file has the file's path. One of several, such as a generic test, stands in a folder that is
    named like the file: `target/compiled/shop/models/schema.yml/unique_a_id.sql`.
    """
    path = node.original_file_path
    if posixpath.basename(node.path) != posixpath.basename(path):
        path = posixpath.join(path, node.path)
    return posixpath.join(target_path, kind, node.package_name, path)


def write_sql(node: Node, kind: Literal["compiled", "run"], sql: str, *, project_dir: str, target_path: str) -> str:
    """Write a node's SQL, and give its path as the manifest names it. Raises ArtifactError."""
    path = sql_path(node, kind, target_path)
    atomic.write(posixpath.join(project_dir, path), sql.encode(), durable=False)
    return path
