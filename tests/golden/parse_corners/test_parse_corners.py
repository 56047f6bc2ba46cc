"""One project with the corners of dbt's language in it, and the whole manifest that it gives.

`manifest.json` was compared with dbt 1.11's by `scripts/compare_manifest.py`. What differs there and why: names that are no
plain identifiers are quoted by us always; dbt writes syntax trees into `unrendered_config`, we write source text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from understudy.parse.project import Parsed, parse_project
from understudy.project.files import read_files
from understudy.project.settings import ProjectOptions, load_settings
from understudy.sql.dialect import dialect
from understudy.stdlib.registry import BUILTINS, builtin_macros

HERE = Path(__file__).parent
SECTIONS = ("nodes", "sources", "exposures", "docs", "groups", "disabled")


def parsed() -> Parsed:
    settings = load_settings(ProjectOptions(project_dir=str(HERE / "project"), cwd=str(HERE)))
    return parse_project(
        settings,
        read_files(settings),
        builtins=BUILTINS,
        builtin_macros=builtin_macros(),
        dialect=dialect(settings.target.type),
    )


def as_json(result: Parsed) -> dict[str, Any]:
    manifest = {name: getattr(result.manifest, name) for name in SECTIONS}
    manifest["macros"] = {k: v for k, v in result.manifest.macros.items() if v.package_name != "dbt"}
    manifest["warnings"] = [[warning.name, warning.message] for warning in result.warnings]
    text = msgspec.json.encode(manifest).decode().replace(str(HERE), "HERE")
    value: dict[str, Any] = json.loads(text)
    return value


def test_the_manifest_is_the_expected_one(update_golden: bool) -> None:
    expected = HERE / "manifest.json"
    found = as_json(parsed())
    if update_golden:
        expected.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert json.dumps(found) == json.dumps(json.loads(expected.read_text(encoding="utf-8")))


def test_parsing_twice_gives_the_same() -> None:
    assert json.dumps(as_json(parsed())) == json.dumps(as_json(parsed()))
