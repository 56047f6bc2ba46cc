"""The nodes of a project, with the fields and names of dbt's manifest v12.

A node is written to `manifest.json` as it stands here, so no field is added that the schema does not know; what the
engine notes beside that (lines, variables used) stands in the side tables of `core.manifest.Manifest`.
`parse` builds nodes; afterwards they are values: nobody changes them, except `graph.link`, which fills `depends_on.nodes`.
Names with a trailing underscore do not occur: attributes are dbt's keys.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Version = str | float | int
ResourceType = Literal[
    "model", "seed", "snapshot", "test", "analysis", "operation", "function", "source", "exposure", "metric",
    "semantic_model", "saved_query", "unit_test", "macro", "doc", "group",
]  # fmt: skip
Config = dict[str, Any]
"""A node's config: every known key with its value or default, in dbt's order, then the project's own keys (core.config)."""
Column = dict[str, Any]
"""One column of `columns`: name, description, meta, data_type, constraints, quote, config, tags, granularity, doc_blocks, and extras."""


class Checksum(msgspec.Struct):
    """The digest of a file's stripped text: `sha256`, or `none` for generated nodes, or `path` for dbt's large seeds."""

    name: str
    checksum: str


class RefArgs(msgspec.Struct, frozen=True):
    """The arguments of one `ref()` call."""

    name: str
    package: str | None = None
    version: Version | None = None


class DependsOn(msgspec.Struct):
    """unique_ids, each once, in the order of their first use."""

    macros: list[str] = []
    nodes: list[str] = []


class MacroDependsOn(msgspec.Struct):
    """What a seed or a macro depends on: macros only."""

    macros: list[str] = []


class Contract(msgspec.Struct):
    """The contract of a node; the checksum covers names, types and constraints of the columns."""

    enforced: bool = False
    alias_types: bool = True
    checksum: str | None = None


class BaseNode(msgspec.Struct, kw_only=True):
    """What everything that has a relation, or could have one, shares."""

    database: str | None
    schema: str
    name: str
    resource_type: str
    package_name: str
    path: str
    original_file_path: str
    unique_id: str
    fqn: list[str]
    alias: str
    checksum: Checksum
    config: Config
    tags: list[str] = []
    description: str = ""
    columns: dict[str, Column] = {}
    meta: dict[str, Any] = {}
    group: str | None = None
    docs: dict[str, Any] = {}
    patch_path: str | None = None
    build_path: str | None = None
    unrendered_config: Config = {}
    created_at: float = 0.0
    relation_name: str | None = None
    raw_code: str = ""
    doc_blocks: list[str] = []

    @property
    def materialized(self) -> str:
        """The materialization's name (`view`, `table`, `ephemeral`, `seed`, `test`, ...)."""
        return str(self.config.get("materialized", ""))

    @property
    def is_ephemeral(self) -> bool:
        """Whether references to the node are inlined as a CTE."""
        return self.resource_type == "model" and self.materialized == "ephemeral"


class CompilableNode(BaseNode, kw_only=True):
    """A node whose code is a template: everything but seeds."""

    language: str = "sql"
    refs: list[RefArgs] = []
    sources: list[list[str]] = []
    metrics: list[list[str]] = []
    functions: list[list[str]] = []
    depends_on: DependsOn = msgspec.field(default_factory=DependsOn)
    compiled_path: str | None = None
    contract: Contract = msgspec.field(default_factory=Contract)


class Model(CompilableNode, kw_only=True):
    """A model."""

    resource_type: str = "model"
    access: str = "protected"
    constraints: list[dict[str, Any]] = []
    version: Version | None = None
    latest_version: Version | None = None
    deprecation_date: str | None = None
    primary_key: list[str] = []
    time_spine: dict[str, Any] | None = None


class Seed(BaseNode, kw_only=True):
    """A CSV file that is loaded as a table."""

    resource_type: str = "seed"
    root_path: str | None = None
    depends_on: MacroDependsOn = msgspec.field(default_factory=MacroDependsOn)


class Snapshot(CompilableNode, kw_only=True):
    """A table that keeps the history of a query's rows."""

    resource_type: str = "snapshot"


