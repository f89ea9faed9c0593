"""Card and facts -> which fields of a summary are ready, partly ready, or missing."""

from __future__ import annotations

from typing import Literal

from copycat.provenance.dataset import Card
from copycat.provenance.datasheet.answers import read_answers
from copycat.provenance.datasheet.boilerplate import sentences, why_boilerplate
from copycat.provenance.datasheet.facts import DatasetFacts
from copycat.provenance.datasheet.score import Completeness
from copycat.provenance.datasheet.summaries.computed import FACT_TITLES, computed
from copycat.provenance.datasheet.summaries.template import Summary, SummaryField
from copycat.schema import Record

Status = Literal["ready", "partly", "missing", "provider"]
MOST_LETTERS = 600


class FieldReady(Record):
    """What there is for one field.

    Attributes:
        status: ready (the records tell, or the card answers in full); partly (the card answers in half); missing;
            provider (only the provider of a model can answer it).
        answer: what can be put there now; "" for nothing. come_from: where it comes from.
    """

    field: SummaryField
    status: Status
    answer: str = ""
    come_from: tuple[str, ...] = ()


class Readiness(Record):
    """How far a summary can be filled in."""

    summary: Summary
    fields: tuple[FieldReady, ...]

    def count(self, status: Status) -> int:
        """How many fields are so."""
        return sum(field.status == status for field in self.fields)


def readiness(
    summary: Summary, card: Card, score: Completeness, known: DatasetFacts, n_with_signals: int | None = None
) -> Readiness:
    """Say what of a summary can be filled in.

    A field that names facts is ready with any of them, since a record's own word is what is asked for; but one with an
    address was not therefore crawled (`in_part`). One that names fields of the card needs one of them in full.
    """
    said = {name: [text for _, text in answers] for name, answers in read_answers(card).said.items()}
    facts = computed(known, n_with_signals)
    fields = []
    for field in summary.fields:
        if field.who == "provider":
            fields.append(FieldReady(field=field, status="provider"))
            continue
        own = [facts[name] for name in field.facts if name in facts]
        points, texts, places = 0.0, [], []
        for name in field.card:
            scored = score.of(name)
            text = _useful(said.get(name, []))
            if scored is None or not scored.points or not _speaks_of(text, field.words):
                continue
            points = max(points, scored.points)
            texts.append(text)
            places.append(f"card: {scored.title}")
        in_part = field.in_part or ("synthetic" in field.facts and known.synthetic_share is None)
        is_ready = points == 1 or (bool(own) and not in_part)
        status: Status = "ready" if is_ready else "partly" if own or points else "missing"
        come_from = (*(f"records: {FACT_TITLES[name]}" for name in field.facts if name in facts), *places)
        answer = "\n\n".join([*own, *dict.fromkeys(texts)])
        fields.append(FieldReady(field=field, status=status, answer=answer, come_from=come_from))
    return Readiness(summary=summary, fields=tuple(fields))


def _speaks_of(text: str, words: tuple[str, ...]) -> bool:
    return not words or any(word in text.casefold() for word in words)


def _useful(texts: list[str]) -> str:
    lines = [line for text in texts for line in sentences(text) if not why_boilerplate(line)]
    joined = " ".join(dict.fromkeys(lines))
    return joined if len(joined) <= MOST_LETTERS else f"{joined[: MOST_LETTERS - 1]}…"
