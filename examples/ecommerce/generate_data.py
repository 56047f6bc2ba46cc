#!/usr/bin/env python3
"""Write the raw data of the demo: seven tables of a web shop, about 200,000 rows in all.

The same scale gives the same rows, on every machine and at every time. The tables go to the schema `raw` of a DuckDB
file in one transaction: an interrupted run leaves the old tables as they were, and a second run replaces them.

    python generate_data.py                  # warehouse.duckdb, full size
    python generate_data.py --scale 0.1      # a tenth of it
    python generate_data.py --csv raw_data   # only the CSV files, for another engine
"""

# ruff: noqa: SIM905 - words in a row read better than a quoted list of them
from __future__ import annotations

import argparse
import csv
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from unicodedata import normalize

Row = tuple[Any, ...]
Rows = list[Row]

SEED = 20240229
CUSTOMERS, ORDERS, PRODUCTS, CAMPAIGNS = 10_000, 50_000, 480, 36
FIRST_DAY, DAYS = date(2024, 1, 1), 700
OPENING = datetime(2022, 3, 1)

TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "customers": (
        ("id", "integer"), ("first_name", "varchar"), ("last_name", "varchar"), ("email", "varchar"),
        ("country", "varchar"), ("channel", "varchar"), ("created_at", "timestamp"),
    ),
    "products": (
        ("id", "integer"), ("sku", "varchar"), ("name", "varchar"), ("category", "varchar"),
        ("price_cents", "integer"), ("cost_cents", "integer"), ("discontinued", "boolean"),
    ),
    "campaigns": (
        ("id", "integer"), ("name", "varchar"), ("channel", "varchar"),
        ("starts_on", "date"), ("ends_on", "date"), ("budget_cents", "integer"),
    ),
    "orders": (
        ("id", "integer"), ("customer_id", "integer"), ("campaign_id", "integer"), ("status", "varchar"),
        ("shipping_cents", "integer"), ("created_at", "timestamp"),
    ),
    "order_items": (
        ("id", "integer"), ("order_id", "integer"), ("product_id", "integer"), ("quantity", "integer"),
        ("unit_price_cents", "integer"), ("discount_cents", "integer"),
    ),
    "payments": (
        ("id", "integer"), ("order_id", "integer"), ("method", "varchar"), ("status", "varchar"),
        ("amount_cents", "integer"), ("paid_at", "timestamp"),
    ),
    "refunds": (
        ("id", "integer"), ("order_item_id", "integer"), ("reason", "varchar"),
        ("amount_cents", "integer"), ("refunded_at", "timestamp"),
    ),
}  # fmt: skip

FIRST_NAMES = (
    "Ada Aino Alma Anton Bea Björn Carla Clara Davide Elif Emil Eva Finn Freya Greta Hugo Ida Ines Ivo Jan Jonas Juno "
    "Karel Lea Liv Luca Maja Marta Milan Nils Nora Olga Oskar Paula Petr Rosa Rui Sara Sofie Tom Una Vera Yann Zoë"
).split()
LAST_NAMES = (
    "Alves Andersen Bakker Bauer Berg Bianchi Brandt Costa Dubois Fischer Garcia Gruber Hansen Horak Jansen Keller "
    "Kowalski Lang Laurent Lind Meyer Moreau Moretti Murphy Nielsen Novak O'Brien Peeters Pereira Ricci Rossi Ruiz "
    "Saari Schmid Silva Svensson Taylor Virtanen Walsh Weber Wójcik Zeman"
).split()
COUNTRIES = "DE DE DE DE FR FR FR GB GB GB IT IT ES ES NL NL PL PL SE BE AT CH CZ DK FI IE NO PT".split()
SIGNUP_CHANNELS = "search search search social social email affiliate direct direct".split()
ADJECTIVES = "Classic Compact Everyday Foldable Fine Giant Handmade Little Northern Quiet Sturdy Swift".split()
NOUNS = {
    "Kitchen": "Kettle Pan Grater Whisk Teapot Board".split(),
    "Garden": "Rake Lantern Trowel Planter Hose Bench".split(),
    "Books": "Atlas Almanac Reader Novel Cookbook Notebook".split(),
    "Toys": "Train Puzzle Kite Robot Marble-Run Farm".split(),
    "Sports": "Racket Bottle Mat Ball Skates Rope".split(),
    "Audio": "Speaker Headphones Radio Turntable Cable Microphone".split(),
}
CAMPAIGN_THEMES = "Spring Picnic|Back to School|Long Weekend|First Snow|New Year|Summer Nights".split("|")
CAMPAIGN_CHANNELS = ("Search", "Social", "Email", "Affiliate")
METHODS = "card card card card paypal paypal invoice gift_card".split()
REASONS = ("Damaged", "Wrong size", "Changed mind", "Late")


