"""Every option of the command line as a row: its names, kind, default, environment variables and help.

The command line is built from this table, options are resolved by it, and the reference of the documentation is written
from it. Names, kinds and defaults are those of dbt 1.11 (`dbt build --help`).
"""

from __future__ import annotations

import sys
from typing import Any, Literal, NamedTuple

Kind = Literal["switch", "text", "path", "number", "choice", "words", "choices", "yaml", "time", "age"]
"""What a value is. `words` and `choices` take several words: `-s a b c`."""
OLD_SELECT = "an old name of --select"
"""What stands for `--models`, `--model` or `-m` among the flags of a command line, where one of them was written."""
Status = Literal["works", "idle", "later"]
"""`idle`: accepted because scripts pass it, and without effect here. `later`: refused in this version."""


class Option(NamedTuple):
    """One option. `name` is the field of `Options`; `flags` are its spellings, `negative` the one that turns it off."""

    name: str
    flags: tuple[str, ...]
    kind: Kind
    help: str
    negative: str | None = None
    default: Any = None
    choices: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    """Environment variables, the first that is set counts. `!NAME` means the opposite of its value."""
    metavar: str = ""
    status: Status = "works"
    repeats: bool = False
    """Each use adds a value, in order."""
    minimum: int = 0

    @property
    def flag(self) -> str:
        """The long spelling by which messages speak of it."""
        return next(flag for flag in self.flags if flag.startswith("--"))


def _row(flags: str, kind: Kind, help: str, *, env: str | None = "", old: str = "", **more: Any) -> Option:
    """A row of the table.

    Args:
        flags: the spellings, parted by spaces; `--a/--no-a` names a switch with its negative.
        env: the variable without its prefix; empty: as the option is called; None: there is none.
        old: an old name of the variable; `!` means that it says the opposite.
    """
    words = [word.partition("/") for word in flags.split()]
    spellings = tuple(positive for positive, _, _ in words)
    long = next(flag for flag in spellings if flag.startswith("--"))[2:].replace("-", "_")
    variables = [f"{prefix}{(env or long).upper()}" for prefix in PREFIXES] if env is not None else []
    if old:
        mark = "!" * old.startswith("!")
        variables += [f"{mark}{prefix}{old.removeprefix('!')}" for prefix in PREFIXES]
    more = {"name": long, "default": DEFAULTS.get(kind), "metavar": METAVARS.get(kind, ""), **more}
    negative = next((opposite for _, _, opposite in words if opposite), None)
    return Option(flags=spellings, kind=kind, help=help, negative=negative, env=tuple(variables), **more)


PREFIXES = ("DBT_ENGINE_", "DBT_")
DEFAULTS: dict[Kind, Any] = {"switch": False, "words": (), "choices": ()}
METAVARS: dict[Kind, str] = {
    "path": "PATH",
    "number": "N",
    "yaml": "YAML",
    "time": "TIME",
    "age": "AGE",
    "choices": "TYPES",
}
RESOURCE_TYPES = (
    "metric", "semantic_model", "saved_query", "source", "analysis", "function", "model", "test", "unit_test",
    "exposure", "snapshot", "seed", "default", "all",
)  # fmt: skip
FORMATS = ("text", "debug", "json", "default")
LEVELS = ("debug", "info", "warn", "error", "none")
FILE_LIMIT = 10 * 1024 * 1024

_SELECTION: tuple[Option, ...] = (
    _row("--select -s --models --model -m", "words",
         "Nodes to include: names, paths, `tag:x`, `state:modified+` ...", env=None, metavar="NODES"),
    _row("--exclude", "words", "Nodes to leave out.", env=None, metavar="NODES"),
    _row("--selector", "text", "A selector of selectors.yml, by its name.", env=None, metavar="NAME"),
    _row("--resource-type --resource-types", "choices",
         "Only resources of these types.", name="resource_types", env="RESOURCE_TYPES", choices=RESOURCE_TYPES),
    _row("--exclude-resource-type --exclude-resource-types", "choices",
         "No resources of these types.",
         name="exclude_resource_types", env="EXCLUDE_RESOURCE_TYPES", choices=RESOURCE_TYPES[:-1]),
    _row("--indirect-selection", "choice",
         "Which tests come along with the nodes they test.",
         default="eager", choices=("eager", "cautious", "buildable", "empty")),
    _row("--models --model -m", "words",
         "Models to include; nothing but models is listed.", name="models", env=None, metavar="MODELS"),
)  # fmt: skip

