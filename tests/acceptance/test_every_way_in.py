"""The matrix: every way in which SQL can reach another node, on two engines, by command, by flags. What is read is the SQL that
was sent (`--debug`), or that was compiled where a command sends none; nothing asks the code under test what it decided.

Each way carries a mark in its SQL (`'w_model'`). A cell holds when all the texts with that mark name the same schema. What dbt
1.11 does in the same cells was recorded (scripts/record_ways.py): it is the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conformance.warehouses import ENGINES, Warehouse
from support.cli import Ran, understudy
from support.ways import (
    BOUNDED,
    COLUMNS,
    FILES,
    ID_TYPES,
    MARK,
    OWN,
    PLACE,
    PROD,
    RELATIONS,
    STATE,
    UP,
    WAYS,
    Column,
    places,
)

CELLS = [
    pytest.param(engine, column, command, id=f"{engine}-{column.name}-{command}")
    for engine in ("duckdb", "postgres")
    for column in COLUMNS
    for command in column.commands
]


CAST = re.compile(r"cast\(3 as (\w+)\)", re.IGNORECASE)


@dataclass
class World:
    """A project on an engine. Production is built; `mine` has a copy of everything upstream, `old` one of older code."""

    root: Path
    warehouse: Warehouse

    def run(self, *args: str) -> Ran:
        return understudy(*args, cwd=self.root)

    def sent(self, *args: str, exit_code: int = 0) -> list[str]:
        """The statements of one command, and its compiled SQL."""
        ran = self.run(*args, "--debug", "--log-format", "json", "--threads", "1")
        assert ran.exit_code == exit_code, ran.out + "\n".join(_told(ran))
        texts = [told[4:].rpartition("*/\n")[2] for told in _told(ran) if told.startswith("SQL ")]
        if args[0] in ("compile", "docs"):
            nodes = json.loads((self.root / "target/manifest.json").read_text())["nodes"].values()
            texts += [node["compiled_code"] for node in nodes if node.get("compiled_code")]
        return texts

    def write(self, files: dict[str, str]) -> None:
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text)


def _told(ran: Ran) -> Iterator[str]:
    for line in ran.err.splitlines():
        yield json.loads(line)["info"]["msg"]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, World]]:
    """A world for each engine, made when it is first asked for."""
    opened: dict[str, World] = {}
    contexts = []

    class Worlds(dict[str, World]):
        def __missing__(self, engine: str) -> World:
            folder = tmp_path_factory.mktemp(engine)
            context = ENGINES[engine](folder)
            contexts.append(context)
            opened[engine] = self[engine] = made(World(folder / "project", context.__enter__()))
            return self[engine]

    yield Worlds()
    for context in contexts:
        context.__exit__(None, None, None)


def made(world: World) -> World:
    outputs = {name: dict(world.warehouse.target(name)) for name in ("dev", "mine", "old", "prod", "cloned")}
    world.write({**FILES, "profiles.yml": json.dumps({"shop": {"target": "dev", "outputs": outputs}})})
    first = ("--quiet", "--vars", "{first: true}")  # nothing is there for on-run-start to read
    upstream = ("-s", *UP, "--exclude", "tag:reads", *first)
    up = FILES["models/up.sql"]
    for target, args in {
        "prod": ("--target-path", "prod-artifacts", *first),
        "old": upstream,
        "mine": upstream,
    }.items():
        world.write({"models/up.sql": up.replace("1 as id", f"cast(1 as {ID_TYPES[target]}) as id")})
        if target == "mine":
            world.write({"models/up.sql": up})
        ran = world.run("build", "--target", target, *args)
        assert ran.exit_code == 0, ran.out + ran.err
    return world


@pytest.mark.parametrize(("engine", "column", "command"), CELLS)
def test_cell(worlds: dict[str, World], engine: str, column: Column, command: str) -> None:
    world = worlds[engine]
    args = (*command.split(), "-s", "tag:reads", "--target", column.target, *column.flags)
    if command == "test" and column.read == OWN:  # with a copy of what is upstream, the readers must be there, too
        world.run("build", "-s", "w_model", "--target", column.target, "--quiet")
    texts = world.sent(*args)
    expected = PROD if column.read == PROD else column.target
    found = places(texts)
    wrong = {mark: found.get(mark) for mark in WAYS[command] if found.get(mark) != {expected}}
    if column.name == "stale":  # of all that is upstream, just the seed's own copy is built from today's file
        assert wrong.pop("w_seed", {column.target}) == {column.target}
    assert not wrong
    if column.bounded:
        bounded = {mark for text in texts if BOUNDED.search(text) for mark in MARK.findall(text)}
        assert RELATIONS & WAYS[command] - {"w_renamed", "w_get_relation", "w_load_relation", "w_star"} <= bounded | {
            "w_inside_ephemeral"
        }


def test_dbt_reads_the_same() -> None:
    """`show` ends with the first node that fails, in dbt; what it showed until then is compared."""
    recorded = json.loads((Path(__file__).parents[1] / "differential/recorded/ways_in.json").read_text())
    compared = 0
    for column in COLUMNS:
        for command, found in recorded.get(column.name, {}).items():
            for mark in WAYS[command] - (set() if command != "show" else WAYS[command] - set(found)):
                assert found[mark] == [PROD if column.read == PROD else column.target], (column.name, command, mark)
                compared += 1
    assert compared > 400


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
@pytest.mark.parametrize("column", COLUMNS[:4], ids=lambda column: column.name)
def test_operations_and_queries_of_the_command_line(worlds: dict[str, World], engine: str, column: Column) -> None:
    world, expected = worlds[engine], PROD if column.read == PROD else column.target
    flags = ("--target", column.target, *column.flags)
    found = places(world.sent("run-operation", "operation", *flags))
    assert found == {"w_operation": {expected}, "w_operation_by_name": {expected}}
    inline = (
        "select 'w_inline' as way, count(*) as n, {{ values_of(ref('up'), 'code') | length }} as m from {{ ref('up') }}"
    )
    found = places(world.sent("show", "--inline", inline, *flags))
    assert found == {"w_inline": {expected}, "w_column_values": {expected}}
    ran = world.run("compile", "--inline", inline, *flags)
    assert places([ran.out]) == {"w_inline": {expected}}


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
@pytest.mark.parametrize("column", COLUMNS[:4], ids=lambda column: column.name)
def test_a_unit_test_reads_the_types_of_its_inputs(worlds: dict[str, World], engine: str, column: Column) -> None:
    """The rows are cast to the types of the relation that stands for the input; they differ between the schemas."""
    texts = worlds[engine].sent("test", "-s", "test_type:unit", "--target", column.target, *column.flags)
    (rows,) = {cast for text in texts for cast in CAST.findall(text)}
    assert rows.lower() == ID_TYPES[PROD if column.read == PROD else column.target]


KEYS = """\
models:
  - name: keyed
    config: {contract: {enforced: true}, materialized: table}
    columns:
      - {name: id, data_type: integer, constraints: [{type: foreign_key, to: ref('held'), to_columns: [id]}]}
  - name: held
    config: {contract: {enforced: true}, materialized: table}
    columns:
      - {name: id, data_type: integer, constraints: [{type: primary_key}]}
