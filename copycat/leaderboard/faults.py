"""What is wrong with a submission: a short kind for programs, a place, and a sentence for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from copycat.schema import Record

MAX_OF_A_KIND = 5
"""Faults of one kind in one file that are told one by one; of the others only the number is."""


class Fault(Record):
    """One thing for which a submission is refused.

    `kind` is a short fixed word, such as "forged-hash"; `where` is a file of the submission, with a line where one is
    meant ("samples.jsonl:17"); `what` says what is wrong and what would be right.
    """

    kind: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} [{self.kind}]"


class Note(Record):
    """What a reader of a report should know, and what is no fault: that something could not be checked here, say."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.what} [{self.kind}]"


Finding = Fault | Note


def shortened(faults: Iterable[Fault]) -> Iterator[Fault]:
    """Give the first faults of each kind in each file, and behind all of them how many more there are of each."""
    seen: Counter[tuple[str, str]] = Counter()
    for fault in faults:
        of = (fault.where.partition(":")[0], fault.kind)
        seen[of] += 1
        if seen[of] <= MAX_OF_A_KIND:
            yield fault
    for (file, kind), count in seen.items():
        if count > MAX_OF_A_KIND:
            yield Fault(kind=kind, where=file, what=f"and {count - MAX_OF_A_KIND:,} more of this kind")
