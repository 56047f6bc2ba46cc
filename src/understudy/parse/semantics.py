"""Semantic models, metrics and saved queries: what the manifest holds of them (dbt 1.11: schema_yaml_readers).

They are read for the graph, selection and comparison. Whether MetricFlow could answer them is not checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from understudy.core.nodes import Metric, RefArgs, SavedQuery, SemanticModel
from understudy.errors import UnderstudyError
from understudy.parse.configure import generated_names
from understudy.parse.entries import Entry, Found, texts
from understudy.parse.parsing import Parsing, below, duplicate
from understudy.template import literal

TYPES = ("simple", "ratio", "cumulative", "derived", "conversion")
GRAINS = (
    "nanosecond", "microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year",
)  # fmt: skip
MEASURE = ("name", "filter", "alias", "join_to_timespine", "fill_nulls_with")
INPUT = ("name", "filter", "alias", "offset_window", "offset_to_grain")


def _common(parsing: Parsing, found: Found, kind: str, entry: Entry) -> dict[str, Any]:
    """The fields that all three have: where they stand, and their config."""
    file = found.file
    fqn = [file.package, *below(file), str(entry["name"])]
    patch = found.typed(entry, "config", dict, {})
    config = parsing.configs.config(kind, file.package, fqn, {}, patch)
    return {
        "name": entry["name"],
        "package_name": file.package,
        "path": file.relative_path,
        "original_file_path": file.path,
        "unique_id": f"{kind}.{file.package}.{entry['name']}",
        "fqn": fqn,
        "label": found.typed(entry, "label", (str, type(None)), None),
        "config": config,
        "unrendered_config": parsing.configs.unrendered(kind, file.package, fqn, {}, patch),
        "group": config["group"],
    }


def _add(parsing: Parsing, part: dict[str, Any], resource: Metric | SemanticModel | SavedQuery) -> None:
    parsing.cells.touch(resource.unique_id)
    if not resource.config["enabled"]:
        parsing.manifest.disabled.setdefault(resource.unique_id, []).append(resource)
        return
    other = part.get(resource.unique_id)
    if other is not None:
        kind = resource.resource_type.replace("_", " ")
        raise duplicate(kind, resource.name, other.original_file_path, resource.original_file_path, resource.unique_id)
    part[resource.unique_id] = resource


def add_metric(parsing: Parsing, found: Found) -> None:
    """A metric. Its measures and parents are found when the graph is linked. Raises YamlError or DuplicateError."""
    _metric(parsing, found, found.entry)


def _metric(parsing: Parsing, found: Found, entry: Entry) -> None:
    kind = entry.get("type")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        hint = f"It is one of {', '.join(TYPES)}"
        raise found.error(f"The type of the metric '{entry['name']}' cannot be {kind!r}", "type", hint=hint)
    common = _common(parsing, found, "metric", entry)
    if common["label"] is None:
        raise found.error(f"The metric '{entry['name']}' must have a label", "label")
    params = found.typed(entry, "type_params", dict, {})
    meta = common["config"]["meta"] or found.typed(entry, "meta", dict, {})
    metric = Metric(
        **common,
        description=found.typed(entry, "description", str, ""),
        type=kind.lower(),
        type_params=_type_params(found, kind.lower(), params),
        filter=where(entry.get("filter")),
        time_granularity=entry.get("time_granularity"),
        meta=meta,
        tags=texts(entry.get("tags")),
    )
    _add(parsing, parsing.manifest.metrics, metric)


def _type_params(found: Found, kind: str, params: Mapping[str, Any]) -> dict[str, Any]:
    conversion = params.get("conversion_type_params")
    measure, expr = params.get("measure"), params.get("expr")
    return {
        "measure": None if measure is None else _measure(found, measure),
        "input_measures": [],
        "numerator": _metric_input(found, params.get("numerator")),
        "denominator": _metric_input(found, params.get("denominator")),
        "expr": None if expr is None else str(expr),
        "window": _window(found, params.get("window")),
        "grain_to_date": params.get("grain_to_date"),
        "metrics": [
            _metric_input(found, each) for each in found.typed(params, "metrics", (list, type(None)), None) or []
        ],
        "conversion_type_params": None if conversion is None else _conversion(found, conversion),
        "cumulative_type_params": _cumulative(found, params) if kind == "cumulative" else None,
        "metric_aggregation_params": None,
    }


def _cumulative(found: Found, params: Mapping[str, Any]) -> dict[str, Any]:
    """The map of its own; the older spelling stands beside it."""
    own = found.typed(params, "cumulative_type_params", dict, {})
    return {
        "window": _window(found, own.get("window") or params.get("window")),
        "grain_to_date": own.get("grain_to_date") or params.get("grain_to_date"),
        "period_agg": own.get("period_agg", "first"),
        "metric": None,
    }


def _conversion(found: Found, params: Any) -> dict[str, Any]:
    if not isinstance(params, dict) or not isinstance(params.get("entity"), str):
        raise found.error(f"The conversion of the metric '{found.name}' must name its 'entity'", "type_params")
    return {
        "base_measure": _measure(found, params.get("base_measure")),
        "conversion_measure": _measure(found, params.get("conversion_measure")),
        "entity": params["entity"],
        "calculation": params.get("calculation", "conversion_rate"),
        "window": _window(found, params.get("window")),
        "constant_properties": params.get("constant_properties"),
    }


def _named(found: Found, value: Any, what: str) -> Mapping[str, Any]:
    """A name, or a map with one."""
    if isinstance(value, str):
        return {"name": value}
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise found.error(
            f"A {what} of '{found.name}' must be a name, or a map with one, not {value!r:.60}", "type_params"
        )
    return value


def _measure(found: Found, value: Any) -> dict[str, Any]:
    given = {"join_to_timespine": False, **_named(found, value, "measure")}
    return {**{key: given.get(key) for key in MEASURE}, "filter": where(given.get("filter"))}


def _metric_input(found: Found, value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    given = _named(found, value, "metric")
    window = _window(found, given.get("offset_window"))
    return {**{key: given.get(key) for key in INPUT}, "filter": where(given.get("filter")), "offset_window": window}


def _window(found: Found, value: Any) -> dict[str, Any] | None:
    """`28 days` as count and grain."""
    if value is None:
        return None
    count, _, grain = str(value).lower().partition(" ")
    if not count.isdigit() or not grain or " " in grain:
        hint = "Write a number and a grain, such as 28 days"
        raise found.error(f"The window {value!r} of '{found.name}' cannot be understood", "type_params", hint=hint)
    return {"count": int(count), "granularity": grain[:-1] if grain.endswith("s") and grain[:-1] in GRAINS else grain}


def where(value: Any) -> dict[str, Any] | None:
    """A filter, or several, as the manifest has them."""
    if value is None:
        return None
    return {"where_filters": [{"where_sql_template": each} for each in (value if isinstance(value, list) else [value])]}


def add_semantic_model(parsing: Parsing, found: Found) -> None:
    """A semantic model, and a metric for each measure that asks for one. Raises YamlError or DuplicateError."""
    entry = found.entry
    model = entry.get("model")
    calls = literal.scan("{{ " + model + " }}") if isinstance(model, str) else None
    if calls is None or len(calls.refs) != 1:
        hint = "Write model: ref('model')"
        raise found.error(f"The model {model!r} of the semantic model '{found.name}' is no ref", "model", hint=hint)
    common = _common(parsing, found, "semantic_model", entry)
    meta = common["config"]["meta"]
    measures = _elements(found, "measures")
    semantic = SemanticModel(
        **common,
        model=str(model),
        description=found.typed(entry, "description", (str, type(None)), None),
        defaults={"agg_time_dimension": entry["defaults"].get("agg_time_dimension")} if entry.get("defaults") else None,
        entities=[_entity(each, meta) for each in _elements(found, "entities")],
        measures=[_measured(each, meta) for each in measures],
        dimensions=[_dimension(each, meta) for each in _elements(found, "dimensions")],
        refs=[RefArgs(each.name, each.package, each.version) for each in calls.refs],
        primary_entity=entry.get("primary_entity"),
    )
    _add(parsing, parsing.manifest.semantic_models, semantic)
    for measure in measures:
        if measure.get("create_metric") is True:
            _metric(parsing, found, _metric_of(measure, common["config"]))


def _metric_of(measure: Entry, config: Mapping[str, Any]) -> Entry:
    """What stands for a measure with `create_metric`."""
    name = measure["name"]
    return {
        "name": name,
        "label": measure.get("label") or name,
        "type": "simple",
        "type_params": {"measure": name, "expr": measure.get("expr") or name},
        "description": measure.get("description") or f"Metric created from measure {name}",
        "config": {"enabled": config["enabled"], "meta": config["meta"]},
    }


def _elements(found: Found, key: str) -> list[Entry]:
    elements: list[Any] = found.typed(found.entry, key, (list, type(None)), None) or []
    for each in elements:
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            raise found.error(
                f"An item of '{key}' of '{found.name}' must be a map with a 'name', not {each!r:.60}", key
            )
        if not isinstance(each.get("config") or {}, dict):
            raise found.error(f"The config of '{each['name']}' must be a map", key)
    return elements


def _config(element: Entry, meta: Mapping[str, Any]) -> dict[str, Any]:
    """An element's own meta goes over its model's."""
    return {"meta": {**meta, **((element.get("config") or {}).get("meta") or {})}}


def _entity(element: Entry, meta: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("name", "type", "description", "label", "role", "expr")
    return {**{key: element.get(key) for key in keys}, "config": _config(element, meta)}


def _dimension(element: Entry, meta: Mapping[str, Any]) -> dict[str, Any]:
    params = element.get("type_params")
    return {
        "name": element["name"],
        "type": element.get("type"),
        "description": element.get("description"),
        "label": element.get("label"),
        "is_partition": element.get("is_partition", False),
        "type_params": {"time_granularity": params.get("time_granularity"), "validity_params": _validity(params)}
        if isinstance(params, dict)
        else None,
        "expr": element.get("expr"),
        "metadata": None,
        "config": _config(element, meta),
    }


def _validity(params: Mapping[str, Any]) -> dict[str, bool] | None:
    validity = params.get("validity_params")
    if not isinstance(validity, dict):
        return None
    return {key: bool(validity.get(key, False)) for key in ("is_start", "is_end")}


def _measured(element: Entry, meta: Mapping[str, Any]) -> dict[str, Any]:
    params, additive, expr = element.get("agg_params"), element.get("non_additive_dimension"), element.get("expr")
    if isinstance(params, dict):
        exact = {key: params.get(key, False) for key in ("use_discrete_percentile", "use_approximate_percentile")}
        params = {"percentile": params.get("percentile"), **exact}
    if isinstance(additive, dict):
        groupings = additive.get("window_groupings", [])
        additive = {**{key: additive.get(key) for key in ("name", "window_choice")}, "window_groupings": groupings}
    return {
        "name": element["name"],
        "agg": element.get("agg"),
        "description": element.get("description"),
        "label": element.get("label"),
        "create_metric": False,  # what asked for a metric is one now
        "expr": None if expr is None else str(expr),
        "agg_params": params,
        "non_additive_dimension": additive,
        "agg_time_dimension": element.get("agg_time_dimension"),
        "config": _config(element, meta),
    }


def add_saved_query(parsing: Parsing, found: Found) -> None:
    """A saved query with its exports. Raises YamlError, DuplicateError, or JinjaError of a `generate_*_name` macro."""
    entry = found.entry
    params = found.typed(entry, "query_params", dict, {})
    if "query_params" not in entry:
        raise found.error(f"The saved query '{found.name}' must have query_params")
    common = _common(parsing, found, "saved_query", entry)
    lists = {key: found.typed(params, key, list, []) for key in ("metrics", "group_by", "order_by")}
    query = SavedQuery(
        **common,
        description=found.typed(entry, "description", (str, type(None)), None),
        query_params={
            "metrics": lists["metrics"],
            "group_by": lists["group_by"],
            "where": where(params.get("where")),
            "order_by": lists["order_by"],
            "limit": params.get("limit"),
        },
        exports=[_export(parsing, found, each, common["config"]) for each in _elements(found, "exports")],
        tags=sorted({*texts(entry.get("tags")), *texts(common["config"].get("tags"))}),
    )
    _add(parsing, parsing.manifest.saved_queries, query)


def _export(parsing: Parsing, found: Found, export: Entry, config: Mapping[str, Any]) -> dict[str, Any]:
    """Where an export goes, by the macros that name models, too."""
    own = export.get("config") or {}
    wanted = {**config, **own}
    if wanted.get("export_as") not in ("table", "view"):
        message = f"The export '{export['name']}' of '{found.name}' must say export_as: table, or view"
        raise found.error(message, "exports")
    schema, alias = wanted.get("schema_name") or wanted.get("schema"), wanted.get("alias")
    try:
        names = generated_names(parsing, found.file, str(export["name"]), wanted.get("database"), schema, alias)
    except UnderstudyError as error:
        error.place = error.place or found.place("exports")
        raise
    return {
        "name": export["name"],
        "config": {
            "export_as": wanted["export_as"],
            "schema_name": schema or names[1],
            "alias": alias or names[2],
            "database": names[0] or wanted.get("database"),
        },
        "unrendered_config": own,
    }
