"""DuckDB as statements need it: the compiled module alone.

`import duckdb` lays relations and expressions over it, as Python objects, which take three times as long to import as the
engine (0.09 s of 0.12 s, DuckDB 2.0). Python models get to see those: import the package before one runs.
"""

from __future__ import annotations

try:
    import _duckdb as duckdb
except ImportError:  # before DuckDB 1.4 it stands within the package
    import duckdb  # type: ignore[no-redef]

__all__ = ["duckdb"]
