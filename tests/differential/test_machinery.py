"""Our machinery calls the macros that dbt's calls: what a project overrides counts, whoever builds it.

dbt's calls are recorded (`make oracle`), so this needs no dbt.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from enum import StrEnum
from pathlib import Path

import pytest
from differential.asked import PROJECTS
from differential.histories import read_steps
from differential.machinery import FILE, called, wrappers
from support.cli import understudy

MACHINERY = PROJECTS / "machinery"
RECORDED = Path(__file__).parent / "recorded/machinery.json"


class Reason(StrEnum):
    """Why our machinery does not call a macro that dbt's calls."""

    ADAPTER = "what the engine holds is asked by its adapter, once for all threads"
    TRANSACTION = "the old relation goes in the transaction that brings the new one, and needs no other name"
    CONFIG = "a config is checked in Python, with an error that names the file"
    GENERATOR = "a step of dbt's materialization that ours does not have"


ABSENT = {
    **dict.fromkeys(
        ("get_catalog_relations", "list_relations_without_caching", "sql_convert_columns_in_relation"), Reason.ADAPTER
    ),
    "make_backup_relation": Reason.TRANSACTION,
    **dict.fromkeys(
        (
            "merge_clause_defaults", "normalize_incremental_predicates", "normalize_string_or_list", "validate_dict_field",
            "validate_ducklake_restrictions", "validate_merge_clauses", "validate_merge_config",
            "validate_string_field", "validate_string_list_field",
        ),
        Reason.CONFIG,
    ),
    **dict.fromkeys(
        (
            "drop_indexes_on_relation", "duckdb_escape_comment", "enforced_constraint_types", "existing_constraint_types",
            "get_list_of_column_names",
            "has_foreign_key_constraints", "may_be_foreign_key_target", "noop_statement", "py_current_timestring",
            "restore_foreign_key_dependents",
        ),
        Reason.GENERATOR,
    ),
}  # fmt: skip


def theirs() -> set[str]:
    """What dbt calls, in one step or another."""
    return {name for names in json.loads(RECORDED.read_text()).values() for name in names}


@pytest.mark.differential
def test_recorded_calls_are_those_of_dbt(record_oracle: bool, request: pytest.FixtureRequest) -> None:
    """With `--record-oracle` dbt is asked and the file written; without it, the file must hold every step."""
    if record_oracle:
        python = request.getfixturevalue("oracle_bin") / "python"
        script = Path(__file__).with_name("oracle_machinery.py")
        subprocess.run([python, script, MACHINERY, RECORDED], check=True)
    assert list(json.loads(RECORDED.read_text())) == read_steps(MACHINERY)


def test_what_dbt_calls_is_called(tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(MACHINERY, root, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb", "*.wal"))
    (root / FILE).write_text(wrappers())
    ours: set[str] = set()
    for step in read_steps(root):
        ran = understudy(*shlex.split(step), cwd=root)
        assert ran.exit_code == 0, ran.err
        ours |= set(called(ran.out + ran.err))
    missing = theirs() - ours
    assert sorted(missing - set(ABSENT)) == []
    assert sorted(set(ABSENT) - missing) == [], "reasons that are left over"
