"""Three pages of the reference, from the code: selectors, configuration, artifacts."""

from __future__ import annotations

from collections.abc import Iterator

from understudy.app.option_table import OPTIONS
from understudy.artifacts import catalog, metadata
from understudy.project import environments
from understudy.select import grammar, methods
from understudy.state import diff

EXAMPLES = {
    "access": "access:public", "config": "config.materialized:incremental", "exposure": "+exposure:board", "file": "file:orders.sql",
    "fqn": "orders, shop.marts, marts.orders", "group": "group:finance", "metric": "+metric:turnover", "name": "name:stg_*",
    "package": "package:this", "path": "path:models/marts", "resource_type": "resource_type:snapshot", "result": "result:error+",
    "saved_query": "saved_query:by_day", "semantic_model": "+semantic_model:orders", "source": "source:raw.orders+",
    "source_status": "source_status:fresher+", "state": "state:modified+", "tag": "tag:nightly", "test_name": "test_name:unique",
    "test_type": "test_type:unit", "unit_test": "unit_test:cents", "version": "version:latest",
}  # fmt: skip
NEEDS = {"state": "a state", "result": "a state's run_results.json", "source_status": "two sources.json"}
STATE_SELECTORS = {
    "new": "no counterpart in the state",
    "old": "a counterpart in the state",
    "modified": "contents differ, or a macro that is used, or (of a model) its contract",
    "unmodified": "all others",
    "modified.body": "the code, or a seed's rows",
    "modified.configs": "a config key as it is written, but for names, tags and group",
    "modified.relation": "database, schema or alias as written; of a source also its identifier",
    "modified.persisted_descriptions": "a description that `persist_docs` writes into the database",
    "modified.macros": "a macro of the project or a package that is used, however indirectly",
    "modified.contract": "an enforced contract",
    "modified.vars": "a variable that is looked up, with another value than the state recorded (*ours*; a state that understudy wrote)",
    "modified.env": "an environment variable that is looked up, likewise (*ours*)",
    "removed": "what the state has and the project has not (*ours*; `list`, `plan`)",
}
OPERATORS = (
    ("`orders+`, `orders+2`", "and what is below, all of it or so many steps"),
    ("`+orders`, `2+orders`", "and what is above"),
    ("`@orders`", "and what is below, with everything that this needs"),
    ("`a b`", "union"),
    ("`a,b`", "intersection"),
    ("`--exclude a`", "without these"),
    ("`*`, `?`, `[ab]`", "wildcards in a value"),
)
INDIRECT = {
    "eager": "of any selected node",
    "cautious": "all of whose nodes are selected",
    "buildable": "all of whose nodes are selected, or above what is",
    "empty": "none",
}
KEYS = {
    "defer": "`true`: the environments behind the target's stand in, unless `--no-defer`. Default `false`.",
    "compare": "What `state:` compares with: a path, or `git:REV`. Default: the nearest environment behind the target's.",
    "environments": "A list, from the one where people work to production.",
}
ENVIRONMENT_KEYS = {
    "name": "What people call it.",
    "target": "The target of `profiles.yml` that builds it. Default: its name.",
    "state": "The folder with its artifacts. Without one, nobody defers to it.",
    "id": "The id that `dbt-cloud: defer-env-id` of `dbt_project.yml` names; its name will do, too.",
}
ARTIFACTS = (
    ("target/manifest.json", "every command that parses, but `list` and `show`", metadata.MANIFEST, "every node, its code, config and relation, parents and children"),
    ("target/run_results.json", "`build`, `run`, `test`, `seed`, `snapshot`, `clone`, `compile`, `docs generate`, `run-operation`", metadata.RUN_RESULTS, "what became of each node; `retry` and `result:` read it"),
    ("target/applied.json", "every command that builds", "", "what of it is really built: [applied state](applied-state.md)"),
    ("target/applied-manifest.json", "commands that build nothing", "", "the manifest that `applied.json` belongs to, until the next build"),
    ("target/sources.json", "`source freshness`", metadata.SOURCES, "how old each source is; `source_status:` reads it"),
    ("target/catalog.json", "`docs generate`", catalog.CATALOG, "what stands in the database"),
    ("target/deferral.json", "`docs generate`", "", "where each reference goes, for the page"),
    ("target/index.html", "`docs generate`", "", "the page; `static_index.html` holds everything in one file"),
    ("target/compiled/", "as nodes are compiled", "", "each node's SQL"),
    ("target/run/", "as nodes are built", "", "each node's statements"),
    ("logs/understudy.log", "every command", "", "everything that was told, `--debug` or not"),
    (".understudy/ledger.sqlite", "every command that builds", "", "from which code each relation was built"),
    (".understudy/baselines/", "`--state git:REV`", "", "manifests of commits, the last eight"),
)  # fmt: skip


def selectors() -> str:
    """Methods, operators, what `state:` can say, which tests come along. Raises KeyError where a table here lacks a name."""
    return "\n".join(_selectors()) + "\n"


