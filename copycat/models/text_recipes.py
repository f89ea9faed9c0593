"""How the pipelines of diffusers encode a text: one row per class. Those without a row encode with every batch.

A row is true only as long as a test shows that a picture from stored embeddings is the picture from the
text itself (tests/models/test_families.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class TextRecipe(NamedTuple):
    """Which outputs of `encode_prompt` are which arguments of the pipeline's call.

    Attributes:
        outputs: argument name -> position in what `encode_prompt` returns for one text; a negative
            prompt is encoded as a text of its own and goes into 'negative_' and the argument's name.
        none_is_zeros: without a negative prompt the pipeline uses zeros instead of an empty text:
            "config" if its config says so (force_zeros_for_empty_prompt), "always", or "never".
        negative_changes: what `encode_prompt` is told otherwise when it encodes a negative prompt.
        limit: tokens that the pipeline reads, those counted that its tokenizer adds, where neither its call
            nor its tokenizer tells: an instruction or a chat template may take some, or not.
        pieces: long prompts can be encoded in pieces and joined, because cross-attention takes any length.
    """

    outputs: dict[str, int]
    none_is_zeros: str = "never"
    negative_changes: Mapping[str, Any] = MappingProxyType({})
    limit: int | None = None
    pieces: bool = False

    def negative_name(self, argument: str) -> str:
        """Name the negative counterpart of an argument."""
        return f"negative_{argument}"


_CLIP = TextRecipe({"prompt_embeds": 0}, pieces=True)
_PLAIN = TextRecipe({"prompt_embeds": 0})
_MASKED = TextRecipe({"prompt_embeds": 0, "prompt_attention_mask": 1})
_POOLED = {"prompt_embeds": 0, "pooled_prompt_embeds": 2}

RECIPES: dict[str, TextRecipe] = {
    "StableDiffusionPipeline": _CLIP,
    "AnimateDiffPipeline": _CLIP,
    "TextToVideoSDPipeline": _CLIP,
    "StableDiffusionXLPipeline": TextRecipe(_POOLED, none_is_zeros="config", pieces=True),
    "StableDiffusion3Pipeline": TextRecipe(_POOLED),
    "FluxPipeline": TextRecipe({"prompt_embeds": 0, "pooled_prompt_embeds": 1}),
    "Flux2Pipeline": _PLAIN,
    "QwenImagePipeline": TextRecipe({"prompt_embeds": 0, "prompt_embeds_mask": 1}),
    "PixArtAlphaPipeline": _MASKED,
    "PixArtSigmaPipeline": _MASKED,
    "SanaPipeline": _MASKED._replace(negative_changes={"complex_human_instruction": None}, limit=299),
    "AuraFlowPipeline": _MASKED,
    "IFPipeline": TextRecipe({"prompt_embeds": 0}, limit=77),
    "CogVideoXPipeline": _PLAIN,
    "WanPipeline": _PLAIN,
    "LTXPipeline": _MASKED,
    "MochiPipeline": _MASKED,
    "HunyuanVideoPipeline": TextRecipe(
        {"prompt_embeds": 0, "pooled_prompt_embeds": 1, "prompt_attention_mask": 2}, limit=257
    ),
}

LIMITS: dict[str, int] = {
    "Kandinsky3Pipeline": 128,
    "HunyuanDiTPipeline": 256,
    "ZImagePipeline": 509,  # 512, three of which begin the conversation around the prompt
    "Flux2KleinPipeline": 509,
}
"""Tokens read by pipelines without a recipe, where neither their call nor their tokenizer tells."""