"""


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_foreign_keys(worlds: dict[str, World], engine: str) -> None:
    """A key points at the deferred table. DuckDB has no keys across schemas, so there the statement fails, as dbt's does."""
    world = worlds[engine]
    world.write(
        {
            "models/keys.yml": KEYS,
            "models/held.sql": "select 1 as id",
            "models/keyed.sql": "select 1 as id\n-- {{ ref('held') }}",
        }
    )
    try:
        first = ("--vars", "{first: true}")
        ran = world.run("run", "-s", "held", "--target", "prod", "--target-path", "keys-artifacts", *first)
        assert ran.exit_code == 0, ran.err
        flags = ("--defer", "--state", "keys-artifacts", *first)
        texts = world.sent("run", "-s", "keyed", *flags, exit_code=1 if engine == "duckdb" else 0)
        (made,) = [text for text in texts if text.startswith("create") and "keyed" in text and "references" in text]
        assert 'references "prod"."held" (id)' in made or 'references "shop"."prod"."held" (id)' in made
    finally:
        for name in ("keys.yml", "held.sql", "keyed.sql"):
            (world.root / "models" / name).unlink()


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_a_retry_reads_what_the_run_read(worlds: dict[str, World], engine: str) -> None:
    """`retry` knows the state, and that production was favored, though a copy is there."""
    world = worlds[engine]
    world.write(
        {"models/breaks.sql": "select 'w_retried' as way, 1 / {{ var('by', 0) }}.0 as n, x.* from {{ ref('up') }} as x"}
    )
    try:
        flags = ("--target", "mine", "--defer", "--favor-state", *STATE)
        broken = "select 'w_retried' as way, nothing from {{ ref('up') }}"
        world.write({"models/breaks.sql": broken})
        found = places(world.sent("run", "-s", "breaks", *flags, exit_code=1))
        assert found["w_retried"] == {PROD}
        world.write({"models/breaks.sql": broken.replace("nothing", "id")})
        found = places(world.sent("retry"))
        assert found["w_retried"] == {PROD}
    finally:
        (world.root / "models/breaks.sql").unlink()


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_functions_are_never_listed_so_production_stands_in(worlds: dict[str, World], engine: str) -> None:
    """No engine lists functions beside relations, so a copy cannot be seen (dbt asks for a relation of that name, and finds
    none): production's is called unless this run builds the function, or deferral is off.
    """
    world = worlds[engine]
    for flags, expected in ((("--defer", *STATE), PROD), (("--no-defer",), "mine")):
        found = places(world.sent("run", "-s", "w_function", "--target", "mine", *flags))
        assert found["w_function"] == {expected}
    found = places(world.sent("build", "-s", "twice", "w_function", "--target", "mine", "--defer", *STATE))
    assert found["w_function"] == {"mine"}


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_relationships_across_environments(worlds: dict[str, World], engine: str) -> None:
    """The child is what was just built, the parent is production's; and that is said."""
    world = worlds[engine]
    assert world.run("run", "-s", "w_model", "--defer", *STATE).exit_code == 0
    texts = world.sent("test", "-s", "w_model,test_name:relationships", "--defer", *STATE)
    (sent,) = [text for text in texts if "child" in text]
    assert '"shop"."dev"."w_model"' in sent
    assert {match["schema"] for match in PLACE.finditer(sent)} == {PROD}
    ran = world.run("test", "-s", "w_model,test_name:relationships", "--defer", *STATE)
    assert "reads two environments: shop.dev.w_model and shop.prod.up" in ran.err


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_a_clone_is_made_of_production(worlds: dict[str, World], engine: str) -> None:
    """The copies that `clone` makes, and the table that an incremental model is built upon."""
    world = worlds[engine]
    texts = world.sent("clone", "-s", "up", "up_inc", "codes", "snap", *STATE, "--target", "cloned")
    copies = [text for text in texts if text.lstrip().startswith("create") and '"cloned"."' in text]
    read = {match["schema"] for text in copies for match in PLACE.finditer(text)}
    assert len(copies) >= 4
    assert read == {PROD, "cloned"}
    world.warehouse.query("drop table cloned.up_inc")
    texts = world.sent("run", "-s", "up_inc", "--defer", "--clone-incrementals", *STATE, "--target", "cloned")
    (copy,) = [text for text in texts if '"prod"."up_inc"' in text]
    assert copy.lstrip().startswith("create")
