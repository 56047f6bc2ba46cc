"""After a command that builds: say beside its manifest what of it is really built (`applied.json`, state.built)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, partial

import msgspec

from understudy import __version__
from understudy.app.applied import built
from understudy.app.document import secrets
from understudy.app.invocation import Invocation
from understudy.app.load import Project
from understudy.app.ready import Ready, exists
from understudy.artifacts.built_file import manifest_of, read_built, write_built
from understudy.artifacts.metadata import timestamp
from understudy.core.warning import Warning_
from understudy.defer.resolution import Names, node_of
from understudy.errors import StateError
from understudy.state.built import FORM, NOTHING, BuiltState, Head, Older, record_of, standing
from understudy.state.prior import decode_prior

COMPILED = ("compiled_code", "compiled_path", "compiled", "extra_ctes", "extra_ctes_injected", "build_path")
"""What a manifest holds of a node that nobody compares."""


def stands(invocation: Invocation, all_set: Ready) -> BuiltState | None:
    """What stands in the environment by now; None: the old file stays as it is. Call it before the manifest is written.

    What a node's relation was built from, the ledger says (where that cannot be used, nobody knows); the older nodes
    themselves come from the file and the manifest of the last command. The engine may be asked what is there.
    """
    project, applied = all_set.project, all_set.applied
    recorded = applied.recorded() if invocation.options.write_json else None
    if recorded is None:
        return None
    target = project.settings.target
    head = Head(
        form=FORM, invocation_id=invocation.id, generated_at=timestamp(datetime.now(UTC)), understudy=__version__,
        command=invocation.options.command, project_name=project.settings.root.name, target=target.name,
        database=target.database, schema=target.schema,
    )  # fmt: skip
    before = _before(invocation, project.target_dir, head)
    older = before.nodes if before is not None else {}
    told = [each for each in built(project.manifest) if each in recorded or each in older or each in applied.ended]
    names = Names(project.dialect, project.settings.root.quoting)
    there = partial(exists, all_set.adapter, all_set.cache)
    found = standing(
        {unique_id: record_of(project.manifest.nodes[unique_id]) for unique_id in told},
        recorded,
        older,
        applied.ended,
        node_before=_Older(project.target_dir, before),
        exists=lambda unique_id: there(names.own(node_of(project.manifest, unique_id))),
        behind=applied.behind,
    )
    return BuiltState(head, found)


def publish(invocation: Invocation, project: Project, state: BuiltState) -> None:
    """Write the file, when the command's manifest is written. Raises ArtifactError."""
    write_built(state, project.target_dir, secrets=secrets(invocation.environ))


def _before(invocation: Invocation, folder: str, head: Head) -> BuiltState | None:
    """The environment's last file; None where there is none, or that of another environment."""
    try:
        found = read_built(folder)
    except StateError as error:
        invocation.warn(Warning_("AppliedStateNotUsed", f"{error.message} It is written anew.", error.place))
        return None
    return found if found is not None and found.metadata.environment() == head.environment() else None


class _Older:
    """The nodes of the last manifest, which is read when one is asked for."""

    def __init__(self, folder: str, before: BuiltState | None) -> None:
        self._folder, self._before = folder, before
        self._nodes = cache(self._read)

    def __call__(self, unique_id: str) -> Older:
        raw = self._nodes().get(unique_id)
        if raw is None:
            return NOTHING
        fields = msgspec.json.decode(raw)
        return msgspec.Raw(msgspec.json.encode({key: value for key, value in fields.items() if key not in COMPILED}))

    def _read(self) -> Mapping[str, msgspec.Raw | bytes]:
        path = None if self._before is None else manifest_of(self._folder, self._before.metadata.invocation_id)
        if path is None:
            return {}
        try:
            with open(path, "rb") as file:
                return decode_prior(file.read(), origin=path).nodes.raw
        except (OSError, StateError):
            return {}  # then what the nodes were is not known
