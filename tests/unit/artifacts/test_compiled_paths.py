"""Where SQL is written, as dbt has it (names taken from a run of dbt 1.11)."""

from __future__ import annotations

from pathlib import Path

from support.graphs import model

from understudy.artifacts.compiled import sql_path, write_sql


def test_a_model_has_its_files_path() -> None:
    node = model("a")
    node.path, node.original_file_path = "staging/a.sql", "models/staging/a.sql"
    assert sql_path(node, "compiled") == "target/compiled/shop/models/staging/a.sql"
    assert sql_path(node, "run", "out") == "out/run/shop/models/staging/a.sql"


def test_a_generic_test_stands_below_its_properties_file() -> None:
    node = model("unique_a_id")
    node.original_file_path = "models/schema.yml"
    assert sql_path(node, "compiled") == "target/compiled/shop/models/schema.yml/unique_a_id.sql"


def test_it_is_written(tmp_path: Path) -> None:
    path = write_sql(model("a"), "run", "select 'ü'", project_dir=str(tmp_path), target_path="target")
    assert path == "target/run/shop/models/a.sql"
    assert (tmp_path / path).read_text(encoding="utf-8") == "select 'ü'"


def test_a_target_path_elsewhere(tmp_path: Path) -> None:
    write_sql(model("a"), "run", "x", project_dir="nowhere", target_path=str(tmp_path))
    assert (tmp_path / "run/shop/models/a.sql").read_text() == "x"
