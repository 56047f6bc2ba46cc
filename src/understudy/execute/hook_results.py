"""`results` of on-run-end hooks: what packages that record runs read of it (dbt 1.11: RunResult)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from understudy.core.nodes import Resource
from understudy.execute.results import NodeResult

FIELDS = ("status", "thread_id", "execution_time", "adapter_response", "message", "failures", "batch_results")


class Phase(msgspec.Struct, frozen=True):
    """A phase of a node; its moments are in UTC and carry no zone, as dbt's."""

    name: str
    started_at: datetime
    completed_at: datetime

    def to_dict(self, omit_none: bool = False) -> dict[str, str]:
        """The phase with its moments as text."""
        return {"name": self.name, "started_at": _text(self.started_at), "completed_at": _text(self.completed_at)}


class HookNode:
    """The node of a result: its fields, and what it was compiled to."""

    def __init__(self, node: Resource, compiled_code: str | None) -> None:
        self._node, self.compiled_code = node, compiled_code
        self.compiled = compiled_code is not None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._node, name)

    def to_dict(self, omit_none: bool = False) -> dict[str, Any]:
        """The node as the manifest has it."""
        fields: dict[str, Any] = msgspec.to_builtins(self._node)
        fields |= {"compiled": self.compiled, "compiled_code": self.compiled_code}
        return {name: value for name, value in fields.items() if not (omit_none and value is None)}


class HookResult:
    """What came of a node."""

    def __init__(self, result: NodeResult, node: Resource | None) -> None:
        self._result = result
        self.node = None if node is None else HookNode(node, result.compiled_code)
        self.timing = [Phase(each.name, _moment(each.started_at), _moment(each.completed_at)) for each in result.timing]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._result, name)

    def to_dict(self, omit_none: bool = False) -> dict[str, Any]:
        """The result as dbt gives it: the fields of `run_results.json`, and the node."""
        found: Mapping[str, Any] = {
            **{name: getattr(self._result, name) for name in FIELDS},
            "timing": [each.to_dict() for each in self.timing],
            "node": None if self.node is None else self.node.to_dict(omit_none=omit_none),
        }
        return {name: value for name, value in found.items() if not (omit_none and value is None)}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _text(moment: datetime) -> str:
    return f"{moment.isoformat()}Z"
