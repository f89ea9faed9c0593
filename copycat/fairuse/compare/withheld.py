"""An output against a withheld work: where letters of it stand in the output, found by hashes alone."""

from __future__ import annotations

from copycat.fairuse.records import Work
from copycat.fairuse.text import canonical
from copycat.fairuse.text.canonical import letters_of
from copycat.fairuse.works import WithheldGrams
from copycat.schema import Record


class WithheldPlace(Record):
    """A stretch that stands in the work, ends exclusive.

    `output_start` and `output_end` are letters of the output as it was given; `first_letter` and `last_letter` count
    canonical letters of the work.
    """

    output_start: int
    output_end: int
    first_letter: int
    last_letter: int
    letters: int


class WithheldComparison(Record):
    """What can be said of a work without its text. Letters are canonical ones.

    `found_letters` are those of the work that stand in the output, each counted once.
    """

    work: Work
    work_letters: int
    work_words: int
    output_words: int
    output_letters: int
    found_letters: int
    matched_letters: int
    longest_letters: int
    gram_letters: int
    places: tuple[WithheldPlace, ...]

    @property
    def share_of_work(self) -> float:
        """The share of the work's letters that stand in the output, from 0 to 1."""
        return self.found_letters / self.work_letters

    @property
    def share_of_output(self) -> float:
        """The share of the output's letters that stand in the work, from 0 to 1."""
        return self.matched_letters / self.output_letters if self.output_letters else 0.0


def compare_withheld(output: str, grams: WithheldGrams) -> WithheldComparison:
    """Look an output up in the hashes of a work; runs of fewer than `gram_letters` letters are not seen."""
    words = canonical(output)
    hits = grams.hits(words)
    places = tuple(
        WithheldPlace(
            output_start=hit.start,
            output_end=hit.end,
            first_letter=hit.first_letter,
            last_letter=hit.last_letter,
            letters=hit.letters,
        )
        for hit in hits
    )
    return WithheldComparison(
        work=grams.file.work,
        work_letters=grams.file.letters,
        work_words=grams.file.words,
        output_words=len(words),
        output_letters=len(letters_of(words)),
        found_letters=_covered([(hit.first_letter, hit.last_letter) for hit in hits]),
        matched_letters=sum(hit.letters for hit in hits),
        longest_letters=max((hit.letters for hit in hits), default=0),
        gram_letters=grams.file.gram_letters,
        places=places,
    )


def _covered(ranges: list[tuple[int, int]]) -> int:
    """Count what lies in at least one range."""
    total = reached = 0
    for start, end in sorted(ranges):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total