_STATE: tuple[Option, ...] = (
    _row("--state", "path",
         "Another run's artifacts: what `state:` compares with, and what deferral reads.", old="ARTIFACT_STATE_PATH"),
    _row("--defer/--no-defer", "switch",
         "Let the state's relations stand in for nodes that are not built here.", old="DEFER_TO_STATE"),
    _row("--defer-state", "path",
         "A state for deferral alone; --state then only compares. May be given again: the first that knows a node wins.",
         default=(), repeats=True),
    _row("--favor-state/--no-favor-state", "switch",
         "Prefer the state's relation even where the target has its own.", old="FAVOR_STATE_MODE"),
    _row("--favor", "choice",
         "Which relation an unselected node's references read where both are there: the target's, the target's if it is "
         "built from today's code, or the state's (as --favor-state)",
         default="target", choices=("current", "target", "state")),
    _row("--explain/--no-explain", "switch", "Before anything runs, print why, and where each reference goes.",
         env=None),
    _row("--verify-state/--no-verify-state", "switch",
         "Check before anything runs that deferred relations are there.", default=True),
    _row("--clone-incrementals/--no-clone-incrementals", "switch",
         "Before an incremental model or snapshot would be built from nothing, clone the state's table, and add to that."),
    _row("--clone-limit", "number", "How many rows of each table are cloned; 0: none, only its columns.",
         metavar="ROWS"),
    _row("--state-max-age", "age", "Warn when the state is older: 90m, 24h, 7d.", default=86400.0),
)  # fmt: skip

_BUILDING: tuple[Option, ...] = (
    _row("--full-refresh -f", "switch", "Build incremental models and seeds anew instead of adding to them."),
    _row("--fail-fast/--no-fail-fast -x", "switch", "Stop at the first failure."),
    _row("--threads", "number", "How many nodes may run at once (else the profile says).", env=None, minimum=1),
    _row("--store-failures", "switch", "Keep the failing rows of tests in tables."),
    _row("--fuse-tests/--no-fuse-tests", "switch",
         "Ask tests of one relation by one query; those that fail are run singly (else: where it is proven to be the same).",
         default=None),
    _row("--show", "switch", "Show the first rows of each seed that was loaded.", env=None),
    _row("--inline", "text", "Take this SQL instead of a node of the project.", env=None, metavar="SQL"),
    _row("--inline-direct", "text", "Run this SQL as it stands: no Jinja, and the project is not read.", env=None,
         metavar="SQL"),
    _row("--limit", "number", "How many rows to show; -1: all.", env=None, default=5,
         minimum=-sys.maxsize),
    _row("--introspect/--no-introspect", "switch", "Let templates ask the database while they compile.", default=True),
    _row("--empty/--no-empty", "switch", "Build with no rows from refs and sources."),
    _row("--sample", "text", "Build from a window of time of refs and sources: '3 days'.", metavar="WINDOW"),
    _row("--event-time-start", "time", "Microbatch models: the first moment to build."),
    _row("--event-time-end", "time", "Microbatch models: the moment to stop before."),
    _row("--args", "yaml", "Arguments of the macro, as YAML: '{name: value}'.", env=None, default="{}"),
    _row("--upgrade", "switch", "Look for newer versions than those of package-lock.yml.", env=None),
    _row("--lock", "switch", "Only write package-lock.yml; install nothing.", env=None),
    _row("--add-package", "text", "Add a package to packages.yml first.", env=None, metavar="NAME@VERSION"),
    _row("--source", "choice", "Where the added package comes from.", env=None, default="hub",
         choices=("git", "hub", "local")),
    _row("--dry-run", "switch", "Say what would be installed, and change nothing.", env=None),
    _row("--skip-profile-setup -s", "switch", "Write no profiles.yml.", env=None),
    _row("--clean-project-files-only/--no-clean-project-files-only", "switch",
         "Delete nothing outside of the project.", default=True),
    _row("--compile/--no-compile", "switch", "Compile first, so that the page shows SQL.", name="compile_", env=None,
         default=True),
    _row("--empty-catalog", "switch", "Ask the database nothing: the page has no types of columns.", env=None),
    _row("--static", "switch", "Also write static_index.html: the page with everything in it, to send or to keep.",
         env=None),
    _row("--port", "number", "The port to listen on; 0: any that is free.", env=None, default=8080),
    _row("--host", "text", "The address to listen on.", default="127.0.0.1"),
    _row("--browser/--no-browser", "switch", "Open the page in the browser.", env=None, default=True),
    _row("--connection", "switch", "Only test the connection.", env=None),
    _row("--config-dir", "switch", "Only print where profiles.yml is looked for.", env=None),
)  # fmt: skip

