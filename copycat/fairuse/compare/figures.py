"""What the figures of a comparison are called, and what each says, for tables and pages alike."""

from __future__ import annotations

from typing import NamedTuple

from copycat.fairuse.metrics.near_verbatim import MAX_GAP_WORDS, MIN_SPAN_WORDS, SHORT_QUOTE_WORDS
from copycat.fairuse.records import TextScores

NOT_COMPUTED = "-"


class Figure(NamedTuple):
    """One row: a field of `TextScores`, its name, its unit ("share", "words" or "letters"), and what it says."""

    field: str
    name: str
    unit: str
    meaning: str

    def text_of(self, scores: TextScores) -> str:
        """Give the figure as a reader sees it."""
        value = getattr(scores, self.field)
        if value is None:
            return NOT_COMPUTED
        return f"{100 * value:.1f} %" if self.unit == "share" else f"{value:,.0f}"


FIGURES = (
    Figure("near_verbatim_recall", "near-verbatim recall", "share", "words of the work in long shared spans"),
    Figure("near_verbatim_precision", "near-verbatim precision", "share", "words of the output in long shared spans"),
    Figure("longest_near_verbatim", "longest near-verbatim span", "words", "with small gaps, however short it is"),
    Figure("common_substring", "longest common run", "words", "the same word by word"),
    Figure("common_substring_chars", "longest common run", "letters", "the same letter by letter"),
    Figure("common_prefix", "common prefix", "words", "the same from the first word on"),
    Figure("acs_3", "runs of 3 and more", "words", "words in shared runs; stock phrases reach it"),
    Figure("acs_6", "runs of 6 and more", "words", "words in shared runs, in any order: stitched quotes"),
    Figure("acs_15", "runs of 15 and more", "words", "words in shared runs, in any order"),
    Figure("discounted_runs", "runs, discounted", "words", "runs of 3 and more, each common word counted in part"),
    Figure("common_subsequence", "common subsequence", "words", "the same words in the same order, with any gaps"),
    Figure("rouge_l_recall", "ROUGE-L recall", "share", "common subsequence / words of the work"),
    Figure("rouge_l_precision", "ROUGE-L precision", "share", "common subsequence / words of the output"),
    Figure("edit_similarity", "edit similarity", "share", "1 - edited words / words of the longer text"),
    Figure(
        "local_edit_similarity", "the same, best window", "share", "where the shorter text fits the longer one best"
    ),
    Figure("minhash_words", "shared 5-word windows", "share", "of all such windows of both texts (Jaccard, MinHash)"),
    Figure("minhash_chars", "shared 3-letter windows", "share", "the same of letters; any two long texts are alike"),
)

UNIT_MEANING = "Figures without % are words, or letters where it says so; the higher, the more is in common."

SPAN_MEANING = (
    f"A long span has at least {MIN_SPAN_WORDS} words (of shorter texts four fifths, but no fewer than "
    f"{SHORT_QUOTE_WORDS} of a longer work), in the order of the work, with at most {MAX_GAP_WORDS} words between two "
    "matches in either text."
)
CANONICAL_MEANING = (
    "Raw: both texts as they stand. Canonical: without case, accents, punctuation, spacing of letters, "
    "and signs that stand for letters."
)


def headline_of(scores: TextScores) -> str:
    """Say in one sentence how much is shared. A fact, and no finding."""
    if not scores.output_words or not scores.reference_words:
        which = "output" if not scores.output_words else "work"
        return f"Nothing is shared: the {which} has no word."
    share, words = 100 * scores.near_verbatim_recall, round(scores.near_verbatim_recall * scores.reference_words)
    if words:
        return (
            f"{words:,} of {scores.reference_words:,} words of the work ({share:.1f} %) stand in long spans of the "
            f"output; the longest has {scores.longest_near_verbatim:,}."
        )
    if scores.acs_6:
        return (
            f"No long span is shared; {scores.acs_6:,} of {scores.output_words:,} words of the output stand in runs of "
            f"six words and more of the work, the longest of {scores.common_substring:,}."
        )
    longest = scores.common_substring
    return f"No run of six words is shared; the longest common run has {longest} word{'s' * (longest != 1)}."
