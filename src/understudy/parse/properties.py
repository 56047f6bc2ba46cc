"""Properties of models, seeds, snapshots, analyses and singular tests: the entry in YAML meets its node."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from understudy.core.nodes import Config, Function, Model, Node, SingularTest
from understudy.core.walk import deep_merge, plain
from understudy.errors import DuplicateError, ParseError, Place
from understudy.parse.cells import MISSING
from understudy.parse.columns import constraint, contract_checksum, read_columns
from understudy.parse.configure import constraint_refs, set_config
from understudy.parse.entries import Found, columns_of, normalize
from understudy.parse.parsing import NOTHING, Parsing, one, patch_path

KINDS = {
    "models": "model", "seeds": "seed", "snapshots": "snapshot", "analyses": "analysis", "data_tests": "test",
    "functions": "function",
}  # fmt: skip


def patch_node(parsing: Parsing, found: Found) -> list[Node]:
    """Apply an entry to the node of its name, enabled or not; a warning where there is none. Returns the nodes.

    Raises DuplicateError where the node has an entry already, YamlError or ParseError where a value cannot be.
    """
    nodes = _nodes(parsing, found)
    for node in nodes:
        parsing.cells.touch(node.unique_id)
        if node.config["enabled"] and node.patch_path:
            other = node.patch_path.split("://", 1)[-1]
            raise DuplicateError(
                f"The {node.resource_type} '{node.name}' has two entries: in {other} and in {found.file.path}",
                place=found.place(node=node.unique_id),
                hint="Keep one of them",
            )
        apply(parsing, found, node)
    return nodes


def _nodes(parsing: Parsing, found: Found) -> list[Node]:
    """The node that an entry speaks of, or the disabled ones."""
    kind, name, package = KINDS[found.key], found.name, found.file.package
    if kind == "analysis":
        unique_id = one(parsing.analyses, name, None)
    elif kind == "test":
        unique_id = one(parsing.tests, name, package)
    elif kind == "function":
        unique_id = one(parsing.functions, name, package)
    else:
        unique_id = parsing.find(name, package) or parsing.find(name, None)
    if unique_id is not None:
        node = parsing.manifest.node(unique_id)
        if node.resource_type == kind:
            return [node]
        message = (
            f"'{name}' is a {node.resource_type}, but stands under '{found.key}' in {found.file.path}; "
            f"its properties have no effect"
        )
        parsing.cells.touch(unique_id)
        parsing.warn("WrongResourceSchemaFile", message, Place(found.file.path))
        return []
    disabled = parsing.find_disabled(name, package, kind)
    if len(disabled) > 1 and found.entry.get("config", {}).get("enabled"):
        raise several_disabled(found, name, disabled)
    if not disabled:
        missing(parsing, found, name)
    return disabled


def several_disabled(found: Found, name: str, disabled: list[Node]) -> ParseError:
    """The error that an entry enables one of several disabled nodes, nobody knows which."""
    files = ", ".join(node.original_file_path for node in disabled)
    hint = "Enable it in dbt_project.yml or in its own file"
    return found.error(f"'{name}' is the name of several disabled nodes ({files})", "config", hint=hint)


def missing(parsing: Parsing, found: Found, name: str) -> None:
    """Warn that an entry's node is not there."""
    parsing.cells.note(MISSING, name)
    message = f"There is no node for the entry '{name}' under '{found.key}' in {found.file.path}"
    parsing.warn("NoNodeForYamlKey", message, Place(found.file.path))


def apply(parsing: Parsing, found: Found, node: Node) -> None:
    """An unversioned node takes its entry: config first, for constraints depend on the contract."""
    entry, config = found.entry, found.entry["config"]
    parsing.used(node.unique_id, found.uses)
    if config:
        patch_config(parsing, node, config, found.raw.get("config"))
    if isinstance(node, SingularTest):
        node.patch_path = patch_path(found.file)
        node.description = found.typed(entry, "description", str, "")
        return
    apply_properties(parsing, found, node, entry, read_columns(found, columns_of(found, entry)))


def patch_config(parsing: Parsing, node: Node, config: Config, raw: Any) -> None:
    """Compute the node's config again, now with what the properties file says."""
    patch = dict(config)
    if isinstance(node, Model) and node.language == "python":
        patch.setdefault("materialized", "table")
    raw_patch = deep_merge(patch, plain(raw)) if isinstance(raw, dict) else patch
    set_config(parsing, node, parsing.calls.get(id(node), NOTHING), patch, raw_patch)


