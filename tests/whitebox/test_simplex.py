"""The projection to the simplex is the nearest point, by two computations that have nothing in common with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import brentq, minimize

from copycat.whitebox.simplex import picked, project


@pytest.mark.parametrize("seed", range(6))
def test_the_projection_is_the_nearest_point_by_a_general_solver(seed: int) -> None:
    point = np.random.default_rng(seed).normal(0, 1, 5)
    solved = minimize(
        lambda x: ((x - point) ** 2).sum(),
        np.full(5, 0.2),
        bounds=[(0, None)] * 5,
        constraints={"type": "eq", "fun": lambda x: x.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    np.testing.assert_allclose(project(torch.from_numpy(point)).numpy(), solved.x, atol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 49_408])
def test_the_projection_agrees_with_a_search_for_its_threshold(size: int) -> None:
    points = np.random.default_rng(size).normal(0, 3, (3, size))
    for point, projected in zip(points, project(torch.from_numpy(points)).numpy(), strict=True):
        tau = brentq(lambda t, p=point: np.maximum(p - t, 0).sum() - 1, point.min() - 2, point.max(), xtol=1e-14)
        np.testing.assert_allclose(projected, np.maximum(point - tau, 0), atol=1e-9)
        assert projected.sum() == pytest.approx(1)


def test_the_first_step_of_a_whole_vocabulary_stays_a_share_in_single_precision() -> None:
    generator = torch.Generator().manual_seed(0)
    shares = torch.rand(3, 49_408, generator=generator)
    shares = shares / shares.sum(dim=-1, keepdim=True)
    moved = shares + 0.01 * torch.sign(torch.randn(3, 49_408, generator=generator))  # AdamW's first step at lr 0.01
    projected = project(moved)
    torch.testing.assert_close(projected.double(), project(moved.double()), atol=1e-6, rtol=0)
    torch.testing.assert_close(projected.sum(dim=-1), torch.ones(3), atol=1e-3, rtol=0)


def test_a_point_of_the_simplex_stays_where_it_is() -> None:
    inside = torch.tensor([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(project(inside), inside)


def test_the_largest_share_stands_there_and_all_shares_get_the_gradient() -> None:
    table = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
    shares = torch.tensor([[0.2, 0.5, 0.3], [0.4, 0.3, 0.3]], requires_grad=True)
    weights = torch.tensor([1.0, 10.0])
    embedded = picked(shares, table)
    torch.testing.assert_close(embedded.detach(), table[[1, 0]])
    (embedded * weights).sum().backward()
    torch.testing.assert_close(shares.grad, torch.tensor([[1.0, 20.0, 33.0]] * 2))
