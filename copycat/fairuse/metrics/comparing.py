"""All metrics of an output against a reference, raw and canonical, and where the two are alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from copycat.fairuse.metrics.background import Background
from copycat.fairuse.metrics.near_verbatim import near_verbatim, near_verbatim_grid
from copycat.fairuse.metrics.numbers import number_letters, number_words
from copycat.fairuse.metrics.runs import accumulated, common_runs
from copycat.fairuse.metrics.sequence import (
    common_prefix,
    common_subsequence,
    edit_similarity,
    local_edit_similarity,
)
from copycat.fairuse.metrics.shingles import jaccard
from copycat.fairuse.metrics.suffixes import longest_at_each, longest_match
from copycat.fairuse.records import GridCell, Shared, TextComparison, TextScores
from copycat.fairuse.text import Words, canonical_pair, words_of
from copycat.fairuse.text.canonical import letters_of

SHINGLE_LETTERS, SHINGLE_WORDS = 3, 5

RUN_WORDS = (3, 6, 15)
"""Shortest runs of ACS: that of CoTaEval, and two that chance reaches less often."""

QUOTE_WORDS = 6
"""Shortest runs that a comparison lists."""


class _Measured(NamedTuple):
    scores: TextScores
    spans: tuple[Shared, ...]
    blocks: tuple[Shared, ...]
    quotes: tuple[Shared, ...]


def compare_texts(output: str, reference: str, background: Background | None = None) -> TextComparison:
    """Measure how much of a reference an output holds.

    Places are those of the two texts as they were given. Every similarity is 1 for two texts that are the same and
    have a word in them, and 0 where either has none.
    """
    raw = _measure((words_of(output), words_of(reference)), (output, reference), background)
    first, second = canonical_pair(output, reference)
    plain = _measure((first, second), (letters_of(first), letters_of(second)), background)
    return TextComparison(
        raw=raw.scores, canonical=plain.scores, spans=plain.spans, blocks=plain.blocks, quotes=plain.quotes
    )


def scores(output: str, reference: str, background: Background | None = None) -> TextScores:
    """Measure two texts as they stand; `compare_texts` does so in the canonical form, too."""
    return _measure((words_of(output), words_of(reference)), (output, reference), background).scores


def best_of(found: Sequence[TextScores]) -> TextScores:
    """Take the highest figure of each metric over several answers; their order does not matter.

    A metric that no answer has stays None. `exact_blocks` holds if it holds for all.

    Raises:
        ValueError: there is none.
    """
    if not found:
        raise ValueError("the best of no scores")
    best: dict[str, object] = {}
    for name in TextScores.model_fields:
        values = [value for score in found if (value := getattr(score, name)) is not None]
        best[name] = max(values, default=None)
    best["exact_blocks"] = all(score.exact_blocks for score in found)
    return TextScores.model_validate(best)


def recall_grid(output: str, reference: str) -> tuple[GridCell, ...]:
    """Give near-verbatim recall in the canonical form for other gaps and lengths: how far it hangs on the two."""
    first, second = canonical_pair(output, reference)
    grid = near_verbatim_grid(number_words(first.words, second.words))
    return tuple(GridCell(max_gap=gap, min_span=length, recall=recall) for (gap, length), recall in grid.items())


# ---------------------------------------------------------------------------------------- private


def _measure(texts: tuple[Words, Words], letters: tuple[str, str], background: Background | None) -> _Measured:
    """Measure two texts in one form: their words, and their letters."""
    output, reference = texts
    pair = number_words(output.words, reference.words)
    of_letters = number_letters(*letters) if pair.shorter else number_letters("", "")
    near = near_verbatim(pair)
    lengths, places = longest_at_each(pair)
    acs = [accumulated(lengths, n) for n in RUN_WORDS]
    in_order = common_subsequence(pair, near.in_order)
    found = TextScores(
        output_words=len(output),
        reference_words=len(reference),
        common_prefix=common_prefix(pair),
        common_substring=max(lengths, default=0),
        common_substring_chars=longest_match(of_letters).length,
        common_subsequence=in_order,
        rouge_l_recall=_share(in_order, len(reference)),
        rouge_l_precision=_share(in_order, len(output)),
        acs_3=acs[0],
        acs_6=acs[1],
        acs_15=acs[2],
        edit_similarity=edit_similarity(pair, in_order or 0),
        local_edit_similarity=local_edit_similarity(pair),
        minhash_chars=jaccard(of_letters, SHINGLE_LETTERS),
        minhash_words=jaccard(pair, SHINGLE_WORDS),
        near_verbatim_recall=near.recall,
        near_verbatim_precision=near.precision,
        longest_near_verbatim=near.longest,
        discounted_runs=_discounted(output, lengths, places, background),
        exact_blocks=near.exact,
    )
    return _Measured(
        found,
        tuple(
            _shared(texts, (s.output, s.output_end), (s.reference, s.reference_end), s.length, s.matched)
            for s in near.spans
        ),
        tuple(_run(texts, *block) for block in near.blocks),
        tuple(_run(texts, *run) for run in common_runs(lengths, places, QUOTE_WORDS)),
    )


def _share(part: int | None, whole: int) -> float | None:
    return None if part is None else part / whole if whole else 0.0


def _discounted(output: Words, lengths: list[int], places: list[int], background: Background | None) -> float | None:
    if background is None:
        return None
    runs = common_runs(lengths, places, RUN_WORDS[0])
    return background.discounted([output.words[run.output : run.output + run.length] for run in runs])


def _run(texts: tuple[Words, Words], output: int, reference: int, length: int) -> Shared:
    return _shared(texts, (output, output + length), (reference, reference + length), length, length)


def _shared(
    texts: tuple[Words, Words], output: tuple[int, int], reference: tuple[int, int], words: int, matched: int
) -> Shared:
    first, second = texts[0].span(*output), texts[1].span(*reference)
    return Shared(
        output_start=first[0],
        output_end=first[1],
        reference_start=second[0],
        reference_end=second[1],
        words=words,
        matched=matched,
    )
