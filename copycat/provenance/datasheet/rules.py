"""D1: how complete the card is. Contradictions are errors; what is merely not written is a warning."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from copycat.provenance.dataset import Batch
from copycat.provenance.datasheet.facts import Facts
from copycat.provenance.datasheet.fields import card_fields
from copycat.provenance.datasheet.score import Completeness, FieldScore, completeness
from copycat.provenance.datasheet.shape import columns_of
from copycat.provenance.records import Evidence, Finding
from copycat.provenance.rules.rule import MAX_EVIDENCE, Context, Rule, shortened

WANTED_SHARE = 0.75
"""A card below this share of the points is a finding."""

SHOWN_FIELDS = 8


class CardComplete(Rule):
    """D1: the card answers what a datasheet asks, with facts, and contradicts no record."""

    id = "D1"
    severities = ("error", "warning")
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "facts"
    needs = ("split", "language", "source", "url", "retrieved_at", "synthetic", "generator", "prompt_hash",
             "version_removed", "tombstone_reason")  # fmt: skip

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.facts = Facts()
        self.score: Completeness | None = None

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        self.facts.add(batch)

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        context = self.context
        card = context.dataset.card
        file = card.file or card.croissant_file
        if not file:
            yield self.finding(
                "warning",
                "there is no card: 0 of the fields of a datasheet are answered",
                "write README.md; 'python -m copycat.provenance card DATASET --draft' begins it",
            )
            return
        if card.unread:
            yield self.finding(
                "warning",
                f"not all of the card can be read, and its answers are those of the rest: {card.unread}",
                "mend the card there; what is told below may be answered where it cannot be read",
                *(fault.evidence.model_copy(update={"value": shortened(fault.said)}) for fault in card.faults),
            )
        self.score = completeness(card, self.facts.close(), columns_of(context.dataset), context.as_of)
        yield from self._contradictions(self.score, file)
        yield from self._boilerplate(self.score, file)
        if self.score.share < WANTED_SHARE:
            yield self._incomplete(self.score, file)

    def _contradictions(self, score: Completeness, file: str) -> Iterable[Finding]:
        for one in score.contradictions[:MAX_EVIDENCE]:
            yield self.finding(
                "error",
                f"the card says '{shortened(one.claim)}'; it is not so: {shortened(one.fact)}",
                "correct the card, or the records",
                Evidence(file=file, pointer=shortened(one.place), value=shortened(one.claim)),
            )

    def _boilerplate(self, score: Completeness, file: str) -> Iterable[Finding]:
        empty = [field for field in score.fields if field.is_boilerplate]
        if empty:
            yield self.finding(
                "warning",
                f"{len(empty)} fields of the card hold a blank or text that says nothing: {_listed(empty)}",
                "write the fact, or 'none, because ...' with the reason; such text counts as nothing",
                *(Evidence(file=file, pointer=field.places[0], value=shortened(field.reason)) for field in empty),
            )

    def _incomplete(self, score: Completeness, file: str) -> Finding:
        lacking = [field for field in score.fields if field.points < 1]
        return self.finding(
            "warning",
            f"the card answers {score.points:g} of {len(score.fields)} fields ({_sections(score)})",
            f"'python -m copycat.provenance card DATASET' says what to write; lacking: {_listed(lacking)}",
            Evidence(file=file),
        )

    def passed(self) -> str:
        """Say what was seen."""
        score = self.score
        return "" if score is None else f"the card answers {score.points:g} of {len(score.fields)} fields"


def _listed(fields: list[FieldScore]) -> str:
    named = [field.title for field in fields[:SHOWN_FIELDS]]
    more = len(fields) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _sections(score: Completeness) -> str:
    parts = []
    for name in card_fields().sections:
        points, most = score.section(name)
        parts.append(f"{name} {points:g}/{most}")
    return ", ".join(parts)
