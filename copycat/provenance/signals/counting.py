"""The answers of all records of a dataset, counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from copycat.provenance.dataset import Batch, Dataset
from copycat.provenance.records import USES, Answer, Evidence, SignalDecision, Use
from copycat.provenance.rules.rule import shortened
from copycat.provenance.signals.columns import NEEDS, Case, cases_of
from copycat.provenance.signals.combining import combine
from copycat.provenance.signals.drift import Later, changes_since, changes_within
from copycat.schema import Record

MAX_LISTED = 20


class RecordAnswer(Record):
    """One record that is listed: its id, where it lies, its answer for a use and why."""

    id: str
    use: Use
    answer: Answer
    because: tuple[str, ...]
    evidence: Evidence


class RecordDrift(Record):
    """One record whose signals changed: use -> (then, now)."""

    id: str
    changes: dict[Use, tuple[Answer, Answer]]
    evidence: Evidence


class DatasetSignals(Record):
    """The answers of a dataset: use -> answer -> records; the first records denied, and those that changed.

    `n_inside`: pictures that deny an asked use inside themselves, where the answers are those of a sidecar; without a
    sidecar they are part of the counts.
    """

    dataset: str
    n_records: int
    n_faulty: int
    n_inside: int = 0
    counts: dict[Use, dict[Answer, int]]
    denied: tuple[RecordAnswer, ...]
    n_compared: int
    n_changed: int
    n_stricter: int
    drift: tuple[RecordDrift, ...]


class _Counter:
    def __init__(self, uses: Sequence[Use], later: Later | None) -> None:
        self.uses, self.later = tuple(uses), later
        answers: tuple[Answer, ...] = ("allow", "deny", "unknown")
        self.counts: dict[Use, dict[Answer, int]] = {use: dict.fromkeys(answers, 0) for use in USES}
        self.denied: list[RecordAnswer] = []
        self.drift: list[RecordDrift] = []
        self.n_inside = self.n_records = self.n_faulty = self.n_compared = self.n_changed = self.n_stricter = 0

    def add(self, batch: Batch) -> None:
        import numpy as np

        held = cases_of(batch)
        self.n_records += batch.size
        self.n_faulty += len(held.rows(lambda case: bool(case.faults)))
        inside = _inside(batch)
        for case, size in zip(held.cases, np.bincount(held.case_of, minlength=len(held.cases)), strict=True):
            for use in USES:
                self.counts[use][case.answer(use)] += int(size)
        for row, decision in inside.items():
            case = held.cases[held.case_of[row]]
            for use in USES:
                self.counts[use][case.answer(use)] -= 1
                self.counts[use][_joined(case, decision, use)[0]] += 1
        for use in self.uses:
            rows = {*held.rows(lambda case, use=use: case.answer(use) == "deny"), *inside}  # type: ignore[misc]
            for row in sorted(rows)[: MAX_LISTED - len(self.denied)]:
                answer, because = _joined(held.cases[held.case_of[row]], inside.get(row), use)
                if answer == "deny":
                    place = batch.evidence(row, "signals")
                    item = RecordAnswer(id=batch.id_of(row), use=use, answer=answer, because=because, evidence=place)
                    self.denied.append(item)
        self._compare(batch)

    def add_pictures(self, batch: Batch) -> None:
        """Note the pictures of a batch that deny an asked use."""
        for row, decision in _inside(batch).items():
            refused = [use for use in self.uses if decision.answers[use] == "deny"]
            self.n_inside += bool(refused)
            for use in refused[: MAX_LISTED - len(self.denied)]:
                said = _joined(Case(), decision, use)[1]
                place = batch.evidence(row, "image")
                self.denied.append(
                    RecordAnswer(id=batch.id_of(row), use=use, answer="deny", because=said, evidence=place)
                )

    def _compare(self, batch: Batch) -> None:
        held = cases_of(batch)
        within = [changes_within(case) for case in held.cases]
        if self.later is None and not any(within):
            return
        urls = batch.texts("url") if self.later is not None else [""] * batch.size
        for row in range(batch.size):
            at = int(held.case_of[row])
            now = self.later.of(urls[row]) if self.later is not None and urls[row] else None
            found = dict(within[at])
            if now is not None:
                found |= changes_since(held.cases[at], now)
            self.n_compared += now is not None or bool(within[at])
            self.n_changed += bool(found)
            self.n_stricter += any(after == "deny" for _, after in found.values())
            if found and len(self.drift) < MAX_LISTED:
                where = batch.evidence(row, "signals")
                self.drift.append(RecordDrift(id=batch.id_of(row), changes=found, evidence=where))


def count_signals(
    dataset: Dataset,
    uses: Sequence[Use],
    later: Later | None = None,
    tell: Callable[[int], None] = lambda rows: None,
) -> DatasetSignals:
    """Count the answers of all records: of the sidecar where there is one, else of headers, signals and pictures.

    Args:
        uses: for which the records denied are listed. later: newer answers to compare with.
        tell: is told of how many more records have been read.
    """
    counter = _Counter(uses, later)
    needs = NEEDS if dataset.records_file is not None else (*NEEDS, "image")
    for batch in dataset.facts(needs):
        counter.add(batch)
        tell(batch.size)
    if dataset.records_file is not None:
        for batch in dataset.content(("id", "image")):
            counter.add_pictures(batch)
            tell(batch.size)
    return DatasetSignals(
        dataset=dataset.name,
        n_records=counter.n_records,
        n_faulty=counter.n_faulty,
        n_inside=counter.n_inside,
        counts=counter.counts,
        denied=tuple(counter.denied),
        n_compared=counter.n_compared,
        n_changed=counter.n_changed,
        n_stricter=counter.n_stricter,
        drift=tuple(counter.drift),
    )


def _joined(case: Case, decision: SignalDecision | None, use: Use) -> tuple[Answer, tuple[str, ...]]:
    """Join what a record's facts and its picture say, and tell why."""
    inside = decision.signals if decision is not None else ()
    joined = combine((*case.signals, *inside))
    stated = (case.stated or {}).get(use)
    answer = joined.answers[use]
    if stated == "deny" or (answer == "unknown" and not joined.because.get(use) and stated is not None):
        answer = stated
    because = [
        f"{signal.source}: {shortened(signal.raw or signal.place)}"
        for signal in joined.signals
        if signal.answers.get(use) == answer
    ]
    return answer, tuple(because or (["the decision that the dataset keeps"] if stated == answer else []))


def _inside(batch: Batch) -> dict[int, SignalDecision]:
    """Give row -> what its picture says inside itself, for those that say anything."""
    from copycat.provenance.signals.embedded import may_speak, read_embedded

    if batch.column("image") is None:
        return {}
    found: dict[int, SignalDecision] = {}
    for row, value in enumerate(batch.values("image")):
        raw = value.get("bytes") if isinstance(value, dict) else value
        if isinstance(raw, bytes) and may_speak(raw):
            signals = list(read_embedded(raw, batch.place_of(row)))
            if any(signal.answers for signal in signals):
                found[row] = combine(signals)
    return found
