"""A denoiser whose forward is another one for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Forward = Callable[..., Any]
"""Called as `forward(sample, timestep, encoder_hidden_states=..., **more)`; gives a tuple with the prediction first."""


@contextmanager
def replaced_forward(network: Any, build: Callable[[Forward], Forward]) -> Iterator[None]:
    """Let a network call `build(its forward)` instead of its forward, until the context ends, also by an error."""
    own = vars(network).get("forward")  # another library's hook may sit there already
    network.forward = build(network.forward)
    try:
        yield
    finally:
        if own is None:
            del network.forward
        else:
            network.forward = own
