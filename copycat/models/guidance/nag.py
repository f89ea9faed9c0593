"""Normalized Attention Guidance: cross-attention is drawn away from what it would be under a concept.

It needs no classifier-free guidance, so that it also works on models of few steps. Source: Chen et al.,
"Normalized Attention Guidance", arXiv 2505.21179, section 3. The defaults of tau and alpha are those of the
authors' U-Net processor; their code counts the scale from 1, so that its 5, their usual value, is 4 here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import Field

from copycat.errors import BugError
from copycat.schema import Record


class NagSettings(Record):
    """What the method can be told.

    Attributes:
        scale: phi, how far attention is pushed from the concept; 0 is not at all.
        limit: tau, the most by which the L1 norm of a position may grow.
        blend: alpha, the share of the pushed attention; 0 is none of it.
    """

    scale: float = Field(default=4.0, ge=0)
    limit: float = Field(default=2.5, gt=0)
    blend: float = Field(default=0.5, ge=0, le=1)


def guided_attention(positive: Any, negative: Any, settings: NagSettings) -> Any:  # Any: tensors
    """Push the attention of each position away from the negative one.

        Z~ = Z+ + phi (Z+ - Z-)
        r  = |Z~|_1 / |Z+|_1                 of each position
        Z^ = Z~ min(r, tau) / r
        Z  = alpha Z^ + (1 - alpha) Z+

    Args:
        positive, negative: attention over the prompt, and over the concept, (pictures, positions, width).
    """
    import torch

    pushed = positive + settings.scale * (positive - negative)
    wide = torch.promote_types(positive.dtype, torch.float32)  # a norm over 1,280 values can overflow float16
    before, after = (values.abs().sum(dim=-1, keepdim=True, dtype=wide) for values in (positive, pushed))
    # min(r, tau) / r = min(1, tau |Z+| / |Z~|), without a division where Z+ is zero
    pushed = pushed * (settings.limit * before / after.clamp(min=1e-6)).clamp(max=1.0).to(positive.dtype)
    return settings.blend * pushed + (1 - settings.blend) * positive


class NagProcessor:
    """Computes the cross-attention of a U-Net's transformer block, the pictures under a prompt guided.

    Args:
        concept: its text encoded, (1, tokens, width).
        count: pictures of the batch: its last rows, those before have no prompt.
    """

    def __init__(self, concept: Any, count: int, settings: NagSettings) -> None:
        self.concept, self.count, self.settings = concept, count, settings

    def __call__(
        self, attn: Any, hidden_states: Any, encoder_hidden_states: Any = None, attention_mask: Any = None
    ) -> Any:
        """Attend from positions (rows, positions, width) to the tokens of texts."""
        import torch

        if attention_mask is not None or encoder_hidden_states is None:
            raise BugError("a U-Net of Stable Diffusion attends to whole texts, and to no masked ones")
        query = attn.to_q(hidden_states)
        attention = _attend(attn, query, encoder_hidden_states)
        negative = _attend(attn, query[-self.count :], self.concept.expand(self.count, -1, -1))
        guided = guided_attention(attention[-self.count :], negative, self.settings)
        attention = torch.cat([attention[: -self.count], guided])
        return attn.to_out[1](attn.to_out[0](attention))


@contextmanager
def nag_guidance(network: Any, concept: Any, count: int, settings: NagSettings) -> Iterator[None]:
    """Put the method on the cross-attention of a U-Net for one batch.

    Args:
        concept: its text encoded, (1, tokens, width).
        count: pictures of the batch.
    """
    own = dict(network.attn_processors)
    guided = NagProcessor(concept, count, settings)
    network.set_attn_processor(
        {name: guided if name.endswith("attn2.processor") else before for name, before in own.items()}
    )
    try:
        yield
    finally:
        network.set_attn_processor(own)


def _attend(attn: Any, query: Any, texts: Any) -> Any:
    """Attend to texts, all heads side by side: (rows, positions, width)."""
    from torch.nn.functional import scaled_dot_product_attention

    query, key, value = (
        part.unflatten(-1, (attn.heads, -1)).transpose(1, 2) for part in (query, attn.to_k(texts), attn.to_v(texts))
    )
    return scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