class Dice:
    """Random choices that depend on nothing but `random()`, whose sequence Python keeps from version to version."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed).random

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        return int(self.random() * n)

    def pick(self, values: list[Any] | tuple[Any, ...]) -> Any:
        return values[self.below(len(values))]

    def chance(self, probability: float) -> bool:
        return self.random() < probability


def plain(name: str) -> str:
    """The name in the letters of addresses: all engines, whatever their locale, agree on what is lower case there."""
    return normalize("NFKD", name).encode("ascii", "ignore").decode().replace("'", "")


def make_customers(dice: Dice, n: int) -> Rows:
    rows: Rows = []
    for key in range(1, n + 1):
        first, last = dice.pick(FIRST_NAMES), dice.pick(LAST_NAMES)
        email = f"{plain(first)}.{plain(last)}.{key}@example.com"
        if dice.chance(0.1):
            first, email = f" {first}", email.upper()
        country = None if dice.chance(0.004) else dice.pick(COUNTRIES)
        # The first account is as old as the shop, so that there is always somebody to order.
        created = OPENING + timedelta(minutes=dice.below(60 * 24 * 1200) if key > 1 else 0)
        rows.append((key, first, last, email, country, dice.pick(SIGNUP_CHANNELS).capitalize(), created))
    return rows


def make_products(dice: Dice, n: int) -> Rows:
    rows: Rows = []
    for key in range(1, n + 1):
        category = dice.pick(tuple(NOUNS))
        name = f"{dice.pick(ADJECTIVES)} {dice.pick(NOUNS[category])} No. {1 + key % 7}"
        price = 395 + 100 * int(120 * dice.random() ** 3)
        cost = int(price * (0.3 + 0.25 * dice.random()))
        discontinued = True if dice.chance(0.06) else None
        rows.append((key, f"{category[:3].upper()}-{key:05d}", name, category, price, cost, discontinued))
    return rows


def make_campaigns(dice: Dice, n: int) -> Rows:
    rows: Rows = []
    for key in range(1, n + 1):
        starts = FIRST_DAY + timedelta(days=dice.below(DAYS - 30))
        ends = starts + timedelta(days=6 + dice.below(24))
        name = f"{dice.pick(CAMPAIGN_THEMES)} {starts.year} "
        rows.append((key, name, dice.pick(CAMPAIGN_CHANNELS), starts, ends, 50_000 + 10_000 * dice.below(40)))
    return rows


def order_status(dice: Dice, age_in_days: int) -> str:
    if dice.chance(0.05):
        return "Cancelled"
    if age_in_days < 2:
        return "placed"
    return "SHIPPED" if age_in_days < 6 else "delivered"


def make_orders(dice: Dice, n: int, customers: Rows, campaigns: Rows) -> Rows:
    running: dict[date, list[int]] = {}
    for campaign in campaigns:
        for offset in range((campaign[4] - campaign[3]).days + 1):
            running.setdefault(campaign[3] + timedelta(days=offset), []).append(campaign[0])
    moments = sorted(
        # More orders in later months: the shop grows.
        (int(DAYS * dice.random() ** 0.7), int(86_400 * (dice.random() + dice.random()) / 2))
        for _ in range(n)
    )
    rows: Rows = []
    for key, (day, second) in enumerate(moments, start=1):
        created = datetime.combine(FIRST_DAY, datetime.min.time()) + timedelta(days=day, seconds=second)
        # A few customers order often, most seldom; nobody before the account exists.
        customer = customers[int(len(customers) * dice.random() ** 1.8)]
        while customer[6] > created:
            customer = customers[dice.below(len(customers))]
        open_campaigns = running.get(created.date())
        followed = dice.pick(open_campaigns) if open_campaigns and dice.chance(0.15) else None
        shipping = dice.pick((0, 0, 390, 490, 690))
        rows.append((key, customer[0], followed, order_status(dice, DAYS - day), shipping, created))
    return rows


def make_order_items(dice: Dice, orders: Rows, products: Rows) -> Rows:
    rows: Rows = []
    for order in orders:
        for _ in range(dice.pick((1, 1, 1, 2, 2, 3))):
            product = products[int(len(products) * dice.random() ** 1.3)]
            quantity = dice.pick((1, 1, 1, 1, 2, 3))
            discount = quantity * product[4] * dice.pick((5, 10, 20)) // 100 if dice.chance(0.2) else None
            rows.append((len(rows) + 1, order[0], product[0], quantity, product[4], discount))
    return rows


def make_payments(dice: Dice, orders: Rows, items: Rows) -> Rows:
    due = {order[0]: order[4] for order in orders}
    for item in items:
        due[item[1]] += item[3] * item[4] - (item[5] or 0)
    rows: Rows = []
    for order in orders:
        key, cancelled, moment = order[0], order[3] == "Cancelled", order[5]
        while dice.chance(0.6 if cancelled else 0.03):
            moment += timedelta(minutes=1 + dice.below(9))
            rows.append((len(rows) + 1, key, dice.pick(METHODS), "failed", due[key], moment))
        if not cancelled:
            moment += timedelta(minutes=1 + dice.below(9))
            rows.append((len(rows) + 1, key, dice.pick(METHODS), "success", due[key], moment))
    return rows


def make_refunds(dice: Dice, orders: Rows, items: Rows) -> Rows:
    delivered = {order[0]: order[5] for order in orders if order[3] == "delivered"}
    rows: Rows = []
    for item in items:
        if item[1] in delivered and dice.chance(0.035):
            whole = item[3] * item[4] - (item[5] or 0)
            amount = whole if dice.chance(0.7) else whole // 2
            moment = delivered[item[1]] + timedelta(days=4 + dice.below(24))
            rows.append((len(rows) + 1, item[0], dice.pick(REASONS), amount, moment))
    return rows


def make_tables(scale: float) -> dict[str, Rows]:
    """All tables by name. Each has dice of its own, so that a change to one leaves the others as they are."""
    dice = {name: Dice(SEED + number) for number, name in enumerate(TABLES)}
    customers = make_customers(dice["customers"], max(20, round(CUSTOMERS * scale)))
    products = make_products(dice["products"], max(20, round(PRODUCTS * min(1.0, scale * 4))))
    campaigns = make_campaigns(dice["campaigns"], CAMPAIGNS)
    orders = make_orders(dice["orders"], max(100, round(ORDERS * scale)), customers, campaigns)
    items = make_order_items(dice["order_items"], orders, products)
    return {
        "customers": customers,
        "products": products,
        "campaigns": campaigns,
        "orders": orders,
        "order_items": items,
        "payments": make_payments(dice["payments"], orders, items),
        "refunds": make_refunds(dice["refunds"], orders, items),
    }


def write_csv(tables: dict[str, Rows], folder: Path) -> None:
    """One file for each table, with a header; null is the empty field."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(column for column, _ in TABLES[name])
            writer.writerows(rows)


