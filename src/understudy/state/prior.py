"""An older manifest: the fields that comparison and deferral need, decoded from its bytes.

Tolerant of age and writer: manifests v4 to v12 of dbt 1.x, v20 (dbt 2), and ours; unknown fields are skipped without being
built. Strict about damage: what is no JSON, is cut short, has another schema version or a field of the wrong shape raises
StateError. A node is decoded when it is first asked for, since deferral asks for a few of ten thousand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec

from understudy.core.nodes import Checksum, Contract, DependsOn, Version
from understudy.errors import Place, StateError
from understudy.state.applied import Print, of_inputs
from understudy.state.built import BuiltState, Entry

READABLE = (*range(4, 13), 20)
"""Schema versions of `manifest.json`: 4 is dbt 1.0, 12 is dbt 1.8 to 1.11, 20 is dbt 2, with the fields of 12."""
RENDERED_ONLY = 9
"""Up to this version metrics had another shape (dbt 1.11: drop_v9_and_prior_metrics)."""
SCHEMA = re.compile(r"/manifest/v(\d+)(?:\.\d+)*\.json$")
NEXT_STEP = "Take manifest.json from a finished run again, whole ({flag} names a folder that holds it)."
BUILT = ("model.", "seed.", "snapshot.")
WRITER = "understudy"
"""The key of `metadata.env` under which a manifest of ours names its writer's version."""
VALUES = "understudy_values"
"""The key of `metadata.env` under which a manifest of ours holds, as JSON, which variables and environment variables each node
looked up, and their values then: unique_id -> [vars, env_vars]. There is no other place in dbt's schema for it.
"""
SOURCE_TEXT = b"Keyword(key="
"""How dbt writes an unrendered config value with `state_modified_compare_more_unrendered_values`."""


class Metadata(msgspec.Struct, frozen=True):
    """What a manifest says about itself; times are ISO 8601 text, UTC."""

    dbt_schema_version: str | None = None
    dbt_version: str | None = None
    generated_at: str | None = None
    invocation_id: str | None = None
    adapter_type: str | None = None
    project_name: str | None = None
    env: dict[str, str] | None = None


class PriorColumn(msgspec.Struct, frozen=True):
    """A column as contracts and persisted descriptions see it."""

    name: str
    description: str | None = ""
    data_type: str | None = None
    constraints: list[dict[str, Any]] | None = None


class PriorConfig(msgspec.Struct, frozen=True):
    """What is needed of a node's rendered config."""

    materialized: str | None = None


class PriorDigested(msgspec.Struct, frozen=True, gc=False):
    """What of a node is digested, and whether it has a relation: less than a PriorNode, for who looks at all of them."""

    resource_type: str
    fqn: list[str]
    schema: str | None = None
    raw_code: str | None = None
    raw_sql: str | None = None
    checksum: Checksum = msgspec.field(default_factory=lambda: Checksum("none", ""))
    config: PriorConfig = PriorConfig()
    unrendered_config: dict[str, Any] = {}
    description: str | None = ""
    columns: dict[str, PriorColumn] = {}
    depends_on: DependsOn = msgspec.field(default_factory=DependsOn)
    contract: Contract | None = None
    constraints: list[dict[str, Any]] | None = None
    access: str | None = None
    latest_version: Version | None = None
    deprecation_date: str | None = None
    arguments: Any = None
    returns: Any = None

    @property
    def materialized(self) -> str:
        """The materialization's name."""
        return self.config.materialized or ""


class PriorNode(PriorDigested, frozen=True, kw_only=True):
    """A model, seed, snapshot, test, analysis, operation or function of an older manifest.

    `raw_sql` is the name of `raw_code` up to schema v6.
    """

    unique_id: str
    name: str
    package_name: str
    database: str | None = None
    alias: str | None = None
    original_file_path: str = ""
    version: Version | None = None

    @property
    def is_ephemeral(self) -> bool:
        """Whether references to the node were inlined."""
        return self.materialized == "ephemeral"


