"""`manifest.json` at the end of a command: of what is there already, only what changed is written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime

from understudy.app.invocation import Invocation
from understudy.app.load import Project
from understudy.artifacts import atomic
from understudy.artifacts.built_file import keep_manifest
from understudy.artifacts.manifest import CompiledCode, parts_of, pieces
from understudy.artifacts.metadata import manifest_metadata
from understudy.cache import document
from understudy.cache.inputs import digest

SECRET = "DBT_ENV_SECRET"
ONLY_READS = frozenset({"list", "parse"})
"""Commands that write nothing but the manifest: no other file names the run that wrote it."""
LEAVES_ALL = ONLY_READS | {"compile", "docs generate"}
"""Commands that change nothing in the database. After any other one the file has to outlive a power cut."""


def write_manifest(
    invocation: Invocation,
    project: Project,
    compiled: Mapping[str, CompiledCode] | None = None,
    built: Mapping[str, str] | None = None,
) -> None:
    """Write the manifest, with what this run compiled and built; the one that `applied.json` belongs to is kept.

    Raises ArtifactError.
    """
    if not invocation.options.write_json:
        return
    keep_manifest(project.target_dir)
    compiled, built, now = compiled or {}, built or {}, datetime.now(UTC)
    path = os.path.join(project.target_dir, "manifest.json")
    command = invocation.options.command
    lasting = command not in LEAVES_ALL
    parts = parts_of(project.manifest, project.dag.parent_map(), project.dag.child_map(), compiled, built)
    quoting = project.dialect.quoting
    head = manifest_metadata(
        project.settings,
        now=now,
        env=invocation.environ,
        quoting={"database": quoting.database, "schema": quoting.schema, "identifier": quoting.identifier},
        uses=project.manifest.uses,
        secrets=secrets(invocation.environ),
    )
    if project.edition is None:
        atomic.write(path, pieces(parts, head), durable=lasting)
        return
    extras = {i: digest([compiled.get(i), built.get(i)]) for i in compiled.keys() | built.keys()}
    document.write(
        path,
        project.settings.root.root,
        document.Document(head, parts, extras, project.manifest.cards),
        project.edition,
        now=now.timestamp(),
        durable=lasting,
        refresh=command not in ONLY_READS,
    )


def secrets(environ: Mapping[str, str]) -> list[str]:
    """The values that must not be written anywhere."""
    return [value for name, value in environ.items() if name.startswith(SECRET) and value]