def load_duckdb(folder: Path, database: Path) -> None:
    """Replace the tables of schema `raw` by the CSV files, in one transaction."""
    import duckdb

    with duckdb.connect(str(database)) as connection:
        connection.execute("begin")
        connection.execute("create schema if not exists raw")
        for statement in load_statements(folder):
            connection.execute(statement)
        connection.execute("commit")


def load_statements(folder: Path) -> Iterator[str]:
    for name, columns in TABLES.items():
        path = str(folder / f"{name}.csv").replace("'", "''")
        yield f"create or replace table raw.{name} ({', '.join(f'{column} {kind}' for column, kind in columns)})"
        yield f"copy raw.{name} from '{path}' (format csv, header true)"


def positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not in (0, 100]")
    return value


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the raw data of the e-commerce demo.")
    parser.add_argument("--database", type=Path, default=Path("warehouse.duckdb"), help="DuckDB file (%(default)s)")
    parser.add_argument("--scale", type=positive, default=1.0, help="1 is the full size, 0.1 a tenth (%(default)s)")
    parser.add_argument("--csv", type=Path, metavar="FOLDER", help="write CSV files there, and no database")
    options = parser.parse_args(argv)

    started = time.perf_counter()
    tables = make_tables(options.scale)
    if options.csv:
        write_csv(tables, options.csv)
    else:
        with tempfile.TemporaryDirectory() as folder:
            write_csv(tables, Path(folder))
            try:
                load_duckdb(Path(folder), options.database)
            except ImportError:
                sys.exit("generate_data.py needs the package duckdb: pip install duckdb")
    for name, rows in tables.items():
        print(f"raw.{name:<12} {len(rows):>8,} rows")
    total = sum(map(len, tables.values()))
    print(f"{total:,} rows in {options.csv or options.database} in {time.perf_counter() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
