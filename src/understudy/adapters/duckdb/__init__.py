"""DuckDB: one instance per adapter, one cursor per thread."""
