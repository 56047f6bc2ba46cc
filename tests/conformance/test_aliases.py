"""Names of relations: aliases, schemas, and the macros that make them."""

from __future__ import annotations

import pytest
from conformance.shop import Shop


class TestAliases:
    """What a relation is called in the database."""

    @pytest.mark.parametrize("where", ["config", "properties", "project"])
    def test_where_it_may_stand(self, shop: Shop, where: str) -> None:
        files = {
            "config": {"models/a.sql": "{{ config(alias='other') }} select 1 as id"},
            "properties": {
                "models/a.sql": "select 1 as id",
                "models/a.yml": "models: [{name: a, config: {alias: other}}]",
            },
            "project": {
                "models/a.sql": "select 1 as id",
                "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\nmodels: {shop: {a: {+alias: other}}}\n",
            },
        }
        shop.write(files[where]).models(b="{{ config(materialized='table') }} select * from {{ ref('a') }}").ok("run")
        assert shop.kinds() == {"other": "view", "b": "table"}
        assert shop.rows("b") == [(1,)]

    SEED = "seeds: [{name: s, config: {alias: seeded}, columns: [{name: id, data_tests: [unique]}]}]"

    def test_seeds_and_tests(self, shop: Shop) -> None:
        shop.write({"seeds/s.csv": "id\n1\n", "seeds/s.yml": self.SEED}).ok("build")
        assert shop.kinds() == {"seeded": "table"}
        assert shop.ok("test")["unique_s_id"]["status"] == "pass"

    @pytest.mark.notyet("spark", raises=AssertionError, reason="snapshots need a format such as delta")
    def test_snapshots(self, shop: Shop) -> None:
        shop.write({
            "seeds/s.csv": "id\n1\n",
            "seeds/s.yml": self.SEED,
            "snapshots/h.yml": """
                snapshots:
                  - name: h
                    relation: ref('s')
                    config: {alias: history, unique_key: id, strategy: check, check_cols: all}
            """,
        })  # fmt: skip
        shop.ok("build")
        assert shop.kinds() == {"seeded": "table", "history": "table"}

    def test_one_name_in_two_schemas(self, shop: Shop) -> None:
        shop.models(
            a="{{ config(alias='same', schema='one') }} select 1 as id",
            b="{{ config(alias='same', schema='two') }} select id + 1 as id from {{ ref('a') }}",
        ).ok("run")
        assert shop.kinds("dev_one") == shop.kinds("dev_two") == {"same": "view"}
        assert shop.rows("same", schema="dev_two") == [(2,)]

    def test_one_name_twice(self, shop: Shop) -> None:
        ran = shop.models(a="{{ config(alias='same') }} select 1 as id", same="select 1 as id").run("run")
        assert ran.exit_code == 2
        assert "model.shop.a" in ran.err
        assert "model.shop.same" in ran.err
        assert shop.kinds() == {}

    def test_a_macro_makes_them(self, shop: Shop) -> None:
        macro = """
        {% macro generate_alias_name(custom_alias_name=none, node=none) -%}
            p_{{ custom_alias_name or node.name }}
        {%- endmacro %}
        {% macro generate_schema_name(custom_schema_name, node) -%}
            {{ target.schema }}{{ '_' ~ (custom_schema_name | trim) ~ '_x' if custom_schema_name else '' }}
        {%- endmacro %}
        """
        shop.write({"macros/m.sql": macro}).models(
            a="{{ config(alias='other', schema='more') }} select 1 as id", b="select * from {{ ref('a') }}"
        ).ok("run")
        assert shop.kinds("dev_more_x") == {"p_other": "view"}
        assert shop.kinds() == {"p_b": "view"}
