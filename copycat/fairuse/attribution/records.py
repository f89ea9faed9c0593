"""What attribution says of an output. It names where words also stand, and not where a model has them from."""

from __future__ import annotations

from copycat.schema import Record, Text


class Place(Record):
    """Where a span stands in a work: letters of its text, end exclusive; None where the index does not tell."""

    work: Text
    start: int | None = None
    end: int | None = None


class SourcedSpan(Record):
    """A longest span of the output that stands in the index, in the order of the output.

    Attributes:
        start, end: letters of the output, end exclusive.
        words: of the work; of an index of infini-gram, tokens.
        works: all works that hold the whole span.
        occurrences: how often it stands in the index.
        places: some of them, at most `MAX_PLACES`.
    """

    start: int
    end: int
    words: int
    works: tuple[str, ...]
    occurrences: int
    places: tuple[Place, ...]


class WorkFound(Record):
    """A work and how much of the output stands in it.

    Attributes:
        words: of the output, in spans that the work holds whole.
        share: of the output's words; from 0 to 1.
        longest: words of the longest such span.
        is_tied: another work has as many words and as long a span.
    """

    work: Text
    title: str
    words: int
    share: float
    longest: int
    is_tied: bool


class Attribution(Record):
    """An output against an index; works with the most words first, those that are tied by id.

    Attributes:
        words: of the output; of an index of infini-gram, tokens.
        novelty: n -> share of the output's n-grams of words that the index lacks; without n-grams, no entry.
    """

    output: Text
    words: int
    works: tuple[WorkFound, ...]
    spans: tuple[SourcedSpan, ...]
    novelty: dict[int, float]


class IndexFacts(Record):
    """What was searched."""

    kind: str
    works: int
    letters: int | None = None
    words: int | None = None


class AttributionReport(Record):
    """Outputs against one index."""

    index: IndexFacts
    min_words: int
    outputs: tuple[Attribution, ...]
