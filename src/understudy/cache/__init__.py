"""What the last run knew, kept beside the project, so that the next one does only what changed. Losing it costs time only."""
