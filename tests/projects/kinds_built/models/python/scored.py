def model(dbt, session):
    dbt.config(materialized="table", tags=["py"], packages=["numpy"])
    dbt.config(tags="more")
    orders = dbt.ref("stg_orders")
    dbt.source("shop", "rates")
    floor = dbt.config.get("floor", 3)
    dbt.config.get("label")
    dbt.config.meta_get("owner", "nobody")
    return orders.filter(f"amount > {floor}")
