"""`plan`, `explain` and `--explain`: what a build would do and why; and a run does what its plan said."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cli import manifest, ok, project, query, results, understudy

from understudy.execute.outline import Explanation, Outline

FILES = {
    "models/a.sql": "select 1 as id, 'x' as name",
    "models/b.sql": "select id, name\nfrom {{ ref('a') }}",
    "models/e.sql": "{{ config(materialized='ephemeral') }} select id from {{ ref('a') }}",
    "models/c.sql": "{{ config(materialized='table') }} select b.id from {{ ref('b') }} b join {{ ref('e') }} e on e.id = b.id",
    "models/events.sql": "{{ config(materialized='incremental') }} select id from {{ ref('a') }}",
    "models/schema.yml": "models: [{name: c, columns: [{name: id, data_tests: [not_null]}]}]",
    "seeds/days.csv": "day\n1\n2\n",
}
STATE = ("--defer", "--state", "prod")
RELATION = re.compile(r'"shop"\."(\w+)"\."(\w+)"')


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Built in production, whose artifacts stand in prod/; dev is empty, and b was changed."""
    root = project(tmp_path, FILES)
    ok("build", "--target", "prod", "--target-path", "prod", cwd=root)
    (root / "models/b.sql").write_text("select id, upper(name) as name\nfrom {{ ref('a') }}")
    return root


def planned(root: Path, *args: str) -> Outline:
    """The plan as it is read from its JSON."""
    ran = ok("plan", *args, "--output", "json", cwd=root)
    return msgspec.json.decode(ran.out, type=Outline)


def explained(root: Path, *args: str) -> Explanation:
    return msgspec.json.decode(ok("explain", *args, "--output", "json", cwd=root).out, type=Explanation)


def test_a_plan_for_people(shop: Path) -> None:
    ran = ok("plan", "-s", "state:modified+", *STATE, cwd=shop)
    assert "Plan build of 2 models and 1 test (state:modified+). Nothing has been run." in ran.out
    assert re.search(
        r"create  view   dev\.b  prod: view, built just now\n +changed body\n +- select id, name\n +\+ select id, upper\(name\)",
        ran.out,
    )
    assert re.search(
        r"create  table  dev\.c  prod: table, 1 row, built just now\n +depends on b \(state:modified\+\)\n +reads prod\.a, dev\.b",
        ran.out,
    )
    assert re.search(r"a +-> shop\.prod\.a +not selected, missing in the target", ran.out)
    assert "Left alone  3 models and 1 seed: not selected" in ran.out
    assert re.search(
        r"Estimate  about [\d.]+ s of work; 1 node not built, as the state stands in, [\d.]+ s saved", ran.out
    )
    assert "\x1b" not in ran.out


def test_a_plan_changes_nothing(shop: Path) -> None:
    def files() -> dict[Path, bytes]:
        """All but what a look at the database or the project may leave: locks, the log, the parse that is kept."""
        found = (path for path in shop.rglob("*") if path.is_file() and path.suffix not in (".duckdb", ".log"))
        return {path: path.read_bytes() for path in found if ".understudy/cache" not in str(path)}

    before = files()
    ok("plan", "-s", "state:modified+", *STATE, cwd=shop)
    ok("explain", "c", *STATE, cwd=shop)
    assert files() == before
    assert query(shop, "select count(*) from information_schema.schemata where schema_name = 'dev'") == [(0,)]


