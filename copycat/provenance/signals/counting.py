"""The answers of all records of a dataset, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from copycat.provenance.dataset import Batch, Dataset
from copycat.provenance.dataset.pictures import broken_pictures
from copycat.provenance.dataset.present import in_dataset
from copycat.provenance.dataset.unread import Unread
from copycat.provenance.records import USES, Answer, Evidence, SignalDecision, Use
from copycat.provenance.rules.rule import shortened
from copycat.provenance.signals.columns import KEPT, NEEDS, Case, cases_of
from copycat.provenance.signals.combining import combine
from copycat.provenance.signals.drift import Changes, Later, changes_since, changes_within, origin_of
from copycat.schema import Record

MAX_LISTED = 20
MAX_GROUPS = 10_000
MAX_GROUPS_TOLD = 200
MAX_IDS = 3

Shown = tuple[tuple[Use, tuple[Answer, Answer]], ...]
"""The changes of a record, as a key."""


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


class DriftGroup(Record):
    """Records of one site ("" where they have no address) whose signals changed alike, with the ids of the first."""

    site: str
    changes: dict[Use, tuple[Answer, Answer]]
    n_records: int
    ids: tuple[str, ...]

    @property
    def is_stricter(self) -> bool:
        """Whether a use is denied now."""
        return any(now == "deny" for _, now in self.changes.values())


class DatasetSignals(Record):
    """The answers of a dataset: use -> answer -> records; the first records denied, and those that changed.

    `n_denied`: records denied for any of the asked uses. `drift` and `drift_groups`: those denied now first.

    `unread` says what could not be read, and is not counted; "" where all was. `n_broken`: pictures that cannot be
    read, whose own words are not known.

    `n_inside`: pictures that deny an asked use inside themselves, where the answers are those of a sidecar; without a
    sidecar they are part of the counts.
    """

    dataset: str
    n_records: int
    n_faulty: int
    n_denied: int = 0
    n_inside: int = 0
    n_broken: int = 0
    unread: str = ""
    counts: dict[Use, dict[Answer, int]]
    denied: tuple[RecordAnswer, ...]
    n_compared: int
    n_changed: int
    n_stricter: int
    drift: tuple[RecordDrift, ...]
    drift_groups: tuple[DriftGroup, ...] = ()


class _Counter:
    def __init__(self, uses: Sequence[Use], later: Later | None, deny: Callable[[str], None]) -> None:
        self.uses, self.later, self.deny = tuple(uses), later, deny
        answers: tuple[Answer, ...] = ("allow", "deny", "unknown")
        self.counts: dict[Use, dict[Answer, int]] = {use: dict.fromkeys(answers, 0) for use in USES}
        self.denied: list[RecordAnswer] = []
        self.drift: dict[bool, list[RecordDrift]] = {True: [], False: []}
        self.groups: dict[tuple[str, Shown], list[str]] = {}
        self.sizes: Counter[tuple[str, Shown]] = Counter()
        self.n_denied = self.n_inside = self.n_records = self.n_faulty = self.n_compared = self.n_changed = (
            self.n_stricter
        ) = 0

    def add(self, batch: Batch) -> None:
        import numpy as np

        batch = in_dataset(batch)
        held = cases_of(batch)
        self.n_records += batch.size
        self.n_faulty += len(held.rows(lambda case: bool(case.faults)))
        inside = inside_of(batch)
        for case, size in zip(held.cases, np.bincount(held.case_of, minlength=len(held.cases)), strict=True):
            for use in USES:
                self.counts[use][case.answer(use)] += int(size)
        for row, decision in inside.items():
            case = held.cases[held.case_of[row]]
            for use in USES:
                self.counts[use][case.answer(use)] -= 1
                self.counts[use][case.answer(use, decision.signals)] += 1
        refused: set[int] = set()
        for use in self.uses:
            rows = {*held.rows(lambda case, use=use: case.answer(use) == "deny"), *inside}  # type: ignore[misc]
            refused |= rows - inside.keys()
            refused |= {row for row, said in inside.items() if _denies(held.cases[held.case_of[row]], said, use)}
            for row in sorted(rows & refused)[: MAX_LISTED - len(self.denied)]:
                answer, because = _joined(held.cases[held.case_of[row]], inside.get(row), use)
                if answer == "deny":
                    place = batch.evidence(row, "signals")
                    item = RecordAnswer(id=batch.id_of(row), use=use, answer=answer, because=because, evidence=place)
                    self.denied.append(item)
        self.n_denied += len(refused)
        for row in sorted(refused):
            self.deny(batch.id_of(row))
        self._compare(batch)

    def add_pictures(self, batch: Batch) -> None:
        """Note the pictures of a batch that deny an asked use."""
        for row, decision in inside_of(batch).items():
            refused = [use for use in self.uses if decision.answers[use] == "deny"]
            self.n_inside += bool(refused)
            if refused:
                self.deny(batch.id_of(row))
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
        urls = batch.texts("url") if batch.column("url") is not None else [""] * batch.size
        for row in range(batch.size):
            at = int(held.case_of[row])
            now = self.later.of(urls[row]) if self.later is not None and urls[row] else None
            found = dict(within[at])
            if now is not None:
                found |= changes_since(held.cases[at], now)
            self.n_compared += now is not None or bool(within[at])
            self.n_changed += bool(found)
            is_stricter = any(after == "deny" for _, after in found.values())
            self.n_stricter += is_stricter
            if found:
                self._group(batch.id_of(row), origin_of(urls[row] or ""), found)
            if found and len(self.drift[is_stricter]) < MAX_LISTED:
                where = batch.evidence(row, "signals")
                self.drift[is_stricter].append(RecordDrift(id=batch.id_of(row), changes=found, evidence=where))

    def _group(self, name: str, site: str, found: Changes) -> None:
        key = site, tuple(found.items())
        if key not in self.groups and len(self.groups) >= MAX_GROUPS:
            key = "other sites", key[1]
        self.sizes[key] += 1
        ids = self.groups.setdefault(key, [])
        if len(ids) < MAX_IDS:
            ids.append(name)

    def drift_groups(self) -> tuple[DriftGroup, ...]:
        """Give the groups of what changed: those denied now first, then the largest."""
        groups = [
            DriftGroup(site=site, changes=dict(shown), n_records=self.sizes[site, shown], ids=tuple(ids))
            for (site, shown), ids in self.groups.items()
        ]
        return tuple(sorted(groups, key=lambda group: (not group.is_stricter, -group.n_records, group.site)))


def count_signals(
    dataset: Dataset,
    uses: Sequence[Use],
    later: Later | None = None,
    tell: Callable[[int], None] = lambda rows: None,
    deny: Callable[[str], None] = lambda name: None,
) -> DatasetSignals:
    """Count the answers of all records: of the sidecar where there is one, else of headers, signals and pictures.

    Args:
        uses: for which the records denied are listed. later: newer answers to compare with.
        tell: is told of how many more records have been read. deny: is given the id of each record that is denied for
            an asked use; the same id may come twice, where a sidecar and a picture deny it.

    Raises:
        DataError: there is no record, or none that can be read.
    """
    counter, unread, n_broken = _Counter(uses, later, deny), Unread(dataset), 0
    needs = NEEDS if dataset.records_file is not None else (*NEEDS, "image")
    for batch in dataset.facts(needs):
        counter.add(batch)
        unread.take(batch.faults)
        n_broken += len(broken_pictures(batch))
        tell(batch.size)
    if dataset.records_file is not None:
        for batch in dataset.content(("id", "image")):
            counter.add_pictures(batch)
            unread.take(batch.faults)
            n_broken += len(broken_pictures(batch))
            tell(batch.size)
    if not counter.n_records:
        raise unread.error("no signal was counted")
    return DatasetSignals(
        dataset=dataset.name,
        n_records=counter.n_records,
        n_faulty=counter.n_faulty,
        n_denied=counter.n_denied,
        n_inside=counter.n_inside,
        n_broken=n_broken,
        unread=unread.told(),
        counts=counter.counts,
        denied=tuple(counter.denied),
        n_compared=counter.n_compared,
        n_changed=counter.n_changed,
        n_stricter=counter.n_stricter,
        drift=tuple([*counter.drift[True], *counter.drift[False]][:MAX_LISTED]),
        drift_groups=counter.drift_groups()[:MAX_GROUPS_TOLD],
    )


def _joined(case: Case, decision: SignalDecision | None, use: Use) -> tuple[Answer, tuple[str, ...]]:
    """Join what a record's facts and its picture say, and tell why."""
    joined = case.joined(decision.signals if decision is not None else ())
    answer = joined.answers[use]
    said = [signal for signal in joined.signals if signal.answers.get(use) == answer]
    said = [signal for signal in said if signal.note != KEPT] or said
    because = [
        signal.note if signal.note == KEPT else f"{signal.source}: {shortened(signal.raw or signal.place)}"
        for signal in said
    ]
    return answer, tuple(because)


def _denies(case: Case, inside: SignalDecision, use: Use) -> bool:
    return case.answer(use, inside.signals) == "deny"


def inside_of(batch: Batch) -> dict[int, SignalDecision]:
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
