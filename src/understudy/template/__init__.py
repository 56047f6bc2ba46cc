"""Jinja: literal scan (the fast path), the environment, macro namespaces, dispatch, contexts. Look-ups are injected."""
