"""The project that `init` writes: one seed, two models, their tests and words, two environments. It builds as it is."""

from __future__ import annotations

from collections.abc import Mapping

PROJECT = """\
name: NAME
version: '1.0'
profile: PROFILE

models:
  NAME:
    staging:
      +materialized: view
    marts:
      +materialized: table
"""
PROFILES = """\
# Where this project is built. Both environments live in one DuckDB file; real ones would be servers, whose passwords
# come from the environment: password: "{{ env_var('DBT_ENV_SECRET_PASSWORD') }}"
PROFILE:
  target: dev
  outputs:
    dev: {type: duckdb, path: NAME.duckdb, schema: dev, threads: 4}
    prod: {type: duckdb, path: NAME.duckdb, schema: prod, threads: 4}
"""
README = """\
# NAME

Rides of a small bicycle rental, by day.

```shell
understudy build             # load the seed, build the models, run the tests
understudy show -s daily_rides
understudy docs generate --static
```

Production builds everything, and keeps its artifacts. Whoever changes a model builds that alone: production's tables
stand in for the rest.

```shell
understudy build --target prod --target-path prod-artifacts
understudy build -s state:modified+ --defer --state prod-artifacts
```
"""
GITIGNORE = """\
target/
logs/
dbt_packages/
*.duckdb
*.duckdb.wal
"""
SEED = """\
ride_id,bike,started_at,minutes,price
1,Ada,2024-05-01 08:12:00,14,2.10
2,Grace,2024-05-01 08:40:00,32,4.80
3,Ada,2024-05-01 17:05:00,21,3.15
4,Edsger,2024-05-02 07:58:00,9,1.35
5,Grace,2024-05-02 12:30:00,47,7.05
6,Ada,2024-05-03 09:15:00,18,2.70
7,Edsger,2024-05-03 18:20:00,26,3.90
8,Grace,2024-05-03 19:02:00,12,1.80
"""
STAGING = """\
select
    ride_id,
    bike,
    cast(started_at as date) as ride_date,
    minutes,
    price
from {{ ref('rides') }}
"""
MART = """\
select
    ride_date,
    count(*) as rides,
    count(distinct bike) as bikes,
    sum(minutes) as minutes,
    sum(price) as revenue
from {{ ref('stg_rides') }}
group by ride_date
"""
SCHEMA = """\
seeds:
  - name: rides
    description: One row per ride, as the bicycles report it.

models:
  - name: stg_rides
    description: Rides, with the day on which they began.
    columns:
      - name: ride_id
        description: The ride.
        data_tests: [unique, not_null]
      - name: ride_date
        data_tests: [not_null]

  - name: daily_rides
    description: '{{ doc("daily_rides") }}'
    columns:
      - name: ride_date
        description: The day.
        data_tests: [unique, not_null]
      - name: revenue
        description: What all rides of the day cost together.
"""
DOCS = """\
{% docs daily_rides %}
One row per day with rides. A day without any has no row.
{% enddocs %}
"""
TEST = """\
-- Every ride is counted: the rows that this finds are days whose rides are too many or too few.
select daily.ride_date
from {{ ref('daily_rides') }} as daily
join (
    select ride_date, count(*) as rides from {{ ref('stg_rides') }} group by ride_date
) as rides on rides.ride_date = daily.ride_date
where rides.rides <> daily.rides
"""
FILES: Mapping[str, str] = {
    "dbt_project.yml": PROJECT,
    "README.md": README,
    ".gitignore": GITIGNORE,
    "seeds/rides.csv": SEED,
    "models/staging/stg_rides.sql": STAGING,
    "models/marts/daily_rides.sql": MART,
    "models/schema.yml": SCHEMA,
    "models/docs.md": DOCS,
    "tests/every_ride_is_counted.sql": TEST,
}
"""Path -> text, in which NAME and PROFILE stand for those of the project."""
