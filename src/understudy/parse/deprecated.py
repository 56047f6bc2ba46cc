"""Ways of writing that dbt means to end, seen in the project as a whole: a warning each, under dbt's name for it."""

from __future__ import annotations

from collections.abc import Iterator

from understudy.core.manifest import Manifest
from understudy.core.nodes import Model
from understudy.core.project import Settings
from understudy.core.warning import Warning_
from understudy.errors import Place

LEGACY_SPINE = "metricflow_time_spine"
MATERIALIZATION = "materialization_"
OWN_BATCHES = "get_incremental_microbatch_sql"
OLD_METRICS = "MFCumulativeTypeParamsDeprecation"


def old_ways(settings: Settings, manifest: Manifest) -> list[Warning_]:
    """Custom macros of microbatches, materializations that a package replaces, time spines of old.

    The manifest may be a kept parse: of that, nothing is made that need not be looked at.
    """
    return [
        *_microbatches(settings, manifest),
        *_materializations(settings, manifest),
        *_time_spine(settings, manifest),
    ]


def _microbatches(settings: Settings, manifest: Manifest) -> Iterator[Warning_]:
    """A microbatch strategy of the project's own is run as a whole (dbt 1.11: check_for_microbatch_deprecations)."""
    if settings.flags.get("require_batched_execution_for_custom_microbatch_strategy"):
        return
    own = min((i for i, _, name in _macros(manifest) if name == OWN_BATCHES), default=None)
    if own is not None and any(
        each.materialized == "incremental" and manifest.config(i).get("incremental_strategy") == "microbatch"
        for i, each in manifest.known()
        if each.resource_type == "model"
    ):
        message = (
            f"{own} is the project's own microbatch strategy, so models are not built in batches: set the flag "
            "require_batched_execution_for_custom_microbatch_strategy"
        )
        place = Place(manifest.macros[own].original_file_path)
        yield Warning_("MicrobatchMacroOutsideOfBatchesDeprecation", message, place)


def _materializations(settings: Settings, manifest: Manifest) -> Iterator[Warning_]:
    """A package's materialization stands for a built-in one (dbt 1.11: materialization_override)."""
    if settings.flags.get("require_explicit_package_overrides_for_builtin_materializations", True):
        return
    replaced = [
        (unique_id, package, name.removeprefix(MATERIALIZATION).rpartition("_")[0])
        for unique_id, package, name in _macros(manifest)
        if package != settings.root.name
        and name.startswith(MATERIALIZATION)
        and name.endswith(("_default", f"_{settings.target.type}"))
    ]
    used = {getattr(each, "materialized", None) for _, each in manifest.known()} if replaced else set()
    for unique_id, package, name in replaced:
        if name in used and f"macro.dbt.{MATERIALIZATION}{name}_default" in manifest.macros:
            message = f"The package '{package}' replaces the materialization '{name}'"
            place = Place(manifest.macros[unique_id].original_file_path)
            yield Warning_("PackageMaterializationOverrideDeprecation", message, place)


def _macros(manifest: Manifest) -> Iterator[tuple[str, str, str]]:
    """`(unique_id, package, name)` of the macros that are not the engine's own."""
    for unique_id in manifest.macros:
        _, package, name = unique_id.split(".", 2)
        if package != "dbt":
            yield unique_id, package, name


def _time_spine(settings: Settings, manifest: Manifest) -> Iterator[Warning_]:
    """A time spine that is known by its name alone (dbt 1.11: SemanticManifest.validate)."""
    if settings.flags.get("require_yaml_configuration_for_mf_time_spines") or not manifest.semantic_models:
        return
    models = [i for i, each in manifest.known() if each.resource_type == "model"]
    legacy = next((i for i in sorted(models) if i.split(".", 2)[2] == LEGACY_SPINE), None)
    if legacy is None or any(_is_spine(manifest.nodes[i], daily=i != legacy) for i in (legacy, *models)):
        return
    message = f"The time spine '{LEGACY_SPINE}' has no 'time_spine' in its properties"
    yield Warning_("MFTimespineWithoutYamlConfigurationDeprecation", message, manifest.place(legacy))


def _is_spine(model: object, *, daily: bool) -> bool:
    if not isinstance(model, Model) or model.time_spine is None:
        return False
    column = model.columns.get(model.time_spine.get("standard_granularity_column") or "")
    return not daily or (column is not None and column.get("granularity") == "day")


def old_metrics(settings: Settings, manifest: Manifest) -> list[Warning_]:
    """`window` and `grain_to_date` beside the map that they belong into."""
    if settings.flags.get("require_nested_cumulative_type_params"):
        return []
    old = sorted(
        metric.unique_id
        for metric in manifest.metrics.values()
        if metric.type_params.get("window") or metric.type_params.get("grain_to_date")
    )
    if not old:
        return []
    names = ", ".join(unique_id.split(".", 2)[2] for unique_id in old)
    message = f"window and grain_to_date should stand under cumulative_type_params: {names}"
    return [Warning_(OLD_METRICS, message, manifest.place(old[0]))]
