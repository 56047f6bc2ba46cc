"""Config: the known keys of each resource type in dbt's order, how layers merge, and the config trees of `dbt_project.yml`.

A config is a dict with every known key and then the project's own keys in the order in which they came. Layers apply from
the general to the particular (dbt 1.11: calculate_node_config): the node's own project from its root to the node, the
properties file, the in-file `config()` calls, then, for a package's nodes, the root project.
Configs are shared between nodes: nobody changes a nested value in place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from understudy.core.nodes import Config
from understudy.errors import ParseError

COMMON: Config = {
    "enabled": True, "alias": None, "schema": None, "database": None, "tags": [], "meta": {}, "group": None,
    "static_analysis": None,
}  # fmt: skip
NODE: Config = {
    **COMMON,
    "materialized": "view", "incremental_strategy": None, "batch_size": None, "lookback": 1, "begin": None,
    "persist_docs": {}, "post-hook": [], "pre-hook": [], "quoting": {}, "column_types": {}, "full_refresh": None,
    "unique_key": None, "on_schema_change": "ignore", "on_configuration_change": "apply", "grants": {}, "packages": [],
    "docs": {"show": True, "node_color": None}, "contract": {"enforced": False, "alias_types": True}, "event_time": None,
    "concurrent_batches": None,
}  # fmt: skip
SNAPSHOT_COLUMNS: Config = dict.fromkeys(
    ("dbt_valid_to", "dbt_valid_from", "dbt_scd_id", "dbt_updated_at", "dbt_is_deleted")
)
FRESHNESS: Config = {
    "warn_after": {"count": None, "period": None},
    "error_after": {"count": None, "period": None},
    "filter": None,
}

DEFAULTS: Mapping[str, Config] = {
    "model": {**NODE, "access": "protected", "freshness": None},
    "seed": {**NODE, "materialized": "seed", "delimiter": ",", "quote_columns": None},
    "snapshot": {
        **NODE, "materialized": "snapshot", "strategy": None, "target_schema": None, "target_database": None,
        "updated_at": None, "check_cols": None, "snapshot_meta_column_names": SNAPSHOT_COLUMNS, "dbt_valid_to_current": None,
    },
    "analysis": NODE,
    "operation": NODE,
    "function": {
        **NODE, "materialized": "function", "type": "scalar", "volatility": None, "runtime_version": None, "entry_point": None,
    },
    "test": {
        **COMMON, "schema": "dbt_test__audit", "materialized": "test", "severity": "ERROR", "store_failures": None,
        "store_failures_as": None, "where": None, "limit": None, "fail_calc": "count(*)", "warn_if": "!= 0",
        "error_if": "!= 0",
    },
    "source": {
        "enabled": True, "event_time": None, "freshness": FRESHNESS, "loaded_at_field": None, "loaded_at_query": None,
        "meta": {}, "tags": [], "static_analysis": None,
    },
    "exposure": {"enabled": True, "tags": [], "meta": {}},
    "group": {"meta": {}},
    "unit_test": {"tags": [], "meta": {}, "enabled": True, "static_analysis": None},
    "metric": {"enabled": True, "group": None, "meta": {}},
    "semantic_model": {"enabled": True, "group": None, "meta": {}},
    "saved_query": {
        "enabled": True, "group": None, "meta": {}, "export_as": None, "schema": None, "cache": {"enabled": False},
    },
}  # fmt: skip
"""Known keys with their defaults, per resource type, in the order of dbt 1.11's manifest."""

TREES: Mapping[str, str] = {
    "seed": "seeds", "snapshot": "snapshots", "source": "sources", "test": "data_tests", "exposure": "exposures",
    "unit_test": "unit_tests", "metric": "metrics", "semantic_model": "semantic_models", "saved_query": "saved_queries",
    "function": "functions",
}  # fmt: skip
"""Which tree of `dbt_project.yml` holds for a resource type; everything else is under `models` (dbt 1.11: RenderedConfig)."""

HOOKS = ("pre-hook", "post-hook")
APPEND = frozenset({*HOOKS, "tags", "packages"})
UPDATE = frozenset({"quoting", "column_types", "meta", "docs", "contract"})
CLOBBERED: Mapping[str, frozenset[str]] = {"source": frozenset({"tags"}), "exposure": frozenset({"tags", "meta"})}
"""Keys whose later value replaces the earlier one for a type, though elsewhere they add up."""
RECORDS: Mapping[str, Config] = {
    "docs": NODE["docs"],
    "contract": NODE["contract"],
    "snapshot_meta_column_names": SNAPSHOT_COLUMNS,
}
"""Keys whose value has a fixed set of fields."""