class Function(CompilableNode, kw_only=True):
    """A user-defined function."""

    resource_type: str = "function"
    arguments: list[dict[str, Any]] = []
    returns: dict[str, Any] = {}


class Analysis(CompilableNode, kw_only=True):
    """A query that is compiled and never run."""

    resource_type: str = "analysis"


class SingularTest(CompilableNode, kw_only=True):
    """A query of the project's own that must return no rows."""

    resource_type: str = "test"


class TestMetadata(msgspec.Struct):
    """Which generic test, with which arguments (`model` as the Jinja that builds the relation)."""

    __test__ = False  # pytest must not collect it

    name: str
    kwargs: dict[str, Any]
    namespace: str | None = None


class GenericTest(CompilableNode, kw_only=True):
    """A test that a properties file puts on a model, seed, snapshot or source."""

    resource_type: str = "test"
    column_name: str | None = None
    file_key_name: str | None = None
    attached_node: str | None = None
    test_metadata: TestMetadata


class Operation(CompilableNode, kw_only=True):
    """One hook of `on-run-start` or `on-run-end`."""

    resource_type: str = "operation"
    index: int | None = None


class SqlOperation(CompilableNode, kw_only=True):
    """A query that was given on the command line; it is part of no file, and of no manifest that is written."""

    resource_type: str = "sql_operation"


class Source(msgspec.Struct, kw_only=True):
    """A table that somebody else builds."""

    database: str | None
    schema: str
    name: str
    resource_type: str = "source"
    package_name: str
    path: str
    original_file_path: str
    unique_id: str
    fqn: list[str]
    source_name: str
    source_description: str = ""
    loader: str = ""
    identifier: str
    quoting: dict[str, bool | None] = {}
    loaded_at_field: str | None = None
    loaded_at_query: str | None = None
    freshness: dict[str, Any] | None = None
    external: dict[str, Any] | None = None
    description: str = ""
    columns: dict[str, Column] = {}
    meta: dict[str, Any] = {}
    source_meta: dict[str, Any] = {}
    tags: list[str] = []
    config: Config
    patch_path: str | None = None
    unrendered_config: Config = {}
    relation_name: str | None = None
    created_at: float = 0.0
    unrendered_database: str | None = None
    unrendered_schema: str | None = None
    doc_blocks: list[str] = []


class Exposure(msgspec.Struct, kw_only=True):
    """A use of the project's data outside of it."""

    name: str
    resource_type: str = "exposure"
    package_name: str
    path: str
    original_file_path: str
    unique_id: str
    fqn: list[str]
    type: str
    owner: dict[str, Any]
    description: str = ""
    label: str | None = None
    maturity: str | None = None
    meta: dict[str, Any] = {}
    tags: list[str] = []
    config: Config
    unrendered_config: Config = {}
    url: str | None = None
    depends_on: DependsOn = msgspec.field(default_factory=DependsOn)
    refs: list[RefArgs] = []
    sources: list[list[str]] = []
    metrics: list[list[str]] = []
    created_at: float = 0.0


class UnitTest(msgspec.Struct, kw_only=True):
    """A test of one model's logic on rows that it brings itself.

    `given` and `expect` are maps with (input,) rows, format and fixture; rows are maps, or SQL as text.
    """

    model: str
    given: list[dict[str, Any]]
    expect: dict[str, Any]
    name: str
    resource_type: str = "unit_test"
    package_name: str
    path: str
    original_file_path: str
    unique_id: str
    fqn: list[str]
    description: str = ""
    overrides: dict[str, Any] | None = None
    depends_on: DependsOn = msgspec.field(default_factory=DependsOn)
    config: Config
    checksum: str | None = None
    schema: str | None = None
    created_at: float = 0.0
    versions: dict[str, Any] | None = None
    version: Version | None = None

    @property
    def versioned_name(self) -> str:
        """The name with the version of the model that it tests."""
        return self.name if self.version is None else f"{self.name}_v{self.version}"


