"""One rich project, and named edits of it: what `state:` must notice, and what it must not.

Plain data: read by scripts/record_state.py (with dbt's Python) and by test_state_parity.py.
An edit maps paths to the new text, to None (the file goes), or to (old text, new text) within the file.
"""

from __future__ import annotations

from differential import state_edits_kinds as kinds

Edit = dict[str, "str | tuple[str, str] | None"]

PROJECT = """\
name: shop
version: "1.0"
config-version: 2
profile: shop
flags:
  send_anonymous_usage_stats: false
  state_modified_compare_more_unrendered_values: {more}
vars:
  rate: 2
  owner: ann
  raw_schema: landing
models:
  shop:
    +docs: {{show: true}}
    staging:
      +materialized: view
      +tags: [staging]
    marts:
      +materialized: "{{{{ 'table' if target.name == 'prod' else 'view' }}}}"
      +schema: "{{{{ 'gold' if target.name == 'prod' else 'dev_gold' }}}}"
seeds:
  shop:
    +quote_columns: false
data_tests:
  shop:
    +severity: error
snapshots:
  shop:
    +target_schema: snaps
"""
FILES: dict[str, str] = {
    "profiles.yml": """\
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: shop.duckdb, schema: dev}
    prod: {type: duckdb, path: shop.duckdb, schema: prod}
""",
    "packages.yml": "packages:\n  - local: helpers\n",
    "helpers/dbt_project.yml": "name: helpers\nversion: '1.0'\nconfig-version: 2\nmodels:\n  +materialized: view\n",
    "helpers/macros/round.sql": "{% macro rounded(x) %}round({{ x }}, 2){% endmacro %}",
    "helpers/models/calendar.sql": "select 1 as day",
    "macros/money.sql": (
        "{% macro cents(x) %}{{ scaled(x) }}{% endmacro %}\n\n"
        "{% macro scaled(x) %}({{ x }} / 100){% endmacro %}\n\n{% macro nobody() %}1{% endmacro %}\n"
    ),
    "macros/hooks.sql": "{% macro note() %}select 1{% endmacro %}",
    "tests/generic/positive.sql": (
        "{% test positive(model, column_name) %}select * from {{ model }} where {{ column_name }} <= 0{% endtest %}"
    ),
    "tests/no_orphans.sql": "{{ config(severity='warn') }}\nselect * from {{ ref('orders') }} where customer_id is null",
    "analyses/look.sql": "select * from {{ ref('orders') }}",
    "seeds/countries.csv": "id,name\n1,Austria\n2,France\n",
    "seeds/_seeds.yml": "seeds:\n  - name: countries\n    config: {column_types: {id: int}}\n",
    "snapshots/customers_snapshot.sql": (
        "{% snapshot customers_snapshot %}\n{{ config(unique_key='id', strategy='check', check_cols=['name']) }}\n"
        "select * from {{ ref('stg_customers') }}\n{% endsnapshot %}"
    ),
    "models/staging/stg_orders.sql": "-- orders as they come\nselect * from {{ source('raw', 'orders') }}",
    "models/staging/stg_customers.sql": "select 1 as id, 'x' as name\nfrom {{ source('raw', 'customers') }}",
    "models/staging/_staging.yml": """\
sources:
  - name: raw
    description: What the shop writes.
    schema: "{{ var('raw_schema') }}"
    loader: cron
    tables:
      - name: orders
        identifier: orders_v2
        description: Orders.
        config:
          loaded_at_field: at
          freshness: {warn_after: {count: 1, period: day}}
        columns:
          - name: id
            data_tests: [not_null]
      - name: customers
        tags: [people]
models:
  - name: stg_orders
    description: Orders, one row each.
    config: {meta: {owner: "{{ var('owner') }}"}}
    columns:
      - name: id
        description: Key.
        data_tests:
          - unique
          - positive
  - name: stg_customers
    columns:
      - name: id
        data_tests:
          - not_null: {config: {where: "id > 0"}}
          - relationships: {arguments: {to: ref('orders'), field: customer_id}}
""",
    "models/marts/orders.sql": (
        "{{ config(materialized='table', alias='orders_final', pre_hook=\"select 1\") }}\n"
        "select id, customer_id, {{ cents('amount') }} as amount from {{ ref('stg_orders') }}"
    ),
    "models/marts/customers.sql": (
        "{{ config(materialized='incremental', unique_key='id', meta={'rate': var('rate')}) }}\n"
        "select id, {{ rounded('1.234') }} as score from {{ ref('stg_customers') }} join {{ ref('calendar') }} on true"
    ),
    "models/marts/helper.sql": "{{ config(materialized='ephemeral') }}\nselect 1 as id",
    "models/marts/described.sql": (
        "{{ config(persist_docs={'relation': true, 'columns': true}) }}\nselect id from {{ ref('helper') }}"
    ),
    "models/marts/promised.sql": "{{ config(materialized='table') }}\nselect 1 as id, 'x' as name",
    "models/marts/product_v1.sql": "{{ config(materialized='table') }}\nselect 1 as id",
    "models/marts/product_v2.sql": "{{ config(materialized='table') }}\nselect 1 as id, 2 as extra",
    "models/marts/_marts.yml": """\
groups:
  - name: finance
    owner: {name: Fin}
  - name: sales
    owner: {name: Sal}
models:
  - name: orders
    description: Orders for people.
    access: protected
    group: finance
    config:
      tags: [mart]
      grants: {select: [reader]}
    columns:
      - name: amount
        description: Euros.
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
        constraints: [{type: not_null}]
      - name: name
        data_type: varchar(10)
  - name: product
    latest_version: 2
    config: {contract: {enforced: true}}
    columns:
      - name: id
        data_type: integer
    versions:
      - v: 1
        deprecation_date: 2030-01-01
      - v: 2
        columns:
          - include: all
          - name: extra
            data_type: integer
exposures:
  - name: board
    label: The board
    type: dashboard
    maturity: high
    url: https://example.com/board
    description: What the boss sees.
    owner: {name: Boss, email: boss@example.com}
    depends_on: [ref('orders'), ref('customers')]
    config: {meta: {a: 1}}
unit_tests:
  - name: cents_are_cents
    model: orders
    given:
      - input: ref('stg_orders')
        rows: [{id: 1, customer_id: 1, amount: 100}]
    expect:
      rows: [{id: 1, amount: 1}]
""",
}

