"""What the user asks for, as one value: flags beat environment variables, which beat `flags:` of dbt_project.yml."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from understudy import __version__
from understudy.app.option_table import ARGUMENTS, FILE_LIMIT, LOCAL, OLD_SELECT, OPTIONS, Option, options_of
from understudy.core.warning import Warning_
from understudy.errors import UsageError, did_you_mean

PROJECT_FLAGS = "flags: in dbt_project.yml"
TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
FALSE = frozenset({"0", "false", "f", "no", "n", "off"})
"""How the environment spells a switch, in any case (dbt 1.11: click's BOOL)."""
WARN_ERROR_EXAMPLE = "{error: all, warn: [Name], silence: [Name]}"
RULES_RENAMED = (("include", "error"), ("exclude", "warn"))
"""Keys of `warn_error_options`: their old and their new names."""
ENGINE_PREFIX = "DBT_ENGINE_"
ENGINE_VARIABLES = frozenset(
    ENGINE_PREFIX + name
    for name in (
        "INVOCATION_ENV", "RECORDED_FILE_PATH", "TEST_STATE_MODIFIED", "PACKAGE_HUB_URL", "DOWNLOAD_DIR", "PP_FILE_DIFF_TEST",
        "PP_TEST", "PROFILES_DIR",
    )
)  # fmt: skip
"""Variables of dbt's that belong to no option (dbt 1.11: env_vars)."""
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Options(msgspec.Struct, frozen=True):
    """All options of one invocation, resolved. Fields are named as the options are; what a command lacks has its default.

    `vars` and `warn_error_options` hold YAML text or a map: `variables()` and `WarnRules.of()` read them.
    """

    command: str
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    selector: str | None = None
    resource_types: tuple[str, ...] = ()
    exclude_resource_types: tuple[str, ...] = ()
    indirect_selection: str = "eager"

    state: str | None = None
    defer: bool = False
    defer_state: tuple[str, ...] = ()
    favor_state: bool = False
    favor: str = "target"
    """`target`, `current` or `state`."""
    explain: bool = False
    nodes: tuple[str, ...] = ()
    """The nodes of `explain`."""
    verify_state: bool = True
    state_max_age: float = 86400.0
    """Seconds."""
    clone_incrementals: bool = False
    clone_limit: int | None = None

    full_refresh: bool = False
    fail_fast: bool = False
    threads: int | None = None
    store_failures: bool = False
    fuse_tests: bool | None = None
    """None: as the engine's capabilities say."""
    show: bool = False
    inline: str | None = None
    inline_direct: str | None = None
    limit: int = 5
    introspect: bool = True
    empty: bool = False
    sample: str | None = None
    event_time_start: str | None = None
    event_time_end: str | None = None
    compile_: bool = True
    empty_catalog: bool = False
    static: bool = False
    port: int = 8080
    host: str = "127.0.0.1"
    browser: bool = True
    macro: str | None = None
    """The macro of `run-operation`."""
    args: str | Mapping[str, Any] = "{}"
    upgrade: bool = False
    lock: bool = False
    add_package: str | None = None
    source: str = "hub"
    dry_run: bool = False
    project_name: str | None = None
    """The name that `init` gives."""
    skip_profile_setup: bool = False
    clean_project_files_only: bool = True
    connection: bool = False
    config_dir: bool = False

    target: str | None = None
    profile: str | None = None
    profiles_dir: str | None = None
    project_dir: str | None = None
    target_path: str | None = None
    vars: str | Mapping[str, Any] = "{}"
    version_check: bool = True
    partial_parse: bool = True
    write_json: bool = True

    output: str = ""
    """`list`: selector, name, path or json; `compile`, `show`: text or json; `source freshness`: a path; empty for other commands."""
    output_keys: tuple[str, ...] = ()
    quiet: bool = False
    debug: bool = False
    warn_error: bool = False
    warn_error_options: str | Mapping[str, Any] = "{}"
    show_all_deprecations: bool = False
    log_format: str = "default"
    log_level: str = "info"
    log_path: str | None = None
    log_format_file: str = "debug"
    log_level_file: str = "debug"
    log_file_max_bytes: int = FILE_LIMIT
    print_: bool = True
    printer_width: int | None = None
    use_colors: bool | None = None
    use_colors_file: bool = False
    record_timing_info: str | None = None

    origins: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Field -> where its value was given: `--state`, `DBT_STATE`, `flags: in dbt_project.yml`. Defaults are not in it."""
    notes: tuple[Warning_, ...] = ()
    """What resolving gave cause to say, such as an old name of a variable."""

    def origin(self, name: str) -> str:
        """Where the value was given; the option's long spelling where nobody gave it."""
        return self.origins.get(name) or f"--{name.rstrip('_').replace('_', '-')}"

    def as_args(self) -> dict[str, Any]:
        """The options under dbt's names, for the `args` of run_results.json; what was not given is left out."""
        own = {name: getattr(self, name) for name in self.__struct_fields__ if name in self.origins}
        for name, read in (("vars", variables), ("args", arguments)):
            if name in own:
                own[name] = read(self)
        which = self.command.rpartition(" ")[2]
        return {"which": which, **{k.rstrip("_"): list(v) if isinstance(v, tuple) else v for k, v in own.items()}}


def resolve(
    command: str,
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    project_flags: Mapping[str, Any] | None = None,
) -> Options:
    """The options of one invocation.

    Args:
        flags: what stood on the command line, by the option's name: text, a bool, or a tuple of words.
        environ: the environment; empty variables count as not set.
        project_flags: `flags:` of dbt_project.yml, unrendered. Keys that are no options are somebody else's.
    Raises:
        UsageError: a value that cannot be, options that exclude each other, or one that comes in a later version.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    argument = ARGUMENTS.get(command)
    if argument is not None and argument.name in flags:
        values[argument.name], origins[argument.name] = flags[argument.name], argument.metavar
    notes: list[Warning_] = []
    for row in options_of(command):
        if row.status == "idle":
            continue
        name = "output" if row.name in ("output_text", "output_path") else row.name
        given = _given(row, flags, environ, project_flags or {}, notes)
        values[name] = row.default
        if given is not None:
            raw, origins[name] = given
            values[name] = convert(row, raw, origins[name])
            if row.status == "later" and values[name]:
                hint = "Leave it out, or use dbt for this run"
                raise UsageError(f"{origins[name]} is not in understudy {__version__} yet", hint=hint)
    notes += _old_ways(values, origins, environ, flags)
    _models(values, origins)
    _exclusive(values, origins)
    if command != "retry":  # whose run says the rest
        _limited(values, origins)
    return Options(command=command, **values, origins=origins, notes=tuple(notes))


def _old_ways(
    values: Mapping[str, Any], origins: Mapping[str, str], environ: Mapping[str, str], flags: Mapping[str, Any]
) -> list[Warning_]:
    """Warnings of spellings that dbt means to end: options by their old names, variables in a name space of dbt's."""
    found = []
    if origins.get("warn_error_options"):
        rules = _map(values["warn_error_options"], origins["warn_error_options"], WARN_ERROR_EXAMPLE)
        old = [f"'{name}' is called '{new}' now" for name, new in RULES_RENAMED if name in rules]
        if old:
            message = f"{origins['warn_error_options']}: {', '.join(old)}"
            found.append(Warning_("WEOIncludeExcludeDeprecation", message))
    if flags.get(OLD_SELECT):
        found.append(Warning_("ModelParamUsageDeprecation", f"{flags[OLD_SELECT]} is an old name of --select"))
    known = {entry.lstrip("!") for row in OPTIONS.values() for entry in row.env} | ENGINE_VARIABLES
    for name in sorted(environ):
        if name.startswith(ENGINE_PREFIX) and name not in known:
            message = f"The environment variable {name} is none of dbt's, whose names begin with {ENGINE_PREFIX}"
            found.append(Warning_("EnvironmentVariableNamespaceDeprecation", message))
    return found


def _given(
    row: Option,
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    project_flags: Mapping[str, Any],
    notes: list[Warning_],
) -> tuple[Any, str] | None:
    """The raw value that counts and where it came from."""
    if row.name in flags:
        turned_off = row.negative is not None and flags[row.name] is False
        return flags[row.name], (row.negative or "") if turned_off else row.flag
    for place, entry in enumerate(row.env):
        variable = entry.lstrip("!")
        if not environ.get(variable):
            continue
        current = row.env[1] if len(row.env) > 1 else row.env[0]
        if place > 1:
            notes.append(Warning_("EnvironmentVariableRenamed", f"{variable} is an old name of {current}"))
        if entry.startswith("!"):
            return not _switch(environ[variable], variable), variable
        return environ[variable], variable
    value = project_flags.get(row.name.rstrip("_")) if row.env else None
    return None if value is None else (value, PROJECT_FLAGS)


def convert(row: Option, raw: Any, origin: str) -> Any:
    """The value of an option from text (command line, environment) or a YAML value (`flags:`). Raises UsageError."""
    match row.kind:
        case "switch":
            return _switch(raw, _speak(row, origin))
        case "number":
            return _number(row, raw, origin)
        case "age":
            return _age(raw, _speak(row, origin))
        case "choice":
            return _choice(row, raw, origin)
        case "words" | "choices":
            words = _words(raw)
            return tuple(_choice(row, word, origin) for word in words) if row.kind == "choices" else words
        case "yaml":
            return raw if isinstance(raw, Mapping) else str(raw)
        case _ if row.repeats:
            return (raw,) if isinstance(raw, str) else tuple(str(each) for each in raw)
        case _:
            return str(raw)


def _speak(row: Option, origin: str) -> str:
    """`--threads`, `DBT_DEFER`, `'debug' (flags: in dbt_project.yml)`."""
    return f"'{row.name.rstrip('_')}' ({origin})" if origin == PROJECT_FLAGS else origin


def _switch(raw: Any, origin: str) -> bool:
    text = str(raw).strip().lower()
    if text in TRUE | FALSE:
        return text in TRUE
    raise UsageError(f"{origin} must be true or false, not {raw!r}")


def _number(row: Option, raw: Any, origin: str) -> int:
    try:
        number = int(raw)
    except (TypeError, ValueError):
        raise UsageError(f"{_speak(row, origin)} must be a whole number, not {raw!r}") from None
    if number < row.minimum:
        raise UsageError(f"{_speak(row, origin)} must be at least {row.minimum}, not {number}")
    return number


def _age(raw: Any, origin: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", str(raw).strip().lower())
    if found is None:
        raise UsageError(f"{origin} must be a number with a unit (s, m, h, d, w), such as 24h, not {raw!r}")
    return float(found[1]) * SECONDS[found[2]]


def _choice(row: Option, raw: Any, origin: str) -> str:
    text = str(raw).lower()
    if text in row.choices:
        return text
    hint = did_you_mean(text, row.choices) or f"Known: {', '.join(row.choices)}"
    raise UsageError(f"{_speak(row, origin)} cannot be {raw!r}", hint=hint)


def _words(raw: Any) -> tuple[str, ...]:
    """Words as dbt parts them: each argument at its spaces. An empty argument stays a word, which selects nothing."""
    parts: Sequence[str] = [raw] if isinstance(raw, str) else [str(each) for each in raw]
    return tuple(word for part in parts for word in (part.split() or [""]))


def _models(values: dict[str, Any], origins: dict[str, str]) -> None:
    """`list --models x` is `--select x --resource-type model` (dbt 1.11: ListTask)."""
    models = values.pop("models", ())
    place = origins.pop("models", None)
    if place is None:
        return
    for other in ("select", "resource_types"):
        if other in origins:
            raise UsageError(f"--models and {origins[other]} exclude each other", hint="Use --select alone")
    values.update(select=models, resource_types=("model",))
    origins.update(select=place, resource_types=place)


EXCLUSIVE = (
    ("favor", "favor_state"),
    ("warn_error", "warn_error_options"), ("inline", "select"), ("inline", "selector"),
    ("inline_direct", "inline"), ("inline_direct", "select"), ("inline_direct", "selector"),
)  # fmt: skip


def _exclusive(values: dict[str, Any], origins: dict[str, str]) -> None:
    """Options that exclude each other are refused when given in the same place; else the stronger place wins."""
    for one, other in EXCLUSIVE:
        if one not in origins or other not in origins:
            continue
        ranks = {name: _rank(origins[name]) for name in (one, other)}
        if ranks[one] == ranks[other]:
            raise UsageError(f"{origins[one]} and {origins[other]} exclude each other", hint="Give one of them")
        weaker = max(ranks, key=ranks.__getitem__)
        values[weaker] = {"warn_error": False, "warn_error_options": "{}"}.get(weaker)
        del origins[weaker]


def _limited(values: Mapping[str, Any], origins: Mapping[str, str]) -> None:
    """A limit that is given for a command that clones nothing would be no limit. Raises UsageError."""
    given = origins.get("clone_limit", "")
    if given.startswith("-") and not values.get("clone_incrementals", True):
        hint = "Give both: --clone-incrementals --clone-limit ROWS"
        raise UsageError(f"{given} bounds what --clone-incrementals clones, which is off", hint=hint)


def _rank(origin: str) -> int:
    return 2 if origin == PROJECT_FLAGS else 0 if origin.startswith("-") else 1


def variables(options: Options) -> dict[str, Any]:
    """`--vars` as a map. Raises UsageError where it is no YAML map."""
    return _map(options.vars, options.origin("vars"), "{name: value}")


def arguments(options: Options) -> dict[str, Any]:
    """`--args` as a map. Raises UsageError where it is no YAML map."""
    return {str(name): value for name, value in _map(options.args, options.origin("args"), "{name: value}").items()}


def _map(value: str | Mapping[str, Any], origin: str, example: str) -> dict[str, Any]:
    from understudy.errors import YamlError
    from understudy.parse import yaml

    if isinstance(value, Mapping):
        return dict(value)
    try:
        found = yaml.load(value, origin)
    except YamlError as error:
        raise UsageError(f"{origin} is no YAML: {error.message}", hint=f"Write it as '{example}'") from error
    if not isinstance(found, dict):
        raise UsageError(f"{origin} must be a map, not {value!r}", hint=f"Write it as '{example}'")
    return found


class WarnRules(msgspec.Struct, frozen=True):
    """What becomes of a warning, by its name (dbt 1.11: WarnErrorOptionsV2)."""

    error: frozenset[str] = frozenset()
    """Names; `Deprecations` for all whose names end so; `all`."""
    warn: frozenset[str] = frozenset()
    silence: frozenset[str] = frozenset()

    @classmethod
    def of(cls, options: Options) -> WarnRules:
        """The rules of `--warn-error` and `--warn-error-options`. Raises UsageError where they make no sense."""
        if options.warn_error:
            return cls(error=frozenset({"all"}))
        origin = options.origin("warn_error_options")
        given = _map(options.warn_error_options, origin, WARN_ERROR_EXAMPLE)
        for old, new in RULES_RENAMED:
            if old in given:
                if new in given:
                    raise UsageError(f"{origin}: '{old}' is an old name of '{new}'; only one may be given")
                given[new] = given.pop(old)
        for key in given:
            if key not in ("error", "warn", "silence"):
                raise UsageError(f"{origin}: unknown key '{key}'", hint="Known: error, warn, silence")
        return cls(*(_names(given.get(key), key, origin) for key in ("error", "warn", "silence")))

    def verdict(self, name: str) -> str:
        """`error`, `warn` or `silence`. A name beats the group of deprecations, which beats `all`; then the milder wins."""
        groups = [name, "Deprecations"] if name.endswith("Deprecation") else [name]
        for group in groups:
            for verdict in ("silence", "warn", "error"):
                if group in getattr(self, verdict):
                    return verdict
        return "error" if "all" in self.error else "warn"


def _names(value: Any, key: str, origin: str) -> frozenset[str]:
    if value is None:
        return frozenset()
    if key == "error" and value in ("all", "*"):
        return frozenset({"all"})
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise UsageError(f"{origin}: '{key}' must be a list of names{' or all' * (key == 'error')}, not {value!r}")
    return frozenset("all" if each == "*" and key == "error" else each for each in value)


COMMANDS = tuple(LOCAL)
"""The commands of this version, by their names in dbt."""
