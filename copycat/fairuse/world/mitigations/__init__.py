"""Mitigations of the world, each measured as extraction, utility and cost."""
