"""Near-verbatim spans: matching blocks joined over small gaps, kept if long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from copycat.fairuse.metrics.blocks import matching_blocks
from copycat.fairuse.metrics.numbers import Pair
from copycat.fairuse.metrics.suffixes import Match

MIN_BLOCK_WORDS = 3
"""Shorter matches are chance: "of the" joins nothing."""

MAX_GAP_WORDS = 5
"""So many words may differ between two blocks of one span, in either text."""

MIN_SPAN_WORDS = 50

SHORT_SHARE = 0.8
"""Of a text with few words, the share that a span must have to count; see `shortest_span`."""

SHORT_QUOTE_WORDS = 10
"""Fewer words of a longer work are no long span, however short the output is: a novel holds "I cannot", too."""


class Span(NamedTuple):
    """Blocks that are joined; places are words, ends exclusive."""

    output: int
    output_end: int
    reference: int
    reference_end: int
    matched: int

    @property
    def length(self) -> int:
        """How long it is, gaps with it, in the text in which it is shorter."""
        return min(self.output_end - self.output, self.reference_end - self.reference)


class NearVerbatim(NamedTuple):
    """What an output holds of a reference, nearly word by word; `blocks` are those of the spans.

    `longest` is the length of the longest joined span, whether it is long enough to be kept or not, and `in_order` the
    words of all blocks, kept or not.
    """

    spans: list[Span]
    blocks: list[Match]
    longest: int
    in_order: int
    output_words: int
    reference_words: int
    exact: bool

    @property
    def matched(self) -> int:
        """Words of the kept spans that are the same in both texts; what differs in their gaps is not counted."""
        return sum(span.matched for span in self.spans)

    @property
    def recall(self) -> float:
        """The share of the reference's words that are matched, from 0 to 1."""
        return self.matched / self.reference_words if self.reference_words else 0.0

    @property
    def precision(self) -> float:
        """The share of the output's words that are matched, from 0 to 1."""
        return self.matched / self.output_words if self.output_words else 0.0


def near_verbatim(
    pair: Pair, *, max_gap: int = MAX_GAP_WORDS, min_span: int = MIN_SPAN_WORDS, min_block: int = MIN_BLOCK_WORDS
) -> NearVerbatim:
    """Find near-verbatim spans.

    Matching blocks of at least `min_block` words (`blocks`), in the order of both texts; blocks that follow each other
    with at most `max_gap` words between them in both texts are joined; spans of at least `min_span` words are kept (of
    shorter texts four fifths, and SHORT_QUOTE_WORDS at least where the work has as many).

    Source: after Ahmed et al. (arXiv 2601.02671), whose constants were not at hand.
    """
    found = matching_blocks(pair, max(1, min(min_block, pair.shorter)))
    joined = join(found.blocks, max_gap)
    least = _shortest_in(pair, min_span, min_block)
    kept = [(span, blocks) for span, blocks in joined if span.length >= least]
    return NearVerbatim(
        [span for span, _ in kept],
        [block for _, blocks in kept for block in blocks],
        max((span.length for span, _ in joined), default=0),
        sum(block.length for block in found.blocks),
        len(pair.output),
        len(pair.reference),
        found.exact,
    )


def near_verbatim_grid(
    pair: Pair, gaps: Sequence[int] = (0, 2, 5, 10), lengths: Sequence[int] = (10, 25, 50, 100)
) -> dict[tuple[int, int], float]:
    """Give near-verbatim recall for each largest gap and shortest span, as it depends on both."""
    blocks = matching_blocks(pair, max(1, min(MIN_BLOCK_WORDS, pair.shorter))).blocks
    grid: dict[tuple[int, int], float] = {}
    for gap in gaps:
        spans = [span for span, _ in join(blocks, gap)]
        for length in lengths:
            least = _shortest_in(pair, length, MIN_BLOCK_WORDS)
            matched = sum(span.matched for span in spans if span.length >= least)
            grid[gap, length] = matched / len(pair.reference) if len(pair.reference) else 0.0
    return grid


def shortest_span(shorter: int, min_span: int = MIN_SPAN_WORDS, min_block: int = MIN_BLOCK_WORDS) -> int:
    """Say how long a span must be where the shorter of two texts has so many words.

    `min_span`, or four fifths of the shorter text where that is less (a poem of 14 words can be copied too), but never
    less than a block.
    """
    return min(min_span, max(min_block, math.ceil(SHORT_SHARE * shorter)), max(1, shorter))


def _shortest_in(pair: Pair, min_span: int, min_block: int) -> int:
    """Say how long a span of two texts must be: never so short as a sentence that a longer work holds by chance."""
    of_work = shortest_span(len(pair.reference), min_span, min_block)
    return max(shortest_span(pair.shorter, min_span, min_block), min(SHORT_QUOTE_WORDS, of_work))


def join(blocks: Sequence[Match], max_gap: int) -> list[tuple[Span, list[Match]]]:
    """Join blocks with at most `max_gap` words between them in both texts; each span with its blocks."""
    joined: list[list[Match]] = []
    for block in blocks:
        if joined and _gap(joined[-1][-1], block) <= max_gap:
            joined[-1].append(block)
        else:
            joined.append([block])
    return [(_span(part), part) for part in joined]


def _gap(before: Match, after: Match) -> int:
    return max(after.output - before.output, after.reference - before.reference) - before.length


def _span(blocks: list[Match]) -> Span:
    first, last = blocks[0], blocks[-1]
    return Span(
        first.output,
        last.output + last.length,
        first.reference,
        last.reference + last.length,
        sum(block.length for block in blocks),
    )
