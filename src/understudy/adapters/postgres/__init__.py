"""PostgreSQL: one session per thread, a transaction round each node."""
