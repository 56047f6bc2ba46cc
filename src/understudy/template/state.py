"""What the names of a template share while one node is rendered: who asks, what answers, what was asked for."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from understudy.core.nodes import Node
from understudy.core.project import Settings
from understudy.core.relation import Relation
from understudy.errors import Place
from understudy.sql.dialect import Dialect
from understudy.template.runtime_config import RuntimeConfig
from understudy.template.scope import Captured, Database, Lookups

SECRET = "DBT_ENV_SECRET"
"""Environment variables with this prefix are for profiles.yml and packages.yml only."""

Notify = Callable[[str, str, Place | None], None]
"""`(kind, message, the node)`; kind is info, debug, print, warn or once, or the name of a warning."""


def unheard(kind: str, message: str, place: Place | None) -> None:
    """Where nobody listens."""


class Return(Exception):
    """Carries the value of `return()` out of a macro."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class State(ABC):
    """One rendering. `parsing` is the pass that only finds out what is asked for; `execute` is dbt's word for the other.

    `values` are names that were set for this rendering; they come before everything else.
    """

    settings: Settings
    runtime_config: RuntimeConfig
    dialect: Dialect
    package: str
    node: Node | None
    lookups: Lookups | None
    database: Database | None
    parsing: bool
    execute: bool
    uses: Captured
    vars: Mapping[str, Any]
    values: dict[str, Any]
    results: dict[str, Any]
    notify: Notify
    names: Mapping[str, Any]
    builtins: Mapping[str, Any]
    note: Callable[..., None]
    """Notes on what the outcome depends (`core.input.Input`), while somebody wants to know."""
    materializes: bool = False
    """Whether a materialization is being run, which may run Python."""

    @property
    def place(self) -> Place | None:
        """The node being rendered, for errors."""
        return None if self.node is None else Place(self.node.original_file_path, node=self.node.unique_id)

    @property
    @abstractmethod
    def this(self) -> Relation | None:
        """The node's own relation."""

    @property
    @abstractmethod
    def model(self) -> Mapping[str, Any]:
        """The node as a dict."""

    @abstractmethod
    def call(self, macro: str, *args: Any, **kwargs: Any) -> Any:
        """Call a macro by name."""

    @abstractmethod
    def overridden(self, macro: str) -> bool:
        """Whether the project or a package does itself what a macro of ours does."""

    @abstractmethod
    def dispatch(self, macro: str, namespace: str | None = None) -> Callable[..., Any]:
        """The implementation that `adapter.dispatch` finds."""

    @abstractmethod
    def render(self, text: str) -> str:
        """Render another text with the same names."""

    def used_env_var(self, name: str, value: str) -> None:
        """Note an environment variable; a secret by its hash."""
        self.uses.env_vars[name] = secret_digest(value) if name.startswith(SECRET) else value


def secret_digest(value: str) -> str:
    """What is remembered of a secret."""
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()
