"""`--version`: answered from folder names, because importing an engine only to ask its version takes a second."""

from __future__ import annotations

import os
import sys

from understudy import DBT_VERSION, __version__

PLUGINS = {"duckdb": "duckdb", "postgres": "psycopg", "spark": "pyspark"}
"""Engine -> the distribution that brings its driver."""


def version_text() -> str:
    """What `--version` prints, in the layout of dbt's: scripts look for `installed:` and the plugin's name."""
    lines = [
        f"understudy {__version__}",
        "",
        "Core:",
        f"  - installed: {DBT_VERSION} (the dbt as which understudy answers)",
        "",
        "Plugins:",
    ]
    versions = installed(set(PLUGINS.values()))
    for engine, distribution in PLUGINS.items():
        missing = f"not installed (pip install 'understudy[{engine}]')"
        lines.append(f"  - {engine}: {versions.get(distribution, missing)}")
    return "\n".join(lines)


def installed(distributions: set[str]) -> dict[str, str]:
    """The versions of those distributions that are installed, read from the names of their `.dist-info` folders."""
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if name.endswith(".dist-info"):
                distribution, _, version = name.removesuffix(".dist-info").partition("-")
                if distribution.lower() in distributions:
                    found.setdefault(distribution.lower(), version)
    return found
