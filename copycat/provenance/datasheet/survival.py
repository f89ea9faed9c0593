"""D4: whom filters hit. What share of each language, source and topic a filter keeps, beside the rest.

A group is flagged if three things hold: it has MIN_GROUP records or more; its share is off from that of all other
records by more than chance (two-sided, adjusted by Holm over all groups of all filters, at most 0.05); and the ratio
of its share to that of all records lies outside 0.8 to 1.25. The last is the four-fifths convention of US employment
practice (29 CFR 1607.4 D), and keeps differences out that are certain only because there are millions of records.

Source: "Towards Best Practices for Open Datasets" (arXiv 2501.08365), practice 4.3: check filters for bias. Records are
taken as independent; where many come from one page, intervals are too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import Field

from copycat.metrics.intervals import wilson
from copycat.metrics.significance import LEVEL, holm
from copycat.provenance.dataset import Batch, Fault
from copycat.provenance.datasheet.filters import Counts, Dropped, Group, find_log, read_log
from copycat.provenance.records import Evidence, Finding
from copycat.provenance.rules.rule import MAX_EVIDENCE, Context, Rule, shortened
from copycat.schema import Record

MIN_GROUP = 30
FAR_BELOW, FAR_ABOVE = 0.8, 1.25
FEW_EXPECTED = 5
"""Below this expected count of any cell, Fisher's exact test takes the place of chi-squared."""


class Survival(Record):
    """What a filter kept of one group.

    Attributes:
        kept, n: records; share: kept / n with its 95 % interval (Wilson).
        overall: the share of all records of the filter; ratio: share / overall.
        p: that the group is kept as often as all others, adjusted by Holm; None for a group that was not tested.
        is_flagged: see the head of this module.
    """

    filter: str
    dimension: str
    group: str
    kept: int
    n: int
    share: float
    low: float
    high: float
    overall: float
    ratio: float | None
    p: float | None = Field(default=None, ge=0, le=1)
    is_flagged: bool = False


def survival(counts: Counts) -> list[Survival]:
    """Give a row for each group of each filter, by filter, dimension and share."""
    wholes = {group.filter: group for group in counts.all if not group.dimension}
    groups = [group for group in counts.all if group.dimension and counts.all[group] and group.filter in wholes]
    tested = [group for group in groups if _is_tested(group, wholes[group.filter], counts)]
    adjusted = dict(zip(tested, holm([_p_value(group, wholes[group.filter], counts) for group in tested]), strict=True))
    rows = [_row(group, wholes[group.filter], counts, adjusted.get(group)) for group in groups]
    return sorted(rows, key=lambda row: (row.filter, row.dimension, row.share, row.group))


def _is_tested(group: Group, whole: Group, counts: Counts) -> bool:
    return counts.all[group] >= MIN_GROUP and counts.all[whole] - counts.all[group] >= MIN_GROUP


def _p_value(group: Group, whole: Group, counts: Counts) -> float:
    """Compare a group with all other records: chi-squared of one degree of freedom, or Fisher's test for few."""
    kept, n = counts.kept[group], counts.all[group]
    rest_kept, rest_n = counts.kept[whole] - kept, counts.all[whole] - n
    total, total_kept = n + rest_n, kept + rest_kept
    if total_kept in {0, total}:
        return 1.0
    expected = [rows * columns / total for rows in (n, rest_n) for columns in (total_kept, total - total_kept)]
    if min(expected) < FEW_EXPECTED:
        from scipy.stats import fisher_exact  # type: ignore[import-untyped]

        return min(1.0, float(fisher_exact([[kept, n - kept], [rest_kept, rest_n - rest_kept]]).pvalue))
    chi = (kept * rest_n - rest_kept * n) ** 2 / (n * rest_n) * total / (total_kept * (total - total_kept))
    return math.erfc(math.sqrt(chi / 2))


def _row(group: Group, whole: Group, counts: Counts, p: float | None) -> Survival:
    kept, n = counts.kept[group], counts.all[group]
    overall = counts.kept[whole] / counts.all[whole]
    share = kept / n
    is_far = share < FAR_BELOW * overall or share > FAR_ABOVE * overall
    interval = wilson(kept, n)
    return Survival(
        filter=group.filter,
        dimension=group.dimension,
        group=group.name,
        kept=kept,
        n=n,
        share=share,
        low=interval.low,
        high=interval.high,
        overall=overall,
        ratio=share / overall if overall else None,
        p=p,
        is_flagged=p is not None and p <= LEVEL and is_far,
    )


class FilterBias(Rule):
    """D4: no filter keeps some languages, sources or topics far less or more often than the rest."""

    id = "D4"
    severities = ("error", "warning")
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "facts"
    needs = ("language", "source", "topic", "version_removed", "tombstone_reason")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.dropped = Dropped()
        self.rows: list[Survival] = []
        self.has_filters = False

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        self.dropped.add(batch)

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        dataset = self.context.dataset
        log = find_log(dataset.sidecar)
        faults: list[Fault] = []
        if log is not None:
            counts, faults = read_log(log, f"{dataset.sidecar.name}/{log.name}")
        else:
            counts = self.dropped.close()
        self.has_filters = log is not None
        self.has_filters |= bool(counts.all)
        self.rows = survival(counts)
        if faults or counts.n_left_out:
            yield self._unread(faults, counts)
        for row in [row for row in self.rows if row.is_flagged]:
            yield self._flagged(row, "" if log is None else f"{dataset.sidecar.name}/{log.name}")

    def _unread(self, faults: list[Fault], counts: Counts) -> Finding:
        evidence = [fault.evidence.model_copy(update={"value": shortened(fault.said)}) for fault in faults]
        more = f"; {counts.n_left_out} rows are of too many groups" if counts.n_left_out else ""
        return self.finding(
            "error",
            f"{len(faults)} rows of the log of filters cannot be read{more}",
            "each row needs 'filter' and 'kept' (true or false); 'language', 'source' and 'topic' where they are known",
            *evidence[:MAX_EVIDENCE],
        )

    def _flagged(self, row: Survival, file: str) -> Finding:
        share = f"{100 * row.share:.1f} % [{100 * row.low:.1f}, {100 * row.high:.1f}]"
        less = "less" if row.share < row.overall else "more"
        name, group = shortened(row.filter), shortened(row.group)
        return self.finding(
            "warning",
            f"filter '{name}' keeps {share} of {row.dimension} '{group}', and {100 * row.overall:.1f} % of all records",
            f"look at what it drops of '{group}'; if it means to keep {less} of it, say so in the card under 'Filters'",
            Evidence(file=file, pointer=f"{row.dimension}={group}", value=f"{row.kept} of {row.n}"),
            n_records=row.n - row.kept,
        )

    def not_applicable(self) -> str | None:
        """Say why there is nothing to compare."""
        if not self.has_filters:
            return "no log of filters (provenance/filters.jsonl), and no record was removed as 'filter: NAME'"
        if not any(row.p is not None for row in self.rows):
            return f"no language, source or topic has {MIN_GROUP} records or more beside {MIN_GROUP} others"
        return None

    def passed(self) -> str:
        """Say what was seen."""
        tested = [row for row in self.rows if row.p is not None]
        return f"{len({row.filter for row in tested})} filters over {len(tested)} groups"
