"""A discriminator of patches of latents: it tells the anchor's predictions from the concept's.

After DoCo (Wu et al., arXiv 2405.15304), with what its code lacks: it may be told the noise level, and its norm need
not look at the batch.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Literal

Norm = Literal["group", "spectral", "batch", "none"]

FIRST_WIDTH, LAST_WIDTH = 64, 512
TIME_FEATURES = 64
SLOPE = 0.2


def discriminator_widths(side: int) -> list[int]:
    """Give the channels behind each halving convolution: as many as leave a map of about 4x4.

    Latents of 64x64 (Stable Diffusion 1) get the published 64, 128, 256, 512, those of 16x16 get 64, 128.
    """
    depth = max(1, round(math.log2(max(side, 8) / 4)))
    return [min(FIRST_WIDTH * 2**level, LAST_WIDTH) for level in range(depth)]


def build_discriminator(channels: int, side: int, norm: Norm, knows_time: bool, seed: int) -> Any:  # Any: nn.Module
    """Build it, from a seed, in float32 on the CPU: `network(x, t)`.

    Convolutions of 4x4 with stride 2 and leaky ReLU halve the map, the last, with stride 1, gives a logit for each
    patch: (n, channels, side, side) and (n,) shares of the training schedule in [0, 1] -> (n, 1, patches, patches).

    Args:
        channels: of the latents. side: the shorter one of the latents.
        norm: behind all convolutions but the first and the last; "batch" is the published one.
        knows_time: whether features of the timestep are added behind each convolution.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _network(channels, discriminator_widths(side), norm, knows_time)


def _network(channels: int, widths: list[int], norm: Norm, knows_time: bool) -> Any:
    import torch
    from torch import nn

    class Discriminator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            pairs = list(pairwise([channels, *widths]))
            self.convolutions = nn.ModuleList(_convolution(a, b, 2, norm) for a, b in pairs)
            self.norms = nn.ModuleList(_norm(norm if level else "none", width) for level, width in enumerate(widths))
            self.times = nn.ModuleList(nn.Linear(TIME_FEATURES, width) for width in widths if knows_time)
            self.last = _convolution(widths[-1], 1, 1, norm)

        def forward(self, x: Any, t: Any) -> Any:
            features = time_features(t) if knows_time else None
            for level, (convolution, normed) in enumerate(zip(self.convolutions, self.norms, strict=True)):
                x = normed(convolution(x))
                if features is not None:
                    x = x + self.times[level](features)[:, :, None, None]
                x = torch.nn.functional.leaky_relu(x, SLOPE)
            return self.last(x)

    return Discriminator()


def time_features(t: Any) -> Any:
    """Give sines and cosines of a share of the schedule at doubling frequencies, (n,) -> (n, TIME_FEATURES)."""
    import torch

    half = TIME_FEATURES // 2
    steps = torch.arange(half, device=t.device, dtype=torch.float32) / (half - 1)
    angles = t.float()[:, None] * math.pi * 2 ** (8 * steps)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _convolution(ins: int, outs: int, stride: int, norm: Norm) -> Any:
    from torch import nn
    from torch.nn.utils import parametrizations

    convolution = nn.Conv2d(ins, outs, kernel_size=4, stride=stride, padding=1)
    return parametrizations.spectral_norm(convolution) if norm == "spectral" else convolution


def _norm(norm: Norm, width: int) -> Any:
    from torch import nn

    if norm == "batch":
        return nn.BatchNorm2d(width)
    return nn.GroupNorm(16, width) if norm == "group" else nn.Identity()
