"""Models that are built batch by batch."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conformance.shop import Shop

EVENTS = """
{{ config(materialized='table', event_time='at_time') }}
select 1 as id, cast('2024-01-01 08:00:00' as timestamp) as at_time union all
select 2, cast('2024-01-02 00:00:00' as timestamp) union all
select 3, cast('2024-01-02 23:59:59' as timestamp) union all
select 4, cast('2024-01-03 12:00:00' as timestamp)
"""
WINDOW = ("--event-time-start", "2024-01-01", "--event-time-end", "2024-01-04")
KEYS = {"duckdb": "", "postgres": ", unique_key='id'", "spark": ", partition_by='day'"}


def batches(shop: Shop, select: str = "id, at_time, 1 as version", more: str = "") -> Shop:
    """The model `batches`, with what the engine's strategy needs."""
    engine = shop.warehouse.target("dev")["type"]
    day = ", cast(at_time as date) as day" if engine == "spark" else ""
    config = (
        "materialized='incremental', incremental_strategy='microbatch', event_time='at_time', batch_size='day', "
        f"begin='2024-01-01'{KEYS[engine]}{more}"
    )
    return shop.models(
        events=EVENTS, batches=f"{{{{ config({config}) }}}} select {select}{day} from {{{{ ref('events') }}}}"
    )


def windows(shop: Shop, name: str = "batches") -> dict[str, list[str]]:
    """The first days of the batches that were built, and of those that failed."""
    results = json.loads((shop.root / "target/run_results.json").read_text())["results"]
    found: dict[str, Any] = next(each["batch_results"] for each in results if each["unique_id"].endswith(f".{name}"))
    return {key: [start[:10] for start, _ in pairs] for key, pairs in found.items()}


DAYS = ["2024-01-01", "2024-01-02", "2024-01-03"]


class TestBatches:
    """One batch per day, each with its own rows."""

    def test_every_row_once(self, shop: Shop) -> None:
        result = batches(shop).ok("run", *WINDOW)["batches"]
        assert (result["status"], result["message"]) == ("success", "SUCCESS")
        assert windows(shop) == {"successful": DAYS, "failed": []}
        assert [row[0] for row in shop.rows("batches", "id")] == [1, 2, 3, 4]
        assert set(shop.kinds()) == {"events", "batches"}

    def test_a_batch_reads_its_window(self, shop: Shop) -> None:
        batches(shop, "id, at_time, '{{ model.batch.id }}' as batch").ok("run", *WINDOW)
        assert shop.rows("batches", "id, batch") == [
            (1, "20240101"), (2, "20240102"), (3, "20240102"), (4, "20240103"),
        ]  # fmt: skip
        compiled = sorted(path.name for path in (shop.root / "target/compiled/shop/models/batches").iterdir())
        assert compiled == [f"batches_{day}.sql" for day in DAYS]

    def test_a_later_run_replaces_what_is_in_its_batches(self, shop: Shop) -> None:
        batches(shop).ok("run", *WINDOW)
        batches(shop, "id, at_time, 2 as version")
        shop.ok("run", "--event-time-start", "2024-01-02", "--event-time-end", "2024-01-03")
        assert windows(shop)["successful"] == ["2024-01-02"]
        assert shop.rows("batches", "id, version") == [(1, 1), (2, 2), (3, 2), (4, 1)]

    def test_full_refresh_leaves_the_window_only(self, shop: Shop) -> None:
        batches(shop).ok("run", *WINDOW)
        shop.ok("run", "--full-refresh", "--event-time-start", "2024-01-02", "--event-time-end", "2024-01-04")
        assert [row[0] for row in shop.rows("batches", "id")] == [2, 3, 4]

    def test_lookback(self, shop: Shop) -> None:
        batches(shop).ok("run", *WINDOW)
        batches(shop, more=", lookback=2").ok("run")
        assert len(windows(shop)["successful"]) == 3

    def test_in_parallel(self, shop: Shop) -> None:
        more = ", concurrent_batches=true"
        for _ in range(2):
            batches(shop, more=more).ok("run", "--event-time-start", "2023-12-20", "--event-time-end", "2024-01-10")
            assert len(windows(shop)["successful"]) == 21
            assert [row[0] for row in shop.rows("batches", "id")] == [1, 2, 3, 4]


