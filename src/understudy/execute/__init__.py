"""Plans become statements, statements become results: plan, materialize, schedule, run."""
