"""Spark: a session in this process, or a server that is spoken to by Spark Connect; one session per thread."""
