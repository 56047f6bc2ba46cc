"""The links of the semantic layer: measures, metrics, the models below them (dbt 1.11: process_metrics, process_saved_queries)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from understudy.core.manifest import Manifest
from understudy.core.nodes import Metric, Node, SemanticModel
from understudy.errors import LinkError, UnderstudyError, did_you_mean
from understudy.graph.names import Names

Measure = dict[str, Any]


def relate(semantic: SemanticModel, nodes: Mapping[str, Node]) -> None:
    """Note the relation that a semantic model stands on, now that it is linked."""
    model = nodes.get(semantic.depends_on.nodes[0]) if semantic.depends_on.nodes else None
    if model is not None:
        semantic.node_relation = {
            "alias": model.alias,
            "schema_name": model.schema,
            "database": model.database,
            "relation_name": model.relation_name,
        }


def link_metrics(manifest: Manifest, names: Names) -> list[UnderstudyError]:
    """Fill `depends_on.nodes` and `input_measures` of all metrics, those that others are made of first.

    Returns what is wrong: measures and metrics that are not there, metrics that are made of themselves.
    """
    linker = _Metrics(manifest, names)
    for unique_id in manifest.metrics:
        linker.link(unique_id)
    return linker.errors


class _Metrics:
    def __init__(self, manifest: Manifest, names: Names) -> None:
        self.manifest, self.names = manifest, names
        self.errors: list[UnderstudyError] = []
        self.done: set[str] = set()
        self.measures: dict[str, dict[str, str]] = {}
        """Measure -> package -> the semantic model that has it."""
        for unique_id, semantic in manifest.semantic_models.items():
            for measure in semantic.measures:
                self.measures.setdefault(measure["name"], {}).setdefault(semantic.package_name, unique_id)

    def link(self, unique_id: str) -> None:
        """One metric, after those that it is made of. Without recursion: chains of metrics may be long."""
        stack, open_ = [unique_id], dict[str, None]()
        while stack:
            current = stack[-1]
            if current in self.done:
                stack.pop()
                continue
            waiting = [each for each in self._parents(self.manifest.metrics[current]) if each not in self.done]
            if current in open_ or not waiting:
                self._finish(current, waiting)
                stack.pop()
            else:
                open_[current] = None
                stack += waiting

    def _finish(self, unique_id: str, waiting: list[str]) -> None:
        self.done.add(unique_id)
        metric = self.manifest.metrics[unique_id]
        if waiting:  # still open when everything below it was looked at: a circle
            self._wrong(metric, f"The metric '{metric.name}' is made of itself", None)
            return
        found: dict[str, None] = {}
        inputs: list[Measure] = []
        for measure in _own_measures(metric):
            _append(inputs, measure)
            semantic = self._measure(metric, str(measure["name"]))
            if semantic is not None:
                found[semantic] = None
        for parent in self._parents(metric):
            found[parent] = None
            for measure in self.manifest.metrics[parent].type_params["input_measures"]:
                _append(inputs, measure)
        self._missing(metric)
        metric.type_params["input_measures"] = inputs
        metric.depends_on.nodes = list(found)

    def _measure(self, metric: Metric, name: str) -> str | None:
        """The semantic model of a measure: in the root project, in the metric's package, anywhere."""
        packages = self.measures.get(name, {})
        for package in (self.manifest.project_name, metric.package_name, *packages):
            if package in packages:
                return packages[package]
        self._wrong(metric, f"No semantic model has the measure '{name}'", did_you_mean(name, self.measures))
        return None

    def _parents(self, metric: Metric) -> list[str]:
        found = (self.names.metric(None, name, metric.package_name).found for name in _metrics_of(metric))
        return list(dict.fromkeys(each for each in found if each is not None))

    def _missing(self, metric: Metric) -> None:
        for name in _metrics_of(metric):
            target = self.names.metric(None, name, metric.package_name)
            if target.found is None:
                self.errors.append(self.names.error(metric.unique_id, target))
        if metric.type == "ratio" and len(_metrics_of(metric)) < 2:
            self._wrong(metric, f"The ratio '{metric.name}' must have a numerator and a denominator", None)
        if metric.type in ("simple", "cumulative", "conversion") and not _own_measures(metric):
            self._wrong(metric, f"The metric '{metric.name}' must name its measure", None)

    def _wrong(self, metric: Metric, message: str, hint: str | None) -> None:
        self.errors.append(LinkError(message, place=self.manifest.place(metric.unique_id), hint=hint))


def _own_measures(metric: Metric) -> list[Measure]:
    params = metric.type_params
    if metric.type == "conversion":
        conversion = params["conversion_type_params"] or {}
        return [conversion[key] for key in ("base_measure", "conversion_measure") if conversion]
    measure = params["measure"] if metric.type in ("simple", "cumulative") else None
    return [] if measure is None else [measure]


def _metrics_of(metric: Metric) -> list[str]:
    params = metric.type_params
    inputs: list[Measure | None] = []
    if metric.type == "derived":
        inputs = params["metrics"]
    elif metric.type == "ratio":
        inputs = [params["numerator"], params["denominator"]]
    return [each["name"] for each in inputs if each is not None]


def _append(measures: list[Measure], measure: Measure) -> None:
    if measure not in measures:
        measures.append(measure)
