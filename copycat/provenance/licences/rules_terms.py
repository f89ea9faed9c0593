"""L4 and O1: how open a dataset is by its facts, and its terms of use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal

from copycat.provenance.dataset import Batch
from copycat.provenance.dataset.present import in_dataset
from copycat.provenance.licences.components import NEEDS, LicenceCounts, is_absent, of_records
from copycat.provenance.licences.duties import is_public_domain
from copycat.provenance.licences.openness import TIERS, declared, openness
from copycat.provenance.licences.statements import own_expressions, statements
from copycat.provenance.licences.terms import Clause, Hit, find_clauses, terms_of, whom_to_ask
from copycat.provenance.records import Evidence, Finding
from copycat.provenance.rules.rule import Context, Rule


class OpennessTier(Rule):
    """L4: how open the dataset is, worked out from what is there; an error where it claims more than that."""

    id = "L4"
    severities = ("error",)
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "facts"
    needs = (*NEEDS, "url")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.counts = LicenceCounts()
        self.n_records = self.n_addresses = 0

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        import pyarrow.compute as pc

        there = in_dataset(batch)
        self.n_records += there.size
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

    def not_applicable(self) -> str | None:
        """Say so where there is no record."""
        return None if self.n_records else "there is no record"

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
        own = [name for name in own_expressions(statements(self.context.dataset)) if is_public_domain(name)]
        n_free = sum(one.n_records for one in self.counts.stated if is_public_domain(one.parsed.expression))
        for found in hits.values():
            yield from self._of(found[0].clause, [hit.place for hit in found], own, n_free)
        if self._has_words() and not whom_to_ask(self.context.dataset, self.texts):
            card = self.context.dataset.card
            yield self.finding(
                "warning",
                "nobody is named who can be asked, or told to remove a record"
                + (f"; not read of the card: {card.unread}" if card.unread else ""),
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


def _doing(clause: Clause) -> str:
    """Put what a clause does into the plural: "leaves commercial use out" -> "leave commercial use out"."""
    verb, _, rest = clause.about.partition(" ")
    return f"{verb.removesuffix('s')} {rest}"