class Metric(msgspec.Struct, kw_only=True):
    """A metric of the semantic layer: read for the graph, selection and comparison; nothing computes it."""

    name: str
    resource_type: str = "metric"
    package_name: str
    path: str
    original_file_path: str
    unique_id: str
    fqn: list[str]
    description: str = ""
    label: str
    type: str
    type_params: dict[str, Any]
    filter: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    time_granularity: str | None = None
    meta: dict[str, Any] = {}
    tags: list[str] = []
    config: Config
    unrendered_config: Config = {}
    sources: list[list[str]] = []
    depends_on: DependsOn = msgspec.field(default_factory=DependsOn)
    refs: list[RefArgs] = []
    metrics: list[list[str]] = []
    created_at: float = 0.0
    group: str | None = None


class SemanticModel(msgspec.Struct, kw_only=True):
    """A model as the semantic layer sees it: entities, dimensions, measures."""

    name: str
    resource_type: str = "semantic_model"
    package_name: str
    path: str
    original_file_path: str
    unique_id: str
    fqn: list[str]
    model: str
    node_relation: dict[str, Any] | None = None
    description: str | None = None
    label: str | None = None
    defaults: dict[str, Any] | None = None
    entities: list[dict[str, Any]] = []
    measures: list[dict[str, Any]] = []
    dimensions: list[dict[str, Any]] = []
    metadata: dict[str, Any] | None = None
    depends_on: DependsOn = msgspec.field(default_factory=DependsOn)
    refs: list[RefArgs] = []
    created_at: float = 0.0
    config: Config
    unrendered_config: Config = {}
    primary_entity: str | None = None
    group: str | None = None


class SavedQuery(msgspec.Struct, kw_only=True):
    """A query of metrics that is kept under a name, with the tables and views that it is exported to."""

    name: str
    resource_type: str = "saved_query"
    package_name: str
    path: str
    original_file_path: str
    unique_id: str
    fqn: list[str]
    query_params: dict[str, Any]
    exports: list[dict[str, Any]] = []
    description: str | None = None
    label: str | None = None
    metadata: dict[str, Any] | None = None
    config: Config
    unrendered_config: Config = {}
    group: str | None = None
    depends_on: DependsOn = msgspec.field(default_factory=DependsOn)
    created_at: float = 0.0
    refs: list[RefArgs] = []
    tags: list[str] = []


class Group(msgspec.Struct, kw_only=True):
    """A set of models with an owner; its private models may be used only within it."""

    name: str
    resource_type: str = "group"
    package_name: str
    path: str
    original_file_path: str
    unique_id: str
    owner: dict[str, Any]
    description: str | None = None
    config: Config = {}


class Macro(msgspec.Struct, kw_only=True):
    """A Jinja macro, test, materialization or snapshot block of the project or a package, or one of ours (`macro.dbt.*`)."""

    name: str
    resource_type: str = "macro"
    package_name: str
    path: str
    original_file_path: str
    unique_id: str
    macro_sql: str
    depends_on: MacroDependsOn = msgspec.field(default_factory=MacroDependsOn)
    description: str = ""
    meta: dict[str, Any] = {}
    docs: dict[str, Any] = {}
    config: Config = {}
    patch_path: str | None = None
    arguments: list[dict[str, Any]] = []
    created_at: float = 0.0
    supported_languages: list[str] | None = None


class Doc(msgspec.Struct, kw_only=True):
    """A `{% docs %}` block."""

    name: str
    resource_type: str = "doc"
    package_name: str
    path: str
    original_file_path: str
    unique_id: str
    block_contents: str


Test = SingularTest | GenericTest
Node = Model | Seed | Snapshot | SingularTest | GenericTest | Analysis | Operation | SqlOperation | Function
"""What stands under `nodes` in the manifest (functions under `functions`)."""
Semantic = Metric | SemanticModel | SavedQuery
"""What belongs to the semantic layer."""
Resource = Node | Source | Exposure | UnitTest | Semantic
"""What a selection can name."""

REFABLE = frozenset({"model", "seed", "snapshot"})
"""Resource types that `ref()` can name."""
BUILT = frozenset({"model", "seed", "snapshot", "function"})
"""Resource types that leave a relation (or a function) in the database."""
