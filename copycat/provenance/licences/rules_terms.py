"""L4, O1 and D5: how open a dataset is by its facts, its terms of use, and how often "public domain" is wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Literal

from copycat.metrics.intervals import Z_95
from copycat.provenance.dataset import Batch
from copycat.provenance.licences.components import (
    NEEDS,
    LicenceCounts,
    in_dataset,
    is_absent,
    of_records,
    struct_field,
)
from copycat.provenance.licences.duties import choices, duties
from copycat.provenance.licences.openness import TIERS, declared, openness
from copycat.provenance.licences.public_domain import public_domain_error
from copycat.provenance.licences.statements import own_expressions, statements
from copycat.provenance.licences.terms import Clause, Hit, find_clauses, has_contact, terms_of
from copycat.provenance.records import Evidence, Finding
from copycat.provenance.rules.rule import Context, Found, Rule, shortened


class OpennessTier(Rule):
    """L4: how open the dataset is, worked out from what is there; an error where it claims more than that."""

    id = "L4"
    severities = ("error",)
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "facts"
    needs = (*NEEDS, "url")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.counts = LicenceCounts()
        self.n_addresses = 0

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        import pyarrow.compute as pc

        there = in_dataset(batch)
        self.counts.see(there)
        self.n_addresses += there.size - int(pc.sum(is_absent(there, "url")).as_py() or 0)

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        self.found = openness(self.context.dataset, self.counts, self.n_addresses)
        facts = "; ".join(self.found.facts)
        for one in declared(self.context.dataset):
            if TIERS.index(one.tier) < TIERS.index(self.found.tier):
                yield self.finding(
                    "error",
                    f"the dataset says '{one.tier}', and the facts carry '{self.found.tier}' at most: {facts}",
                    f"say '{self.found.tier}', or mend what stands in the way; "
                    "licences of single records: python -m copycat.provenance licence DATASET",
                    one.place,
                )

    def passed(self) -> str:
        """Say what was seen."""
        return f"{self.found.tier}: {'; '.join(self.found.facts)}"


class TermsOfUse(Rule):
    """O1: terms restrict nothing that is free, are clear, can be kept, and name somebody to ask.

    An error: the dataset is itself dedicated to the public domain, and its terms restrict its use. Warnings: they
    restrict records in the public domain among others; a clause that may have no effect; nobody to write to. Notes:
    words without a measure. All from the words alone: whether a clause holds is for a court.
    """

    id = "O1"
    severities = ("error", "warning", "note")
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "facts"
    needs = NEEDS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.counts = LicenceCounts()
        self.texts = terms_of(context.dataset)

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        self.counts.see(in_dataset(batch))

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        hits: dict[str, list[Hit]] = {}
        for text in self.texts:
            for hit in find_clauses(text):
                hits.setdefault(hit.clause.id, []).append(hit)
        own = [name for name in own_expressions(statements(self.context.dataset)) if _is_public_domain(name)]
        n_free = sum(one.n_records for one in self.counts.stated if _is_public_domain(one.parsed.expression))
        for found in hits.values():
            yield from self._of(found[0].clause, [hit.place for hit in found], own, n_free)
        if self._has_words() and not has_contact(self.context.dataset, self.texts):
            card = self.context.dataset.card
            yield self.finding(
                "warning",
                "nobody is named who can be asked, or told to remove a record",
                "add an e-mail address, or the address of a form, to the card",
                Evidence(file=card.file or card.croissant_file or self.texts[0].file),
            )

    def _of(self, clause: Clause, places: list[Evidence], own: list[str], n_free: int) -> Iterator[Finding]:
        advice = f"{clause.advice} ({clause.source})"
        if clause.kind == "restriction":
            if own:
                said = f"the dataset is {own[0]}, and its terms {_doing(clause)}"
                yield self.finding("error", said, advice, *places)
            elif n_free:
                said = f"the terms {_doing(clause)}, and {of_records(n_free)} belong to the public domain"
                yield self.finding("warning", said, advice, *places, n_records=n_free)
        elif clause.kind == "unenforceable":
            said = f"a clause that may have no effect: it {clause.about}"
            yield self.finding("warning", said, advice, *places)
        else:
            yield self.finding(
                "note", f"words that leave open what is meant: the clause {clause.about}", advice, *places
            )

    def _has_words(self) -> bool:
        card = self.context.dataset.card
        return bool(self.texts or card.file or card.croissant_file)

    def not_applicable(self) -> str | None:
        """Say why there is nothing to read."""
        return None if self._has_words() else "there are no terms of use and no card"

    def passed(self) -> str:
        """Say what was seen."""
        n = len(self.texts)
        return f"{n} {'text' if n == 1 else 'texts'} of terms read, and somebody to ask is named"


MATCHED = (
    "match",
    "register",
    "regist",
    "renewal",
    "search",
    "model",
    "llm",
    "classif",
    "extract",
    "metadata",
    "infer",
)
"""Parts of words by which `licence.method` says that a work was looked up or guessed, rather than dedicated."""

CARD_KEY = "public_domain_matching"


class FalseFreedom(Rule):
    """D5: where records are taken for public domain by a look-up, its errors are stated, and come out as they must.

    The card may state `public_domain_matching: {title_accuracy, registration_accuracy, n, false_rate}`; a false rate
    that even independent errors exceed is an error, and its dependence on that assumption is always told.
    """

    id = "D5"
    severities = ("error", "warning", "note")
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "facts"
    needs = NEEDS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.counts = LicenceCounts()
        self.n_matched = self.n_measured = 0
        self.expected = self.variance = 0.0
        self.unmeasured, self.impossible = Found(), Found()

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        import pyarrow as pa
        import pyarrow.compute as pc

        there = in_dataset(batch)
        methods = struct_field(there, "licence", "method")
        if methods is None or not there.size:
            return
        texts = self.counts.see(there)
        stated = (self.counts.by_text.get(one) for one in pc.unique(texts).to_pylist() if one)
        free = [one.text for one in stated if one is not None and _is_public_domain(one.parsed.expression)]
        looked = [one for one in pc.unique(methods).to_pylist() if _is_matched(one)]
        if not free or not looked:
            return
        mask = pc.and_(
            pc.is_in(texts, value_set=pa.array(free, pa.string())), pc.is_in(methods, value_set=pa.array(looked))
        )
        rows = pc.indices_nonzero(pc.fill_null(mask, False)).to_pylist()
        values = struct_field(there, "licence", "confidence")
        confidences = [None] * there.size if values is None else values.to_pylist()
        self._note(there, rows, [confidences[row] for row in rows])

    def _note(self, batch: Batch, rows: list[int], confidences: list[Any]) -> None:
        self.n_matched += len(rows)
        bare, wrong, values = [], [], []
        for row, value in zip(rows, confidences, strict=True):
            number = _number(value)
            if value is None:
                bare.append(row)
            elif number is None or not 0 <= number <= 1:
                wrong.append((row, value))
            else:
                values.append(number)
        self.n_measured += len(values)
        self.expected += math.fsum(1 - value for value in values)
        self.variance += math.fsum(value * (1 - value) for value in values)
        self.unmeasured.add(batch, bare, "licence.confidence")
        self.impossible.add(batch, [row for row, _ in wrong], "licence.confidence", [value for _, value in wrong])

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        if self.impossible:
            yield self.finding(
                "error",
                f"the confidence of {of_records(self.impossible.n_records)} is no share from 0 to 1",
                "write how often the look-up is right, from 0 to 1, or leave it empty",
                *self.impossible.evidence,
                n_records=self.impossible.n_records,
            )
        if self.unmeasured:
            yield self.finding(
                "warning",
                f"{of_records(self.unmeasured.n_records)} taken for public domain by a look-up, and nobody says how "
                "often it is wrong",
                "check a sample by hand, and write its share of right ones as licence.confidence",
                *self.unmeasured.evidence,
                n_records=self.unmeasured.n_records,
            )
        if self.n_measured and self.expected > 0:
            half = Z_95 * math.sqrt(self.variance)
            yield self.finding(
                "warning" if self.expected >= 1 else "note",
                f"of {of_records(self.n_measured)} taken for public domain, {self.expected:,.0f} are probably not "
                f"({max(0.0, self.expected - half):.0f} to {self.expected + half:.0f} in 95 % if errors are "
                f"independent; any number up to {self.n_measured:,} if they are not)",
                "tell it in the card, and how a record is removed once it turns out",
                n_records=self.n_measured,
            )
        yield from self._stated()

    def _stated(self) -> Iterator[Finding]:
        card = self.context.dataset.card
        said = card.front.get(CARD_KEY)
        if said is None:
            return
        place = Evidence(file=card.file, pointer=CARD_KEY, value=shortened(said))
        fields = said if isinstance(said, dict) else {}
        title, number = _number(fields.get("title_accuracy")), _number(fields.get("registration_accuracy"))
        n, rate = _number(fields.get("n", self.n_matched or 0)), _number(fields.get("false_rate"))
        try:
            found = public_domain_error(
                math.nan if title is None else title, math.nan if number is None else number, int(n or 0)
            )
        except (ValueError, OverflowError) as error:
            advice = (
                "write title_accuracy and registration_accuracy as shares from 0 to 1, and n, false_rate beside them"
            )
            yield self.finding("error", f"'{CARD_KEY}' cannot be read: {error}", advice, place)
            return
        told = (
            f"accuracies of {title} and {number} give {100 * found.rate:.4f} % wrongly taken for public domain, "
            f"{found.expected:,.0f} of {found.n:,}, only if the two errors are independent; whatever they are, from "
            f"{100 * found.lowest:.4f} % to {100 * found.highest:.4f} %, {found.expected_lowest:,.0f} to "
            f"{found.expected_highest:,.0f}"
        )
        advice = "state the range beside the figure, and measure on a sample how often both are wrong together"
        is_low = rate is not None and rate < found.rate * 0.995
        if is_low:
            told = f"the card states a false rate of {100 * (rate or 0):.4f} %, and {told}"
        is_impossible = rate is not None and not found.lowest - 1e-12 <= rate <= found.highest + 1e-12
        yield self.finding("error" if is_impossible else "warning" if is_low else "note", told, advice, place)

    def not_applicable(self) -> str | None:
        """Say why there is nothing to work out."""
        if self.n_matched or self.context.dataset.card.front.get(CARD_KEY) is not None:
            return None
        return "no record says that it was taken for public domain by a look-up"

    def passed(self) -> str:
        """Say what was seen."""
        return (
            f"{of_records(self.n_matched)} taken for public domain by a look-up, none of which is expected to be wrong"
        )


def _is_public_domain(expression: str | None) -> bool:
    """Whether some choice asks for nothing because it is a dedication or a mark."""
    return any(one.kind == "public-domain" for one in choices(expression)) and duties(expression) is not None


def _is_matched(method: Any) -> bool:
    low = str(method or "").casefold()
    return any(part in low for part in MATCHED)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _doing(clause: Clause) -> str:
    """Put what a clause does into the plural: "leaves commercial use out" -> "leave commercial use out"."""
    verb, _, rest = clause.about.partition(" ")
    return f"{verb.removesuffix('s')} {rest}"
