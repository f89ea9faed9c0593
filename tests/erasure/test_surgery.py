"""Surgery takes away what works against the other gradient, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from copycat.erasure.surgery import clipped, group_of, operate


def random_pair(seed: int, sizes: tuple[int, ...] = (3, 5, 7)) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    return tuple([torch.randn(2, size, generator=generator) for size in sizes] for _ in range(2))  # type: ignore[return-value]


def as_vector(tensors: list[torch.Tensor]) -> np.ndarray:
    return np.concatenate([tensor.double().numpy().ravel() for tensor in tensors])


def nearest_without_conflict(u: np.ndarray, r: np.ndarray) -> np.ndarray:
    """The point of the half-space <x, r> >= 0 that is nearest to u, by its normal: what a projection is."""
    normal = r / np.sqrt(r @ r)
    return u - min(0.0, u @ normal) * normal


@pytest.mark.parametrize("seed", range(6))
def test_a_projection_is_the_nearest_gradient_that_does_the_other_no_harm(seed: int) -> None:
    u, r = random_pair(seed)
    freed = operate(u, r, ["all"] * 3)
    np.testing.assert_allclose(
        as_vector(freed.gradients), nearest_without_conflict(as_vector(u), as_vector(r)), atol=1e-5
    )
    assert as_vector(freed.gradients) @ as_vector(r) > -1e-5
    assert freed.conflicts == float(as_vector(u) @ as_vector(r) < 0)


@pytest.mark.parametrize("seed", range(6))
def test_each_group_is_projected_for_itself(seed: int) -> None:
    u, r = random_pair(seed)
    freed = operate(u, r, ["a", "a", "b"])
    for places in ([0, 1], [2]):
        expected = nearest_without_conflict(*(as_vector([g[i] for i in places]) for g in (u, r)))
        np.testing.assert_allclose(as_vector([freed.gradients[i] for i in places]), expected, atol=1e-5)


@pytest.mark.parametrize("form", ["projection", "cosine"])
def test_gradients_without_conflict_stay_as_they_are(form: str) -> None:
    u, r = [torch.tensor([1.0, 2.0])], [torch.tensor([3.0, -1.0])]
    freed = operate(u, r, ["a"], form=form)  # type: ignore[arg-type]
    assert torch.equal(freed.gradients[0], u[0])
    assert freed.conflicts == 0


def test_the_published_form_takes_too_much_of_a_short_gradient() -> None:
    # u = (-0.3, 0.4), r = (2, 0): <u, r> = -0.6, ||r|| = 2, ||u|| = 0.5, so cos = -0.6 and -cos r / ||r|| = (0.6, 0)
    u, r = [torch.tensor([-0.3, 0.4])], [torch.tensor([2.0, 0.0])]
    published = operate(u, r, ["a"], form="cosine").gradients[0]
    torch.testing.assert_close(published, torch.tensor([0.3, 0.4]))
    # the projection leaves (0, 0.4), at a right angle to r; the published form now pulls along r, which nobody asked
    torch.testing.assert_close(operate(u, r, ["a"]).gradients[0], torch.tensor([0.0, 0.4]))
    # of a u of length 1 both are the same
    unit = [2 * u[0]]
    torch.testing.assert_close(
        operate(unit, r, ["a"], form="cosine").gradients[0], operate(unit, r, ["a"]).gradients[0]
    )


def test_half_the_strength_takes_half() -> None:
    u, r = [torch.tensor([-1.0, 1.0])], [torch.tensor([5.0, 0.0])]
    torch.testing.assert_close(operate(u, r, ["a"], strength=0.5).gradients[0], torch.tensor([-0.5, 1.0]))


def test_without_surgery_conflicts_stay() -> None:
    u, r = [torch.tensor([-1.0, 1.0])], [torch.tensor([5.0, 0.0])]
    assert operate(u, r, ["a"], form="none").gradients[0] is u[0]


def test_a_retaining_gradient_of_nothing_is_no_conflict() -> None:
    freed = operate([torch.tensor([1.0])], [torch.tensor([0.0])], ["a"])
    assert torch.equal(freed.gradients[0], torch.tensor([1.0]))


def test_groups_are_tensors_layers_or_all() -> None:
    key, value = "down.0.attn2.to_k.weight", "down.0.attn2.to_v.weight"
    assert group_of(key, "tensor") != group_of(value, "tensor")
    assert group_of(key, "layer") == group_of(value, "layer") == "down.0.attn2"
    assert group_of(key, "global") == group_of("up.1.attn2.to_k.weight", "global")


def test_a_long_gradient_is_shortened_and_a_short_one_is_not() -> None:
    long, short = [torch.tensor([3.0]), torch.tensor([4.0])], [torch.tensor([0.3]), torch.tensor([0.4])]
    np.testing.assert_allclose(as_vector(clipped(long, 1.0)), [0.6, 0.8], rtol=1e-5)
    np.testing.assert_allclose(as_vector(clipped(short, 1.0)), [0.3, 0.4], rtol=1e-5)
