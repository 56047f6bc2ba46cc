"""More for the project of state_edits.py, and edits of that larger project: functions, the semantic layer, unit tests, large seeds, folders, names
of macros, another target. Plain data, written as there.
"""

from __future__ import annotations

Edit = dict[str, "str | tuple[str, str] | None"]

LARGE = "n\n" + "1234567\n" * 140_000
"""A seed above 1 MiB: of such a one dbt records the path and no digest."""
FILES: dict[str, str] = {
    "functions/twice.sql": "x * 2",
    "functions/_functions.yml": """\
functions:
  - name: twice
    description: Two times.
    config: {type: scalar, volatility: deterministic}
    arguments:
      - {name: x, data_type: double, description: A number.}
    returns: {data_type: double}
""",
    "models/semantics/days.sql": "select cast('2026-01-01' as date) as day",
    "models/semantics/facts.sql": "select 1 as id, cast('2026-01-01' as date) as at, 2 as amount, {{ function('twice') }}(1.0) as n",
    "models/semantics/_semantics.yml": """\
models:
  - name: days
    time_spine: {standard_granularity_column: day}
    columns: [{name: day, granularity: day}]
  - name: facts
    columns: [{name: id}]
semantic_models:
  - name: facts
    label: Facts
    description: What happened.
    model: ref('facts')
    config: {meta: {own: 1}}
    defaults: {agg_time_dimension: at}
    entities:
      - {name: fact, type: primary, expr: id}
    dimensions:
      - {name: at, type: time, type_params: {time_granularity: day}}
    measures:
      - {name: turnover, agg: sum, expr: amount, description: Money.}
metrics:
  - name: turnover
    label: Turnover
    description: Money in.
    type: simple
    type_params: {measure: {name: turnover, fill_nulls_with: 0}}
    filter: "{{ TimeDimension('fact__at', 'day') }} > '2020-01-01'"
    config: {meta: {level: 1}, tags: [board]}
  - name: double_turnover
    label: Twice
    type: derived
    type_params: {expr: turnover * 2, metrics: [{name: turnover}]}
saved_queries:
  - name: by_day
    label: By day
    description: What the boss asks.
    query_params:
      metrics: [turnover]
      group_by: ["TimeDimension('fact__at', 'day')"]
      where: ["{{ TimeDimension('fact__at', 'day') }} > '2021-01-01'"]
    exports:
      - {name: out, config: {export_as: table, alias: by_day_out}}
    config: {cache: {enabled: false}}
""",
    "models/tested/priced.sql": "select id, price * {{ var('rate') }} as price from {{ ref('stg_orders') }}",
    "models/tested/_tested.yml": """\
unit_tests:
  - name: priced_by_rate
    description: Prices are multiplied.
    model: priced
    overrides: {vars: {rate: 3}}
    given:
      - {input: ref('stg_orders'), format: csv, fixture: some_orders}
    expect: {format: csv, rows: "id,price\\n1,30\\n"}
    config: {tags: [quick]}
  - name: product_is_one
    model: product
    versions: {include: [2]}
    given: []
    expect: {rows: [{id: 1}]}
""",
    "tests/fixtures/some_orders.csv": "id,price\n1,10\n",
    "seeds/large.csv": LARGE,
}
FUNCTIONS, SEMANTICS, TESTED = (
    "functions/_functions.yml",
    "models/semantics/_semantics.yml",
    "models/tested/_tested.yml",
)
STAGING, MARTS, MAIN = "models/staging/_staging.yml", "models/marts/_marts.yml", "dbt_project.yml"
WHERE = '{where: "id > 0"}'

