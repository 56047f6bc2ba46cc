"""Checks on the whole project, and what only the whole project tells: primary keys, unused config."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from understudy.core.card import Card
from understudy.core.config import TREES, unused
from understudy.core.manifest import Manifest
from understudy.core.nodes import REFABLE, BaseNode, GenericTest, Model, Node, Snapshot
from understudy.core.project import Settings
from understudy.core.warning import Warning_
from understudy.errors import DuplicateError, ParseError, Place, UnderstudyError, did_you_mean, raise_all
from understudy.parse.configs import Configs
from understudy.parse.parsing import Parsing


def settle_disabled(parsing: Parsing) -> None:
    """Move nodes to where their final `enabled` says: a properties file may switch them off or on (cleanup_disabled)."""
    manifest = parsing.manifest
    for node in [node for node in _built(manifest) if not node.config["enabled"]]:
        parsing.forget(node)
        parsing.disabled.setdefault(node.name, []).append(node)
        manifest.disabled.setdefault(node.unique_id, []).append(node)
    for unique_id, resources in list(manifest.disabled.items()):
        enabled = [each for each in resources if isinstance(each, BaseNode) and each.config["enabled"]]
        if not enabled:
            continue
        rest = [each for each in resources if not each.config["enabled"]]
        if rest:
            manifest.disabled[unique_id] = rest
        else:
            del manifest.disabled[unique_id]
        for node in enabled:
            parsing.put(node)


def _built(manifest: Manifest) -> Iterator[Node]:
    yield from manifest.nodes.values()
    yield from manifest.functions.values()


def infer_primary_keys(parsing: Parsing) -> None:
    """A model's primary key: its constraints, else the columns that tests say are unique (dbt 1.11: infer_primary_key)."""
    tests: dict[str, list[GenericTest]] = {}
    manifest = parsing.manifest
    everything = [*manifest.nodes.values(), *(each for many in manifest.disabled.values() for each in many)]
    for node in everything:
        if isinstance(node, GenericTest) and node.attached_node:
            tests.setdefault(node.attached_node, []).append(node)
    for model in manifest.nodes.values():
        if isinstance(model, Model):
            model.primary_key = sorted(_primary_key(model, tests.get(model.unique_id, [])))


def _primary_key(model: Model, tests: list[GenericTest]) -> list[str]:
    for constraint in model.constraints:
        if constraint["type"] == "primary_key":
            return list(constraint["columns"])
    for name, column in model.columns.items():
        if any(constraint["type"] == "primary_key" for constraint in column["constraints"]):
            return [name]
    enabled: set[str] = set()
    disabled: set[str] = set()
    filled: set[str] = set()
    for test in tests:
        kwargs, name = test.test_metadata.kwargs, test.test_metadata.name
        columns = kwargs.get("column_name")
        if not isinstance(columns, str):
            columns = kwargs.get("combination_of_columns")
        for each in [columns] if isinstance(columns, str) else columns if isinstance(columns, list) else []:
            if not isinstance(each, str):
                continue
            if name in ("unique", "unique_combination_of_columns"):
                (enabled if test.config["enabled"] else disabled).add(each)
            elif name == "not_null":
                filled.add(each)
    return list(filled & (enabled | disabled)) or list(enabled) or list(disabled)


def check(parsing: Parsing, standing: Iterable[Card] = (), groups: Iterable[str] = ()) -> None:
    """Raises DuplicateError, ParseError, or a list of them; warns of names, and of config that holds for nothing.

    Args:
        standing: nodes of the manifest that were not made anew, and are right by themselves.
        groups: the names of groups that were not made anew.
    """
    every: list[Any] = [*standing, *parsing.manifest.nodes.values()]
    every.sort(key=lambda node: node.unique_id)
    relational = (node for node in every if node.relation_name is not None or node.resource_type in REFABLE)
    errors: list[UnderstudyError] = [
        *_relations(parsing, relational),
        *_values(parsing, groups),
        *_spaces(parsing, every),
    ]
    raise_all(errors)


def _relations(parsing: Parsing, nodes: Iterable[Any]) -> list[UnderstudyError]:
    """Two nodes must not be one relation, nor have one name in a package (dbt 1.11: _check_resource_uniqueness)."""
    errors: list[UnderstudyError] = []
    by_relation: dict[str, Any] = {}
    by_name: dict[tuple[str, str], Any] = {}
    for node in nodes:
        name = node.relation_name or parsing.would_be(node)
        other = by_relation.setdefault(name, node)
        if other is not node:
            errors.append(
                DuplicateError(
                    f"Two nodes are the relation {name}: {other.unique_id} ({other.original_file_path}) "
                    f"and {node.unique_id} ({node.original_file_path})",
                    place=parsing.place(node),
                    hint="Give one of them another alias or schema",
                )
            )
            continue
        other = by_name.setdefault((node.package_name, node.name), node)
        if other is not node and other.resource_type != "test":
            errors += _same_name(parsing, other, node)
    return errors


