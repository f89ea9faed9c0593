"""Texts for a denoiser, with gradients: what `copycat.models.text_inserts` has, under the name used here."""

from copycat.models.text_inserts import (
    Insert,
    Texts,
    TokenRow,
    encode_rows,
    inserted,
    joined,
    own_tokens,
    token_row,
)

__all__ = ["Insert", "Texts", "TokenRow", "encode_rows", "inserted", "joined", "own_tokens", "token_row"]
