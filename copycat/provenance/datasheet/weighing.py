"""One field's text -> points and the reason: is it about the field, is there a reason for a "none", which facts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from copycat.provenance.datasheet import claims
from copycat.provenance.datasheet.answers import Said
from copycat.provenance.datasheet.boilerplate import folded
from copycat.provenance.datasheet.evidence import Evidence, is_reason, is_reasoned_none, is_statement
from copycat.provenance.datasheet.facts import DatasetFacts
from copycat.provenance.datasheet.fields import FACT_KINDS, FACT_WORDS, CardField, FactKind
from copycat.provenance.datasheet.words import words

AGREE: set[FactKind] = {"size", "share", "source", "model", "column", "columns", "language", "licence"}
"""Facts that agree with the records, which count in a list or a table, too."""

EXACT: set[FactKind] = {"size", "share", "model", "choice", "columns", "source", "licence", "contact", "link"}
"""Where a field asks first for one of these alone, nothing else can stand for it."""

SOFT: set[FactKind] = {"name", "number", "reason"}
"""Facts that are easily said: one of them alone is half an answer."""

SOURCES: set[FactKind] = {"source", "link"}
"""What a field of sources is about, without the word."""

FEW_WORDS = 8
"""A line of so many words may state a fact without being a sentence, where a field is short."""


class Told(NamedTuple):
    """What a card tells in one field: answers, sentences that say something, those of them in no other field, facts."""

    said: Sequence[Said]
    lines: list[str]
    own: list[str]
    evidence: set[Evidence]


def stem(word: str) -> str:
    """Give a word without the ending of the plural."""
    return word.removesuffix("s")


class Weighing:
    """Weighs the text of one field.

    Args:
        subject: words of what the dataset is (stems).
    """

    def __init__(self, field: CardField, told: Told, subject: set[str]) -> None:
        self.field, self.subject = field, subject
        self.asked = frozenset(folded(" ".join([field.title, *field.headings])).split())
        self.own, self.evidence = told.own, told.evidence

    def prose(self, known: DatasetFacts, columns: Sequence[str]) -> tuple[float, str]:
        """Give the points of a text and the reason."""
        text = "\n".join(self.own)
        kinds = self._kinds(text, known, columns)
        is_about = self._is_about(text, kinds & AGREE if known.n_records else set())
        of_data = is_about or any(stem(word) in words().of_data for word in folded(text).split())
        if of_data and is_reasoned_none(text, self.asked):
            return 1, "none, with a reason"
        if not is_about:
            return 0, f"nothing in it is about {self.field.title}"
        n_facts = len({one.words for one in self.evidence if one.kind in kinds})
        met = [bool(kinds & set(group)) for group in self.field.facts]
        missing = [group for group, is_met in zip(self.field.facts, met, strict=True) if not is_met]
        wanted = _wanted(missing)
        is_exact = set(self.field.facts[0]) <= EXACT
        if all(met) and n_facts < 2 and kinds <= SOFT and not (is_exact or self.field.is_short):
            return 0.5, f"states {_listed(kinds, self.field)}, and no second fact"
        if all(met) or (any(met) and n_facts > 1 and not is_exact):
            return 1, f"states {_listed(kinds, self.field)}"
        if any(met):
            return 0.5, f"states {_listed(kinds, self.field)}; lacks {wanted}"
        return 0, f"words without a fact: lacks {wanted}"

    def _kinds(self, text: str, known: DatasetFacts, columns: Sequence[str]) -> set[FactKind]:
        """Give the kinds of fact that count here: those in statements, and those that agree with the records."""
        is_said = any(is_statement(line) for line in self.own)
        if self.field.is_short and re.fullmatch(r"\W*\d+\W*", text):
            return {"number"}
        if self.field.is_short:
            parts = [part for line in self.own for part in re.split(r"[.;]\s", line)]
            is_said = is_said or any(len(folded(part).split()) <= FEW_WORDS for part in parts)
        told = {*self.field.about, *folded(self.field.title).split()}
        facts = [one for one in self.evidence if one.kind != "name" or one.words not in told]
        facts = [one for one in facts if one.kind != "reason" or is_reason(one.words, asked=self.asked)]
        kinds = {one.kind for one in facts if is_said or (one.kind in AGREE and known.n_records)}
        if (known.n_records or "number" in kinds) and claims.agrees_with_size(text, known):
            kinds.add("size")
        if claims.agrees_with_share(text, known):
            kinds.add("share")
        named = {one.words for one in self.evidence if one.kind == "column"}
        if named and 2 * len(named) >= len(columns):
            kinds.add("columns")
        return kinds

    def _is_about(self, text: str, agree: set[FactKind]) -> bool:
        said = folded(text).split()
        stems = tuple(stem.strip() for stem in self.field.about)
        names_source = self.field.facts[:1] == (("source",),) and any(one.kind in SOURCES for one in self.evidence)
        if not stems or agree or names_source or any(word.startswith(stems) for word in said):
            return True
        return any(stem(word) in self.subject for word in said)


def _wanted(missing: Sequence[tuple[FactKind, ...]]) -> str:
    """Say what is asked for still, each kind once; what meets a group meets a wider one, which is not told."""
    groups = dict.fromkeys(frozenset(group) for group in missing)
    narrow = [group for group in groups if not any(other < group for other in groups)]
    listed = [[FACT_WORDS[kind] for kind in FACT_KINDS if kind in group] for group in narrow]
    return "; and ".join(" or ".join(filter(None, (", ".join(one[:-1]), one[-1]))) for one in listed)


def _listed(kinds: set[FactKind], field: CardField) -> str:
    asked = list(dict.fromkeys(kind for group in field.facts for kind in group if kind in kinds))
    return ", ".join(FACT_WORDS[kind] for kind in asked)
