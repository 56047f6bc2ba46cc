"""Seeds: types, emptied and filled again, delimiters, odd values."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from conformance.shop import Shop

TYPED = """
id,name,born,seen,ratio,ok,nothing
1,"a, b",2024-01-02,2024-01-02 03:04:05,1.5,true,
2,it's "quoted",2024-02-03,2024-02-03 00:00:00,2,false,
3,,,,,,
"""


class TestSeed:
    """One CSV file as a table."""

    def test_types_are_inferred(self, shop: Shop) -> None:
        results = shop.write({"seeds/s.csv": TYPED}).ok("seed")

        assert results["s"]["message"] == "INSERT 3"
        assert results["s"]["adapter_response"] == {"_message": "INSERT 3", "code": "INSERT", "rows_affected": 3}
        moment = datetime.datetime(2024, 1, 2, 3, 4, 5)
        assert shop.rows("s")[0] == (1, "a, b", datetime.date(2024, 1, 2), moment, 1.5, True, None)
        assert shop.rows("s")[2] == (3, None, None, None, None, None, None)

    def test_configured_types(self, shop: Shop) -> None:
        config = "seeds: [{name: s, config: {column_types: {zip: varchar(10), price: 'numeric(10, 2)'}}}]"
        shop.write({"seeds/s.csv": "zip,price\n00123,5\n", "seeds/s.yml": config}).ok("seed")
        assert shop.rows("s") == [("00123", Decimal("5.00"))]

    def test_other_rows_later(self, shop: Shop) -> None:
        shop.write({"seeds/s.csv": "id\n1\n2\n"}).ok("seed")
        shop.write({"seeds/s.csv": "id\n3\n"}).ok("seed")
        assert shop.rows("s") == [(3,)]

    @pytest.mark.notimpl("spark", raises=AssertionError, reason="a seed is created anew each time, as by dbt-spark")
    def test_other_columns_need_a_full_refresh(self, shop: Shop) -> None:
        shop.write({"seeds/s.csv": "id\n1\n"}).ok("seed")
        shop.write({"seeds/s.csv": "id,name\n3,x\n"})
        failed = shop.fails("seed")["s"]
        assert failed["status"] == "error"
        assert "--full-refresh" in failed["message"]
        assert shop.rows("s") == [(1,)]
        assert shop.ok("seed", "--full-refresh")["s"]["message"] == "CREATE 1"
        assert shop.rows("s") == [(3, "x")]

    @pytest.mark.parametrize("quote", ["true", "false"])
    def test_columns_in_another_order(self, shop: Shop, quote: str) -> None:
        """Rows are found by the names of their columns, not by where these stand in the file."""
        config = f"seeds: [{{name: s, config: {{quote_columns: {quote}}}}}]"
        shop.write({"seeds/s.csv": "id,parent\n1,7\n", "seeds/s.yml": config}).ok("seed")
        shop.write({"seeds/s.csv": "parent,id\n8,2\n"}).ok("seed")
        assert shop.rows("s", "id, parent") == [(2, 8)]

    @pytest.mark.notimpl("spark", raises=AssertionError, reason="a seed is created anew each time, as by dbt-spark")
    def test_a_column_with_another_name(self, shop: Shop) -> None:
        shop.write({"seeds/s.csv": "id,at_\n1,2\n"}).ok("seed")
        assert shop.write({"seeds/s.csv": "id,other\n3,4\n"}).fails("seed")["s"]["status"] == "error"
        assert shop.rows("s", "id, at_") == [(1, 2)]

    def test_delimiter_and_quotes(self, shop: Shop) -> None:
        config = "seeds: [{name: s, config: {delimiter: '|', quote_columns: true}}]"
        shop.write({"seeds/s.csv": "Id Number|order\n1|a,b\n", "seeds/s.yml": config}).ok("seed")
        assert shop.rows("s", '"Id Number", "order"') == [(1, "a,b")]

    def test_no_rows(self, shop: Shop) -> None:
        assert shop.write({"seeds/s.csv": "id,name\n"}).ok("seed")["s"]["message"] == "INSERT 0"
        assert shop.rows("s") == []

    def test_models_read_it(self, shop: Shop) -> None:
        shop.write({"seeds/s.csv": "id\n1\n"}).models(a="select id + 1 as id from {{ ref('s') }}").ok("build")
        assert shop.rows("a") == [(2,)]

    def test_a_view_is_not_replaced(self, shop: Shop) -> None:
        shop.models(s="select 9 as id").ok("run")
        (shop.root / "models/s.sql").unlink()
        assert "it is a view" in shop.write({"seeds/s.csv": "id\n1\n"}).fails("seed")["s"]["message"]
        assert shop.rows("s") == [(9,)]

    def test_large_rows_and_many(self, shop: Shop) -> None:
        lines = "\n".join(f"{i},{'x' * 50}" for i in range(12_000))
        assert shop.write({"seeds/s.csv": f"id,text\n{lines}\n"}).ok("seed")["s"]["message"] == "INSERT 12000"
        assert shop.rows("s", "count(*), sum(id)") == [(12_000, 71_994_000)]
