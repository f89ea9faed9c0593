"""The discriminator fits latents of any size, and is the same from the same seed."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from copycat.erasure.discriminator import build_discriminator, discriminator_widths, time_features


@pytest.mark.parametrize(
    ("side", "widths"),
    [
        (8, [64]),
        (16, [64, 128]),
        (64, [64, 128, 256, 512]),
        (96, [64, 128, 256, 512, 512]),
        (128, [64, 128, 256, 512, 512]),
    ],
)
def test_it_is_as_deep_as_the_latents_are_large(side: int, widths: list[int]) -> None:
    assert discriminator_widths(side) == widths


@pytest.mark.parametrize("side", [8, 16, 64, 128])
@pytest.mark.parametrize("norm", ["group", "batch", "spectral", "none"])
def test_it_ends_in_three_by_three_patches(side: int, norm: str) -> None:
    network = build_discriminator(4, side, norm, knows_time=True, seed=1)  # type: ignore[arg-type]
    logits = network(torch.randn(2, 4, side, side), torch.tensor([0.1, 0.9]))
    assert logits.shape == (2, 1, 3, 3)


def test_the_published_one_has_the_published_weights() -> None:
    network = build_discriminator(4, 64, "batch", knows_time=False, seed=1)
    widths = [4, 64, 128, 256, 512, 1]
    convolutions = sum(16 * a * b + b for a, b in pairwise(widths))
    norms = sum(2 * width for width in widths[2:5])
    assert sum(parameter.numel() for parameter in network.parameters()) == convolutions + norms


def test_its_weights_come_from_the_seed_and_from_nothing_else() -> None:
    before = torch.random.get_rng_state()
    first, again, other = (build_discriminator(4, 16, "spectral", True, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
    assert torch.equal(before, torch.random.get_rng_state())


def test_it_is_told_the_timestep_only_where_it_should_be() -> None:
    x = torch.randn(1, 4, 16, 16)
    for knows_time in (True, False):
        network = build_discriminator(4, 16, "group", knows_time, seed=1)
        early, late = (network(x, torch.tensor([t])) for t in (0.1, 0.9))
        assert torch.equal(early, late) is not knows_time


def test_with_the_group_norm_a_picture_is_judged_alone() -> None:
    x, t = torch.randn(3, 4, 16, 16), torch.tensor([0.1, 0.5, 0.9])
    group, batch = (build_discriminator(4, 16, norm, False, seed=1) for norm in ("group", "batch"))  # type: ignore[arg-type]
    torch.testing.assert_close(group(x, t)[:1], group(x[:1], t[:1]), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(batch(x, t)[:1], batch(x[:1], t[:1]), atol=1e-3)


def test_close_timesteps_have_different_features() -> None:
    features = time_features(torch.arange(1000) / 1000)
    assert features.abs().max() <= 1
    assert torch.pdist(features).min() > 1e-3
