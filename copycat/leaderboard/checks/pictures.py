"""Pictures: there or withheld as the submission says, and each one what its sample says."""

from __future__ import annotations

from collections.abc import Iterator

from copycat.leaderboard.checks.case import Case
from copycat.leaderboard.faults import Fault, Finding, Note
from copycat.leaderboard.records import PICTURES, SAMPLES


def check_pictures(case: Case) -> Iterator[Finding]:
    """Look at every picture, see `copycat.leaderboard.pictures`."""
    is_there = (case.loaded.path / PICTURES).exists()
    for number, sample in enumerate(case.loaded.samples, start=1):
        if (sample.status == "ok") != (sample.perceptual_hash is not None):
            said = "a sample has a perceptual hash if and only if its status is 'ok'"
            yield Fault(kind="perceptual-hash", where=f"{SAMPLES}:{number}", what=said)
    if not case.loaded.has_pictures:
        if is_there:
            said = "is there, and the submission says that its pictures are withheld"
            yield Fault(kind="pictures-not-withheld", where=PICTURES, what=said)
        elif case.pictured:
            said = "pictures are withheld: their hashes and the verdicts on them are the submitter's word"
            yield Note(kind="withheld", what=said)
    elif not is_there:
        said = "is not there, and the submission says that its pictures are included"
        yield Fault(kind="pictures-missing", where=PICTURES, what=said)
    if is_there:
        yield from case.inspected.faults