def test_a_plan_as_json(shop: Path) -> None:
    found = planned(shop, "-s", "state:modified+", *STATE)
    assert [(step.name, step.effect, step.kind) for step in found.steps[:2]] == [
        ("b", "create", "view"),
        ("c", "create", "table"),
    ]
    b, c = found.steps[:2]
    assert b.changes is not None
    assert [(each.check, each.key) for each in b.changes] == [("body", "raw_code")]
    assert (c.changes, c.why and (c.why.how, c.why.of)) == ((), ("below", "model.shop.b"))
    assert c.production is not None
    assert (c.production.relation, c.production.exists, c.production.kind, c.production.rows) == (
        "shop.prod.c",
        True,
        "table",
        1,
    )
    assert c.production.age is not None
    assert 0 <= c.production.age < 600
    assert c.reads == ("model.shop.a", "model.shop.b", "model.shop.e")
    where = {each.name: (each.relation, each.deferred, each.row) for each in found.references}
    assert where == {
        "a": ("shop.prod.a", True, "7"),
        "b": ("shop.dev.b", False, "3"),
        "c": ("shop.dev.c", False, "3"),
        "e": (None, False, "1"),
    }
    assert found.version == 1
    assert [state.label for state in found.states] == ["prod"]


def test_history_that_would_be_lost(shop: Path) -> None:
    found = planned(shop, "-s", "events", *STATE)
    assert found.steps[0].effect == "from nothing"
    text = ok("plan", "-s", "events", *STATE, cwd=shop).out
    assert "Warning: dev.events would be built from nothing, though prod has its history (incremental)" in text
    ok("run", "-s", "events", *STATE, cwd=shop)
    assert planned(shop, "-s", "events", *STATE).steps[0].effect == "append"
    assert planned(shop, "-s", "events", "--full-refresh", *STATE).steps[0].effect == "from nothing"


def test_without_a_state(shop: Path) -> None:
    found = planned(shop, "-s", "b+")
    assert found.states == ()
    assert found.steps[0].changes is None
    assert {each.reason for each in found.references} == {"deferral is off", "ephemeral: inlined"}
    assert "How long it takes is not known" in ok("plan", "-s", "b+", cwd=shop).out


def test_each_state_of_a_chain_tells_of_its_own(shop: Path) -> None:
    """Rows and age of a relation come from the run of the state that has it, not from whichever run knows the node."""
    ok("build", "--target-path", "staging", cwd=shop)
    (shop / "staging/run_results.json").unlink()
    chain = ("--defer", "--defer-state", "staging", "--defer-state", "prod")
    found = planned(shop, "-s", "c", "--target", "prod", *chain)
    (c, *_) = found.steps
    assert c.production is not None
    assert (c.production.environment, c.production.rows, c.production.age) == ("staging", None, None)
    assert c.seconds is not None


def test_nothing_to_do(shop: Path) -> None:
    assert "Plan build of nothing (tag:nothing)." in ok("plan", "-s", "tag:nothing", cwd=shop).out


def test_it_fails_where_the_run_would(shop: Path) -> None:
    ok(
        "run-operation",
        "drop",
        cwd=project(
            shop,
            {"macros/drop.sql": "{% macro drop() %}{% do run_query('drop view shop.prod.a cascade') %}{% endmacro %}"},
        ),
    )
    ran = understudy("plan", "-s", "b", *STATE, cwd=shop)
    assert ran.exit_code == 2
    assert "shop.prod.a (model.shop.a, state prod), needed by model.shop.b" in ran.err


def test_explain(shop: Path) -> None:
    text = ok("explain", "c", "-s", "state:modified+", *STATE, cwd=shop).out
    assert "depends on b (state:modified+)" in text
    assert re.search(r"a -> shop\.prod\.a  \(not selected, missing in the target, row 7 of the rule\)\n"
                     r" +× target  shop\.dev\.a \[not there\]: it is not there\n"
                     r" +✓ prod    shop\.prod\.a \[there\]", text)  # fmt: skip
    assert re.search(r"b -> shop\.dev\.b  \(built in this run, row 3 of the rule\)", text)
    assert "e -> a CTE  (ephemeral: inlined, row 1 of the rule)" in text


def test_explain_as_json_and_out_of_the_selection(shop: Path) -> None:
    found = explained(shop, "a", "c", "-s", "b", *STATE)
    a, c = found.nodes
    assert (a.name, a.why, a.changes) == ("a", None, ())
    assert c.why is None
    where = {each.name: each for each in found.references}
    assert where["b"].row == "3"
    assert where["a"].row == "7"
    assert [(option.environment, option.taken) for option in where["a"].options] == [("target", False), ("prod", True)]