def _same_name(parsing: Parsing, first: Any, second: Any) -> list[UnderstudyError]:
    versioned = [each.resource_type == "model" and each.version is not None for each in (first, second)]
    message = f"{first.unique_id} ({first.original_file_path}) and {second.unique_id} ({second.original_file_path})"
    place = parsing.place(second)
    if all(versioned):
        return []
    if any(versioned) or parsing.settings.flags.get("require_unique_project_resource_names"):
        return [DuplicateError(f"Two nodes have one name: {message}", place=place, hint="Rename one of them")]
    parsing.warn("DuplicateNameDistinctNodeTypesDeprecation", f"Two nodes have one name: {message}", place)
    return []


def _values(parsing: Parsing, standing_groups: Iterable[str]) -> list[UnderstudyError]:
    """Groups that are not there, public ephemeral models, snapshots without strategy."""
    errors: list[UnderstudyError] = []
    groups = {*standing_groups, *(group.name for group in parsing.manifest.groups.values())}
    for node in parsing.manifest.nodes.values():
        place = Place(node.original_file_path, node=node.unique_id)
        if node.group and node.group not in groups:
            hint = did_you_mean(node.group, groups) or f"Known groups: {', '.join(sorted(groups)) or 'none'}"
            errors.append(
                ParseError(f"The group '{node.group}' of '{node.name}' is not defined", place=place, hint=hint)
            )
        if isinstance(node, Model) and node.access == "public" and node.is_ephemeral:
            message = f"'{node.name}' is ephemeral, so its access cannot be public"
            errors.append(ParseError(message, place=place, hint="Materialize it, or make it protected"))
        if isinstance(node, Snapshot):
            problem = _snapshot_problem(node)
            if problem:
                errors.append(ParseError(f"The snapshot '{node.name}' {problem}", place=place))
    return errors


def _spaces(parsing: Parsing, every: Iterable[Any]) -> list[UnderstudyError]:
    """Names must not hold spaces (dbt's flag require_resource_names_without_spaces)."""
    nodes = [node for node in every if " " in node.name]
    if parsing.settings.flags.get("require_resource_names_without_spaces", True):
        return [
            ParseError(f"The name '{node.name}' holds a space", place=parsing.place(node), hint="Rename it")
            for node in nodes
        ]
    for node in nodes:
        parsing.warn("SpacesInResourceNameDeprecation", f"The name '{node.name}' holds a space", parsing.place(node))
    if nodes:
        parsing.warn("ResourceNamesWithSpacesDeprecation", f"Resources with a space in their name: {len(nodes)}")
    return []


def _snapshot_problem(node: Snapshot) -> str | None:
    config = node.config
    if not config["strategy"] or not config["unique_key"]:
        return "must have a 'strategy' and a 'unique_key'"
    if config["strategy"] == "check":
        if not config["check_cols"]:
            return "with the check strategy must have 'check_cols'"
        if isinstance(config["check_cols"], str) and config["check_cols"] != "all":
            return f"has check_cols {config['check_cols']!r}; they are a list, or 'all'"
    if config["strategy"] == "timestamp":
        if not config["updated_at"]:
            return "with the timestamp strategy must have 'updated_at'"
        if config["check_cols"]:
            return "with the timestamp strategy must not have 'check_cols'"
    return None


PLURALS = {tree: kind for kind, tree in TREES.items()}


def unused_config(settings: Settings, resources: Iterable[Any], disabled: Iterable[Any]) -> Warning_ | None:
    """What there is to say of config of the root project that holds for no resource, enabled or not."""
    configs, root = Configs(settings), settings.root.name
    trees = {tree: configs.tree(root, PLURALS.get(tree, "model")) for tree in ("models", *PLURALS)}
    configured = {tree: level for tree, level in trees.items() if level.configured()}
    if not configured:
        return None
    fqns: dict[str, list[list[str]]] = {}
    for resource in resources:
        fqns.setdefault(TREES.get(resource.resource_type, f"{resource.resource_type}s"), []).append(resource.fqn)
    off = [each.fqn for each in disabled]
    paths: list[str] = []
    for tree, level in configured.items():
        paths += [".".join((tree, *path)) for path in unused(level, [*fqns.get(tree, []), *off])]
    if not paths:
        return None
    lines = "".join(f"\n- {path}" for path in paths)
    message = f"Config in dbt_project.yml that holds for nothing:{lines}"
    return Warning_("UnusedResourceConfigPath", message, Place("dbt_project.yml"))
