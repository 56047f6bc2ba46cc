"""A resource in short: what selection, the graph and the checks of the whole project need of each of ten thousands.

Whoever needs more takes the resource itself, which a kept parse (`cache`) decodes when it is asked for.
"""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.config import listed
from understudy.core.nodes import GenericTest, Version


class Card(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The card of one resource; the fields are those of the resource itself, under their names.

    `parents` is `depends_on.nodes`; `tags` of a unit test are those of its config. `config_group` is the group that the
    config names. `test` is what a generic test tests (`unique`), `coded` whether there is any code. `macros` are those of
    the project and of packages in `depends_on.macros`.
    """

    unique_id: str
    resource_type: str
    package_name: str
    name: str
    original_file_path: str
    fqn: list[str]
    tags: list[str] = []
    parents: list[str] = []
    enabled: bool = True
    patch_path: str | None = None
    materialized: str = ""
    group: str | None = None
    config_group: str | None = None
    access: str | None = None
    version: Version | None = None
    latest_version: Version | None = None
    deprecation_date: str | None = None
    source_name: str | None = None
    test: str | None = None
    relation_name: str | None = None
    coded: bool = False
    macros: list[str] = []

    @property
    def is_ephemeral(self) -> bool:
        """Whether references to the node are inlined as a CTE."""
        return self.resource_type == "model" and self.materialized == "ephemeral"


def card(resource: Any) -> Card:
    """The card of a resource, once it is linked."""
    config = resource.config
    kind = resource.resource_type
    own = getattr(resource, "tags", None)
    depends_on = getattr(resource, "depends_on", None)
    return Card(
        resource.unique_id,
        kind,
        resource.package_name,
        resource.name,
        resource.original_file_path,
        resource.fqn,
        own if own is not None else listed(config.get("tags") or []),
        getattr(depends_on, "nodes", []),
        kind == "exposure" or config.get("enabled") is not False,
        getattr(resource, "patch_path", None),
        str(config.get("materialized", "")),
        getattr(resource, "group", None),
        config.get("group"),
        getattr(resource, "access", None),
        getattr(resource, "version", None),
        getattr(resource, "latest_version", None),
        getattr(resource, "deprecation_date", None),
        getattr(resource, "source_name", None),
        resource.test_metadata.name if type(resource) is GenericTest else None,
        getattr(resource, "relation_name", None),
        bool(getattr(resource, "raw_code", "").strip()),
        [macro for macro in getattr(depends_on, "macros", ()) if not macro.startswith("macro.dbt.")],
    )
