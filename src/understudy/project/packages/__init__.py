"""Packages: what `packages.yml` asks for is resolved over the whole tree, locked, and installed whole or not at all."""
