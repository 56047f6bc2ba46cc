"""What else stands in properties files: macros' descriptions, and snapshots in YAML."""

from __future__ import annotations

from understudy.core.nodes import Checksum, RefArgs, Snapshot
from understudy.errors import DuplicateError, Place
from understudy.parse.configure import set_config
from understudy.parse.entries import Found
from understudy.parse.parsing import NOTHING, Parsing, below, patch_path
from understudy.template import literal


def patch_macro(parsing: Parsing, found: Found) -> None:
    """Description, arguments, meta and docs of a macro. Raises DuplicateError for a second entry, YamlError."""
    file, entry = found.file, found.entry
    unique_id = f"macro.{file.package}.{found.name}"
    macro = parsing.manifest.macros.get(unique_id)
    if macro is None:
        parsing.cells.note("macro", unique_id)
        message = f"There is no macro for the entry '{found.name}' in {file.path}"
        parsing.warn("MacroNotFoundForPatch", message, Place(file.path))
        return
    parsing.cells.touch(unique_id)
    if macro.patch_path:
        other = macro.patch_path.split("://", 1)[-1]
        message = f"The macro '{macro.name}' has two entries: in {other} and in {file.path}"
        raise DuplicateError(message, place=found.place(node=macro.unique_id), hint="Keep one of them")
    config = found.typed(entry, "config", dict, {})
    docs = config.get("docs") or found.typed(entry, "docs", dict, {})
    macro.patch_path = patch_path(file)
    macro.description = found.typed(entry, "description", str, "")
    macro.meta = {**found.typed(entry, "meta", dict, {}), **(config.get("meta") or {})}
    macro.docs = {"show": docs.get("show", True), "node_color": docs.get("node_color")}
    macro.config = {"meta": macro.meta, "docs": macro.docs}
    arguments = [
        {"name": each["name"], "type": each.get("type"), "description": each.get("description", "")}
        for each in found.typed(entry, "arguments", list, [])
        if isinstance(each, dict) and "name" in each
    ]
    if parsing.settings.flags.get("validate_macro_args"):
        _check_arguments(
            parsing, found, [each["name"] for each in macro.arguments], [each["name"] for each in arguments]
        )
        arguments = arguments or macro.arguments
    macro.arguments = arguments


def _check_arguments(parsing: Parsing, found: Found, real: list[str], written: list[str]) -> None:
    """dbt's flag `validate_macro_args`: the arguments in YAML must be those of the macro."""
    if written and written != real:
        message = f"The macro '{found.name}' takes ({', '.join(real)}), but its entry names ({', '.join(written)})"
        parsing.warn("InvalidMacroAnnotation", message, Place(found.file.path))


def add_yaml_snapshot(parsing: Parsing, found: Found) -> None:
    """A snapshot whose entry names a `relation` needs no SQL (dbt 1.11: _add_yaml_snapshot_nodes_to_manifest)."""
    relation = found.raw.get("relation")
    if relation is None:
        return
    file, name, target = found.file, found.name, parsing.settings.target
    parsing.cells.note("file", file.package, file.path)  # for its checksum
    calls = literal.scan("{{ " + str(relation) + " }}")
    if calls is None or len(calls.refs) + len(calls.sources) != 1:
        hint = "Write ref('model') or source('name', 'table')"
        raise found.error(
            f"The relation {relation!r} of the snapshot '{name}' cannot be understood", "relation", hint=hint
        )
    node = Snapshot(
        database=target.database,
        schema=target.schema,
        alias=name,
        name=name,
        package_name=file.package,
        path=f"{file.relative_path}/{name}.sql",
        original_file_path=file.path,
        unique_id=f"snapshot.{file.package}.{name}",
        fqn=[file.package, *below(file), name],
        raw_code="select * from {{ " + str(relation) + " }}",
        checksum=Checksum("sha256", file.checksum),
        config={},
    )
    node.refs = [RefArgs(each.name, each.package, each.version) for each in calls.refs]
    node.sources = [list(each) for each in calls.sources]
    set_config(parsing, node, NOTHING)
    parsing.add(node)