def test_explain_what_is_not_there(shop: Path) -> None:
    ran = understudy("explain", "evnets", cwd=shop)
    assert ran.exit_code == 2
    assert "There is no node 'evnets'" in ran.err
    assert "Did you mean 'events'?" in ran.err
    assert "'explain' needs a NODE..." in understudy("explain", cwd=shop).err


def test_explain_before_a_run(shop: Path) -> None:
    ran = ok("run", "-s", "b", "--explain", *STATE, cwd=shop)
    assert ran.err.index("a -> shop.prod.a") < ran.err.index("OK    view")
    assert ran.out == ""
    assert results(shop)["model.shop.b"]["status"] == "success"


def test_removed(shop: Path) -> None:
    (shop / "models/events.sql").unlink()
    assert ok("list", "-s", "state:removed", "--state", "prod", cwd=shop).lines == ["shop.events"]
    assert ok("list", "-s", "state:removed state:modified", "--state", "prod", "--resource-type", "model", cwd=shop).lines == [
        "shop.b", "shop.events",
    ]  # fmt: skip
    line = ok("list", "-s", "state:removed", "--state", "prod", "--output", "json", cwd=shop).out
    assert json.loads(line)["original_file_path"] == "models/events.sql"
    assert planned(shop, "-s", "b", *STATE).removed == ("model.shop.events",)
    assert "Gone  1 resource of the state: events" in ok("plan", "-s", "b", *STATE, cwd=shop).out


CONTRACT = "models: [{name: c, config: {contract: {enforced: true}}, columns: [%s]}]"
COLUMN = "{name: id, data_type: integer}"


@pytest.mark.parametrize("versioned", [False, True])
def test_a_broken_contract(tmp_path: Path, versioned: bool) -> None:
    versions = ", versions: [{v: 1}]" if versioned else ""
    entry = CONTRACT.replace("enforced: true}}", "enforced: true}}" + versions)
    root = project(
        tmp_path,
        {
            "models/c.sql": "select 1 as id, 2 as n",
            "models/s.yml": entry % f"{COLUMN}, {{name: n, data_type: integer}}",
        },
    )
    ok("build", "--target", "prod", "--target-path", "prod", cwd=root)
    project(root, {"models/c.sql": "select 1 as id", "models/s.yml": entry % COLUMN})
    ran = understudy("list", "-s", "state:modified", "--state", "prod", cwd=root)
    assert "breaks the contract that others rely on: columns.n: integer -> nothing" in ran.err
    assert ran.exit_code == (2 if versioned else 0)
    assert ("UnversionedBreakingChange" in ran.err) is not versioned
    assert understudy("list", "-s", "state:new", "--state", "prod", cwd=root).exit_code == 0


# A run does what its plan said


def held(root: Path, args: tuple[str, ...]) -> None:
    """Plan, run, and compare: the steps, the relations that were read, and what was done to each."""
    found = planned(root, *args)
    there = {
        row[0] for row in query(root, "select table_name from information_schema.tables where table_schema = 'dev'")
    }
    ran = understudy("build", *args, cwd=root)
    done = results(root)
    assert ran.exit_code in (0, 1)
    assert [step.unique_id for step in found.steps] == sorted(done, key=[step.unique_id for step in found.steps].index)
    where = {each.unique_id: each for each in found.references}
    for step in found.steps:
        code = done[step.unique_id].get("compiled_code")
        if code is None:
            continue
        read = {".".join(("shop", *pair)) for pair in RELATION.findall(code)}
        assert read == {where[each].relation for each in step.reads if where[each].relation}, step.unique_id
        if step.effect == "create":
            assert step.name not in there
        elif step.effect in ("replace", "append"):
            assert step.name in there
    nodes = manifest(root)["nodes"]
    for skipped in found.skipped:
        assert skipped.unique_id not in done
        assert skipped.unique_id in nodes


