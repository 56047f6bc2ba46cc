def model(dbt, session):
    dbt.config(tags=["py"], packages=["numpy"])
    a = dbt.ref("m1")
    return a.join(dbt.source("src", "tab1"), dbt.config.get("thing", 3))
