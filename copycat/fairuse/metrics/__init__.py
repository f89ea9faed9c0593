"""How much of a reference an output holds: pure functions over words and letters.

An output is what a model wrote, a reference is the work, or the part of it, that it is compared with. Words are those
of `copycat.fairuse.text`: as they stand (raw), or in the form in which disguises are equal (canonical).

    common_prefix           words from the first on that are the same; one wrong first word makes it 0
    common_substring        the longest run of words (_chars: of letters) in both; misses many short quotes
    common_subsequence      words in the same order with any gaps between them; grows with length by chance alone
    rouge_l_*               common subsequence / words of the reference (recall), of the output (precision)
    acs_3, acs_6, acs_15    words in runs of so many words and more, anywhere in the reference; stock phrases reach 3
    edit_similarity         1 - edits / words of the longer text; falls where the lengths differ
    local_edit_similarity   1 - edits / words of the shorter text, in the window that it fits best
    minhash_*               shared windows of 3 letters (5 words) / all windows of both: Jaccard; without order
    near_verbatim_*         words in long spans with small gaps / words of the reference (recall), output (precision)
    longest_near_verbatim   words of the longest such span, however short
    discounted_runs         acs_3 with common phrases weighed down by a background
"""

from copycat.fairuse.metrics.background import Background, shipped_background
from copycat.fairuse.metrics.by_work import WorkSummary, by_work
from copycat.fairuse.metrics.chance import chance_of_extraction, draws_needed, log_p_per_letter
from copycat.fairuse.metrics.comparing import best_of, compare_texts, recall_grid, scores
from copycat.fairuse.metrics.near_verbatim import near_verbatim, near_verbatim_grid
from copycat.fairuse.metrics.novelty import GramIndex, novelty
from copycat.fairuse.metrics.numbers import number_words

__all__ = [
    "Background",
    "GramIndex",
    "WorkSummary",
    "best_of",
    "by_work",
    "chance_of_extraction",
    "compare_texts",
    "draws_needed",
    "log_p_per_letter",
    "near_verbatim",
    "near_verbatim_grid",
    "novelty",
    "number_words",
    "recall_grid",
    "scores",
    "shipped_background",
]
