"""A small project that every dbt from 1.4 to 1.11 can build, and edits of it, for states that older versions wrote.

Plain data: read by scripts/record_older_states.py (with dbt's Python) and by test_older_states.py. Edits are written as in
state_edits.py.
"""

from __future__ import annotations

from differential.state_edits import Edit, edited

VERSIONS = ("1.4", "1.5", "1.6", "1.7", "1.8", "1.9", "1.10", "1.11")
"""They write the manifests v8, v9, v10, v11 and, from 1.8 on, v12."""
RAW = ("1.9", "1.10", "1.11")
"""Those that have the flag state_modified_compare_more_unrendered_values."""
STATES = (*VERSIONS, *(f"{version} raw" for version in RAW))
"""What was recorded: a state of each version, and one with the flag on where there is such a flag."""

PROJECT = """\
name: shop
version: "1.0"
config-version: 2
profile: shop
{flags}vars:
  owner: ann
models:
  shop:
    staging:
      +materialized: view
      +tags: [staging]
    marts:
      +materialized: "{{{{ 'table' if target.name == 'prod' else 'view' }}}}"
      +schema: "{{{{ 'gold' if target.name == 'prod' else 'dev_gold' }}}}"
seeds:
  shop:
    +quote_columns: false
snapshots:
  shop:
    +target_schema: snaps
"""
FLAGS = "flags:\n  send_anonymous_usage_stats: false\n  state_modified_compare_more_unrendered_values: {more}\n"
FILES = {
    "profiles.yml": """\
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: shop.duckdb, schema: dev}
    prod: {type: duckdb, path: shop.duckdb, schema: prod}
""",
    "macros/money.sql": "{% macro cents(x) %}{{ scaled(x) }}{% endmacro %}\n{% macro scaled(x) %}({{ x }} * 100){% endmacro %}",
    "macros/unused.sql": "{% macro nobody() %}1{% endmacro %}",
    "tests/no_orphans.sql": "select * from {{ ref('orders') }} where customer_id is null",
    "tests/generic/positive.sql": (
        "{% test positive(model, column_name) %}select * from {{ model }} where {{ column_name }} <= 0{% endtest %}"
    ),
    "analyses/look.sql": "select * from {{ ref('orders') }}",
    "seeds/raw_orders.csv": "id,customer_id,amount\n1,1,10\n2,1,20\n",
    "seeds/raw_customers.csv": "id,name\n1,Ann\n",
    "seeds/_seeds.yml": "version: 2\nseeds:\n  - name: raw_customers\n    config: {column_types: {id: bigint}}\n",
    "snapshots/names.sql": (
        "{% snapshot names %}\n{{ config(unique_key='id', strategy='check', check_cols=['name']) }}\n"
        "select * from {{ ref('stg_customers') }}\n{% endsnapshot %}"
    ),
    "models/staging/stg_orders.sql": "-- as they come\nselect * from {{ ref('raw_orders') }}",
    "models/staging/stg_customers.sql": "select * from {{ source('raw', 'customers') }}",
    "models/staging/_staging.yml": """\
version: 2
sources:
  - name: raw
    description: What the shop writes.
    schema: "{{ target.schema }}"
    tables:
      - name: customers
        identifier: raw_customers
models:
  - name: stg_orders
    description: Orders, one row each.
    config: {meta: {owner: "{{ var('owner') }}"}}
    columns:
      - name: id
        tests: [unique, positive]
  - name: stg_customers
    columns:
      - name: id
        tests:
          - not_null: {config: {where: "id > 0"}}
          - relationships: {to: ref('orders'), field: customer_id}
""",
    "models/marts/orders.sql": (
        "{{ config(alias='orders_final', pre_hook=\"select 1\") }}\n"
        "select id, customer_id, {{ cents('amount') }} as amount from {{ ref('stg_orders') }}"
    ),
    "models/marts/customers.sql": (
        "{{ config(materialized='incremental', unique_key='id', meta={'owner': var('owner')}) }}\n"
        "select c.id, h.one from {{ ref('stg_customers') }} c cross join {{ ref('helper') }} h"
    ),
    "models/marts/helper.sql": "{{ config(materialized='ephemeral') }}\nselect 1 as one",
    "models/marts/described.sql": (
        "{{ config(persist_docs={'relation': true, 'columns': true}) }}\nselect id from {{ ref('orders') }}"
    ),
    "models/marts/promised.sql": "{{ config(materialized='table') }}\nselect 1 as id, 'x' as name",
    "models/marts/_marts.yml": """\
version: 2
models:
  - name: orders
    description: Orders for people.
    config: {grants: {}, tags: [mart]}
    columns:
      - name: amount
        description: Cents.
  - name: described
    description: Said twice.
    columns:
      - name: id
        description: Key.
  - name: promised
    config: {contract: {enforced: true}}
    columns:
      - name: id
        data_type: integer
      - name: name
        data_type: varchar
exposures:
  - name: board
    label: The board
    type: dashboard
    url: https://example.com/board
    owner: {name: Boss, email: boss@example.com}
    depends_on: [ref('orders')]
""",
}

