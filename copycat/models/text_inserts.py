"""Texts from token ids, with embeddings of no word among them: what searches look for, and what drawing puts in.

Encoded here as CLIP's pipelines encode their texts, bit for bit, but with gradients to whatever has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from copycat.errors import UserError

Insert = Sequence[Any]
"""Free token embeddings that take the place of k tokens: one tensor for each text encoder, in its width."""


class Texts(NamedTuple):
    """Encoded texts, a row each.

    Attributes:
        states: (texts, tokens, width), what the cross-attention reads.
        pooled: (texts, width), of SDXL only.
    """

    states: Any
    pooled: Any = None

    def repeated(self, count: int) -> Texts:
        """Give every row `count` times, row by row: a, a, b, b."""
        return Texts(*(None if part is None else part.repeat_interleave(count, dim=0) for part in self))

    def picked(self, places: Sequence[int]) -> Texts:
        """Give the rows at these places."""
        return Texts(*(None if part is None else part[list(places)] for part in self))

    def detached(self) -> Texts:
        """Give the same rows without their gradients."""
        return Texts(*(None if part is None else part.detach() for part in self))


def joined(texts: Sequence[Texts]) -> Texts:
    """Put rows of several encodings under each other."""
    import torch

    pooled = None if texts[0].pooled is None else torch.cat([text.pooled for text in texts])
    return Texts(torch.cat([text.states for text in texts]), pooled)


class TokenRow(NamedTuple):
    """One text as the tokens of one encoder.

    Attributes:
        ids: (1, length) with start and end token and padding.
        place: where the free tokens begin; 1, right after the start token, for a prefix.
        free: how many of them.
    """

    ids: Any
    place: int = 1
    free: int = 0


def own_tokens(tokenizer: Any, text: str) -> list[int]:
    """Give the tokens of a text alone, without start, end and padding. A name may well have several."""
    return list(tokenizer(text, add_special_tokens=False, truncation=False, verbose=False).input_ids)


def token_row(
    tokenizer: Any, parts: tuple[Sequence[int], Sequence[int]], free: int, *, may_cut: bool = False
) -> TokenRow:
    """Lay out start token, tokens, free places, tokens, end token, padding.

    Args:
        parts: the tokens before and behind the free places.
        free: how many places are left for free embeddings; any token stands there meanwhile.
        may_cut: cut the end off, as drawing does with every text that is too long. The free places must all be read.

    Raises:
        UserError: more than the encoder reads; nothing is cut off, because that would change what is erased.
    """
    import torch

    before, behind = parts
    length = int(tokenizer.model_max_length)
    if may_cut:
        behind = behind[: max(0, length - 2 - free - len(before))]
    used = len(before) + free + len(behind) + 2
    if used > length:
        raise UserError(
            f"a text of {len(before) + len(behind)} tokens with {free} free ones is longer than the {length - 2} "
            "that the text encoder reads\n  needed: a shorter concept or prompt, or fewer free tokens"
        )
    # any token but start and end may stand in for a free one: where the end is, the pooled output looks at
    filler = [own_tokens(tokenizer, "a")[0]] * free
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    ids = [tokenizer.bos_token_id, *before, *filler, *behind, tokenizer.eos_token_id]
    ids += [pad] * (length - len(ids))
    return TokenRow(torch.tensor([ids]), 1 + len(before), free)


def encode_rows(encoders: Sequence[Any], rows: Sequence[Sequence[TokenRow]], inserts: Insert | None) -> Texts:
    """Encode texts as the pipeline would: last hidden states, of SDXL the last but one of both encoders, side by side.

    Args:
        rows: for each encoder, a row for each text; all of one encoder have the same free places.
        inserts: for each encoder (free, width), or (texts, free, width): what stands in the free places.
    """
    import torch

    states, pooled = [], None
    is_double = len(encoders) > 1
    for place, (encoder, own) in enumerate(zip(encoders, rows, strict=True)):
        ids = torch.cat([row.ids for row in own]).to(encoder.device)
        with inserted(encoder, own[0], None if inserts is None else inserts[place]):
            output = encoder(ids, output_hidden_states=is_double)
        states.append(output.hidden_states[-2] if is_double else output[0])
        if is_double and output[0].ndim == 2:
            pooled = output[0]
    return Texts(torch.cat(states, dim=-1), pooled)


@contextmanager
def inserted(encoder: Any, row: TokenRow, vectors: Any) -> Iterator[None]:
    """Let free embeddings stand in a row's free places while an encoder runs; gradients reach them."""
    if vectors is None or row.free == 0:
        yield
        return

    def replace(_module: Any, _inputs: Any, output: Any) -> Any:
        import torch

        free = vectors.to(output.dtype).expand(output.shape[0], row.free, output.shape[-1])
        return torch.cat([output[:, : row.place], free, output[:, row.place + row.free :]], dim=1)

    handle = encoder.get_input_embeddings().register_forward_hook(replace)
    try:
        yield
    finally:
        handle.remove()