def test_a_run_does_what_the_plan_said(shop: Path) -> None:
    for args in (
        ("-s", "state:modified+", *STATE),
        ("-s", "c", *STATE),
        ("-s", "c", "--favor-state", *STATE),
        ("-s", "c", "--favor", "current", *STATE),
        ("-s", "events", "days", *STATE),
        ("-s", "events", "--full-refresh", *STATE),
        (),
    ):
        held(shop, args)


@st.composite
def edited(draw: st.DrawFn) -> tuple[dict[str, str], list[str], list[str]]:
    """Models that read earlier ones, those that are changed after production was built, and a selection."""
    names = [f"m{n}" for n in range(draw(st.integers(2, 5)))]
    files = {}
    for n, name in enumerate(names):
        parents = draw(st.lists(st.sampled_from(names[:n]), unique=True, max_size=2)) if n else []
        kind = draw(st.sampled_from(["view", "table", "ephemeral", "incremental"]))
        unions = "".join(f" union all select * from {{{{ ref('{parent}') }}}}" for parent in parents)
        files[f"models/{name}.sql"] = f"{{{{ config(materialized='{kind}') }}}} select {n} as id{unions}"
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    operator = draw(st.sampled_from(["{}", "{}+", "+{}", "@{}"]))
    return files, draw(st.lists(st.sampled_from(names), max_size=2)), [operator.format(name) for name in chosen]


@given(edited(), st.sampled_from([(), ("--favor-state",), ("--favor", "current")]))
@settings(max_examples=8, deadline=None)
def test_any_run_does_what_its_plan_said(
    made: tuple[dict[str, str], list[str], list[str]], more: tuple[str, ...]
) -> None:
    files, changed, select = made
    with tempfile.TemporaryDirectory() as folder:
        root = project(Path(folder), files)
        ok("build", "--target", "prod", "--target-path", "prod", cwd=root)
        ok("build", "-s", select[0].strip("+@"), *STATE, cwd=root)
        for name in changed:
            file = root / f"models/{name}.sql"
            file.write_text(file.read_text() + " -- changed")
        held(root, ("-s", *select, *STATE, *more))
        held(root, ("-s", "state:modified+", *STATE, *more))


def test_the_published_schema(shop: Path) -> None:
    """The schema says what is printed: every key, and no other."""
    schema: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs/reference/plan-schema.json").read_text())
    for args in (("plan", "-s", "state:modified+", *STATE), ("plan",), ("explain", "c", *STATE)):
        document = json.loads(ok(*args, "--output", "json", cwd=shop).out)
        name = "Explanation" if args[0] == "explain" else "Outline"
        assert list(problems(document, schema["$defs"][name], schema)) == []
    assert list(problems({"nodes": 1}, schema["$defs"]["Explanation"], schema)) != []


def problems(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str = "$") -> list[str]:
    """Where a value does not fit; as much of JSON Schema as the published one uses."""
    if "$ref" in schema:
        return problems(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, at)
    if "anyOf" in schema:
        tried = [problems(value, each, root, at) for each in schema["anyOf"]]
        return [] if any(found == [] for found in tried) else min(tried, key=len)
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{at}: {value!r}"]
    types = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "null": type(None),
    }
    if "type" in schema and not isinstance(value, types[schema["type"]]):
        return [f"{at}: {value!r} is no {schema['type']}"]
    found = []
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        found += [f"{at}.{key} is missing" for key in schema.get("required", ()) if key not in value]
        found += [f"{at}.{key} is not described" for key in value if properties and key not in properties]
        for key in value.keys() & properties.keys():
            found += problems(value[key], properties[key], root, f"{at}.{key}")
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for n, each in enumerate(value):
            found += problems(each, schema["items"], root, f"{at}[{n}]")
    return found
