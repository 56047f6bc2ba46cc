"""understudy builds what you changed, and lets production stand in for the rest."""

__version__ = "0.1.0"
