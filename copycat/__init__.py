"""copycat measures how often image models reproduce protected characters."""

__version__ = "0.1.0"
