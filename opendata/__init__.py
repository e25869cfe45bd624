"""A national open-data portal in one package."""

__version__ = "0.1.0"
