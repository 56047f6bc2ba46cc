"""From a node and the run's resolution to its SQL."""
