"""How complete a card is: 0, 0.5 or 1 for each field, with the reason, and their sum.

`share = sum of points / number of fields that count`. Each field counts alike. A field gets its points so:

1. Nothing is said: 0.
2. Placeholders ("TBD", "N/A", "none."), questions and instructions of templates, and filler text are taken out; then
   sentences of which half or more stands in another field, too, but for a short "none" with a reason that fields of one
   section share. Nothing is left: 0.
3. The card contradicts the records (10,000 rows said, 9 there): 0, and the claim is kept.
4. A value (licence, address, day, version, language, people, name) is read: right 1, near 0.5, wrong 0.
5. "None", with a reason or a sentence of its own that is about the field: 1.
6. Prose counts by the facts in its sentences: those that the field asks for (`fields.yaml`). All groups met, or one met
   and two different facts in it: 1; some, or one name, number or reason alone: 0.5; none: 0. A sentence counts if it
   has the small words that sentences have, or states what agrees with the records; if nothing in it is about the
   field, or about what the dataset is by its own name, description and columns, and nothing agrees with the records:
   0. A fact that stands in more than MOST_FIELDS_OF_A_FACT fields counts in none, but a source, model or licence of
   the records in the field for it.
7. The number of records counts where it stands, and fields about models do not count where none made a record.

So words alone raise nothing: no length, no keyword, no phrase; nor what a reader of the page does not see. What this
cannot see: a well-made lie about what no record tells. The score says whether something is said that can be checked,
not whether it is true. Cards in other languages than English get fewer points than they deserve.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from pydantic import Field

from copycat.provenance.dataset import Card
from copycat.provenance.dataset.card import BLANK
from copycat.provenance.datasheet import claims
from copycat.provenance.datasheet.answers import Read, Said, read_answers
from copycat.provenance.datasheet.boilerplate import folded, own_sentences, sentences, why_boilerplate
from copycat.provenance.datasheet.evidence import Evidence, facts_in, is_reasoned_none
from copycat.provenance.datasheet.facts import DatasetFacts
from copycat.provenance.datasheet.fields import CardField, FactKind, card_fields
from copycat.provenance.datasheet.reading import read_value
from copycat.provenance.datasheet.weighing import Told, Weighing, stem
from copycat.provenance.datasheet.words import words
from copycat.schema import Record
from copycat.schema.base import Text

MOST_FIELDS_OF_A_FACT = 3
AT_HOME: set[FactKind] = {"source", "model", "licence"}
"""Facts that have a field of their own, and stand elsewhere in passing."""

MAY_BE_NONE = {"synthetic", "processing", "annotation"}
"""Sections of what was done to records, which for one reason may not have been done at all."""

MOST_WORDS_OF_A_NONE = 16

BARE_NONE = {"none", "no", "nothing", "not applicable", "n a"}
"""Answers that need a sentence after them."""

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
    wrong = [Contradiction(**claim._asdict()) for claim in claims.contradictions(read.said, card, facts, columns)]
    lines = {name: _useful_lines(said) for name, said in read.said.items()}
    own = _with_repeated_nones(own_sentences(lines), lines)
    names = {folded(text) for _, text in read.said["name"]}
    evidence = _rare(
        {
            name: {one for one in facts_in(kept, facts, columns) if one.kind != "name" or one.words not in names}
            for name, kept in own.items()
        }
    )
    subject = _subject(own["description"], read.said["name"], columns)
    is_told = facts.n_synthetic > 0 or facts.synthetic_share == 0
    is_synthetic = facts.n_synthetic > 0 if is_told else not _says_none(read, own)
    scores, left_out = [], []
    for field in card_fields().fields:
        if field.needs == "synthetic" and not is_synthetic:
            left_out.append(field.id)
            continue
        told = Told(read.said[field.id], lines[field.id], own[field.id], evidence[field.id])
        if field.id == "size" and not told.said:
            told = _size_elsewhere(read, own, facts)
        scorer = _Scorer(field, told, subject)
        score, mistake = scorer.score(facts, columns, wrong, as_of)
        scores.append(score)
        wrong += [mistake] if mistake else []
    return Completeness(
        fields=tuple(scores), left_out=tuple(left_out), contradictions=tuple(wrong), unread=tuple(read.unread)
    )


def _useful_lines(said: Sequence[Said]) -> list[str]:
    """Give the sentences of a field that say something, each once; "None." goes with the sentence after it."""
    lines = []
    for _, text in said:
        none = ""
        for line in sentences(text):
            if folded(line) in BARE_NONE:
                none = line.rstrip(".:;,! ") + ": "
            elif not why_boilerplate(line):
                lines.append(none + line)
                none = ""
    return list({folded(line): line for line in lines}.values())


def _with_repeated_nones(own: Mapping[str, list[str]], lines: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Give back a short "none" with its reason that several fields of one section share.

    "None, because nobody annotated" answers every question of who marked what.
    """
    section_of = {field.id: field.section for field in card_fields().fields}
    sections: dict[str, set[str]] = {}
    for name, kept in lines.items():
        for line in kept:
            sections.setdefault(folded(line), set()).add(section_of[name])

    def may_repeat(name: str, line: str) -> bool:
        is_short = len(line.split()) <= MOST_WORDS_OF_A_NONE
        at_one = section_of[name] in MAY_BE_NONE and len(sections[folded(line)]) == 1
        return is_short and at_one and is_reasoned_none(line)

    return {
        name: [line for line in kept if line in own[name] or may_repeat(name, line)] for name, kept in lines.items()
    }


