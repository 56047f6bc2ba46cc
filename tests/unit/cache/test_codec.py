"""Resources as bytes: whatever parsing makes is read back equal, type by type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
from support.manifests import load_manifest
from support.resources import group, make

from understudy.cache import codec
from understudy.cache.codec import Reader, TooLarge, Writer, with_dates

NOT_THERE = ("saved_queries", "semantic_models", "metrics", "unit_tests", "functions", "selectors")
GOLDEN = Path(__file__).parents[2] / "golden" / "parse_corners" / "manifest.json"


def back(writer: Writer) -> Reader:
    return Reader(memoryview(b"".join(writer.blobs)), writer.shared)


def test_every_resource_comes_back_as_it_was() -> None:
    raw = msgspec.json.decode(GOLDEN.read_bytes())
    head = {"project_name": "odd", "adapter_type": "duckdb"}
    manifest = load_manifest({"metadata": head, **{key: {} for key in NOT_THERE}, **raw})
    parts = (manifest.nodes, manifest.sources, manifest.exposures, manifest.macros, manifest.docs, manifest.functions)
    resources = [each for part in parts for each in part.values()]
    resources += [make("metric.shop.m"), make("unit_test.shop.u"), group("g")]
    writer = Writer()
    places = [writer.resource(each) for each in resources]
    reader = back(writer)
    assert [reader.resource(place) for place in places] == resources
    assert [type(reader.resource(place)) for place in places] == [type(each) for each in resources]
    assert len(writer.shared) < 1.5 * len(
        resources
    )  # of two configs each, rendered and not, those in common stand once


def test_a_config_is_had_alone() -> None:
    writer = Writer()
    place = writer.resource(make("model.shop.a", config={"meta": {1: [None, 2.5, True]}}))
    found = back(writer).config(place)
    assert found == {"enabled": True, "materialized": "view", "meta": {1: [None, 2.5, True]}}


def test_a_column_with_keys_of_its_own() -> None:
    usual = dict.fromkeys(codec.COLUMN)
    model = make("model.shop.a", columns={"a": usual, "b": {**usual, "more": 1}, "c": {"name": "c"}})
    writer = Writer()
    place = writer.resource(model)
    assert back(writer).resource(place).columns == model.columns


def test_what_was_there_before_goes_on() -> None:
    first = Writer()
    old = first.resource(make("model.shop.a"))
    blobs = b"".join(first.blobs)
    second = Writer(len(blobs), first.shared)
    new = second.resource(make("model.shop.b"))
    reader = Reader(memoryview(blobs + b"".join(second.blobs)), second.shared)
    assert [reader.resource(place).name for place in (old, new)] == ["a", "b"]
    assert second.shared == first.shared


def test_dates_stay_dates() -> None:
    value = {
        "a": [date(2024, 2, 3), datetime(2024, 2, 3, 4, 5, 6, 7), datetime(2024, 2, 3, tzinfo=UTC)],
        "b": "2024-02-03",
    }
    writer = Writer()
    place = writer.value(with_dates(value))
    found = back(writer).value(place)
    assert found == value
    assert [type(each) for each in found["a"]] == [date, datetime, datetime]


def test_what_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError):
        Writer().resource(make("model.shop.a", config={"odd": object()}))
    monkeypatch.setattr(codec, "LENGTH", 4)
    with pytest.raises(TooLarge):
        Writer().value("longer than fifteen bytes")
