"""Values that every room speaks of: nodes, relations, config, source files, the manifest. No I/O, no Jinja."""
