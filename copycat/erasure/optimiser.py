"""The states of an optimiser as flat tensors by name, for a checkpoint without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def flat_state(optimiser: Any, prefix: str = "adam") -> dict[str, Any]:
    """Give the states of all parameters as tensors: '<prefix>.<place of the parameter>.<name>'."""
    states = optimiser.state_dict()["state"]
    return {f"{prefix}.{place}.{name}": value for place, state in states.items() for name, value in state.items()}


def load_flat_state(optimiser: Any, state: Mapping[str, Any], prefix: str = "adam") -> None:
    """Take up what `flat_state` gave; other prefixes are left alone."""
    found: dict[int, dict[str, Any]] = {}
    for key, value in state.items():
        if key.startswith(f"{prefix}."):
            place, _, name = key.removeprefix(f"{prefix}.").partition(".")
            found.setdefault(int(place), {})[name] = value
    optimiser.load_state_dict({"state": found, "param_groups": optimiser.state_dict()["param_groups"]})