class PriorSource(msgspec.Struct, frozen=True):
    """A source. The unrendered names are UNSET in states whose writer did not record them (before dbt 1.9)."""

    unique_id: str
    fqn: list[str]
    schema: str | None = None
    database: str | None = None
    identifier: str | None = None
    resource_type: str = "source"
    name: str = ""
    original_file_path: str = ""
    unrendered_database: str | msgspec.UnsetType | None = msgspec.UNSET
    unrendered_schema: str | msgspec.UnsetType | None = msgspec.UNSET
    unrendered_config: dict[str, Any] = {}
    quoting: dict[str, Any] | None = None
    freshness: Any = None
    loaded_at_field: str | None = None
    external: Any = None


class PriorExposure(msgspec.Struct, frozen=True):
    """An exposure."""

    unique_id: str
    fqn: list[str]
    type: str | None = None
    resource_type: str = "exposure"
    name: str = ""
    original_file_path: str = ""
    owner: dict[str, Any] | None = None
    maturity: str | None = None
    url: str | None = None
    description: str | None = ""
    label: str | None = None
    unrendered_config: dict[str, Any] = {}
    depends_on: DependsOn = msgspec.field(default_factory=DependsOn)


class PriorMacro(msgspec.Struct, frozen=True):
    """A macro."""

    macro_sql: str
    package_name: str


class _Relation(msgspec.Struct, frozen=True):
    schema: str | None = None
    config: PriorConfig = PriorConfig()


class Document(msgspec.Struct):
    """A manifest whose entries are not decoded."""

    metadata: Metadata
    nodes: Mapping[str, msgspec.Raw]
    sources: dict[str, msgspec.Raw] = {}
    macros: dict[str, msgspec.Raw] = {}
    exposures: dict[str, msgspec.Raw] = {}
    metrics: dict[str, msgspec.Raw] = {}
    semantic_models: dict[str, msgspec.Raw] = {}
    saved_queries: dict[str, msgspec.Raw] = {}
    unit_tests: dict[str, msgspec.Raw] = {}
    functions: dict[str, msgspec.Raw] = {}


T = TypeVar("T")
U = TypeVar("U")


class Entries(Mapping[str, T], Generic[T]):
    """The entries of one part of a manifest, by unique_id, each decoded when it is first asked for, and kept."""

    def __init__(
        self, part: str, raw: Mapping[str, msgspec.Raw | bytes], kind: type[T], origin: str, flag: str
    ) -> None:
        self._part = part
        self.raw = raw
        self._decode = msgspec.json.Decoder(kind).decode
        self._kept: dict[str, T] = {}
        self._origin, self._flag = origin, flag

    def passing(self, kind: type[U]) -> Iterator[tuple[str, U]]:
        """Every entry as a value of another kind, made for once. Raises StateError for a damaged one."""
        decode = msgspec.json.Decoder(kind).decode
        for unique_id, raw in self.raw.items():
            try:
                yield unique_id, decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise damaged(self._origin, f"{self._part}[{unique_id!r}]: {error}", self._flag) from error

    def __getitem__(self, unique_id: str) -> T:
        kept = self._kept.get(unique_id)
        if kept is None:
            try:
                kept = self._kept[unique_id] = self._decode(self.raw[unique_id])
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise damaged(self._origin, f"{self._part}[{unique_id!r}]: {error}", self._flag) from error
        return kept

    def __contains__(self, unique_id: object) -> bool:
        return unique_id in self.raw

    def __iter__(self) -> Iterator[str]:
        return iter(self.raw)

    def __len__(self) -> int:
        return len(self.raw)