def _rare(evidence: Mapping[str, set[Evidence]]) -> dict[str, set[Evidence]]:
    """Drop facts that stand in so many fields that they belong to none.

    A description sums up and may repeat sources; a source, a model and a licence belong where they are asked for first.
    """
    spread = Counter(words for found in evidence.values() for words in {one.words for one in found})
    asked = {field.id: set(field.facts[0]) & AT_HOME for field in card_fields().fields if field.facts}
    return {
        name: {
            one
            for one in found
            if spread[one.words] <= MOST_FIELDS_OF_A_FACT
            or (name == "description" and one.kind == "source")
            or (asked.get(name) == {one.kind})
        }
        for name, found in evidence.items()
    }


def _subject(description: Sequence[str], names: Sequence[Said], columns: Sequence[str]) -> set[str]:
    """Give the words of what the dataset is: of its name, its description and its columns, without the small ones."""
    said = folded(" ".join([*description, *(text for _, text in names), *columns])).split()
    common = words().small_words | words().no_reasons | words().no_names
    return {stem(word) for word in said if len(word) > 3 and word not in common and word.isalpha()}


def _says_none(read: Read, own: Mapping[str, list[str]]) -> bool:
    """Whether the card itself says that no model made a record, where the records do not tell."""
    text = "\n".join(own["synthetic-share"])
    shares = [float(share.replace(",", ".")) for share in claims.PERCENT.findall(text)]
    return not any(read.said[name] for name in ("synthetic-models", "synthetic-prompts")) and (
        any(shares) is False if shares else is_reasoned_none(text)
    )


def _size_elsewhere(read: Read, own: Mapping[str, list[str]], known: DatasetFacts) -> Told:
    """Give the sentences that state the number of records where the card has no heading for it."""
    found = [
        (Said(read.said[name][0].place, line), line)
        for name in ("record", "description")
        for line in own[name]
        if known.n_records and claims.agrees_with_size(line, known)
    ]
    lines = [line for _, line in found]
    return Told([said for said, _ in found], lines, lines, facts_in(lines, known))


class _Scorer:
    """Scores one field."""

    def __init__(self, field: CardField, told: Told, subject: set[str]) -> None:
        self.field, self.told, self.subject = field, told, subject
        self.said, self.lines = told.said, told.lines

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
            quoted = "" if BLANK in text else f": '{' '.join(text.split())[:60]}'"
            return self._give(0, f"{why}{quoted}", True), None
        if not self.told.own:
            return self._give(0, "the same text stands in other fields", True), None
        return self._give(*Weighing(self.field, self.told, self.subject).prose(known, columns)), None

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