class TestFailure:
    """A batch that fails leaves the others standing, and is retried alone."""

    def failing(self, shop: Shop, id: int) -> Shop:
        return batches(shop, f"id, at_time, 1 / (case when id = {id} then 0 else 1 end) as version")

    def test_in_the_middle(self, shop: Shop) -> None:
        if shop.warehouse.name == "duckdb":  # where 1 / 0 is null
            failing = batches(shop, "id, at_time, cast(case when id = 3 then error('no') end as integer) as version")
        else:
            failing = self.failing(shop, 3)
        failing.models(below="select * from {{ ref('batches') }}")
        results = shop.fails("run", *WINDOW)
        assert (results["batches"]["status"], results["batches"]["message"]) == (
            "partial success", "PARTIAL SUCCESS (2/3)",
        )  # fmt: skip
        assert results["below"]["status"] == "skipped"
        assert windows(shop) == {"successful": [DAYS[0], DAYS[2]], "failed": [DAYS[1]]}
        assert [row[0] for row in shop.rows("batches", "id")] == [1, 4]

        batches(shop, "id, at_time, 1 as version").ok("retry")
        assert windows(shop)["failed"] == []
        assert sorted(windows(shop)["successful"]) == DAYS
        assert [row[0] for row in shop.rows("batches", "id")] == [1, 2, 3, 4]
        assert [row[0] for row in shop.rows("below", "id")] == [1, 2, 3, 4]

    def test_the_first(self, shop: Shop) -> None:
        result = batches(shop, "missing, at_time").fails("run", *WINDOW)["batches"]
        assert (result["status"], result["message"]) == ("error", "ERROR")
        assert windows(shop) == {"successful": [], "failed": DAYS}
        assert "batches" not in shop.kinds()

    def test_what_the_engine_lacks_is_told_before_the_first(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(KEYS, shop.warehouse.name, ", unique_key='id'" if shop.warehouse.name == "duckdb" else "")
        batches(shop)
        ran = shop.run("run", *WINDOW)
        assert ran.exit_code == 1
        assert ran.err.count("unique_key" if shop.warehouse.name != "spark" else "partition_by") == 1
        assert windows(shop) == {"successful": [], "failed": DAYS}
        assert "batches" not in shop.kinds()

    def test_an_error_of_many_batches_is_told_once(self, shop: Shop) -> None:
        batches(shop).ok("run", *WINDOW)
        broken = "{{ exceptions.raise_compiler_error('never again') if execute and model.batch.id > '20240101' }} id, at_time, 2 as version"
        ran = batches(shop, broken).run("run", "--event-time-start", "2024-01-01", "--event-time-end", "2024-02-01")
        assert ran.exit_code == 1
        assert ran.err.count("never again") == 1
        assert "batches 2024-01-02, 2024-01-03 and 28 more: " in ran.err
        assert len(windows(shop)["failed"]) == 30


class TestOptions:
    """What the command line and the config must say."""

    @pytest.mark.parametrize(
        ("args", "words"),
        [
            (("--event-time-start", "2024-01-01"), "--event-time-start needs --event-time-end"),
            (("--event-time-end", "2024-01-01"), "--event-time-end needs --event-time-start"),
            (("--event-time-start", "2024-01-02", "--event-time-end", "2024-01-01"), "must be before"),
            (("--event-time-start", "soon", "--event-time-end", "2024-01-01"), "must be a date or a time"),
        ],
    )
    def test_usage(self, shop: Shop, args: tuple[str, ...], words: str) -> None:
        ran = batches(shop).run("run", *args)
        assert ran.exit_code == 2
        assert words in ran.err