OWNER = """config: {meta: {owner: "{{ var('owner') }}"}"""
GIVEN_ID = "      - name: id\n        data_type: integer\n        constraints: [{type: not_null}]\n"
GIVEN_NAME = "      - name: name\n        data_type: varchar(10)"
SAID = "  - name: described\n    description: Said twice.\n    columns:\n      - name: id\n        description: Key.\n"
GIVEN = "  - name: promised\n    config: {contract: {enforced: true}}\n"
ORDERS, CUSTOMERS, STAGING, MARTS = (
    "models/marts/orders.sql", "models/marts/customers.sql", "models/staging/_staging.yml", "models/marts/_marts.yml",
)  # fmt: skip
STG_ORDERS, DESCRIBED, PROMISED, MONEY = (
    "models/staging/stg_orders.sql", "models/marts/described.sql", "models/marts/promised.sql", "macros/money.sql",
)  # fmt: skip
SEED, SNAPSHOT, SINGULAR, HOOKS = (
    "seeds/countries.csv", "snapshots/customers_snapshot.sql", "tests/no_orphans.sql", "macros/hooks.sql",
)  # fmt: skip
MAIN = "dbt_project.yml"

EDITS: dict[str, Edit] = {
    "nothing": {},
    # Body
    "body: another column": {STG_ORDERS: ("select *", "select id")},
    "body: a comment": {STG_ORDERS: ("-- orders as they come", "-- orders")},
    "body: inner white space": {STG_ORDERS: ("select * from", "select  * from")},
    "body: outer white space": {
        STG_ORDERS: "\n\n-- orders as they come\nselect * from {{ source('raw', 'orders') }}\n\n  "
    },
    "body: another ref": {"analyses/look.sql": ("ref('orders')", "ref('customers')")},
    "body: of a seed": {SEED: ("Austria", "Österreich")},
    "body: of a seed, a final newline": {SEED: "id,name\n1,Austria\n2,France\n\n"},
    "body: of a seed, another line ending": {SEED: "id,name\r\n1,Austria\r\n2,France\r\n"},
    "body: of a snapshot": {SNAPSHOT: ("select *", "select id, name")},
    "body: of a singular test": {SINGULAR: ("is null", "is  null")},
    "body: of an ephemeral model": {"models/marts/helper.sql": ("1 as id", "2 as id")},
    "body: of a package's model": {"helpers/models/calendar.sql": "select 2 as day"},
    # Config in the file
    "config: materialized in the file": {ORDERS: ("materialized='table'", "materialized='view'")},
    "config: the same in other words": {ORDERS: ("materialized='table'", 'materialized="table"')},
    "config: order of keys in the file": {
        ORDERS: ("materialized='table', alias='orders_final'", "alias='orders_final', materialized='table'")
    },
    "config: a hook in the file": {ORDERS: ('pre_hook="select 1"', 'pre_hook="select 2"')},
    "config: a second hook": {ORDERS: ('pre_hook="select 1"', 'pre_hook=["select 1", "select 2"]')},
    "config: unique_key": {CUSTOMERS: ("unique_key='id'", "unique_key='score'")},
    "config: another var in the file": {CUSTOMERS: ("var('rate')", "var('owner')")},
    "config: a var's name becomes its value": {CUSTOMERS: ("var('rate')", "2")},
    "config: a key of one's own": {ORDERS: ("alias=", "mine=1, alias=")},
    "config: enabled": {
        STG_ORDERS: "{{ config(enabled=true) }}\n-- orders as they come\nselect * from {{ source('raw', 'orders') }}"
    },
    "config: of a snapshot": {SNAPSHOT: ("['name']", "['id', 'name']")},
    "config: severity of a singular test": {SINGULAR: ("'warn'", "'error'")},
    "config: meta of a singular test": {SINGULAR: ("severity='warn'", "severity='warn', meta={'a': 1}")},
    "config: limit of a singular test": {SINGULAR: ("severity='warn'", "severity='warn', limit=5")},
    # Config in properties files
    "config: meta in properties": {STAGING: ("owner: \"{{ var('owner') }}\"", "owner: bob")},
    "config: meta in properties, its value": {STAGING: ("owner: \"{{ var('owner') }}\"", "owner: ann")},
    "config: tags in properties": {MARTS: ("tags: [mart]", "tags: [mart, more]")},
    "config: grants": {MARTS: ("[reader]", "[reader, writer]")},
    "config: docs of a model": {MARTS: ("tags: [mart]", "docs: {show: false}")},
    "config: materialized in properties": {STAGING: (OWNER + "}", "config: {materialized: table}")},
    "config: of a seed": {"seeds/_seeds.yml": ("int}", "varchar}")},
    "config: where of a generic test": {STAGING: ("id > 0", "id > 1")},
    "config: severity of a generic test": {STAGING: ('{where: "id > 0"}', '{where: "id > 0", severity: warn}')},
    "config: tags of a generic test": {STAGING: ('{where: "id > 0"}', '{where: "id > 0", tags: [x]}')},
    "config: meta of a generic test": {STAGING: ('{where: "id > 0"}', '{where: "id > 0", meta: {x: 1}}')},
    "config: limit of a generic test": {STAGING: ('{where: "id > 0"}', '{where: "id > 0", limit: 3}')},
    "config: fail_calc of a generic test": {STAGING: ('{where: "id > 0"}', '{where: "id > 0", fail_calc: max(id)}')},
    "config: store_failures of a generic test": {
        STAGING: ('{where: "id > 0"}', '{where: "id > 0", store_failures: true}')
    },
    "config: error_if of a generic test": {STAGING: ('{where: "id > 0"}', '{where: "id > 0", error_if: ">5"}')},
    # Config in dbt_project.yml
    "config: materialized in dbt_project.yml": {MAIN: ("+materialized: view", "+materialized: table")},
    "config: raw text in dbt_project.yml": {
        MAIN: ("'table' if target.name == 'prod' else 'view'", "'table' if target.name == 'prd' else 'view'")
    },
    "config: tags in dbt_project.yml": {MAIN: ("+tags: [staging]", "+tags: [other]")},
    "config: meta in dbt_project.yml": {MAIN: ("+tags: [staging]", "+meta: {a: 1}")},
    "config: docs in dbt_project.yml": {MAIN: ("+docs: {show: true}", "+docs: {show: false}")},
    "config: of seeds in dbt_project.yml": {MAIN: ("+quote_columns: false", "+quote_columns: true")},
    "config: of tests in dbt_project.yml": {MAIN: ("+severity: error", "+severity: warn")},
    "config: of snapshots in dbt_project.yml": {MAIN: ("+target_schema: snaps", "+target_schema: other")},
    "config: persist_docs in dbt_project.yml": {MAIN: ("+tags: [staging]", "+persist_docs: {relation: true}")},
    "config: the plus sign": {MAIN: ("+quote_columns", "quote_columns")},
    "config: a package's, in its own file": {
        "helpers/dbt_project.yml": ("+materialized: view", "+materialized: table")
    },
    "config: a package's, in the root project": {
        MAIN: ("models:\n  shop:", "models:\n  helpers: {+materialized: table}\n  shop:")
    },
    "var: its value": {MAIN: ("rate: 2", "rate: 3")},
    "var: a value used in properties": {MAIN: ("owner: ann", "owner: bob")},
    # Relation
    "relation: alias in the file": {ORDERS: ("orders_final", "orders_other")},
    "relation: alias in properties": {STAGING: (OWNER + "}", OWNER + ", alias: o}")},
    "relation: schema in dbt_project.yml": {MAIN: ("'gold' if", "'golden' if")},
    "relation: database in dbt_project.yml": {MAIN: ("+tags: [staging]", "+database: other")},
    "relation: generate_schema_name": {
        "macros/names.sql": "{% macro generate_schema_name(custom_schema_name, node) %}x{% endmacro %}"
    },
    "relation: the target's schema": {"profiles.yml": ("schema: dev", "schema: dev2")},
    # Descriptions
    "description: not persisted": {MARTS: ("Orders for people.", "Orders.")},
    "description: of a column, not persisted": {MARTS: ("Euros.", "Dollars.")},
    "description: persisted": {MARTS: ("Said twice.", "Said once.")},
    "description: of a column, persisted": {MARTS: ("        description: Key.", "        description: A key.")},
    "description: a new persisted column": {
        MARTS: ("        description: Key.", "        description: Key.\n      - name: x\n        description: X.")
    },
    # Names and places
    "fqn: another folder": {STG_ORDERS: None, "models/staging/deep/stg_orders.sql": FILES[STG_ORDERS]},
    "fqn: another folder with another config": {STG_ORDERS: None, "models/marts/stg_orders.sql": FILES[STG_ORDERS]},
    "file: properties under another name": {MARTS: None, "models/marts/other.yml": FILES[MARTS]},
    "name: a renamed model": {"analyses/look.sql": None, "analyses/looked.sql": FILES["analyses/look.sql"]},
    "name: a renamed seed": {SEED: None, "seeds/lands.csv": FILES[SEED], "seeds/_seeds.yml": ("countries", "lands")},
    # References
    "access: public": {MARTS: ("access: protected", "access: public")},
    "access: written though it is the default": {STAGING: ("description: Orders, one row each.", "access: protected")},
    "group: another": {MARTS: ("group: finance", "group: sales")},
    "version: the latest": {MARTS: ("latest_version: 2", "latest_version: 1")},
    "version: deprecated later": {MARTS: ("2030-01-01", "2031-01-01")},
    "version: deprecated": {MARTS: ("deprecation_date: 2030-01-01\n", "description: x\n")},
    # New and gone
    "new: a model": {"models/staging/extra.sql": "select 1 as id"},
    "new: a model that is disabled": {"models/staging/extra.sql": "{{ config(enabled=false) }} select 1 as id"},
    "new: a seed": {"seeds/more.csv": "a\n1\n"},
    "new: a snapshot": {"snapshots/more.sql": FILES[SNAPSHOT].replace("customers_snapshot", "more")},
    "new: a generic test": {MARTS: ("description: Euros.", "data_tests: [not_null]")},
    "new: a singular test": {"tests/more.sql": "select 1 where false"},
    "new: a source": {STAGING: ("      - name: customers", "      - name: more\n      - name: customers")},
    "new: an exposure": {MARTS: ("exposures:", "exposures:\n  - {name: more, type: notebook, owner: {name: x}}")},
    "new: an argument of a generic test": {STAGING: ("field: customer_id", "field: id")},
    "gone: a model": {"models/marts/described.sql": None, MARTS: (SAID, "")},
    "gone: disabled": {DESCRIBED: ("config(", "config(enabled=false, ")},
    "gone: a generic test": {STAGING: ("          - unique\n", "")},
    "gone: a seed": {SEED: None, "seeds/_seeds.yml": None},
    # Sources
    "source: description": {STAGING: ("What the shop writes.", "x")},
    "source: description of a table": {STAGING: ("description: Orders.\n", "description: x\n")},
    "source: loader": {STAGING: ("loader: cron", "loader: fivetran")},
    "source: schema, another var": {STAGING: ("var('raw_schema')", "var('owner')")},
    "source: schema, its value": {STAGING: ("\"{{ var('raw_schema') }}\"", "landing")},
    "source: schema, the var's value": {MAIN: ("raw_schema: landing", "raw_schema: other")},
    "source: database": {STAGING: ("loader: cron", "loader: cron\n    database: elsewhere")},
    "source: identifier": {STAGING: ("orders_v2", "orders_v3")},
    "source: loaded_at_field": {STAGING: ("loaded_at_field: at", "loaded_at_field: updated")},
    "source: freshness": {STAGING: ("count: 1, period: day", "count: 2, period: day")},
    "source: tags": {STAGING: ("tags: [people]", "tags: [persons]")},
    "source: meta": {STAGING: ("tags: [people]", "tags: [people]\n        config: {meta: {a: 1}}")},
    "source: quoting": {STAGING: ("loader: cron", "quoting: {identifier: true}")},
    "source: external": {STAGING: ("tags: [people]", "tags: [people]\n        external: {location: x}")},
    "source: columns": {STAGING: ("tags: [people]", "tags: [people]\n        columns: [{name: a}]")},
    # Exposures
    "exposure: owner": {MARTS: ("name: Boss", "name: Chief")},
    "exposure: url": {MARTS: ("com/board", "com/boards")},
    "exposure: type": {MARTS: ("type: dashboard", "type: notebook")},
    "exposure: maturity": {MARTS: ("maturity: high", "maturity: low")},
    "exposure: label": {MARTS: ("The board", "A board")},
    "exposure: description": {MARTS: ("What the boss sees.", "x")},
    "exposure: parents": {MARTS: ("[ref('orders'), ref('customers')]", "[ref('orders')]")},
    "exposure: order of parents": {MARTS: ("[ref('orders'), ref('customers')]", "[ref('customers'), ref('orders')]")},
    "exposure: meta": {MARTS: ("meta: {a: 1}", "meta: {a: 2}")},
    "exposure: tags": {MARTS: ("config: {meta: {a: 1}}", "config: {meta: {a: 1}, tags: [x]}")},
    # Unit tests
    "unit test: rows": {MARTS: ("amount: 100", "amount: 200")},
    "unit test: expectation": {MARTS: ("rows: [{id: 1, amount: 1}]", "rows: [{id: 1, amount: 2}]")},
    "unit test: description": {MARTS: ("    model: orders\n", "    model: orders\n    description: x\n")},
    # Macros
    "macro: used": {MONEY: ("{{ scaled(x) }}", "{{ scaled(x) }} + 0")},
    "macro: used by a macro": {MONEY: ("/ 100", "/ 100.0")},
    "macro: used by nobody": {MONEY: ("%}1{%", "%}2{%")},
    "macro: a package's": {"helpers/macros/round.sql": ("2)", "3)")},
    "macro: a generic test's": {"tests/generic/positive.sql": ("<= 0", "< 0")},
    "macro: another file": {HOOKS: None, "macros/notes.sql": FILES[HOOKS]},
    "macro: new and unused": {"macros/new.sql": "{% macro new() %}1{% endmacro %}"},
    "macro: gone and unused": {HOOKS: None},
    # Contracts
    "contract: newly enforced": {
        MARTS: ("    config:\n      tags: [mart]", "    config:\n      contract: {enforced: true}\n      tags: [mart]"),
        ORDERS: ("materialized='table', ", ""),
    },
    "contract: no longer enforced": {MARTS: (GIVEN, "  - name: promised\n")},
    "contract: another type": {
        MARTS: ("data_type: integer\n        constraints", "data_type: varchar\n        constraints")
    },
    "contract: another size": {MARTS: ("varchar(10)", "varchar(20)")},
    "contract: a column less": {MARTS: ("      - name: name\n        data_type: varchar(10)\n", "")},
    "contract: a column more": {MARTS: ("varchar(10)", "varchar(10)\n      - name: more\n        data_type: integer")},
    "contract: a constraint less": {MARTS: ("        constraints: [{type: not_null}]\n", "")},
    "contract: a constraint more": {MARTS: ("[{type: not_null}]", "[{type: not_null}, {type: unique}]")},
    "contract: materialized otherwise": {PROMISED: ("'table'", "'view'")},
    "contract: order of columns": {MARTS: (GIVEN_ID + GIVEN_NAME, GIVEN_NAME + "\n" + GIVEN_ID.rstrip())},
    "contract: description": {
        MARTS: (
            "        constraints: [{type: not_null}]",
            "        constraints: [{type: not_null}]\n        description: x",
        )
    },
    "contract: a versioned model's type": {
        MARTS: ("        data_type: integer\n    versions:", "        data_type: varchar\n    versions:")
    },
    "contract: the model is gone": {
        PROMISED: None,
        MARTS: (GIVEN + "    columns:\n" + GIVEN_ID + GIVEN_NAME + "\n", ""),
    },
}
MOVED: Edit = {STAGING: None, "models/_staging.yml": FILES[STAGING]}
PROJECTS: dict[str, tuple[dict[str, str], dict[str, Edit]]] = {
    "edits": (FILES, EDITS),
    "kinds": ({**FILES, **kinds.FILES}, {**kinds.EDITS, "file: properties in another folder": MOVED}),
}
"""The project with its edits, and a larger one with those of state_edits_kinds.py; recorded apart."""


def project(edit: Edit, *, more: bool = True, which: str = "edits") -> dict[str, str]:
    """The files of one of PROJECTS after an edit. `more`: dbt's flag `state_modified_compare_more_unrendered_values`."""
    files = edited({MAIN: PROJECT.format(more=str(more).lower()), **PROJECTS[which][0]}, edit)
    for path in [name for name in files if name.startswith("helpers/")]:
        files[f"dbt_packages/{path}"] = files[path]
    return files


def edited(files: dict[str, str], edit: Edit) -> dict[str, str]:
    """Files after an edit. Raises ValueError when the edit's old text is not there exactly once."""
    found = dict(files)
    for path, change in edit.items():
        if change is None:
            del found[path]
        elif isinstance(change, str):
            found[path] = change
        else:
            old, new = change
            if found[path].count(old) != 1:
                raise ValueError(f"{path} holds {old!r} {found[path].count(old)} times")
            found[path] = found[path].replace(old, new)
    return found