class Prior:
    """An older manifest. `origin` is its path as errors name it, `flag` what named the state.

    `rendered_config`: the in-file and properties values of `unrendered_config` are rendered ones. dbt writes them so unless
    its flag `state_modified_compare_more_unrendered_values` is on; then in-file values come as the text of a syntax tree.
    """

    def __init__(
        self,
        document: Document,
        *,
        origin: str,
        flag: str = "--state",
        source_text: bool = False,
        built: BuiltState | None = None,
    ) -> None:
        def part(name: str, kind: type[T]) -> Entries[T]:
            return Entries(name, getattr(document, name), kind, origin, flag)

        self.origin, self.flag = origin, flag
        self.source_text = source_text
        self.counted: int | None = None
        self.digests: dict[str, bytes] = {}
        """Of nodes and sources what is known of them without their being decoded (fingerprint.raw_digest)."""
        self.metadata = document.metadata
        self.built = built
        self._document = document
        self.rendered_config = not source_text and WRITER not in (document.metadata.env or {})
        self.nodes = part("nodes", PriorNode)
        self.functions = part("functions", PriorNode)
        self.sources = part("sources", PriorSource)
        self.exposures = part("exposures", PriorExposure)
        self.macros = part("macros", PriorMacro)
        self.metrics = part("metrics", dict[str, Any])
        self.semantic_models = part("semantic_models", dict[str, Any])
        self.saved_queries = part("saved_queries", dict[str, Any])
        self.unit_tests = part("unit_tests", dict[str, Any])
        self._parts: tuple[Entries[Any], ...] = (
            self.nodes, self.sources, self.exposures, self.metrics, self.semantic_models, self.saved_queries,
            self.unit_tests, self.functions,
        )  # fmt: skip

    def as_built(self, built: BuiltState) -> Prior:
        """The same manifest with the nodes as they were when their relation was built, without those that never were."""
        found = Overlaid(self._document.nodes, built.nodes)
        document = msgspec.structs.replace(self._document, nodes=found)
        prior = Prior(document, origin=self.origin, flag=self.flag, source_text=self.source_text, built=built)
        prior.digests = {i: each for i, each in self.digests.items() if i not in found.gone and i not in found.other}
        if self.counted is not None:
            touched = [i for i in (*found.gone, *found.other) if i.startswith(BUILT)]
            prior.counted = self.counted - self._relational_among(touched) + prior._relational_among(touched)
        return prior

    def has(self, unique_id: str) -> bool:
        """Whether there is a counterpart of any kind (not macros)."""
        return any(unique_id in part for part in self._parts)

    def get(self, unique_id: str) -> Any:
        """The counterpart of a node of any kind (not macros), or None. Raises StateError where it is damaged."""
        return next((part[unique_id] for part in self._parts if unique_id in part), None)

    @cached_property
    def values(self) -> Mapping[str, tuple[dict[str, Any], dict[str, str]]] | None:
        """The variables and environment variables that nodes looked up, with their values; None: the writer did not say.

        Raises StateError where that is damaged.
        """
        text = (self.metadata.env or {}).get(VALUES)
        if text is None:
            return {} if WRITER in (self.metadata.env or {}) else None
        try:
            return msgspec.json.decode(text, type=dict[str, tuple[dict[str, Any], dict[str, str]]])
        except msgspec.MsgspecError as error:
            raise damaged(self.origin, f"metadata.env[{VALUES!r}]: {error}", self.flag) from error

    def entry(self, unique_id: str) -> Entry | None:
        """What stands in a node's relation, where the environment has told."""
        return None if self.built is None else self.built.nodes.get(unique_id)

    def carried(self, unique_id: str) -> Print | None:
        """The print of a node's relation where that was built by an earlier run than the manifest's."""
        entry = self.entry(unique_id)
        earlier = entry is not None and entry.known and entry.invocation != self.metadata.invocation_id
        return entry.print if earlier and entry is not None else None

    def unbuilt(self, unique_id: str) -> str | None:
        """Why what stands in a node's relation is not what its code there would build, where codes alone do not tell."""
        entry = self.entry(unique_id)
        if entry is None or (entry.known and not entry.behind):
            return None
        if not entry.exists:
            return "it was never built there"
        if not entry.known:
            return "from which code it was built there is not known"
        return f"the last run there did not build it, and {of_inputs(entry.behind)}"

    def unique_ids(self) -> Iterator[str]:
        """Every unique_id, in the manifest's order."""
        for part in self._parts:
            yield from part

    def not_as_written(self) -> int:
        """How many nodes are not built as the manifest has them, as far as the environment has told."""
        entries = () if self.built is None else self.built.nodes.values()
        return sum(1 for entry in entries if not entry.known or isinstance(entry.node, msgspec.Raw) or entry.behind)

    def relations(self) -> int:
        """How many nodes have a relation there; nothing but that is decoded, and nothing where somebody counted before."""
        if self.counted is None:
            self.counted = self._relational_among(i for i in self.nodes.raw if i.startswith(BUILT))
        return self.counted

    def _relational_among(self, unique_ids: Iterable[str]) -> int:
        """How many of the nodes are there and have a relation."""
        raw = {i: self.nodes.raw[i] for i in unique_ids if i in self.nodes.raw}
        light = Entries("nodes", raw, _Relation, self.origin, self.flag)
        return sum(1 for node in light.values() if node.schema and node.config.materialized != "ephemeral")

    def relational(self, unique_id: str) -> PriorNode | None:
        """The counterpart that has a relation: a model, seed, snapshot or function that is not ephemeral there."""
        part = self.functions if unique_id in self.functions else self.nodes
        if unique_id not in part or not unique_id.startswith((*BUILT, "function.")):
            return None
        node = part[unique_id]
        return None if node.is_ephemeral or not node.schema else node