_PROJECT: tuple[Option, ...] = (
    _row("--target -t", "text", "The target to use, of the profile's outputs.", metavar="NAME"),
    _row("--profile", "text", "The profile to use instead of the project's.", metavar="NAME"),
    _row("--profiles-dir", "path", "Where profiles.yml is (else: here, the project, ~/.dbt)."),
    _row("--project-dir", "path", "Where dbt_project.yml is (else: here or a folder above)."),
    _row("--target-path", "path", "Where artifacts are written (else: target)."),
    _row("--vars", "yaml",
         "Variables as YAML, before those of dbt_project.yml: '{key: value}'.", env=None, default="{}"),
    _row("--version-check/--no-version-check", "switch", "Hold the project's require-dbt-version.", default=True),
    _row("--partial-parse/--no-partial-parse", "switch", "Reuse what the last run parsed.", default=True),
    _row("--write-json/--no-write-json", "switch", "Write manifest.json and run_results.json.", default=True),
)  # fmt: skip

_OUTPUT: tuple[Option, ...] = (
    _row("--output", "choice",
         "The form of each line.", env=None, default="selector", choices=("json", "name", "path", "selector")),
    _row("--output-keys", "words", "Keys to show with --output json; dots reach inward.", env=None, metavar="KEYS"),
    _row("--output", "choice",
         "The form of the output.", name="output_text", env=None, default="text", choices=("json", "text")),
    _row("--output -o", "path", "Where sources.json is written (else: the target directory).", name="output_path",
         env=None),
    _row("--quiet/--no-quiet -q", "switch", "Say nothing but errors and results."),
    _row("--debug/--no-debug -d", "switch", "Say everything: each reference's decision, statements, tracebacks."),
    _row("--warn-error", "switch", "Treat every warning as an error."),
    _row("--warn-error-options", "yaml",
         "Which warnings are errors: '{error: all, warn: [...], silence: [...]}'.", default="{}"),
    _row("--show-all-deprecations/--no-show-all-deprecations", "switch",
         "Tell each place of a deprecated spelling (else: the first of its kind).", env=None),
    _row("--log-format", "choice",
         "The form of messages; json: one object per line", default="default", choices=FORMATS),
    _row("--log-level", "choice", "The least severe messages to print.", default="info", choices=LEVELS),
    _row("--log-path", "path", "The folder of the log file (else: logs)."),
    _row("--log-format-file", "choice", "The form of the log file", default="debug", choices=FORMATS),
    _row("--log-level-file", "choice",
         "The least severe messages in the log file", default="debug", choices=LEVELS),
    _row("--log-file-max-bytes", "number",
         "When the log file is put aside for a new one; 0: never.", default=FILE_LIMIT),
    _row("--print/--no-print", "switch", "Print what templates print().", name="print_", default=True, old="!NO_PRINT"),
    _row("--printer-width", "number", "How wide lines may be (else: the terminal).", minimum=20),
    _row("--use-colors/--no-use-colors", "switch", "Colours (else: on a terminal, unless NO_COLOR is set).",
         default=None),
    _row("--use-colors-file/--no-use-colors-file", "switch", "Colours in the log file."),
    _row("--record-timing-info -r", "path", "Profile the run with cProfile and write the figures here.", env=None),
)  # fmt: skip


def _idle(flags: str, kind: Kind = "switch", *, env: bool = True) -> Option:
    return _row(flags, kind, "Accepted for dbt's sake, without effect.", env="" if env else None, status="idle")


_IDLE: tuple[Option, ...] = (
    _idle("--static-parser/--no-static-parser"),
    _idle("--use-experimental-parser/--no-use-experimental-parser"),
    _idle("--cache-selected-only/--no-cache-selected-only"),
    _idle("--populate-cache/--no-populate-cache"),
    _idle("--send-anonymous-usage-stats/--no-send-anonymous-usage-stats"),
    _idle("--upload-to-artifacts-ingest-api/--no-upload-to-artifacts-ingest-api"),
    _idle("--log-cache-events/--no-log-cache-events"),
    _idle("--macro-debugging/--no-macro-debugging"),
    _idle("--partial-parse-file-path", "path"),
    _idle("--partial-parse-file-diff/--no-partial-parse-file-diff"),
    _idle("--single-threaded/--no-single-threaded"),
    _idle("--use-fast-test-edges/--no-use-fast-test-edges"),
    _idle("--show-resource-report/--no-show-resource-report"),
    _idle("--sqlparse", "yaml"),
    _idle("--export-saved-queries/--no-export-saved-queries"),
    _idle("--include-saved-query/--no-include-saved-query"),
    _idle("--inject-ephemeral-ctes/--no-inject-ephemeral-ctes", env=False),
)

GROUPS: dict[str, tuple[Option, ...]] = {
    "Selection": _SELECTION,
    "State and deferral": _STATE,
    "Building": _BUILDING,
    "Project and target": _PROJECT,
    "Output": _OUTPUT,
    "Without effect": _IDLE,
}
"""The rows under the headings of the help."""
OPTIONS: dict[str, Option] = {row.name: row for rows in GROUPS.values() for row in rows}
"""All rows by name."""

