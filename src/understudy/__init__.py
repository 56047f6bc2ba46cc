"""understudy builds what you changed, and lets production stand in for the rest."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from understudy.api import Result, Understudy

__all__ = ["DBT_VERSION", "Result", "Understudy", "__version__"]

__version__ = "0.1.0"

DBT_VERSION = "1.11.16"
"""As which dbt we answer, in `require-dbt-version`, in Jinja's `dbt_version` and in `--version`."""


def __getattr__(name: str) -> object:
    """`Understudy` and `Result`, imported when they are first asked for: importing the package stays cheap."""
    if name in ("Result", "Understudy"):
        from understudy import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
