"""Train the oracle on renders of random appearances, never on a character as such."""

from __future__ import annotations

import random

import numpy as np
import torch
from torch import Tensor, nn

from copycat.sandbox.corpus import Pixels
from copycat.sandbox.oracle import AttributeNet
from copycat.sandbox.train.judge import Example, shifted
from copycat.sandbox.world import ATTRIBUTES, Appearance

BATCH = 96


def draw_uniform(seed: str, count: int) -> list[Example]:
    """Draw appearances with every attribute uniform and independent (accent unlike the body)."""
    rng = random.Random(seed)
    examples = []
    for _ in range(count):
        body, accent = rng.sample(ATTRIBUTES["body"], 2)
        looks = Appearance(
            species=rng.choice(ATTRIBUTES["species"]),
            theme=rng.choice((None, *ATTRIBUTES["theme"])),
            body=body,
            accent=accent,
            pattern=rng.choice(ATTRIBUTES["pattern"]),
            accessory=rng.choice(ATTRIBUTES["accessory"]),
            eyes=rng.choice(ATTRIBUTES["eyes"]),
        )
        examples.append(Example(looks, rng.getrandbits(48), None))
    return examples


class OracleLoss:
    """Sum of the cross-entropies of all attributes, half of the pictures through the autoencoder."""

    def __init__(
        self, net: AttributeNet, sharp: Pixels, soft: Pixels, labels: dict[str, Tensor], device: torch.device
    ) -> None:
        self.net, self.labels, self.device = net, labels, device
        self.pixels = torch.from_numpy(np.concatenate([sharp, soft]))
        self.count = len(sharp)

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Draw a batch and return its loss."""
        index = torch.randint(2 * self.count, (BATCH,), generator=generator)
        images = shifted(self.pixels[index], generator).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            logits = self.net(images)
        losses = [
            nn.functional.cross_entropy(logits[name].float(), self.labels[name][index % self.count].to(self.device))
            for name in ATTRIBUTES
        ]
        return torch.stack(losses).sum()
