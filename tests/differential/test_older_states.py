"""States that dbt 1.4 to 1.11 wrote (recorded by scripts/record_older_states.py): what is modified against each, as dbt 1.11 says;
and deferral that reads production from each.
"""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from differential.older_states import EDITS, STATES, older_project
from differential.test_state_parity import asked, parse
from support.cli import compiled, ok, query

from understudy.state.prior import Prior, decode_prior, schema_version

RECORDED = Path(__file__).parent / "recorded/older"
SCHEMAS = {"1.4": 8, "1.5": 9, "1.6": 10, "1.7": 11, "1.8": 12, "1.9": 12, "1.10": 12, "1.11": 12}
SOURCE, PROMISED = "source.shop.raw.customers", "model.shop.promised"
MODIFIED = ("modified", "not unmodified")
FEWER_KEYS = "the version wrote fewer keys into a source's config; keys that hold nothing are no difference here"
AS_WRITTEN = (
    "the state recorded the source's schema as it is written, and that is compared here whatever dbt's flag says"
)
ITS_CHECKSUM = "dbt 1.5 made the checksum of a contract otherwise; here its columns are compared, which are the same"
ONE_HOOK = "dbt up to 1.8 wrote a hook as a list of one, which is the same hook"
ALSO: tuple[tuple[tuple[str, ...], tuple[str, ...], str, str], ...] = (
    ((*STATES[:6], "1.9 raw"), ("modified.configs",), SOURCE, FEWER_KEYS),
    (("1.9 raw",), MODIFIED, SOURCE, FEWER_KEYS),
    (("1.9", "1.10", "1.11"), (*MODIFIED, "modified.relation"), SOURCE, AS_WRITTEN),
    (("1.5",), (*MODIFIED, "modified.contract"), PROMISED, ITS_CHECKSUM),
    (STATES[:5], (*MODIFIED, "modified.configs"), "model.shop.orders", ONE_HOOK),
)
"""(states, selectors, what dbt selects in a project that did not change, and we do not, why). All of it is dbt's alone."""


@cache
def answers() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((RECORDED / "answers.json.gz").read_bytes()))
    return found


def document(state: str) -> bytes:
    return gzip.decompress((RECORDED / f"state_{state.replace(' ', '_')}.json.gz").read_bytes())


@cache
def prior(state: str) -> Prior:
    return decode_prior(document(state), origin=f"state_{state}.json")


def test_each_version_wrote_its_schema() -> None:
    for state in STATES:
        version = state.split()[0]
        head = prior(state).metadata
        assert (head.dbt_version or "").startswith(f"{version}.")
        assert schema_version(head.dbt_schema_version) == SCHEMAS[version]
        assert set(answers()[state]) == set(EDITS)


@pytest.mark.parametrize("edit", EDITS)
def test_state(edit: str, tmp_path: Path) -> None:
    """Target dev against states of target prod: what dbt selects, but for what ALSO says of an unchanged project."""
    today, _ = parse(tmp_path, older_project(EDITS[edit], more=True))
    for state in STATES:
        theirs, ours = answers()[state][edit], asked(today, prior(state))
        wrong = {}
        for selector in set(ours) | set(theirs):
            mine, dbts = ours.get(selector, set()), set(theirs.get(selector, ()))
            known = {unique_id for states, which, unique_id, _ in ALSO if state in states and selector in which}
            if mine != dbts and (mine - dbts or dbts - mine - known):
                wrong[selector] = (sorted(mine), sorted(dbts))
        assert not wrong, (state, wrong)


def test_what_dbt_alone_selects_it_does_select(tmp_path: Path) -> None:
    today, _ = parse(tmp_path, older_project({}, more=True))
    for states, selectors, unique_id, _reason in ALSO:
        for state in states:
            ours = asked(today, prior(state))
            for selector in selectors:
                assert unique_id in answers()[state]["nothing"][selector]
                assert unique_id not in ours.get(selector, set())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, with production in its database; dev is empty."""
    root = tmp_path_factory.mktemp("older")
    for name, text in older_project({}, more=True).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for command in ("seed", "build"):
        ok(command, "--target", "prod", "--quiet", cwd=root)
    return root


READ = re.compile(r'"shop"\."(\w+)"\."(\w+)"')


@pytest.mark.parametrize("state", STATES)
def test_deferral_reads_production(state: str, built: Path) -> None:
    """Relations come from each state as that version named them: schemas, aliases, seeds, snapshots' parents, ephemeral ones."""
    (built / "old.json").write_bytes(document(state))
    ok("compile", "-s", "customers", "described", "names", "no_orphans", "--defer", "--state", "old.json", cwd=built)
    read = {name: set(READ.findall(compiled(built, f"models/marts/{name}.sql"))) for name in ("customers", "described")}
    assert read == {"customers": {("prod", "stg_customers")}, "described": {("prod_gold", "orders_final")}}
    assert READ.findall(compiled(built, "tests/no_orphans.sql")) == [("prod_gold", "orders_final")]
    ok("run", "-s", "orders", "--defer", "--state", "old.json", cwd=built)
    assert query(
        built, "select table_schema, table_name from information_schema.tables where table_schema like 'dev%'"
    ) == [("dev_dev_gold", "orders_final")]
    query(built, "drop schema dev_dev_gold cascade")
