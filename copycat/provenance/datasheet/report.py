"""A dataset -> all that the command `card` and its page show: score, facts, filters, and what laws ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date

from copycat.provenance.dataset import Dataset
from copycat.provenance.datasheet.facts import NEEDS, DatasetFacts, Facts
from copycat.provenance.datasheet.fields import card_fields
from copycat.provenance.datasheet.filters import Dropped, find_log, read_log
from copycat.provenance.datasheet.score import Completeness, FieldScore, completeness
from copycat.provenance.datasheet.shape import columns_of, modalities_of
from copycat.provenance.datasheet.summaries.ready import Readiness, readiness
from copycat.provenance.datasheet.summaries.rule import with_signals
from copycat.provenance.datasheet.summaries.template import SUMMARIES, summary
from copycat.provenance.datasheet.survival import Survival, survival
from copycat.schema import Record
from copycat.schema.base import Text


class CardReport(Record):
    """What a card says, and what the records say beside it.

    Attributes:
        card: its file; "" where there is none.
        card_faults: what of the card could not be read, and why; unread: what of records and logs could not.
    """

    dataset: Text
    kind: str
    card: str
    as_of: date
    facts: DatasetFacts
    columns: tuple[str, ...]
    score: Completeness
    filters: tuple[Survival, ...]
    summaries: tuple[Readiness, ...]
    unread: tuple[str, ...] = ()
    card_faults: tuple[str, ...] = ()


def best_next(report: CardReport, most: int = 5) -> list[FieldScore]:
    """Give the fields that are best written next.

    First what the records contradict; then what most others wait for: Croissant requires it, or fields of the two
    summaries take it; then what is not answered at all, in the order of the card.
    """
    wrong = {one.field for one in report.score.contradictions}
    required = {field.id for field in card_fields().fields if field.source.endswith(", required")}
    taken = Counter(name for ready in report.summaries for one in ready.fields for name in one.field.card)
    lacking = [field for field in report.score.fields if field.points < 1]

    def order(field: FieldScore) -> tuple[bool, float, float]:
        waits = 3 * (field.field in required) + taken[field.field]
        return field.field not in wrong, -waits * (1 - field.points), field.points

    return sorted(lacking, key=order)[:most]


def card_report(dataset: Dataset, as_of: date, tell: Callable[[int], None] = lambda rows: None) -> CardReport:
    """Read a dataset's facts once.

    Args:
        tell: is told of how many more records have been read.
    """
    facts, dropped, n_with_signals = Facts(), Dropped(), 0
    faults = list(dataset.faults)
    for batch in dataset.facts((*NEEDS, "topic", "signals", "decision")):
        facts.add(batch)
        dropped.add(batch)
        n_with_signals += with_signals(batch)
        faults += batch.faults[: max(0, 20 - len(faults))]
        tell(batch.size)
    known = facts.close(modalities_of(dataset))
    columns = columns_of(dataset)
    score = completeness(dataset.card, known, columns, as_of)
    log = find_log(dataset.sidecar)
    counts = dropped.close()
    if log is not None:
        counts, more = read_log(log, f"{dataset.sidecar.name}/{log.name}")
        faults += more
    ready = (readiness(summary(name), dataset.card, score, known, n_with_signals) for name in SUMMARIES)
    return CardReport(
        dataset=dataset.name,
        kind=dataset.kind,
        card=dataset.card.file or dataset.card.croissant_file,
        as_of=as_of,
        facts=known,
        columns=columns,
        score=score,
        filters=tuple(survival(counts)),
        summaries=tuple(ready),
        unread=tuple(f"{fault.evidence.place} {fault.said}" for fault in faults[:20]),
        card_faults=tuple(f"{fault.evidence.place} {fault.said}" for fault in dataset.card.faults),
    )