class Overlaid(Mapping[str, msgspec.Raw | bytes]):
    """A manifest's nodes, with those of an environment that were built from other code, or never, in their place."""

    def __init__(self, nodes: Mapping[str, msgspec.Raw | bytes], built: Mapping[str, Entry]) -> None:
        self._nodes = nodes
        self.gone = {unique_id for unique_id, entry in built.items() if not entry.exists}
        self.other = {i: each.node for i, each in built.items() if each.exists and isinstance(each.node, msgspec.Raw)}

    def __getitem__(self, unique_id: str) -> msgspec.Raw | bytes:
        if unique_id in self.gone:
            raise KeyError(unique_id)
        found = self.other.get(unique_id)
        return self._nodes[unique_id] if found is None else found

    def __contains__(self, unique_id: object) -> bool:
        return unique_id in self.other or (unique_id in self._nodes and unique_id not in self.gone)

    def __iter__(self) -> Iterator[str]:
        yield from (unique_id for unique_id in self._nodes if unique_id not in self.gone)
        yield from (unique_id for unique_id in self.other if unique_id not in self._nodes)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def decode_prior(data: bytes, *, origin: str, flag: str = "--state") -> Prior:
    """A manifest's bytes as a Prior.

    Args:
        origin: the file's path, for errors.
        flag: where the person named it (`--state`, `DBT_STATE`).
    Raises:
        StateError: no JSON, cut short, not a manifest, or of a schema version that cannot be read.
    """
    place = Place(path=origin)
    hint = NEXT_STEP.format(flag=flag)
    try:
        envelope = msgspec.json.decode(data, type=Document)
    except msgspec.ValidationError as error:
        raise StateError(f"The state is no manifest that can be read: {error}", place=place, hint=hint) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = "is empty" if not data.strip() else f"is no valid JSON, or is cut short ({len(data):,} bytes): {error}"
        raise StateError(f"The state {what}", place=place, hint=hint) from error
    version = schema_version(envelope.metadata.dbt_schema_version)
    if version not in READABLE:
        found = envelope.metadata.dbt_schema_version or "none"
        raise StateError(
            f"The state has schema version {found!r}; manifests v4 to v12 (dbt 1.x) and v20 (dbt 2) can be read",
            place=place,
            hint=f"Write the state with dbt 1.0 or later, or with understudy ({flag} names it).",
        )
    if version <= RENDERED_ONLY:
        envelope.metrics = {}
    return Prior(envelope, origin=origin, flag=flag, source_text=SOURCE_TEXT in data)


def schema_version(address: str | None) -> int:
    """12 for `https://schemas.getdbt.com/dbt/manifest/v12.json`; 0 for anything else."""
    found = SCHEMA.search(address or "")
    return int(found.group(1)) if found else 0


def damaged(origin: str, what: str, flag: str) -> StateError:
    """The error for a state whose entry cannot be read."""
    return StateError(f"The state is damaged at {what}", place=Place(path=origin), hint=NEXT_STEP.format(flag=flag))
