"""Normalized Attention Guidance: its formula by hand, and the cross-attention of a real network against matrices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel

from copycat.models.guidance.nag import NagProcessor, NagSettings, guided_attention, nag_guidance

POSITIVE, NEGATIVE = torch.tensor([[[2.0, -2.0]]]), torch.tensor([[[1.0, -2.0]]])


@pytest.fixture(scope="module")
def network(tiny_pipeline: Path) -> Any:
    return UNet2DConditionModel.from_pretrained(tiny_pipeline / "unet")


def random(*shape: int, seed: int = 5) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        # pushed to (4, -2), of norm 6 where it was 4: the ratio 1.5 is allowed
        (NagSettings(scale=2, limit=2.5, blend=1), [4, -2]),
        (NagSettings(scale=2, limit=2.5, blend=0.5), [3, -2]),
        # (4, -2) is shrunk to 1.2 times the norm of 4, by 4.8 / 6
        (NagSettings(scale=2, limit=1.2, blend=1), [3.2, -1.6]),
        (NagSettings(scale=2, limit=1.2, blend=0.25), [2.3, -1.9]),
        (NagSettings(scale=0), [2, -2]),
        (NagSettings(blend=0), [2, -2]),
    ],
)
def test_attention_is_pushed_limited_and_blended_as_worked_by_hand(
    settings: NagSettings, expected: list[float]
) -> None:
    assert torch.allclose(guided_attention(POSITIVE, NEGATIVE, settings), torch.tensor([[expected]]).float())


def test_no_position_grows_by_more_than_the_limit() -> None:
    positive, negative = random(2, 9, 4), random(2, 9, 4, seed=6)
    guided = guided_attention(positive, negative, NagSettings(scale=50, limit=1.5, blend=1))
    ratios = guided.abs().sum(-1) / positive.abs().sum(-1)
    assert torch.allclose(ratios, torch.full_like(ratios, 1.5))


def test_attention_of_zero_stays_a_number() -> None:
    assert guided_attention(torch.zeros(1, 1, 2), torch.zeros(1, 1, 2), NagSettings()).tolist() == [[[0, 0]]]


def test_a_norm_too_large_for_half_precision_does_not_spoil_the_attention() -> None:
    positive = torch.full((1, 1, 1280), 60.0, dtype=torch.float16)
    guided = guided_attention(positive, -positive, NagSettings(scale=4, limit=2.5, blend=1))
    assert guided.unique().tolist() == [150]


def attend_by_hand(attn: Any, hidden: np.ndarray[Any, Any], text: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Attend from (positions, width) to (tokens, width), head by head, in matrices."""
    query, key, value = hidden @ matrix(attn.to_q), text @ matrix(attn.to_k), text @ matrix(attn.to_v)
    size = query.shape[1] // attn.heads
    heads = []
    for start in range(0, query.shape[1], size):
        part = slice(start, start + size)
        scores = np.exp(query[:, part] @ key[:, part].T / np.sqrt(size))
        heads.append(scores / scores.sum(axis=1, keepdims=True) @ value[:, part])
    return np.concatenate(heads, axis=1)


def matrix(layer: Any) -> np.ndarray[Any, Any]:
    return layer.weight.detach().double().numpy().T


@torch.no_grad()
def test_a_processor_computes_the_guided_attention_of_prompted_rows_alone(network: Any) -> None:
    attn = next(module for name, module in network.named_modules() if name.endswith("attn2"))
    hidden, texts, concept = random(2, 6, attn.query_dim), random(2, 5, 32) / 4, random(1, 4, 32, seed=8) / 4
    settings = NagSettings(scale=3, limit=1.3, blend=0.6)
    out = NagProcessor(concept, 1, settings)(attn, hidden, texts)
    null, prompted = (attend_by_hand(attn, hidden[i].double().numpy(), texts[i].double().numpy()) for i in range(2))
    unwanted = attend_by_hand(attn, hidden[1].double().numpy(), concept[0].double().numpy())
    pushed = prompted + 3 * (prompted - unwanted)
    ratio = np.abs(pushed).sum(axis=1, keepdims=True) / np.abs(prompted).sum(axis=1, keepdims=True)
    pushed *= np.minimum(ratio, 1.3) / ratio
    for row, expected in enumerate([null, 0.6 * pushed + 0.4 * prompted]):
        by_hand = expected @ matrix(attn.to_out[0]) + attn.to_out[0].bias.double().numpy()
        assert np.allclose(out[row].numpy(), by_hand, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_only_cross_attention_is_guided_and_all_of_it(network: Any) -> None:
    own = network.attn_processors
    with nag_guidance(network, random(1, 4, 32), 1, NagSettings()):
        guided = {name for name, found in network.attn_processors.items() if isinstance(found, NagProcessor)}
        assert guided == {name for name in own if ".attn2." in name}
        assert guided
    assert network.attn_processors == own


@torch.no_grad()
def test_the_concept_changes_nothing_where_it_is_the_prompt_itself(network: Any) -> None:
    sample, text = random(1, 4, 8, 8), random(1, 7, 32)
    plain = network(sample, 10, encoder_hidden_states=text).sample
    with nag_guidance(network, text, 1, NagSettings(scale=9)):
        guided = network(sample, 10, encoder_hidden_states=text).sample
    assert torch.allclose(plain, guided, atol=1e-5)
