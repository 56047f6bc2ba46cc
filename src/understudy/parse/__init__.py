"""Source files become the manifest: scan one file at a time, then assemble nodes with config, names, patches and tests."""
