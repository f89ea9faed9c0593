"""What a filter is told, what it finds and what it decides."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from copycat.fairuse.records import WorkStatus
from copycat.fairuse.text.canonical import CANONICAL_FORM
from copycat.fairuse.works import GRAM_LETTERS
from copycat.schema import Record

Action = Literal["allow", "attribute", "trim", "rewrite", "block"]
"""From the mildest to the strictest; the action on a text is the strictest that any span of it called for."""

Beyond = Literal["trim", "rewrite", "block"]

Outcome = Literal["allowed", "quoted", "attributed", "beyond"]
"""Of a span: its work may be copied; it is within the allowance; it is shown with its source; it is longer."""

Count = Annotated[int, Field(ge=0)]

MIN_WINDOW, MAX_WINDOW = 8, 200

TRIM_MARK = "[...]"

MAX_NAMED = 100

MAX_GAP_LETTERS = 40
"""So many letters between two spans at most, in the output and in the work, and they are one: some eight words."""


class Policy(Record):
    """What may be shown of which works.

    Words are counted in what the filter finds, and a quotation of fewer letters than its window is not found. A window
    of 24 letters finds one in four quotations of five words, two in three of six, nearly all of eight
    (benchmarks/text_filter.py). So an allowance below that acts on longer quotations alone.

    Attributes:
        quote_words: the most words of one span that may stand as a quotation.
        work_words: the most words of one work that may be quoted in one text, all spans together.
        cite: a quotation within the allowance is shown with its source.
        beyond: what is done with more: cut to the allowance, written anew, or nothing more is shown.
        allow: works of this status may be copied freely.
        attribute: works of this status may be copied with their source.
        allow_works: ids of further works that may be copied freely.
        rewrites: how often a rewritten passage that still copies is asked for again, before it is trimmed.
    """

    quote_words: Count = 25
    work_words: Count = 100
    cite: bool = False
    beyond: Beyond = "trim"
    allow: tuple[WorkStatus, ...] = ("public-domain",)
    attribute: tuple[WorkStatus, ...] = ("open",)
    allow_works: tuple[str, ...] = ()
    rewrites: int = Field(default=2, ge=1)


class FoundSpan(Record):
    """A stretch of the output that stands in a work, letter by letter or nearly.

    Attributes:
        start, end: places in the output, end exclusive.
        words: of the output between them.
        is_near: nothing in it is as long as a window; its wording was changed.
    """

    work: str
    title: str
    start: int
    end: int
    words: int
    outcome: Outcome
    is_near: bool = False


class Decision(Record):
    """What happens with an output.

    Attributes:
        text: what may be shown.
        spans: in the order of the output, those that may be shown too. What the user's own prompt holds is no span.
    """

    action: Action
    text: str
    spans: tuple[FoundSpan, ...] = ()
    reason: str = ""

    @property
    def longest(self) -> int:
        """Give the words of the longest span that is beyond the allowance, or 0."""
        return max((span.words for span in self.spans if span.outcome == "beyond"), default=0)


class FilterFile(Record):
    """filter.json: how a filter was built; its files are useless to another version.

    Attributes:
        window: canonical letters that must be the same, in a row, before anything is found.
        near_window, near_sample: of the stage for changed wording: its shorter windows, of which one in so many is
            kept; near_window is 0 where that stage was left out.
        windows: of all works, each of which begins at a word.
        withheld_hashes: of all withheld works.
        too_short: ids of works with fewer letters than a window, which are never found; the first MAX_NAMED of them.
        left_out: windows that stand in the works so often that further places are not kept.
        bloom_bits, bloom_rate: its size, and the false-positive rate that it was built for.
    """

    format: int = 1
    canonical_form: int = CANONICAL_FORM
    window: int = Field(default=GRAM_LETTERS, ge=MIN_WINDOW, le=MAX_WINDOW)
    near_window: int = Field(default=0, ge=0, le=MAX_WINDOW)
    near_sample: int = Field(default=1, ge=1)
    hash_seed: int
    works: Count
    withheld_works: Count = 0
    withheld_hashes: Count = 0
    too_short: tuple[str, ...] = ()
    letters: Count
    windows: Count
    near_windows: Count = 0
    left_out: Count = 0
    bloom_bits: Count
    near_bloom_bits: Count = 0
    bloom_rate: float = Field(gt=0, lt=1)
    place_bytes: Literal[4, 8] = 4