_LOCAL_IDLE = frozenset({"sqlparse", "export_saved_queries", "include_saved_query", "inject_ephemeral_ctes"})
GLOBAL: tuple[str, ...] = (
    "indirect_selection", "state", "defer", "defer_state", "favor_state", "favor", "verify_state", "state_max_age", "fail_fast",
    "target", "profile", "version_check", "partial_parse", "write_json", "quiet", "debug", "warn_error",
    "warn_error_options", "show_all_deprecations", "log_format", "log_level", "log_path", "log_format_file", "log_level_file",
    "log_file_max_bytes", "print_", "printer_width", "use_colors", "use_colors_file", "record_timing_info",
    *(option.name for option in _IDLE if option.name not in _LOCAL_IDLE),
)  # fmt: skip
"""Options that every command has, and that may stand before it."""

_WHERE = ("profiles_dir", "project_dir", "target_path", "vars")
_CHOICE = ("select", "exclude", "selector")
_TYPES = ("resource_types", "exclude_resource_types")
_CLONE = ("clone_incrementals", "clone_limit")
_BATCH = ("empty", "sample", "event_time_start", "event_time_end", "sqlparse")
LOCAL: dict[str, tuple[str, ...]] = {
    "build": (
        *_CHOICE, *_TYPES, "full_refresh", "threads", "store_failures", "fuse_tests", "show", "explain", *_CLONE, *_WHERE, *_BATCH,
        "export_saved_queries", "include_saved_query",
    ),
    "run": (*_CHOICE, "full_refresh", "threads", "explain", *_CLONE, *_WHERE, *_BATCH),
    "test": (*_CHOICE, *_TYPES, "store_failures", "fuse_tests", "threads", *_WHERE, "sqlparse"),
    "snapshot": (*_CHOICE, "threads", *_CLONE, *_WHERE, "empty", "sqlparse"),
    "seed": (*_CHOICE, "full_refresh", "show", "threads", *_WHERE, "sqlparse"),
    "compile": (
        *_CHOICE, "inline", "output_text", "full_refresh", "introspect", "threads", *_WHERE, "empty", "sqlparse",
        "inject_ephemeral_ctes",
    ),
    "show": (
        *_CHOICE, "inline", "inline_direct", "limit", "output_text", "full_refresh", "introspect", "threads", *_WHERE,
        "sqlparse",
    ),
    "clone": (*_CHOICE, *_TYPES, "full_refresh", "threads", "clone_limit", *_WHERE),
    "retry": ("full_refresh", "threads", *_CLONE, *_WHERE),
    "run-operation": ("args", "threads", *_WHERE),
    "source freshness": (*_CHOICE, "output_path", "threads", *_WHERE, "sqlparse"),
    "deps": ("upgrade", "lock", "add_package", "source", "dry_run", "profiles_dir", "project_dir", "vars"),
    "init": ("skip_profile_setup", "profiles_dir", "project_dir", "vars"),
    "list": (*_CHOICE, "models", *_TYPES, "output", "output_keys", *_WHERE),
    "parse": ("threads", *_WHERE),
    "docs generate": (*_CHOICE, "compile_", "empty_catalog", "static", "threads", *_WHERE, "sqlparse"),
    "docs serve": ("port", "host", "browser", *_WHERE),
    "debug": ("connection", "config_dir", "profiles_dir", "project_dir", "vars"),
    "plan": (*_CHOICE, *_TYPES, "output_text", "full_refresh", "threads", "store_failures", *_CLONE, *_WHERE, *_BATCH),
    "explain": (*_CHOICE, *_TYPES, "output_text", "full_refresh", "threads", *_CLONE, *_WHERE, *_BATCH),
    "clean": ("clean_project_files_only", *_WHERE),
}  # fmt: skip
"""What each command has beside the global options."""


class Argument(NamedTuple):
    """The one word that a command takes beside its options. `name` is the field of `Options`."""

    name: str
    metavar: str
    help: str
    required: bool = False
    many: bool = False
    """It takes several words; the field holds them as a tuple."""


ARGUMENTS: dict[str, Argument] = {
    "init": Argument("project_name", "NAME", "The project's name, and the folder's that is made for it."),
    "run-operation": Argument("macro", "MACRO", "The macro to call: its name, or package.name.", required=True),
    "explain": Argument("nodes", "NODE...", "The nodes to explain, as --select names them.", required=True, many=True),
}
"""The commands that take a word; the others take options only."""


def options_of(command: str) -> tuple[Option, ...]:
    """All options of a command, as they are spelt there: `list` has `--models` apart from `--select`."""
    rows = [OPTIONS[name] for name in (*LOCAL[command], *GLOBAL)]
    taken = {flag for row in rows if row.name == "models" for flag in row.flags}
    return tuple(_without(row, taken) if row.name == "select" else row for row in rows)


def _without(row: Option, taken: set[str]) -> Option:
    return row._replace(flags=tuple(flag for flag in row.flags if flag not in taken))
