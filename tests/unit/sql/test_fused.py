"""Which queries of tests are recognised, and what is made of them."""

from __future__ import annotations

import pytest

from understudy.sql.fused import fuse, recognise


@pytest.mark.parametrize(
    ("query", "relation", "failing"),
    [
        ("select *\nfrom dev.a\nwhere id < 0", "dev.a", "count(case when id < 0 then 1 end)"),
        ("\n\nselect id\nfrom dev.a\nwhere id is null\n\n", "dev.a", "count(case when id is null then 1 end)"),
        ('select "a b", c from "x"."y" where not(c >= 1)', '"x"."y"', "count(case when not(c >= 1) then 1 end)"),
        ("select * from a where b in (select c from d group by c)", "a",
         "count(case when b in (select c from d group by c) then 1 end)"),
        ("select * from a where b = 'group by (; it''s'' fine'", "a", None),
        ("select * from a where b = 'order by 1'", "a", "count(case when b = 'order by 1' then 1 end)"),
        ("select * from (select * from a where x > 1) dbt_subquery where b is null",
         "(select * from a where x > 1) dbt_subquery", "count(case when b is null then 1 end)"),
    ],
)  # fmt: skip
def test_rows_that_meet_a_condition(query: str, relation: str, failing: str | None) -> None:
    check = recognise(query)
    if failing is None:
        assert check is None
    else:
        assert check is not None
        assert (check.relation, check.failing) == (relation, failing)


@pytest.mark.parametrize(
    "query",
    [
        "select count(*) from a where b",
        "select b, count(*) from a where b group by b",
        "select * from a where b group by b",
        "select * from a where b order by b",
        "select * from a where b limit 1",
        "select * from a where b union all select * from c where d",
        "select * from a, c where b",
        "select * from a join c on true where b",
        "select * from a as x where x.b",
        "select distinct(b) from a where b",
        "with a as (select 1) select * from a where b",
        "select * from a where b -- c",
        "select * from a where b /* c */",
        "select * from a where b; drop table c",
        "select * from a where b = $$x$$",
        "select * from a where b = 'x\\'",
        "select * from a where b = 'open",
        'select * from a where "open = 1',
        "select * from a where (b",
        "select * from a where b) or (c",
        "select * from a where b qualify row_number() over (order by c) = 1",
        "select * from a",
        "",
    ],
)
def test_what_only_the_query_itself_can_tell(query: str) -> None:
    assert recognise(query) is None


def test_parents_are_joined_once_per_value() -> None:
    query = (
        "with child as (\n    select p as from_field\n    from dev.a\n    where p is not null\n),\n\n"
        "parent as (\n    select id as to_field\n    from dev.b\n)\n\n"
        "select\n    from_field\n\nfrom child\nleft join parent\n    on child.from_field = parent.to_field\n\n"
        "where parent.to_field is null"
    )
    related, plain = recognise(query), recognise("select id from dev.a where id is null")
    assert related is not None
    assert plain is not None
    assert fuse([related, plain]) == (
        "select\n"
        "    count(case when p is not null and understudy_key_1s.understudy_key_1 is null then 1 end) as failures_1,\n"
        "    count(case when id is null then 1 end) as failures_2\n"
        "from dev.a\n"
        "left join (select distinct id as understudy_key_1 from dev.b) as understudy_key_1s on p = understudy_key_1s.understudy_key_1"
    )
