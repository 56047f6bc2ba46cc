"""What every artifact says about itself, in dbt's form."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from understudy import __version__
from understudy.core.manifest import Uses
from understudy.core.project import CUSTOM_ENV, DBT_VERSION, Settings
from understudy.state.prior import VALUES, WRITER

SCHEMA = "https://schemas.getdbt.com/dbt/{name}/v{version}.json"
MANIFEST = SCHEMA.format(name="manifest", version=12)
RUN_RESULTS = SCHEMA.format(name="run-results", version=6)
SOURCES = SCHEMA.format(name="sources", version=3)
CLOCKS = frozenset({"generated_at", "invocation_id", "invocation_started_at", "run_started_at", "created_at"})
"""Fields that differ from run to run though nothing changed; who compares artifacts leaves them out."""


class Metadata(msgspec.Struct, kw_only=True):
    """The head of `run_results.json` and `sources.json`."""

    dbt_schema_version: str
    dbt_version: str = DBT_VERSION
    generated_at: str
    invocation_id: str | None = None
    invocation_started_at: str | None = None
    env: dict[str, str] = {}


class ManifestMetadata(Metadata, kw_only=True):
    """The head of `manifest.json`."""

    project_name: str
    project_id: str
    user_id: None = None
    send_anonymous_usage_stats: bool = False
    adapter_type: str
    quoting: dict[str, bool | None]
    run_started_at: str | None = None


def metadata(schema: str, settings: Settings, *, now: datetime, env: Mapping[str, str]) -> Metadata:
    """The head of an artifact. `env` is the environment, of which `DBT_ENV_CUSTOM_ENV_*` is recorded."""
    return Metadata(dbt_schema_version=schema, **_common(settings, now, env))


def manifest_metadata(
    settings: Settings,
    *,
    now: datetime,
    env: Mapping[str, str],
    quoting: Mapping[str, bool | None],
    uses: Mapping[str, Uses] | None = None,
    secrets: Iterable[str] = (),
) -> ManifestMetadata:
    """The head of `manifest.json`; `quoting` is the engine's policy, which the project's `quoting` overrides, `uses` what
    each node looked up, in which `secrets` are hidden.
    """
    policy = {part: settings.root.quoting.get(part, quoting.get(part)) for part in ("database", "schema", "identifier")}
    return ManifestMetadata(
        dbt_schema_version=MANIFEST,
        project_name=settings.root.name,
        project_id=hashlib.md5(settings.root.name.encode(), usedforsecurity=False).hexdigest(),
        adapter_type=settings.target.type,
        quoting={**policy, "column": None},
        run_started_at=settings.started_at or None,
        **_common(settings, now, env, {VALUES: scrubber(secrets)(values(uses))} if uses else {}),
    )


def values(uses: Mapping[str, Uses]) -> str:
    """What nodes looked up, as `Prior.values` reads it."""
    found = {each: (looked_up.vars, looked_up.env_vars) for each, looked_up in sorted(uses.items())}
    return msgspec.json.encode({each: said for each, said in found.items() if any(said)}, enc_hook=str).decode()


def _common(
    settings: Settings, now: datetime, env: Mapping[str, str], more: Mapping[str, str] | None = None
) -> dict[str, Any]:
    custom = {name.removeprefix(CUSTOM_ENV): value for name, value in env.items() if name.startswith(CUSTOM_ENV)}
    return {
        "generated_at": timestamp(now),
        "invocation_id": settings.invocation_id or None,
        "invocation_started_at": settings.started_at or None,
        "env": {WRITER: __version__, **custom, **(more or {})},
    }


def timestamp(moment: datetime) -> str:
    """A moment as artifacts have it: `2026-11-21T06:27:39.652113Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def scrubber(secrets: Iterable[str]) -> Callable[[Any], Any]:
    """A function that hides secret values in text, in maps and in lists (dbt 1.11: scrub_secrets)."""
    hidden = sorted({secret for secret in secrets if secret.strip()}, key=len, reverse=True)

    def scrub(value: Any) -> Any:
        if isinstance(value, str):
            for secret in hidden:
                value = value.replace(secret, "*****")
            return value
        if isinstance(value, Mapping):
            return {scrub(key): scrub(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [scrub(item) for item in value]
        return value

    return scrub