def refreshes(config: Mapping[str, Any], full_refresh: bool) -> bool:
    """Whether a node is built anew: its own `full_refresh` counts before the command line's."""
    configured = config.get("full_refresh")
    return full_refresh if configured is None else bool(configured)


def hook_name(key: str) -> str:
    """`pre_hook` and `post_hook` are other spellings of the names with a hyphen."""
    return key.replace("_", "-") if key in ("pre_hook", "post_hook") else key


def hook(value: Any) -> dict[str, Any]:
    """The normal form of a hook: SQL text, JSON text or a map becomes a map with sql, transaction and index.

    Raises ParseError when it has no SQL.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = {"sql": value}
    if not isinstance(value, dict) or not isinstance(value.get("sql"), str):
        raise ParseError(f"A hook must be SQL text or a map with 'sql', not {value!r}")
    return {"sql": value["sql"], "transaction": value.get("transaction", True), "index": value.get("index")}


def listed(value: Any) -> list[Any]:
    """A list as it is (copied), anything else as a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def merge(config: Config, layer: Mapping[str, Any], kind: str) -> Config:
    """A config with one more layer over it; the arguments stay as they are (dbt 1.11: BaseConfig.update_from).

    Raises ParseError when a value that adds up to a map is none.
    """
    if not layer:
        return config
    result = dict(config)
    clobbered = CLOBBERED.get(kind, frozenset())
    known = DEFAULTS[kind]
    for name, value in layer.items():
        key = hook_name(name)
        if key in HOOKS and key not in known:
            continue  # hooks are for what is built
        if key not in known or key in clobbered:
            result[key] = value
        elif key in APPEND:
            added = [hook(each) for each in listed(value)] if key in HOOKS else listed(value)
            result[key] = listed(result[key]) + added
        elif key in UPDATE:
            result[key] = {**result[key], **_map(key, value)}
        elif key == "grants":
            result[key] = _grants(result[key], _map(key, value))
        else:
            result[key] = value
        if key in RECORDS and key in known:
            fields = RECORDS[key]
            result[key] = {**fields, **{k: v for k, v in _map(key, result[key]).items() if k in fields}}
        elif key == "static_analysis" and isinstance(value, bool):
            result[key] = "on" if value else "off"  # YAML reads a bare on and off as booleans
        elif key == "freshness" and kind == "model":
            result[key] = _model_freshness(value)
    return result


