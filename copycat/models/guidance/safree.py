"""SAFREE: tokens of a prompt that lean towards a concept are projected away from it, for the first steps.

Source: Yoon et al., "SAFREE", arXiv 2410.12761, sections 3.1-3.3; the order of the two projections and the
curve from beta to steps are those of its published code. Its third part, latent re-attention (section 3.4),
a filter on the U-Net's features, is left out: figures speak of the filter of the prompt alone. As in that
code, the end tokens that fill a prompt up are never filtered, though they have read all of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any

from pydantic import Field

from copycat.models.guidance.hooks import Forward, replaced_forward
from copycat.schema import Record

MASK_ID = 0
"""The token that stands for a left-out one."""

STEPS = "filtered_steps"
"""Beside the filtered embeddings: on how many steps they are used, of shape (1,)."""


class SafreeSettings(Record):
    """What the method can be told; the defaults are those for names and styles of artists.

    Attributes:
        tolerance: alpha; a token is a trigger from (1 + alpha) times the mean of the others on.
        most_steps: gamma, the most steps that are filtered.
        centre: m, ten times the beta at which half of them are.
        slope: k, of the sigmoid.
    """

    tolerance: float = Field(default=0.01, ge=0)
    most_steps: int = Field(default=10, ge=0)
    centre: float = 5.5
    slope: float = Field(default=3.5, gt=0)


SAFREE_VARIANTS: Mapping[str, SafreeSettings] = MappingProxyType(
    {"artist": SafreeSettings(), "nudity": SafreeSettings(centre=5.333, slope=2.5)}
)
"""The two published settings."""


def projector(columns: Any) -> Any:  # Any: tensors
    """Give the projector onto the span of columns, E (E^T E)^+ E^T = E E^+, of shape (width, width).

    Args:
        columns: of shape (width, n), linearly dependent or not.
    """
    import torch

    return columns @ torch.linalg.pinv(columns)


def find_triggers(distances: Any, tolerance: float) -> Any:
    """Say which tokens are triggers: those without which the prompt is clearly farther from the concept.

    Args:
        distances: of the prompt without each token from the concept's subspace, of shape (tokens,).

    Returns: booleans of shape (tokens,): d_i >= (1 + alpha) mean of the others. A single token has no
        others and counts as one.
    """
    import torch

    count = len(distances)
    if count == 1:
        return torch.ones(1, dtype=torch.bool)
    others = (distances.sum() - distances) / (count - 1)
    return distances >= (1 + tolerance) * others


def filtered_steps(beta: float, settings: SafreeSettings) -> int:
    """Give the number of steps that are filtered: round(gamma sigmoid(2 k (10 beta - m))).

    Args:
        beta: 1 minus the mean cosine of projected and original tokens; 0 where projection changes nothing.
    """
    return round(settings.most_steps / (1 + math.exp(-2 * settings.slope * (10 * beta - settings.centre))))


def filter_states(states: Any, masked: Any, concept: Any, settings: SafreeSettings) -> tuple[Any, int]:
    """Filter the hidden states of a prompt.

    Args:
        states: of its tokens, without start and end, (tokens, width).
        masked: pooled embeddings of the prompt with each token masked, (tokens, width).
        concept: pooled embeddings of the concept's phrases, (phrases, width).

    Returns: the states, those of triggers replaced by (I - P_C) P_M h, and the number of steps to use them on.
    """
    import torch

    away = torch.eye(states.shape[1], dtype=states.dtype) - projector(concept.T)
    projected = (away @ projector(masked.T) @ states.T).T
    triggers = find_triggers((away @ masked.T).norm(dim=0), settings.tolerance)
    beta = 1 - float(torch.cosine_similarity(projected, states, dim=1).mean())
    return torch.where(triggers[:, None], projected, states), filtered_steps(beta, settings)


def encode_filtered(pipeline: Any, prompt: str, concept: Sequence[str], settings: SafreeSettings) -> dict[str, Any]:
    """Encode a prompt and filter it; tokens after the first 75 are not read, as without a guide.

    Returns: "prompt_embeds" of shape (1, 77, width), on the CPU, and `STEPS`.
    """
    import torch

    ids = _ids(pipeline, [prompt])
    tokens = _end(pipeline, ids)[0] - 1
    states = _states(pipeline, ids)[0]
    steps, whole = 0, states.clone()
    if tokens:
        variants = ids.repeat(tokens, 1)
        variants[torch.arange(tokens), torch.arange(1, tokens + 1)] = MASK_ID
        masked, phrases = _pooled(pipeline, variants), _pooled(pipeline, _ids(pipeline, concept))
        inner = states[1 : tokens + 1]
        # float64, because prompts that differ by a token are nearly dependent
        found, steps = filter_states(inner.double(), masked.double(), phrases.double(), settings)
        whole[1 : tokens + 1] = found.to(states.dtype)
    return {"prompt_embeds": whole[None], STEPS: torch.tensor([steps])}


def safree_guidance(network: Any, rows: Sequence[Mapping[str, Any]]) -> AbstractContextManager[None]:
    """Let a denoiser read filtered prompts on each picture's first steps, its own prompt afterwards.

    The side without a prompt is not touched; a step is a call of the denoiser.

    Args:
        rows: one per picture of the batch, as `encode_filtered` gives them.
    """
    import torch

    filtered = torch.cat([row["prompt_embeds"] for row in rows])
    steps = torch.cat([row[STEPS] for row in rows])

    def build(forward: Forward) -> Forward:
        made = 0

        def forward_filtered(sample: Any, timestep: Any, encoder_hidden_states: Any, **more: Any) -> Any:
            nonlocal made
            texts = encoder_hidden_states.clone()
            is_filtered = (steps > made)[:, None, None]
            texts[-len(filtered) :] = torch.where(is_filtered, filtered, texts[-len(filtered) :])
            made += 1
            return forward(sample, timestep, encoder_hidden_states=texts, **more)

        return forward_filtered

    return replaced_forward(network, build)


def _ids(pipeline: Any, texts: Sequence[str]) -> Any:
    tokenizer = pipeline.tokenizer
    found = tokenizer(
        list(texts),
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    )
    return found.input_ids


def _end(pipeline: Any, ids: Any) -> list[int]:
    """Give the position of each text's first end token, which is also what fills it up."""
    return [int(place) for place in (ids == pipeline.tokenizer.eos_token_id).int().argmax(dim=1)]


def _states(pipeline: Any, ids: Any) -> Any:
    encoder = pipeline.text_encoder
    return encoder(ids.to(encoder.device))[0].cpu()


def _pooled(pipeline: Any, ids: Any) -> Any:
    """Give the state at the end token, which is CLIP's pooled embedding: (texts, width)."""
    import torch

    return _states(pipeline, ids)[torch.arange(len(ids)), _end(pipeline, ids)]
