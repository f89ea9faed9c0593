"""Prompts longer than CLIP reads, whole: cut into pieces of 75 tokens, encoded piece by piece, joined.

Cross-attention takes any number of tokens, so UNets with CLIP encoders can be given all of them. The model
was never trained so; it is an option and part of the spec.
"""

from __future__ import annotations

from typing import Any

from copycat.models.text_recipes import TextRecipe


def encode_in_pieces(pipeline: Any, text: str, recipe: TextRecipe) -> dict[str, Any]:
    """Encode a text of any length with all CLIP encoders of a pipeline.

    Returns: "prompt_embeds" of shape (1, 77 p, width) for p pieces; where the recipe has it,
        "pooled_prompt_embeds" (1, width) of the first piece of the last encoder. For a text that fits,
        both are what `encode_prompt` gives.
    """
    import torch

    encoders = [
        (getattr(pipeline, f"tokenizer{suffix}"), getattr(pipeline, f"text_encoder{suffix}"))
        for suffix in ("", "_2")
        if getattr(pipeline, f"text_encoder{suffix}", None) is not None
    ]
    has_pooled = "pooled_prompt_embeds" in recipe.outputs
    found = [_encode(tokenizer, encoder, text, penultimate=has_pooled) for tokenizer, encoder in encoders]
    rows = {"prompt_embeds": torch.cat([embeddings for embeddings, _ in found], dim=-1)}
    if has_pooled:
        rows["pooled_prompt_embeds"] = found[-1][1]
    return rows


def _encode(tokenizer: Any, encoder: Any, text: str, *, penultimate: bool) -> tuple[Any, Any]:
    import torch

    ids = torch.tensor(pieces_of(tokenizer, text), device=encoder.device)
    output = encoder(ids, output_hidden_states=penultimate)
    states = output.hidden_states[-2] if penultimate else output[0]
    return states.reshape(1, -1, states.shape[-1]), output[0][:1]


def pieces_of(tokenizer: Any, text: str) -> list[list[int]]:
    """Cut the tokens of a text into pieces, each with its own start and end and filled up to the full length."""
    start, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    fill = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else end
    tokens = tokenizer(text, truncation=False, add_special_tokens=False, verbose=False).input_ids
    room = tokenizer.model_max_length - 2
    pieces = [tokens[i : i + room] for i in range(0, max(1, len(tokens)), room)]
    return [[start, *piece, end] + [fill] * (room - len(piece)) for piece in pieces]
