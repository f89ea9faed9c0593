"""The oracle: reads the attributes off a picture, independently of the judge.

A small convolutional classifier with one head per attribute. It never sees a character's name:
who is shown follows from the attributes by looking them up in the world.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from copycat.sandbox.corpus import Pixels
from copycat.sandbox.world import ATTRIBUTES, Appearance, inhabitants

WIDTHS = (24, 48, 96, 128)


class AttributeNet(nn.Module):
    """Four strided convolutions and a linear head per attribute.

    Shapes: (N, 3, 64, 64) float in [-1, 1] -> attribute -> (N, number of values) logits; the
    theme has one value more, for a plain backdrop.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width in WIDTHS:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.GroupNorm(8, width), nn.SiLU()]
            layers += [nn.Conv2d(width, width, 3, stride=2, padding=1), nn.GroupNorm(8, width), nn.SiLU()]
            channels = width
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * 16, 256), nn.SiLU())
        self.heads = nn.ModuleDict(
            {name: nn.Linear(256, len(values) + (name == "theme")) for name, values in ATTRIBUTES.items()}
        )

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Give the logits of every attribute."""
        features = self.body(images)
        return {name: head(features) for name, head in self.heads.items()}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the oracle sees: the appearance, and the character whose appearance that exactly is."""

    looks: Appearance
    character: str | None


class Oracle:
    """Reads pictures with the shipped weights."""

    def __init__(self, weights: Path) -> None:
        self.net = AttributeNet()
        self.net.load_state_dict({k: v.float() for k, v in load_file(weights).items()})
        self.net.eval()
        self.known = {who.appearance: who.id for who in inhabitants()}

    @torch.no_grad()
    def read(self, pixels: Pixels, batch: int = 128) -> list[Reading]:
        """Read pictures.

        Args:
            pixels: (N, 64, 64, 3) uint8.
        """
        readings: list[Reading] = []
        for start in range(0, len(pixels), batch):
            chunk = torch.from_numpy(np.ascontiguousarray(pixels[start : start + batch]))
            logits = self.net(chunk.permute(0, 3, 1, 2).float() / 127.5 - 1)
            best = {name: scores.argmax(1).tolist() for name, scores in logits.items()}
            readings += [self._reading({name: found[i] for name, found in best.items()}) for i in range(len(chunk))]
        return readings

    def _reading(self, places: dict[str, int]) -> Reading:
        looks = Appearance(**{name: _value(name, place) for name, place in places.items()})  # type: ignore[arg-type]
        return Reading(looks, self.known.get(looks))


def _value(attribute: str, place: int) -> str | None:
    values: Sequence[str] = ATTRIBUTES[attribute]
    return values[place] if place < len(values) else None