def _map(key: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ParseError(f"The config '{key}' must be a map, not {value!r}")
    return value


def _grants(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    """`+privilege` adds grantees to those of the layers below, `privilege` replaces them."""
    result = {key: listed(value) for key, value in old.items()}
    for name, value in new.items():
        key = name.lstrip("+")
        result[key] = (result.get(key, []) if name.startswith("+") else []) + listed(value)
    return result


def _model_freshness(value: Any) -> Config | None:
    """A model's freshness counts only where `build_after` is given (dbt 1.11: ModelConfig.__pre_deserialize__)."""
    if not isinstance(value, Mapping) or not isinstance(value.get("build_after"), Mapping):
        return None
    after = dict(value["build_after"])
    known = {"count": after.pop("count", None), "period": after.pop("period", None)}
    return {**value, "build_after": {**known, "updates_on": after.pop("updates_on", "any"), **after}}


def combine_calls(calls: Config, call: Mapping[str, Any]) -> Config:
    """What several `config()` calls of one file say together (dbt 1.11: merge_config_dicts). The first is kept as it is."""
    if not calls:
        return dict(call)
    result = dict(calls)
    for name, value in call.items():
        key = hook_name(name)
        if key in APPEND:
            result[key] = listed(result[key]) + listed(value) if key in result else listed(value)
        elif key in UPDATE:
            old = result.get(key)
            result[key] = {**old, **_map(key, value)} if isinstance(old, Mapping) else _map(key, value)
        elif key == "grants":
            result[key] = _combine_grants(result.get(key, {}), _map(key, value))
        elif key == "snapshot_meta_column_names":
            result[key] = {**result.get(key, {}), **_map(key, value)}
        else:
            result[key] = value
    return result


def _combine_grants(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    """As `_grants`, but the plus sign stays, for it means the layers below the file, too."""
    result = {key: listed(value) for key, value in old.items()}
    for key, value in new.items():
        result[key] = (result.get(key, []) if key.startswith("+") else []) + listed(value)
    return result


def settle(previous: Config, config: Config) -> Config:
    """The config that a node gets: what a later layer sets to null stays as it was before that layer.

    dbt 1.11 writes a node's config over the one that it had, without nulls (update_parsed_node_config_dict). Keys of the
    project's own keep the order in which they first came.
    """
    known = DEFAULTS["model"]
    result = dict(previous)
    for key, value in config.items():
        if value is not None or (key not in result and key not in known):
            result[key] = value
    return result


STORED = {"ephemeral": False, "table": True, "view": True}


def finish(config: Config, kind: str) -> Config:
    """Settle the keys that depend on each other and check types. Raises ParseError naming the key (dbt 1.11: validate)."""
    for key, types in TYPES.items():
        value = config.get(key)
        if value is not None and not isinstance(value, types):
            expected = " or ".join(WORDS[t] for t in (types if isinstance(types, tuple) else (types,)))
            raise ParseError(f"The config '{key}' must be {expected}, not {value!r}")
    if not all(isinstance(tag, str) for tag in listed(config.get("tags") or [])):
        raise ParseError(f"The config 'tags' must be text, or a list of texts, not {config['tags']!r}")
    if kind in ("seed", "snapshot", "test") and config["materialized"] not in (kind, None, ""):
        raise ParseError(f"A {kind} must have a materialized value of '{kind}', not {config['materialized']!r}")
    for key, choices in CHOICES.get(kind, {}).items():
        if config[key] is not None and config[key] not in choices:
            raise ParseError(f"The config '{key}' must be one of {', '.join(choices)}, not {config[key]!r}")
    if kind == "test":
        if str(config["severity"]).upper() not in ("WARN", "ERROR"):
            raise ParseError(f"Severity must be 'warn' or 'error', not {config['severity']!r}")
        if config["store_failures_as"] is not None:
            return {**config, "store_failures": STORED.get(config["store_failures_as"], True)}
        if config["store_failures"] is not None:
            return {**config, "store_failures_as": "table" if config["store_failures"] else "ephemeral"}
    return config


CHOICES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "function": {
        "type": ("scalar", "aggregate", "table"), "volatility": ("deterministic", "stable", "non-deterministic"),
    },
    "saved_query": {"export_as": ("table", "view")},
}  # fmt: skip
WORDS = {bool: "true or false", str: "text", int: "a whole number", list: "a list", dict: "a map"}
TYPES: Mapping[str, Any] = {
    "enabled": bool, "alias": str, "schema": str, "database": str, "tags": (list, str), "meta": dict, "group": str,
    "materialized": str, "incremental_strategy": str, "persist_docs": dict, "full_refresh": bool, "unique_key": (str, list),
    "on_schema_change": str, "store_failures": bool, "store_failures_as": str, "where": str, "limit": int, "fail_calc": str,
    "warn_if": str, "error_if": str, "delimiter": str, "quote_columns": bool, "access": str, "strategy": str,
    "target_schema": str, "target_database": str, "severity": str,
}  # fmt: skip


class Level(msgspec.Struct):
    """One level of a config tree: its own config, and the levels below it by name."""

    own: Config = msgspec.field(default_factory=dict)
    below: dict[str, Level] = msgspec.field(default_factory=dict)
    path: tuple[str, ...] = ()

    @classmethod
    def of(cls, tree: Mapping[str, Any] | None, path: tuple[str, ...] = ()) -> Level:
        """Read a tree: `+key` is config, as is every value that is no map; a map without `+` is a level."""
        level = cls(path=path)
        for key, value in (tree or {}).items():
            name = str(key)
            if name.startswith("+"):
                level.own[name[1:].strip()] = value
            elif isinstance(value, dict):
                level.below[name] = cls.of(value, (*path, name))
            else:
                level.own[name] = value
        return level

    def layers(self, fqn: Iterable[str]) -> list[Config]:
        """The configs that hold for an fqn, from the general to the particular."""
        level, found = self, [self.own]
        for name in fqn:
            below = level.below.get(name)
            if below is None:
                break
            level = below
            found.append(level.own)
        return found

    def configured(self) -> list[tuple[str, ...]]:
        """The paths at which something is configured."""
        paths = [self.path] if self.own else []
        for level in self.below.values():
            paths += level.configured()
        return paths


def unused(tree: Level, fqns: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    """The configured paths of a tree that hold for none of the resources (dbt 1.11: UnusedResourceConfigPath)."""
    prefixes = {tuple(fqn[:n]) for fqn in fqns for n in range(len(fqn) + 1)}
    return [path for path in tree.configured() if path not in prefixes]
