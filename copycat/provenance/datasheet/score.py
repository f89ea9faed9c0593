"""How complete a card is: 0, 0.5 or 1 for each field, with the reason, and their sum.

`share = sum of points / number of fields that count`. Each field counts alike. A field gets its points so:

1. Nothing is said: 0.
2. Placeholders ("TBD", "N/A", "none."), questions and instructions of templates, and filler text are taken out; then
   sentences of which half or more stands in another field, too. Nothing is left: 0.
3. The card contradicts the records (10,000 rows said, 9 there): 0, and the claim is kept.
4. A value (licence, address, day, version, language, people, name) is read: right 1, near 0.5, wrong 0.
5. "None, because ..." with three words of reason that say something: 1.
6. Prose counts by the facts in its sentences: those that the field asks for (`fields.yaml`). All groups met: 1; some:
   0.5; none: 0. A sentence counts if it has the small words that sentences have, or states what agrees with the
   records; if nothing in it is about the field and nothing agrees with the records: 0. A fact that stands in
   more than MOST_FIELDS_OF_A_FACT fields counts in none.

So words alone raise nothing: no length, no keyword, no phrase. What this cannot see: a well-made lie about what no
record tells. The score says whether something is said that can be checked, not whether it is true. Cards in other
languages than English get fewer points than they deserve.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from pydantic import Field

from copycat.provenance.dataset import Card
from copycat.provenance.datasheet import claims
from copycat.provenance.datasheet.answers import Said, read_answers
from copycat.provenance.datasheet.boilerplate import folded, own_sentences, sentences, why_boilerplate
from copycat.provenance.datasheet.evidence import Evidence, facts_in, is_reasoned_none, is_statement
from copycat.provenance.datasheet.facts import DatasetFacts
from copycat.provenance.datasheet.fields import FACT_WORDS, CardField, FactKind, card_fields
from copycat.provenance.datasheet.reading import read_value
from copycat.schema import Record
from copycat.schema.base import Text

MOST_FIELDS_OF_A_FACT = 3
AGREE: set[FactKind] = {"size", "share", "source", "model", "column", "columns", "language", "licence"}
"""Facts that agree with the records, which count in a list or a table, too."""

FEW_WORDS = 8
"""A line of so many words may state a fact without being a sentence, where a field is short."""

NEVER = date(9999, 12, 31)


class FieldScore(Record):
    """What a field is worth: `points` of 0, 0.5 or 1 and the `reason`; what `write`s it; `places` where it is said."""

    field: Text
    section: Text
    title: Text
    points: float = Field(ge=0, le=1)
    reason: Text
    write: Text
    places: tuple[str, ...] = ()
    is_boilerplate: bool = False


class Contradiction(Record):
    """A claim of the card that the records contradict."""

    field: Text
    place: str
    claim: str
    fact: str


class Completeness(Record):
    """How complete a card is.

    Attributes:
        fields: those that count, in the order of the table.
        left_out: fields that do not count here (models of synthetic records, where none is synthetic).
        unread: headings whose text belongs to no field.
    """

    fields: tuple[FieldScore, ...]
    left_out: tuple[str, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """The sum over the fields."""
        return sum(field.points for field in self.fields)

    @property
    def share(self) -> float:
        """Points of those that can be had, from 0 to 1."""
        return self.points / len(self.fields) if self.fields else 0.0

    def section(self, name: str) -> tuple[float, int]:
        """Give the points of a section and how many can be had."""
        own = [field.points for field in self.fields if field.section == name]
        return sum(own), len(own)

    def of(self, name: str) -> FieldScore | None:
        """Give the score of a field; None if it does not count."""
        return next((field for field in self.fields if field.field == name), None)


def completeness(
    card: Card, known: DatasetFacts | None = None, columns: Sequence[str] = (), as_of: date = NEVER
) -> Completeness:
    """Score a card.

    Args:
        known: what the records say; without it, nothing is contradicted and no fact agrees.
        columns: names of the dataset's columns.
        as_of: today; a day of publication after it is a contradiction.
    """
    facts = known or DatasetFacts()
    read = read_answers(card)
    wrong = [Contradiction(**claim._asdict()) for claim in claims.contradictions(read.said, card, facts)]
    lines = {name: _useful_lines(said) for name, said in read.said.items()}
    own = own_sentences(lines)
    evidence = _rare({name: facts_in(kept, facts, columns) for name, kept in own.items()})
    scores, left_out = [], []
    for field in card_fields().fields:
        if field.needs == "synthetic" and facts.synthetic_share == 0:
            left_out.append(field.id)
            continue
        scorer = _Scorer(field, read.said[field.id], lines[field.id], own[field.id], evidence[field.id])
        score, mistake = scorer.score(facts, columns, wrong, as_of)
        scores.append(score)
        wrong += [mistake] if mistake else []
    return Completeness(
        fields=tuple(scores), left_out=tuple(left_out), contradictions=tuple(wrong), unread=tuple(read.unread)
    )


def _useful_lines(said: Sequence[Said]) -> list[str]:
    """Give the sentences of a field that say something, each once."""
    lines = [line for _, text in said for line in sentences(text) if not why_boilerplate(line)]
    return list({folded(line): line for line in lines}.values())


def _rare(evidence: Mapping[str, set[Evidence]]) -> dict[str, set[Evidence]]:
    """Drop facts that stand in so many fields that they belong to none. A description sums up, and may repeat them."""
    spread = Counter(words for found in evidence.values() for words in {one.words for one in found})
    return {
        name: {
            one
            for one in found
            if spread[one.words] <= MOST_FIELDS_OF_A_FACT or (name == "description" and one.kind == "source")
        }
        for name, found in evidence.items()
    }


class _Scorer:
    """Scores one field."""

    def __init__(
        self, field: CardField, said: Sequence[Said], lines: list[str], own: list[str], evidence: set[Evidence]
    ) -> None:
        self.field, self.said, self.lines, self.own, self.evidence = field, said, lines, own, evidence

    def score(
        self, known: DatasetFacts, columns: Sequence[str], wrong: Sequence[Contradiction], as_of: date
    ) -> tuple[FieldScore, Contradiction | None]:
        """Give the score, and what is wrong with the value itself."""
        claim = next((one for one in wrong if one.field == self.field.id), None)
        if not self.said:
            return self._give(0, "nothing is said"), None
        if claim is not None:
            return self._give(0, f"it says '{claim.claim}'; the records: {claim.fact}"), None
        if self.field.kind != "text":
            texts = [text for _, text in self.said if text.strip()]
            value = read_value(self.field.kind, texts, as_of)
            mistake = None
            if value.is_wrong:
                mistake = Contradiction(
                    field=self.field.id, place=self.said[0].place, claim=texts[0][:60], fact=value.reason
                )
            return self._give(value.points, value.reason, not self.lines), mistake
        if not self.lines:
            text = self.said[0].text
            why = next(filter(None, (why_boilerplate(line) for line in sentences(text))), "a placeholder")
            return self._give(0, f"{why}: '{' '.join(text.split())[:60]}'", True), None
        if not self.own:
            return self._give(0, "the same text stands in other fields", True), None
        return self._give(*self._prose(known, columns)), None

    def _prose(self, known: DatasetFacts, columns: Sequence[str]) -> tuple[float, str]:
        text = "\n".join(self.own)
        if is_reasoned_none(text):
            return 1, "none, with a reason"
        kinds = self._kinds(text, known, columns)
        if not self._is_about(text, kinds):
            return 0, f"nothing in it is about {self.field.title}"
        met = [bool(kinds & set(group)) for group in self.field.facts]
        missing = [group for group, is_met in zip(self.field.facts, met, strict=True) if not is_met]
        wanted = " and ".join(" or ".join(FACT_WORDS[kind] for kind in group) for group in missing)
        if all(met):
            return 1, f"states {_listed(kinds, self.field)}"
        if any(met):
            return 0.5, f"states {_listed(kinds, self.field)}; lacks {wanted}"
        return 0, f"words without a fact: lacks {wanted}"

    def _kinds(self, text: str, known: DatasetFacts, columns: Sequence[str]) -> set[FactKind]:
        """Give the kinds of fact that count here: those in statements, and those that agree with the records."""
        is_said = any(is_statement(line) for line in self.own)
        if self.field.is_short:
            is_said = is_said or any(len(folded(line).split()) <= FEW_WORDS for line in self.own)
        told = {*self.field.about, *folded(self.field.title).split()}
        facts = [one for one in self.evidence if one.kind != "name" or one.words not in told]
        kinds = {one.kind for one in facts if is_said or (one.kind in AGREE and known.n_records)}
        if (known.n_records or "number" in kinds) and claims.agrees_with_size(text, known):
            kinds.add("size")
        if claims.agrees_with_share(text, known):
            kinds.add("share")
        named = {one.words for one in self.evidence if one.kind == "column"}
        if named and 2 * len(named) >= len(columns):
            kinds.add("columns")
        return kinds

    def _is_about(self, text: str, kinds: set[FactKind]) -> bool:
        words = folded(text).split()
        stems = tuple(stem.strip() for stem in self.field.about)
        has_heading = any(not place.startswith(("croissant", "**")) and " " in place for place, _ in self.said)
        has_heading = has_heading or self.field.id in ("description",)
        return not stems or any(word.startswith(stems) for word in words) or (has_heading and bool(kinds & AGREE))

    def _give(self, points: float, reason: str, is_boilerplate: bool = False) -> FieldScore:
        return FieldScore(
            field=self.field.id,
            section=self.field.section,
            title=self.field.title,
            points=points,
            reason=reason,
            write=self.field.write,
            places=tuple(dict.fromkeys(place for place, _ in self.said)),
            is_boilerplate=is_boilerplate and points == 0,
        )


def _listed(kinds: set[FactKind], field: CardField) -> str:
    asked = list(dict.fromkeys(kind for group in field.facts for kind in group if kind in kinds))
    return ", ".join(FACT_WORDS[kind] for kind in asked)
