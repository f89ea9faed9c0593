"""SAFREE: projections on vectors that can be drawn on paper, the curve of steps, and what reaches the denoiser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from copycat.models.guidance.safree import (
    SAFREE_VARIANTS,
    STEPS,
    SafreeSettings,
    encode_filtered,
    filter_states,
    filtered_steps,
    find_triggers,
    projector,
    safree_guidance,
)

CERTAIN = SafreeSettings(centre=-99)
"""Filters on every step that it may."""


@pytest.fixture(scope="module")
def pipeline(tiny_pipeline: Path) -> Any:
    return StableDiffusionPipeline.from_pretrained(tiny_pipeline)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def test_a_projector_is_symmetric_idempotent_and_keeps_its_columns() -> None:
    columns = random(6, 2)
    found = projector(columns)
    assert torch.allclose(found, found.T)
    assert torch.allclose(found @ found, found)
    assert torch.allclose(found @ columns, columns)
    assert torch.trace(found) == pytest.approx(2)


def test_what_a_projector_leaves_over_is_orthogonal_to_its_columns() -> None:
    columns, vector = random(6, 2), random(6)
    rest = vector - projector(columns) @ vector
    assert torch.allclose(columns.T @ rest, torch.zeros(2, dtype=torch.float64), atol=1e-12)


def test_a_projector_is_the_least_squares_fit_also_of_columns_that_depend_on_each_other() -> None:
    columns = random(5, 2)
    dependent = torch.cat([columns, columns.sum(dim=1, keepdim=True)], dim=1)
    vector = random(5)
    fit, *_ = np.linalg.lstsq(columns.numpy(), vector.numpy(), rcond=None)
    assert np.allclose((projector(dependent) @ vector).numpy(), columns.numpy() @ fit)


def test_the_projector_of_a_vector_in_the_plane_is_the_one_worked_by_hand() -> None:
    expected = torch.tensor([[0.36, 0.48], [0.48, 0.64]])
    assert torch.allclose(projector(torch.tensor([[3.0], [4.0]])), expected)


def test_a_token_is_a_trigger_where_the_prompt_without_it_is_farther_from_the_concept() -> None:
    # means of the others: 3, 2.5, 3.5, 3
    assert find_triggers(torch.tensor([3.0, 4.5, 1.5, 3.0]), 0.0).tolist() == [True, True, False, True]
    assert find_triggers(torch.tensor([3.0, 4.5, 1.5, 3.0]), 0.01).tolist() == [False, True, False, False]
    assert find_triggers(torch.tensor([0.2]), 0.01).tolist() == [True]


def test_a_prompt_in_the_plane_is_filtered_as_worked_by_hand() -> None:
    # The concept is the x axis. Without token 1 the prompt is (3, 4), 4 away from it; without token 0, (4, 0).
    # Both masked prompts span the plane, so that P_M changes nothing, and (I - P_C) (a, b) = (0, b).
    states = torch.tensor([[1.0, 1.0], [3.0, 4.0]])
    filtered, steps = filter_states(states, torch.tensor([[4.0, 0.0], [3.0, 4.0]]), torch.tensor([[2.0, 0.0]]), CERTAIN)
    assert torch.allclose(filtered, torch.tensor([[1.0, 1.0], [0.0, 4.0]]), atol=1e-5)
    assert steps == 10


def test_beta_is_one_minus_the_mean_cosine_of_all_tokens() -> None:
    # The cosines of (0, b) and (a, b) are 1 / sqrt(2) and 4 / 5, so that beta is 0.246447, and ten times
    # that 2.46447; with m = 2.4 and k = 3.5 the sigmoid of 0.451 is 0.611.
    settings = SafreeSettings(centre=2.4, most_steps=1000)
    states = torch.tensor([[1.0, 1.0], [3.0, 4.0]], dtype=torch.float64)
    _, steps = filter_states(states, torch.eye(2, dtype=torch.float64), torch.tensor([[2.0, 0.0]]).double(), settings)
    assert steps == 611


@pytest.mark.parametrize(
    ("beta", "variant", "steps"),
    # 10 sigmoid(7 (10 beta - 5.5)), 10 sigmoid(5 (10 beta - 5.333)); sigmoid(-0.7) is 0.3318, sigmoid(0.835) is 0.6974
    [(0.0, "artist", 0), (0.55, "artist", 5), (0.54, "artist", 3), (1.0, "artist", 10), (0.55, "nudity", 7)],
)
def test_steps_follow_the_sigmoid_of_beta(beta: float, variant: str, steps: int) -> None:
    assert filtered_steps(beta, SAFREE_VARIANTS[variant]) == steps


def test_only_triggers_change_and_lose_the_concept(pipeline: Any) -> None:
    with torch.no_grad():
        plain = pipeline.encode_prompt("ab cat hat", "cpu", 1, False)[0][0]
        found = encode_filtered(pipeline, "ab cat hat", ("cat",), CERTAIN)
        concept = pipeline.text_encoder(pipeline.tokenizer(["cat"], return_tensors="pt").input_ids).pooler_output[0]
    changed = (found["prompt_embeds"][0] - plain).abs().amax(dim=1) > 1e-5
    assert found["prompt_embeds"].shape == (1, 77, 32)
    assert 0 < changed.sum() < 7  # of 'ab', c, a, t, h, a, t
    assert not changed[0]
    assert not changed[8:].any()
    along = found["prompt_embeds"][0][changed] @ concept / concept.norm()
    assert along.abs().max() < 1e-3
    assert found[STEPS].tolist() == [10]


def test_a_prompt_of_no_token_is_left_as_it_is(pipeline: Any) -> None:
    with torch.no_grad():
        found = encode_filtered(pipeline, "", ("cat",), CERTAIN)
        assert torch.equal(found["prompt_embeds"], pipeline.encode_prompt("", "cpu", 1, False)[0])
    assert found[STEPS].tolist() == [0]


def test_a_prompt_that_is_cut_off_is_filtered_as_far_as_it_is_read(pipeline: Any) -> None:
    with torch.no_grad():
        found = encode_filtered(pipeline, "x" * 90, ("x",), CERTAIN)
    assert found["prompt_embeds"].shape == (1, 77, 32)
    assert torch.isfinite(found["prompt_embeds"]).all()


class Denoiser(torch.nn.Module):
    """Notes the texts that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[list[float]] = []

    def forward(self, _sample: Any, _timestep: Any, encoder_hidden_states: torch.Tensor) -> tuple[torch.Tensor]:
        self.texts.append(encoder_hidden_states[:, 0, 0].tolist())
        return (encoder_hidden_states,)


def test_each_picture_is_filtered_on_its_own_number_of_steps_and_its_negative_side_never() -> None:
    network = Denoiser()
    rows = [
        {"prompt_embeds": torch.full((1, 1, 1), 10.0), STEPS: torch.tensor([2])},
        {"prompt_embeds": torch.full((1, 1, 1), 20.0), STEPS: torch.tensor([0])},
    ]
    given = torch.tensor([-1.0, -2.0, 1.0, 2.0])[:, None, None]
    with safree_guidance(network, rows):
        for _ in range(3):
            network(None, None, encoder_hidden_states=given)
    assert network.texts == [[-1, -2, 10, 2], [-1, -2, 10, 2], [-1, -2, 1, 2]]
    assert given[2, 0, 0] == 1