EDITS: dict[str, Edit] = {
    # Functions
    "function: body": {"functions/twice.sql": "x + x"},
    "function: description": {FUNCTIONS: ("Two times.", "Twice.")},
    "function: an argument's type": {FUNCTIONS: ("{name: x, data_type: double", "{name: x, data_type: integer")},
    "function: an argument's description": {FUNCTIONS: ("A number.", "Any number.")},
    "function: what it returns": {FUNCTIONS: ("returns: {data_type: double}", "returns: {data_type: integer}")},
    "function: volatility": {FUNCTIONS: ("volatility: deterministic", "volatility: stable")},
    "function: tags": {FUNCTIONS: ("type: scalar", "type: scalar, tags: [x]")},
    "function: another folder": {"functions/twice.sql": None, "functions/math/twice.sql": "x * 2"},
    "function: new": {
        "functions/thrice.sql": "x * 3",
        FUNCTIONS: ("functions:", "functions:\n  - {name: thrice, returns: {data_type: double}}"),
    },
    # Semantic models
    "semantic model: description": {SEMANTICS: ("What happened.", "x")},
    "semantic model: label": {SEMANTICS: ("label: Facts", "label: Fact")},
    "semantic model: its model": {SEMANTICS: ("model: ref('facts')", "model: ref('orders')")},
    "semantic model: a measure": {SEMANTICS: ("agg: sum", "agg: max")},
    "semantic model: a measure's description": {SEMANTICS: ("description: Money.", "description: Euros.")},
    "semantic model: a dimension": {SEMANTICS: ("{time_granularity: day}", "{time_granularity: month}")},
    "semantic model: an entity": {SEMANTICS: ("{name: fact, type: primary, expr: id}", "{name: fact, type: primary, expr: at}")},
    "semantic model: defaults": {SEMANTICS: ("    defaults: {agg_time_dimension: at}\n", "    primary_entity: null\n    defaults: {agg_time_dimension: at}\n")},
    "semantic model: meta": {SEMANTICS: ("meta: {own: 1}", "meta: {own: 2}")},
    "semantic model: group": {SEMANTICS: ("meta: {own: 1}", "meta: {own: 1}, group: finance")},
    "semantic model: new": {
        SEMANTICS: ("semantic_models:", "semantic_models:\n  - {name: more, model: ref('days'), entities: [{name: the_day, type: primary, expr: day}]}")
    },
    # Metrics
    "metric: description": {SEMANTICS: ("Money in.", "x")},
    "metric: label": {SEMANTICS: ("label: Turnover", "label: Sales")},
    "metric: type": {SEMANTICS: ("type_params: {expr: turnover * 2, metrics: [{name: turnover}]}", "type_params: {expr: turnover * 3, metrics: [{name: turnover}]}")},
    "metric: its measure": {SEMANTICS: ("fill_nulls_with: 0", "fill_nulls_with: 1")},
    "metric: filter": {SEMANTICS: ("2020-01-01", "2020-01-02")},
    "metric: meta": {SEMANTICS: ("level: 1", "level: 2")},
    "metric: tags": {SEMANTICS: ("tags: [board]", "tags: [boards]")},
    "metric: group": {SEMANTICS: ("meta: {level: 1}", "meta: {level: 1}, group: finance")},
    "metric: new": {
        SEMANTICS: ("metrics:\n  - name: turnover", "metrics:\n  - {name: more, label: More, type: simple, type_params: {measure: turnover}}\n  - name: turnover")
    },
    # Saved queries
    "saved query: description": {SEMANTICS: ("What the boss asks.", "x")},
    "saved query: label": {SEMANTICS: ("label: By day", "label: Daily")},
    "saved query: metrics": {SEMANTICS: ("metrics: [turnover]", "metrics: [turnover, double_turnover]")},
    "saved query: group_by": {SEMANTICS: ("[\"TimeDimension('fact__at', 'day')\"]", "[\"TimeDimension('fact__at', 'month')\"]")},
    "saved query: where": {SEMANTICS: ("2021-01-01", "2021-01-02")},
    "saved query: an export": {SEMANTICS: ("export_as: table", "export_as: view")},
    "saved query: an export's alias": {SEMANTICS: ("by_day_out", "by_day_too")},
    "saved query: cache": {SEMANTICS: ("cache: {enabled: false}", "cache: {enabled: true}")},
    "saved query: tags": {SEMANTICS: ("config: {cache:", "config: {tags: [x], cache:")},
    "saved query: new": {
        SEMANTICS: ("saved_queries:", "saved_queries:\n  - {name: more, query_params: {metrics: [turnover]}}")
    },
    # Unit tests
    "unit test: new": {TESTED: ("unit_tests:", "unit_tests:\n  - {name: more, model: days, given: [], expect: {rows: []}}")},
    "unit test: gone": {TESTED: None},
    "unit test: a row of its fixture": {"tests/fixtures/some_orders.csv": "id,price\n1,20\n"},
    "unit test: its fixture under another name": {
        "tests/fixtures/some_orders.csv": None, "tests/fixtures/orders_too.csv": "id,price\n1,10\n",
        TESTED: ("fixture: some_orders", "fixture: orders_too"),
    },
    "unit test: the fixture's rows in the test": {
        TESTED: ("format: csv, fixture: some_orders", 'format: csv, rows: "id,price\\n1,10\\n"')
    },
    "unit test: overrides": {TESTED: ("rate: 3", "rate: 4")},
    "unit test: tags": {TESTED: ("tags: [quick]", "tags: [slow]")},
    "unit test: versions": {TESTED: ("include: [2]", "include: [1]")},
    "unit test: the text of its expectation": {TESTED: ("1,30", "1,31")},
    "unit test: another file": {TESTED: None, "models/tested/_more.yml": FILES[TESTED]},
    "unit test: another folder": {TESTED: None, "models/_tested.yml": FILES[TESTED]},
    # Seeds
    "body: of a large seed": {"seeds/large.csv": LARGE.replace("1234567", "7654321", 1)},
    "fqn: a large seed in another folder": {"seeds/large.csv": None, "seeds/deep/large.csv": LARGE},
    "fqn: a seed in another folder": {"seeds/countries.csv": None, "seeds/deep/countries.csv": "id,name\n1,Austria\n2,France\n"},
    "relation: alias of a seed": {"seeds/_seeds.yml": ("int}", "int}, alias: lands")},
    "description: of a seed, persisted": {"seeds/_seeds.yml": ("int}", "int}, persist_docs: {relation: true}")},
    # Folders of other kinds
    "fqn: a snapshot in another folder": {
        "snapshots/customers_snapshot.sql": None,
        "snapshots/deep/customers_snapshot.sql": (
            "{% snapshot customers_snapshot %}\n{{ config(unique_key='id', strategy='check', check_cols=['name']) }}\n"
            "select * from {{ ref('stg_customers') }}\n{% endsnapshot %}"
        ),
    },
    "fqn: a singular test in another folder": {
        "tests/no_orphans.sql": None,
        "tests/deep/no_orphans.sql": "{{ config(severity='warn') }}\nselect * from {{ ref('orders') }} where customer_id is null",
    },
    "fqn: an analysis in another folder": {
        "analyses/look.sql": None, "analyses/deep/look.sql": "select * from {{ ref('orders') }}",
    },
    # More config
    "config: of an analysis": {"analyses/look.sql": "{{ config(tags=['x'], meta={'a': 1}) }}\nselect * from {{ ref('orders') }}"},
    "config: a hook in dbt_project.yml": {MAIN: ("+tags: [staging]", "+pre-hook: select 1")},
    "config: a hook with an underscore in dbt_project.yml": {MAIN: ("+tags: [staging]", "+pre_hook: select 1")},
    "config: a hook in properties": {STAGING: ("{meta: {owner:", "{pre_hook: select 3, meta: {owner:")},
    "config: full_refresh": {MAIN: ("+tags: [staging]", "+full_refresh: false")},
    "config: event_time": {MAIN: ("+tags: [staging]", "+event_time: at")},
    "config: enabled in properties": {STAGING: ("{meta: {owner:", "{enabled: true, meta: {owner:")},
    "config: a nested key of meta": {MARTS: ("    config: {meta: {a: 1}}", "    config: {meta: {a: 1, b: {c: [1, 2]}}}")},
    "config: warn_if of a generic test": {STAGING: (WHERE, '{where: "id > 0", warn_if: ">5"}')},
    "config: store_failures_as of a generic test": {STAGING: (WHERE, '{where: "id > 0", store_failures_as: view}')},
    "config: enabled of a generic test": {STAGING: (WHERE, '{where: "id > 0", enabled: true}')},
    "config: schema of a generic test": {STAGING: (WHERE, '{where: "id > 0", schema: audit}')},
    "config: description of a generic test": {STAGING: (f"not_null: {{config: {WHERE}}}", f"not_null: {{description: x, config: {WHERE}}}")},
    "config: name of a generic test": {STAGING: (f"not_null: {{config: {WHERE}}}", f"not_null: {{name: filled, config: {WHERE}}}")},
    "config: store_failures of a singular test": {"tests/no_orphans.sql": ("severity='warn'", "severity='warn', store_failures=true")},
    "config: tags of a singular test": {"tests/no_orphans.sql": ("severity='warn'", "severity='warn', tags=['x']")},
    "config: where of a singular test": {"tests/no_orphans.sql": ("severity='warn'", "severity='warn', where='true'")},
    "config: a snapshot's strategy": {"snapshots/customers_snapshot.sql": ("strategy='check', check_cols=['name']", "strategy='timestamp', updated_at='id'")},
    "config: tags of a snapshot": {"snapshots/customers_snapshot.sql": ("unique_key='id'", "unique_key='id', tags=['x']")},
    "config: an environment variable's default": {MAIN: ("+tags: [staging]", "+meta: {owner: \"{{ env_var('SHOP_OWNER', 'ann') }}\"}")},
    # Relation
    "relation: schema in the file": {"models/marts/described.sql": ("config(", "config(schema='other', ")},
    "relation: database in the file": {"models/marts/described.sql": ("config(", "config(database='shop', ")},
    "relation: alias of a snapshot": {"snapshots/customers_snapshot.sql": ("unique_key='id'", "unique_key='id', alias='s'")},
    "relation: schema of a snapshot": {"snapshots/customers_snapshot.sql": ("unique_key='id'", "unique_key='id', schema='s'")},
    "relation: generate_alias_name": {
        "macros/names.sql": "{% macro generate_alias_name(custom_alias_name=none, node=none) %}{{ node.name }}_{{ node.version or 'x' }}{% endmacro %}"
    },
    "relation: the project's quoting": {MAIN: ("vars:", "quoting: {identifier: false}\nvars:")},
    "relation: another target": {"profiles.yml": ("target: dev", "target: prod")},
    # References
    "access: private": {MARTS: ("  - name: promised\n", "  - name: promised\n    group: finance\n    access: private\n")},
    "group: none": {MARTS: ("    group: finance\n", "")},
    "group: its owner": {MARTS: ("owner: {name: Fin}", "owner: {name: Money}")},
    # Sources
    "source: event_time": {STAGING: ("tags: [people]", "tags: [people]\n        config: {event_time: at}")},
    "source: loaded_at_query": {STAGING: ("tags: [people]", "tags: [people]\n        config: {loaded_at_query: select 1}")},
    "source: enabled": {STAGING: ("tags: [people]", "tags: [people]\n        config: {enabled: true}")},
    "source: a test": {STAGING: ("tags: [people]", "tags: [people]\n        columns: [{name: id, data_tests: [unique]}]")},
    "source: quoting of a table": {STAGING: ("tags: [people]", "tags: [people]\n        quoting: {schema: true}")},
    "source: freshness of the source": {STAGING: ("loader: cron", "loader: cron\n    config: {freshness: {error_after: {count: 3, period: hour}}}")},
    # Exposures
    "exposure: enabled": {MARTS: ("config: {meta: {a: 1}}", "config: {enabled: true, meta: {a: 1}}")},
    "exposure: gone": {MARTS: ("  - name: board\n    label: The board", "  - name: boards\n    label: The board")},
    # Macros
    "macro: its documentation": {"macros/money.yml": "macros: [{name: cents, description: Money., arguments: [{name: x}]}]"},
    "macro: a comment beside it": {"macros/hooks.sql": "{# said #}\n{% macro note() %}select 1{% endmacro %}"},
    "macro: of the unit tests' rows": {"macros/get_fixture_sql.sql": "{% macro other_fixture() %}1{% endmacro %}"},
    "macro: one of dbt's, overridden": {
        "macros/over.sql": "{% macro default__test_not_null(model, column_name) %}select 1 where false{% endmacro %}"
    },
    # Contracts
    "contract: a constraint of the model": {
        MARTS: ("  - name: promised\n", "  - name: promised\n    constraints: [{type: check, expression: id > 0}]\n")
    },
    "contract: a versioned model's, no longer enforced": {
        MARTS: ("    latest_version: 2\n    config: {contract: {enforced: true}}", "    latest_version: 2")
    },
    "contract: alias_types": {
        MARTS: ("promised\n    config: {contract: {enforced: true}}", "promised\n    config: {contract: {enforced: true, alias_types: false}}")
    },
    "contract: a new version": {
        "models/marts/product_v3.sql": "select 1 as id",
        MARTS: ("      - v: 2\n", "      - v: 3\n      - v: 2\n"),
    },
    "contract: a version is gone": {
        "models/marts/product_v1.sql": None,
        MARTS: ("      - v: 1\n        deprecation_date: 2030-01-01\n", ""),
    },
}  # fmt: skip
