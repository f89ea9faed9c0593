"""R1: can the summaries that the EU and California ask for be filled in from the card and the records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from copycat.provenance.dataset import Batch
from copycat.provenance.datasheet.facts import NEEDS, Facts
from copycat.provenance.datasheet.score import completeness
from copycat.provenance.datasheet.shape import columns_of, modalities_of
from copycat.provenance.datasheet.summaries.ready import Readiness, readiness
from copycat.provenance.datasheet.summaries.template import SUMMARIES, summary
from copycat.provenance.records import Evidence, Finding, Severity
from copycat.provenance.rules.rule import MAX_EVIDENCE, Context, Rule

UNION = "EU AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
REGIONS = {"eu": frozenset(UNION.split()), "ab2013": frozenset({"US", "US-CA"})}
"""Where a law holds. There a gap is a warning; elsewhere it is a note."""


class SummaryReady(Rule):
    """R1: each field that a dataset can answer is answered by its records or its card."""

    id = "R1"
    severities = ("warning", "note")
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "facts"
    needs = (*NEEDS, "signals", "decision")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.facts = Facts()
        self.n_with_signals = 0
        self.found: list[Readiness] = []

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        self.facts.add(batch)
        self.n_with_signals += with_signals(batch)

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        dataset = self.context.dataset
        known = self.facts.close(modalities_of(dataset))
        score = completeness(dataset.card, known, columns_of(dataset), self.context.as_of)
        for name in SUMMARIES:
            ready = readiness(summary(name), dataset.card, score, known, self.n_with_signals)
            self.found.append(ready)
            if ready.count("missing") or ready.count("partly"):
                yield self._finding(ready, "warning" if self.context.region.upper() in REGIONS[name] else "note")

    def _finding(self, ready: Readiness, severity: Severity) -> Finding:
        lacking = [one for one in ready.fields if one.status in {"missing", "partly"}]
        n = len(ready.fields) - ready.count("provider")
        file = self.context.dataset.card.file
        evidence = [
            Evidence(file=file, pointer=f"{one.field.id} {one.field.title}", value=f"{one.status}: {one.field.write}")
            for one in lacking[:MAX_EVIDENCE]
        ]
        return self.finding(
            severity,
            f"{ready.summary.title}: {ready.count('ready')} of {n} fields can be filled in ({ready.summary.law})",
            f"'python -m copycat.provenance card DATASET --summary {ready.summary.name} --out FILE.md' drafts it",
            *evidence,
        )

    def passed(self) -> str:
        """Say what was seen."""
        return "; ".join(f"{ready.summary.name}: {ready.count('ready')} fields" for ready in self.found)


def with_signals(batch: Batch) -> int:
    """Count the records that have a signal or a decision."""
    import pyarrow.compute as pc

    columns = [column for name in ("signals", "decision") if (column := batch.column(name)) is not None]
    if not columns:
        return 0
    has = pc.is_valid(columns[0])
    for column in columns[1:]:
        has = pc.or_(has, pc.is_valid(column))
    return int(pc.sum(has).as_py() or 0)
