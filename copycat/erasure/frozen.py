"""The original beside the edited model, at the cost of the edited parameters alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Originals:
    """Keeps the original values of parameters and puts them in their place for a while.

    Args:
        parameters: by name, of those that will be edited; made before the first edit.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._parameters = dict(parameters)
        self._kept = {name: parameter.detach().clone() for name, parameter in self._parameters.items()}

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the network be the original one, without gradients.

        No graph of the edited network may be alive: its backward pass would read the wrong values.
        """
        import torch

        edited = {name: parameter.data for name, parameter in self._parameters.items()}
        for name, parameter in self._parameters.items():
            parameter.data = self._kept[name]
        try:
            with torch.no_grad():
                yield
        finally:
            for name, parameter in self._parameters.items():
                parameter.data = edited[name]
