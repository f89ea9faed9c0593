"""What a rule is: it sees the batches of a dataset one by one, and then says what it found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Literal

from copycat.provenance.dataset import Batch, Dataset, Fault
from copycat.provenance.records import PURPOSES, Evidence, Finding, Purpose, Severity

MAX_EVIDENCE = 5
"""Records that a finding shows."""

MAX_VALUE = 160
"""Letters of a value that a finding shows."""


@dataclass(frozen=True)
class Context:
    """What the rules are told.

    Attributes:
        purpose: what the dataset is wanted for; region: where, an ISO 3166 code or "EU".
        as_of: today, for whatever depends on dates; never read from the clock by a rule.
        seed: of samples. options: settings of single rules, by name.
    """

    dataset: Dataset
    purpose: Purpose = field(default_factory=lambda: PURPOSES["training"])
    region: str = "US"
    as_of: date = date(2026, 1, 1)
    seed: int = 0
    options: Mapping[str, str] = field(default_factory=dict)


class Rule(ABC):
    """One rule, made anew for each check.

    `id` is that of its row. `reads`: "facts" are the sidecar's rows where there is one, otherwise the dataset's own;
    "content" are always the dataset's own; "nothing" is for a rule about the dataset as a whole, whose `see` is never
    called. `needs` names the columns that its batches must have (standard names, `dataset.columns.STANDARD`); those
    that the dataset lacks are None in the batch. `severities` are those that its findings can have.
    """

    id: ClassVar[str]
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "nothing"
    needs: ClassVar[tuple[str, ...]] = ()
    severities: ClassVar[tuple[Severity, ...]] = ()

    def __init__(self, context: Context) -> None:
        self.context = context

    def see(self, batch: Batch) -> None:  # noqa: B027 - a rule that reads nothing sees nothing
        """Take note of one batch. Memory must not grow with the number of records."""

    def note_faults(self, faults: Sequence[Fault]) -> None:  # noqa: B027 - F1 tells of them, for all rules
        """Take note of what could not be read, in the dataset or in its sidecar."""

    @abstractmethod
    def finish(self) -> Iterable[Finding]:
        """Give what was found, after the last batch."""

    def not_applicable(self) -> str | None:
        """Say why there is nothing here that the rule is about; None if there is. Asked after `finish`."""
        return None

    def passed(self) -> str:
        """Say what was seen, for a rule that found nothing."""
        return "nothing found"

    def finding(
        self, severity: Severity, said: str, advice: str, *evidence: Evidence, n_records: int | None = None
    ) -> Finding:
        """Make a finding of this rule."""
        return Finding(
            rule=self.id,
            severity=severity,
            said=said,
            advice=advice,
            evidence=evidence[:MAX_EVIDENCE],
            n_records=n_records,
        )


@dataclass
class Found:
    """Counts the records that something holds for, and keeps the places of the first few.

    For a loop: `found.add(batch, indices)`; `found` is false while there are none.
    """

    n_records: int = 0
    evidence: list[Evidence] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.n_records > 0

    def add(self, batch: Batch, rows: Sequence[int], pointer: str = "", values: Sequence[object] | None = None) -> None:
        """Note rows of a batch, with the values that stand there, in the order of `rows`."""
        self.n_records += len(rows)
        for at, row in enumerate(rows[: MAX_EVIDENCE - len(self.evidence)]):
            value = "" if values is None else shortened(values[at])
            self.evidence.append(batch.evidence(row, pointer, value))


def shortened(value: object) -> str:
    """Give a value in one line of at most MAX_VALUE letters, without control letters."""
    text = str(value)[: 4 * MAX_VALUE]
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"
