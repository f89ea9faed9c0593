"""Marks: the stretches that a reader is shown in both texts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from copycat.fairuse.metrics import Background
from copycat.fairuse.records import Shared, TextComparison
from copycat.fairuse.text import canonical

KINDS = {"span": "long span", "quote": "quote", "stock": "stock phrase"}

HUES = 6
"""Colours that marks take in turn."""

STOCK_WEIGHT = 0.35
"""A quote whose words weigh less than this in the mean is a stock phrase; see `Background.weights`."""

Place = tuple[int, int]
"""Letters of a text, end exclusive."""


class Mark(NamedTuple):
    """One stretch in both texts.

    Attributes:
        number: from 1 on, in the order of the output.
        kind: "span" is nearly verbatim, long and in order; "quote" a shorter run that is the same word by word,
            wherever in the work it stands; "stock" a quote that the background knows as a common phrase.
        exact_output, exact_reference: the parts of it that are the same in both texts, in order.
    """

    number: int
    kind: str
    output: Place
    reference: Place
    words: int
    matched: int
    exact_output: tuple[Place, ...]
    exact_reference: tuple[Place, ...]

    @property
    def kind_name(self) -> str:
        """What a reader is told that it is."""
        return KINDS[self.kind]

    @property
    def hue(self) -> int:
        """Which colour it has."""
        return self.number % HUES


def marks_of(comparison: TextComparison, output: str = "", background: Background | None = None) -> list[Mark]:
    """Give the marks of a comparison, in the order of the output.

    Every near-verbatim span is one, and every quote that overlaps no span.

    Args:
        output: its text, needed to tell stock phrases by a background.
    """
    spans = [(shared, _blocks_in(shared, comparison.blocks), "span") for shared in comparison.spans]
    starts = [shared.output_start for shared in comparison.spans]
    quotes = [
        (shared, [shared], _kind_of_quote(shared, output, background))
        for shared in comparison.quotes
        if not _overlaps(shared, comparison.spans, starts)
    ]
    ordered = sorted([*spans, *quotes], key=lambda found: found[0].output_start)
    return [_mark(number, *found) for number, found in enumerate(ordered, start=1)]


def _overlaps(quote: Shared, spans: Sequence[Shared], starts: Sequence[int]) -> bool:
    """Whether a quote overlaps a span in the output; spans are in order and disjoint."""
    behind = bisect_left(starts, quote.output_end)
    return behind > 0 and spans[behind - 1].output_end > quote.output_start


def _kind_of_quote(quote: Shared, output: str, background: Background | None) -> str:
    if background is None:
        return "quote"
    words = canonical(output[quote.output_start : quote.output_end]).words
    weights = background.weights(words)
    return "stock" if sum(weights) < STOCK_WEIGHT * len(weights) else "quote"


def _blocks_in(span: Shared, blocks: Sequence[Shared]) -> list[Shared]:
    first = bisect_left(blocks, span.output_start, key=lambda block: block.output_start)
    last = bisect_left(blocks, span.output_end, key=lambda block: block.output_start)
    return list(blocks[first:last])


def _mark(number: int, shared: Shared, blocks: Sequence[Shared], kind: str) -> Mark:
    return Mark(
        number,
        kind,
        (shared.output_start, shared.output_end),
        (shared.reference_start, shared.reference_end),
        shared.words,
        shared.matched,
        tuple((block.output_start, block.output_end) for block in blocks),
        tuple((block.reference_start, block.reference_end) for block in blocks),
    )
