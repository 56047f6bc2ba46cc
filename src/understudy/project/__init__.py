"""The way in from the disk and the environment: settings, source files, installed packages."""
