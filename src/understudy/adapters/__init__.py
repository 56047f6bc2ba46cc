"""The engines: connections that execute statements, list relations, and speak of their errors in ours."""
