"""Where compiled and run SQL stand under the target directory, and writing it (dbt 1.11: get_target_write_path)."""

from __future__ import annotations

import posixpath
from typing import Literal

from understudy.artifacts import atomic
from understudy.core.nodes import Node, UnitTest


def sql_path(
    node: Node | UnitTest, kind: Literal["compiled", "run"], target_path: str = "target", batch: str | None = None
) -> str:
    """The path of a node's SQL, as the manifest names it (`target/compiled/shop/models/a.sql`).

    A node that is alone in its file has the file's path. One of several, such as a generic test, stands in a folder that is
    named like the file: `target/compiled/shop/models/schema.yml/unique_a_id.sql`. A batch has a file of its own in a folder
    that is named like the model: `target/compiled/shop/models/a/a_2024-01-31.sql`.
    """
    path, inner = node.original_file_path, node.path
    if isinstance(node, UnitTest):
        inner = posixpath.join(posixpath.dirname(path), f"{node.versioned_name}.sql")
    if posixpath.basename(inner) != posixpath.basename(path):
        path = posixpath.join(path, inner)
    if batch is not None:
        stem, extension = posixpath.splitext(path)
        path = posixpath.join(stem, f"{posixpath.basename(stem)}_{batch}{extension}")
    return posixpath.join(target_path, kind, node.package_name, path)


def write_sql(
    node: Node | UnitTest,
    kind: Literal["compiled", "run"],
    sql: str,
    *,
    project_dir: str,
    target_path: str,
    batch: str | None = None,
) -> str:
    """Write a node's SQL, or that of a batch of it, and give its path as the manifest names it. Raises ArtifactError."""
    path = sql_path(node, kind, target_path, batch)
    atomic.update(posixpath.join(project_dir, path), sql.encode())
    return path
