"""Values as YAML text, in the form in which dbt writes `packages.yml` and `package-lock.yml`."""

from __future__ import annotations

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Lists are indented below their key; nothing is written by alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dump(value: Any) -> str:
    """Plain data as YAML in block style, keys sorted (dbt 1.11: dbtPackageDumper)."""
    return str(yaml.dump(value, Dumper=_Dumper, default_flow_style=False))