def apply_properties(
    parsing: Parsing, found: Found, node: Node, entry: dict[str, Any], columns: dict[str, Any]
) -> None:
    """Description, columns and, for models, constraints, deprecation date and time spine."""
    node.patch_path = patch_path(found.file)
    node.description = found.typed(entry, "description", str, "")
    node.columns = columns
    if not isinstance(node, Model):
        return
    node.deprecation_date = deprecation_date(found, entry)
    node.time_spine = _time_spine(found, entry)
    apply_constraints(found, node, found.typed(entry, "constraints", list, []))
    _warn_of_constraints(parsing, found, node)


def _warn_of_constraints(parsing: Parsing, found: Found, node: Model) -> None:
    """Only tables have constraints (dbt 1.11: _validate_constraint_prerequisites)."""
    constraints = [*node.constraints, *(each for column in node.columns.values() for each in column["constraints"])]
    wanted = any(each["warn_unsupported"] for each in constraints)
    if node.contract.enforced and wanted and node.materialized not in ("table", "incremental"):
        message = (
            f"The constraints of '{node.name}' are ignored, for a {node.materialized} has none; "
            "'warn_unsupported: false' in a constraint says that you know"
        )
        parsing.warn("UnsupportedConstraintMaterialization", message, Place(found.file.path))


def patch_function(parsing: Parsing, found: Found) -> None:
    """Config, description and signature of a function (dbt 1.11: FunctionPatchParser). Raises YamlError, ParseError."""
    normalize(found)
    entry = found.entry
    for node in patch_node(parsing, found):
        if not isinstance(node, Function):
            continue
        returns = entry.get("returns")
        if not isinstance(returns, dict) or not isinstance(returns.get("data_type"), str):
            raise found.error(f"The function '{node.name}' must say the data_type that it returns", "returns")
        node.returns = {key: returns.get(key) for key in ("data_type", "description")}
        node.arguments = [_argument(found, each) for each in found.typed(entry, "arguments", list, [])]
        defaults = [each["default_value"] is not None for each in node.arguments]
        if defaults != sorted(defaults):
            hint = "Put the arguments with a default value last"
            raise found.error(
                f"An argument without default follows one with a default in '{node.name}'", "arguments", hint=hint
            )


def _argument(found: Found, value: Any) -> dict[str, Any]:
    known = isinstance(value, dict) and isinstance(value.get("name"), str)
    if not known or not isinstance(value.get("data_type"), str):
        message = f"An argument of '{found.name}' must be a map with name and data_type, not {value!r:.60}"
        raise found.error(message, "arguments")
    return {key: value.get(key) for key in ("name", "data_type", "description", "default_value")}


def apply_constraints(found: Found, node: Model, constraints: list[Any]) -> None:
    """Constraints, the references in them, and the contract's checksum. Raises ParseError where they cannot hold."""
    node.constraints = [constraint(found, each, of_model=True) for each in constraints]
    keyed = [c["name"] for c in node.columns.values() if any(x["type"] == "primary_key" for x in c["constraints"])]
    of_model = any(each["type"] == "primary_key" for each in node.constraints)
    if len(keyed) > 1 or (keyed and of_model):
        hint = "A primary key of several columns is a constraint of the model"
        raise found.error(f"The model '{node.name}' has more than one primary key", "constraints", hint=hint)
    if node.contract.enforced:
        if not node.columns:
            raise found.error(f"The contract of '{node.name}' is enforced, but it has no columns", "config")
        node.contract.checksum = contract_checksum(node)
    constraint_refs(node)


def deprecation_date(found: Found, entry: dict[str, Any]) -> str | None:
    """As ISO text with a time zone; a date without one is meant in UTC (dbt takes the machine's zone)."""
    value = entry.get("deprecation_date")
    if value is None:
        return None
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else datetime(value.year, value.month, value.day)
    except (ValueError, AttributeError):
        raise found.error(f"The deprecation date {value!r} of '{found.name}' is no date", "deprecation_date") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).isoformat()


def _time_spine(found: Found, entry: dict[str, Any]) -> dict[str, Any] | None:
    spine = found.typed(entry, "time_spine", dict, None)
    if not spine:
        return None
    custom = [
        {"name": each["name"], "column_name": each.get("column_name")} for each in spine.get("custom_granularities", [])
    ]
    return {"standard_granularity_column": spine.get("standard_granularity_column"), "custom_granularities": custom}
