"""The `dbt` macro package, in Python: what projects call as `dbt.x()`, or override by a macro of their own."""
