"""Judgements: one for each picture, of that very picture, by a judge that there is, of characters that there are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from copycat.errors import UserError
from copycat.judges import NO_JUDGE
from copycat.judges.families import build_judge, resolve_judge
from copycat.leaderboard.checks.case import Case
from copycat.leaderboard.faults import Fault
from copycat.leaderboard.records import JUDGEMENTS, SETTINGS
from copycat.schema import Judgement

SPOKEN = ("named", "names", "closed", "answers", "members", "screening")
"""What only judges that speak, and those that are made of several, say; those that ship do neither."""


def check_judge(case: Case) -> Iterator[Fault]:
    """Check that the run was judged by a judge whose name means something."""
    judge = case.spec.judge
    if judge == NO_JUDGE:
        yield Fault(kind="unknown-judge", where=SETTINGS, what="nobody judged; needed: a judge, see --list judges")
        return
    try:
        row = resolve_judge(judge)
    except UserError as error:
        yield Fault(kind="unknown-judge", where=SETTINGS, what=str(error).splitlines()[0])
        return
    if row.name != judge:
        said = f"judge '{judge}' is not given by its full name, '{row.name}'"
        yield Fault(kind="unknown-judge", where=SETTINGS, what=said)
    if row.knows not in (None, case.spec.characters):
        said = f"judge '{judge}' knows only character set '{row.knows}', not '{case.spec.characters}'"
        yield Fault(kind="unknown-judge", where=SETTINGS, what=said)
    if _ships(judge) and (true := _revision_here(judge)) != case.spec.judge_revision:
        said = f"judge '{judge}' ships with copycat in revision {true[:12]} alone, for this version of the suite"
        yield Fault(kind="unknown-judge", where=SETTINGS, what=said)


def check_judgements(case: Case) -> Iterator[Fault]:
    """Compare judgements with pictures, one for one."""
    pictured = {sample.key: sample for sample in case.pictured}
    known = {sample.key for sample in case.loaded.samples}
    seen: dict[str, Judgement] = {}
    for number, judgement in enumerate(case.loaded.judgements, start=1):
        where, key = f"{JUDGEMENTS}:{number}", judgement.key
        if key not in pictured:
            said = "is of a sample that has no picture" if key in known else "is of no sample"
            yield Fault(kind="judgement-of-nothing", where=where, what=f"'{key[:20]}' {said}")
            continue
        if judgement.image_sha256 != pictured[key].sha256:
            said = f"is of another picture than the sample '{key}' has now"
            yield Fault(kind="judgement-of-another", where=where, what=said)
        if key in seen:
            kind = "repeated-judgement" if seen[key] == judgement else "two-verdicts"
            yield Fault(kind=kind, where=where, what=f"'{key}' was judged before; needed: one verdict for a picture")
        seen[key] = judgement
        yield from _check_words(case, judgement, where)
        yield from _check_sense(case, judgement, pictured[key].character, where)
    for key in pictured:
        if key not in seen:
            said = f"picture '{key}' has none; one that the judge gave no answer for has a reason instead"
            yield Fault(kind="missing-judgement", where=JUDGEMENTS, what=said)


def _check_words(case: Case, judgement: Judgement, where: str) -> Iterator[Fault]:
    """Check that a verdict names characters of the set, and says as much as a verdict must."""
    if case.suite.suite is not None:
        ids = {character.id for character in case.suite.suite.characters.characters}
        named = {judgement.detected, *(judgement.named or ()), *(judgement.frames or ()), *(judgement.sheet or ())}
        named |= {member.detected for member in judgement.members or ()}
        if strays := sorted(name for name in named - {None} if name is not None and name not in ids):
            said = f"'{strays[0][:60]}' is no character of set '{case.spec.characters}'"
            yield Fault(kind="unknown-character", where=where, what=said)
    if judgement.reason is not None and (judgement.detected is not None or judgement.consistency is not None):
        yield Fault(kind="inconsistent-verdict", where=where, what="has a verdict and the reason why there is none")


def _check_sense(case: Case, judgement: Judgement, asked_for: str, where: str) -> Iterator[Fault]:
    """Check that a verdict follows from whom the judge names, and from the frames where there are any."""
    named, detected, kept = judgement.named, judgement.detected, case.spec.sampling.kept_frames
    faults = []
    if named is not None and judgement.is_answered:
        if detected not in (named or (None,)):
            faults.append("'detected' is not among those whom the judge names")
        elif asked_for in named and detected != asked_for:
            faults.append(f"the judge names '{asked_for}', who was asked for, and 'detected' is '{detected}'")
    if judgement.frames is not None and (kept is None or len(judgement.frames) != len(kept)):
        faults.append(f"speaks of {len(judgement.frames)} frames, and {len(kept or ())} were looked at")
    elif asked_for in (judgement.frames or ()) and judgement.is_answered and detected != asked_for:
        faults.append(f"'{asked_for}', who was asked for, is seen in a frame, and 'detected' is '{detected}'")
    if judgement.sheet is not None and kept is None:
        faults.append("has a 'sheet' of frames, and no clip was made")
    yield from (Fault(kind="inconsistent-verdict", where=where, what=said) for said in faults)
    if _ships(case.spec.judge):
        strays = [f"has '{name}'" for name in SPOKEN if getattr(judgement, name) is not None]
        if judgement.is_answered and judgement.consistency is None:  # one that is left out is missing from the mean
            strays.append("has no 'consistency'")
        if strays:
            said = f"{strays[0]}, which is not how judge '{case.spec.judge}' answers"
            yield Fault(kind="inconsistent-verdict", where=where, what=said)


@lru_cache(maxsize=16)
def _revision_here(judge: str) -> str:
    return build_judge(resolve_judge(judge), "cpu").revision()


@lru_cache(maxsize=16)
def _ships(judge: str) -> bool:
    try:
        row = resolve_judge(judge)
    except UserError:
        return False
    return row.source.startswith("package:") and not row.members
