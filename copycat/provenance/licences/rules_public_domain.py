"""D5: how often "public domain" is wrong, where it was looked up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Literal

from copycat.metrics.intervals import Z_95
from copycat.provenance.dataset import Batch
from copycat.provenance.dataset.present import in_dataset
from copycat.provenance.licences.components import (
    NEEDS,
    LicenceCounts,
    column_texts,
    of_records,
    struct_field,
)
from copycat.provenance.licences.duties import is_public_domain
from copycat.provenance.licences.public_domain import public_domain_error
from copycat.provenance.records import Evidence, Finding
from copycat.provenance.rules.rule import Context, Found, Rule, shortened

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

    How a licence was told, and how often that is right, stand in the fields `method` and `confidence` of the column
    `licence`, or in the columns `licence_method` and `licence_confidence`. The card may state
    `public_domain_matching: {title_accuracy, registration_accuracy, n, false_rate}`; a false rate
    that even independent errors exceed is an error, and its dependence on that assumption is always told.
    """

    id = "D5"
    severities = ("error", "warning", "note")
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "facts"
    needs = (*NEEDS, "licence_method", "licence_confidence")

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
        methods = _first_there(struct_field(there, "licence", "method"), column_texts(there, "licence_method"))
        if methods is None or not there.size:
            return
        texts = self.counts.see(there)
        stated = (self.counts.by_text.get(one) for one in pc.unique(texts).to_pylist() if one)
        free = [one.text for one in stated if one is not None and is_public_domain(one.parsed.expression)]
        looked = [one for one in pc.unique(methods).to_pylist() if _is_matched(one)]
        if not free or not looked:
            return
        mask = pc.and_(
            pc.is_in(texts, value_set=pa.array(free, pa.string())), pc.is_in(methods, value_set=pa.array(looked))
        )
        rows = pc.indices_nonzero(pc.fill_null(mask, False)).to_pylist()
        values = _first_there(struct_field(there, "licence", "confidence"), there.column("licence_confidence"))
        confidences = [None] * there.size if values is None else values.to_pylist()
        self._note(there, rows, [confidences[row] for row in rows])

    def _note(self, batch: Batch, rows: list[int], confidences: list[Any]) -> None:
        self.n_matched += len(rows)
        bare, wrong, values = [], [], []
        for row, value in zip(rows, confidences, strict=True):
            number = _number(_from_text(value))
            if value is None or value == "":
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


def _is_matched(method: Any) -> bool:
    low = str(method or "").casefold()
    return any(part in low for part in MATCHED)


def _first_there(*columns: Any) -> Any:
    return next((column for column in columns if column is not None), None)


def _from_text(value: Any) -> Any:
    """Give the number that a text spells, as tables of text have it; everything else as it is."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = float(value)
    return number if math.isfinite(number) else None