STAGING, MARTS, ORDERS = "models/staging/_staging.yml", "models/marts/_marts.yml", "models/marts/orders.sql"
STG_ORDERS, MONEY, MAIN = "models/staging/stg_orders.sql", "macros/money.sql", "dbt_project.yml"

EDITS: dict[str, Edit] = {
    "nothing": {},
    "body": {STG_ORDERS: ("select *", "select id, customer_id, amount")},
    "body: outer white space": {STG_ORDERS: "\n\n-- as they come\nselect * from {{ ref('raw_orders') }}\n\n"},
    "body: of a seed": {"seeds/raw_orders.csv": "id,customer_id,amount\n1,1,10\n2,1,30\n"},
    "body: of a snapshot": {"snapshots/names.sql": ("select *", "select id, name")},
    "body: of a singular test": {"tests/no_orphans.sql": ("is null", "is  null")},
    "body: of an analysis": {"analyses/look.sql": ("select *", "select id")},
    "config: in the file": {"models/marts/customers.sql": ("unique_key='id'", "unique_key='one'")},
    "config: a hook": {ORDERS: ("select 1", "select 2")},
    "config: in properties": {STAGING: ("owner: \"{{ var('owner') }}\"", "owner: bob")},
    "config: in dbt_project.yml": {MAIN: ("+materialized: view", "+materialized: table")},
    "config: raw text in dbt_project.yml": {MAIN: ("else 'view'", "else 'table'")},
    "config: tags": {MARTS: ("tags: [mart]", "tags: [mart, more]")},
    "config: of a seed": {"seeds/_seeds.yml": ("bigint", "varchar")},
    "config: of a generic test": {STAGING: ("id > 0", "id > 1")},
    "relation: alias": {ORDERS: ("orders_final", "orders_other")},
    "relation: schema": {MAIN: ("'dev_gold'", "'dev_golden'")},
    "description: not persisted": {MARTS: ("Orders for people.", "Orders.")},
    "description: persisted": {MARTS: ("Said twice.", "Said once.")},
    "description: of a column, persisted": {MARTS: ("description: Key.", "description: The key.")},
    "fqn": {STG_ORDERS: None, "models/staging/deep/stg_orders.sql": FILES[STG_ORDERS]},
    "new: a model": {"models/staging/extra.sql": "select 1 as id"},
    "new: a test": {MARTS: ("description: Cents.", "description: Cents.\n        tests: [not_null]")},
    "gone: a model": {"models/marts/helper.sql": None, "models/marts/customers.sql": "select 1 as id"},
    "source: identifier": {STAGING: ("identifier: raw_customers", "identifier: customers")},
    "source: schema": {STAGING: ("{{ target.schema }}", "{{ target.name }}")},
    "source: description": {STAGING: ("What the shop writes.", "x")},
    "exposure: url": {MARTS: ("com/board", "com/boards")},
    "macro: used by a macro": {MONEY: ("* 100", "* 100.0")},
    "macro: used by nobody": {"macros/unused.sql": ("%}1{%", "%}2{%")},
    "macro: of a generic test": {"tests/generic/positive.sql": ("<= 0", "< 0")},
    "contract: no longer enforced": {MARTS: ("    config: {contract: {enforced: true}}\n", "")},
    "contract: another type": {MARTS: ("data_type: integer", "data_type: bigint")},
    "contract: another column": {
        MARTS: ("data_type: varchar\n", "data_type: varchar\n      - {name: n, data_type: integer}\n")
    },
}  # fmt: skip


def older_project(edit: Edit, *, more: bool | None = None) -> dict[str, str]:
    """The project's files after an edit. `more`: the flag of that name, None where the version has none."""
    flags = "" if more is None else FLAGS.format(more=str(more).lower())
    return edited({MAIN: PROJECT.format(flags=flags), **FILES}, edit)
