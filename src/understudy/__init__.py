"""understudy builds what you changed, and lets production stand in for the rest."""

__version__ = "0.1.0"

DBT_VERSION = "1.11.16"
"""As which dbt we answer, in `require-dbt-version`, in Jinja's `dbt_version` and in `--version`."""
