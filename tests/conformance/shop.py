"""A small project in the hands of a test: files in, a command, and what the engine holds then."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.warehouses import Warehouse
from support import cli

PROJECT = """
name: shop
version: '1.0'
profile: shop
"""


@dataclass
class Shop:
    """The project in `root`, on an engine."""

    root: Path
    warehouse: Warehouse
    threads: int = 4
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Of the profile, in place of the warehouse's."""

    def write(self, files: Mapping[str, str]) -> Shop:
        """Write files, with the project file and the profile where they are missing."""
        outputs = {
            name: {**self.warehouse.target(name), "threads": self.threads, **self.fields} for name in ("dev", "prod")
        }
        profiles = json.dumps({"shop": {"target": "dev", "outputs": outputs}})
        base = {"profiles.yml": profiles}
        if not (self.root / "dbt_project.yml").exists():
            base["dbt_project.yml"] = PROJECT + "".join(
                f"{kind}: {json.dumps(self.warehouse.config)}\n" for kind in ("models", "seeds", "snapshots")
            )
        for path, text in {**base, **files}.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return self

    def models(self, **models: str) -> Shop:
        """Write models by name."""
        return self.write({f"models/{name}.sql": text for name, text in models.items()})

    def as_somebody(self, fields: Mapping[str, Any]) -> Shop:
        """The same project with other fields in the profile."""
        self.fields = fields
        return self.write({})

    def run(self, *args: str) -> cli.Ran:
        """A command."""
        return cli.understudy(*args, cwd=self.root)

    def ok(self, *args: str) -> dict[str, dict[str, Any]]:
        """A command that must succeed, and its results by name."""
        cli.ok(*args, cwd=self.root)
        return self.results()

    def fails(self, *args: str) -> dict[str, dict[str, Any]]:
        """A command in which a node fails (exit code 1), and its results by name."""
        ran = self.run(*args)
        assert ran.exit_code == 1, f"{ran.exit_code}\n{ran.out}\n{ran.err}"
        return self.results()

    def results(self) -> dict[str, dict[str, Any]]:
        """run_results.json by the last part of the unique_id that is a name."""
        return {unique_id.split(".")[2]: result for unique_id, result in cli.results(self.root).items()}

    def rows(self, name: str, columns: str = "*", schema: str = "dev") -> list[tuple[Any, ...]]:
        """The rows of a relation, sorted."""
        found = self.warehouse.query(f"select {columns} from {self.warehouse.table(schema, name)}")
        return sorted(found, key=repr)

    def kinds(self, schema: str = "dev") -> dict[str, str]:
        """The relations of a schema."""
        return self.warehouse.kinds(schema)