def _selectors() -> Iterator[str]:
    yield "# Selectors\n"
    yield "`--select`, `--exclude` and `selectors.yml` are dbt's. What cannot be understood is refused, with the nearest name.\n"
    yield "| method | selects | for example | needs |\n|---|---|---|---|"
    for name in grammar.METHODS:
        said = (methods.METHODS[name].__doc__ or "").strip().partition("\n")[0]
        text = said or f"Every {name.replace('_', ' ')} of that name."
        yield f"| `{name}:` | {text} | `{EXAMPLES[name]}` | {NEEDS.get(name, '')} |"
    yield "\nWithout a method, a value with a slash is a `path`, one with a suffix a `file`, any other an `fqn`.\n"
    yield "## Around and between\n"
    yield "| written | meaning |\n|---|---|"
    yield from (f"| {written} | {meaning} |" for written, meaning in OPERATORS)
    yield "\n## What `state:` can say\n"
    yield "| selector | selects what has |\n|---|---|"
    yield from (f"| `state:{name}` | {STATE_SELECTORS[name]} |" for name in diff.SELECTORS)
    yield "\nWhat counts, by kind of node, is told under [state](../explanation/state.md).\n"
    yield "## Which tests come along\n"
    yield "`--indirect-selection` selects the tests of selected nodes:\n"
    yield "| mode | tests |\n|---|---|"
    yield from (f"| `{mode}` | {INDIRECT[mode]} |" for mode in grammar.INDIRECT)


def configuration() -> str:
    """`understudy.yml`, and the environment variables."""
    return "\n".join(_configuration()) + "\n"


def _configuration() -> Iterator[str]:
    yield "# Configuration\n"
    yield "`dbt_project.yml`, `profiles.yml`, `packages.yml`, `dependencies.yml`, `selectors.yml` and `.dbtignore` are dbt's, and are read as"
    yield "they are. A flag beats its environment variable, which beats `flags:` of `dbt_project.yml`, which beats the default.\n"
    yield f"## `{environments.FILE}`\n"
    yield "Beside `dbt_project.yml`; optional. Any other key is an error.\n"
    yield "| key | meaning |\n|---|---|"
    yield from (f"| `{key}` | {KEYS[key]} |" for key in environments.KEYS)
    yield "\nEach environment has:\n"
    yield "| key | meaning |\n|---|---|"
    yield from (f"| `{key}` | {ENVIRONMENT_KEYS[key]} |" for key in environments.ENVIRONMENT_KEYS)
    yield "\nAn example stands in the [tutorial](../tutorial/index.md#say-it-once).\n"
    yield "## Environment variables\n"
    yield "Each option that has one; `DBT_ENGINE_NAME` counts before `DBT_NAME`. The same names, in lower case and without the prefix, may"
    yield "stand under `flags:` of `dbt_project.yml`.\n"
    yield "| variable | option |\n|---|---|"
    for row in OPTIONS.values():
        names = [name for name in row.env if not name.lstrip("!").startswith("DBT_ENGINE_")]
        if names and row.status == "works":
            yield f"| {', '.join(f'`{name.lstrip(chr(33))}`' for name in names)} | `{row.flag}` |"
    yield "\n`DBT_ENV_SECRET_*` may be used in profiles and packages only, and its values never reach a log or an artifact."
    yield "`DBT_ENV_CUSTOM_ENV_*` is written into the artifacts' metadata. `NO_COLOR` turns colours off."


def artifacts() -> str:
    """What is written, by whom, and who reads it."""
    return "\n".join(_artifacts()) + "\n"


def _artifacts() -> Iterator[str]:
    yield "# Artifacts\n"
    yield "Everything is written whole or not at all: a run that is killed leaves the files of the one before. `--target-path` names another"
    yield "folder than `target/`; `--no-write-json` writes none of it.\n"
    yield "| file | written by | schema | holds |\n|---|---|---|---|"
    for path, writer, schema, holds in ARTIFACTS:
        form = f"`{'/'.join(schema.removesuffix('.json').split('/')[-2:])}`" if schema else ""
        yield f"| `{path}` | {writer} | {form} | {holds} |"
    yield "\n`manifest.json` has every field of dbt 1.11's, in an order that does not change from run to run. dbt reads it as a state.\n"
    yield "## What a state needs\n"
    yield "| to | file |\n|---|---|"
    yield "| compare (`state:`) and defer | `manifest.json`: v4 to v12 of dbt 1.x, v20 of dbt 2, ours |"
    yield "| know what of it is really built | [`applied.json`](applied-state.md), with the manifest that it belongs to |"
    yield "| select by `result:`, and estimate times | `run_results.json`: v4 to v6 |"
    yield "| select by `source_status:` | `sources.json` |\n"
    yield "`plan --output json` and `explain --output json` print documents of a [published schema](plan-schema.json)."
