"""Judging again: a share of the pictures, chosen anew each time, is shown to the judge that is said to have judged."""

from __future__ import annotations

import math
import random
import secrets
from collections.abc import Iterator, Sequence
from functools import lru_cache

from copycat.errors import CopycatError
from copycat.judges import JUDGES, Judge, JudgeRow
from copycat.judges.families import build_judge, resolve_judge
from copycat.leaderboard.checks.case import DEFAULT_SHARE, MIN_REJUDGED, Case
from copycat.leaderboard.faults import Fault, Finding, Note
from copycat.leaderboard.picture_files import PictureError
from copycat.leaderboard.pictures import open_picture
from copycat.leaderboard.reading import read_picture_rows
from copycat.leaderboard.records import JUDGEMENTS, SubmittedSample
from copycat.runs.judging import Bench, judge_looks, looks_of
from copycat.schema import CharacterSet, Judgement

MAX_DIFFERENCE = 1e-3
"""By which a judge that ships may differ from itself on another machine, in probability."""


def check_again(case: Case) -> Iterator[Finding]:
    """Judge a random share of the pictures again; a verdict that differs is a fault."""
    if case.options.rejudge == 0 or not case.pictured or case.suite.suite is None:
        return
    if not case.loaded.has_pictures:
        return  # told by the check of pictures
    try:
        row = resolve_judge(case.spec.judge)
        if case.options.rejudge is None and row.name not in JUDGES.names():
            said = f"not judged again: judge '{row.name}' is heavy or somebody else's; ask for it with --rejudge SHARE"
            yield Note(kind="not-judged-again", what=said)
            return
        judge = _built(row, case.options.device)
        if (here := judge.revision()) != (there := case.spec.judge_revision):
            said = f"not judged again: judge '{row.name}' is revision {here[:8]} here, and {there[:8]} judged"
            yield Note(kind="not-judged-again", what=said)
            return
        yield from _judge(case, judge, row, _choose(case), case.suite.suite.characters)
    except CopycatError as error:
        said = f"not judged again: judge '{case.spec.judge}' cannot work here: {str(error).splitlines()[0]}"
        yield Note(kind="not-judged-again", what=said)


@lru_cache(maxsize=1)
def _built(row: JudgeRow, device: str) -> Judge:
    """Build a judge once for all submissions of a board that one after the other name it: weights take seconds."""
    return build_judge(row, device)


def _choose(case: Case) -> list[SubmittedSample]:
    """Choose pictures without telling beforehand which, and all those that are said to have got no answer."""
    share = DEFAULT_SHARE if case.options.rejudge is None else case.options.rejudge
    answered = {judgement.key for judgement in case.loaded.judgements if judgement.is_answered}
    pictures = [sample for sample in case.pictured if sample.key in answered]
    unanswered = [sample for sample in case.pictured if sample.key not in answered]
    count = min(len(pictures), max(MIN_REJUDGED, math.ceil(share * len(pictures))))
    seed = case.options.seed
    dice = secrets.SystemRandom() if seed is None else random.Random(seed)
    return [*dice.sample(pictures, count), *unanswered]


def _judge(
    case: Case, judge: Judge, row: JudgeRow, chosen: Sequence[SubmittedSample], characters: CharacterSet
) -> Iterator[Finding]:
    contents = {sample.key: b"" for sample in chosen}
    for picture in read_picture_rows(case.loaded.path, case.options.limits):
        if picture.key in contents:
            contents[picture.key] = picture.content
    samples, looks = [], []
    for sample in chosen:
        try:
            opened = open_picture(contents[sample.key], case.options.limits)
        except PictureError:
            continue  # told by the check of pictures
        samples.append(sample)
        looks.append(looks_of(opened, case.spec.sampling.kept_frames))
    claimed = {judgement.key: judgement for judgement in case.loaded.judgements}
    found = judge_looks(samples, looks, Bench(judge=judge, characters=characters))
    unanswered = [judgement for judgement in found if not judgement.is_answered]
    for judgement in found:
        if judgement.is_answered and (what := _difference(claimed[judgement.key], judgement, is_exact=_is_exact(row))):
            said = f"picture '{judgement.key}', judged again: {what}"
            yield Fault(kind="verdict-changed", where=JUDGEMENTS, what=said)
    if unanswered:
        yield Note(kind="not-judged-again", what=f"{len(unanswered)} pictures: the judge gave no answer")
    yield Note(
        kind="judged-again", what=f"{len(found) - len(unanswered)} of {len(case.pictured)} pictures judged again"
    )


def _is_exact(row: JudgeRow) -> bool:
    """Whether the judge ships with copycat, so that its probabilities are the same everywhere."""
    return row.source.startswith("package:")


def _difference(claimed: Judgement, found: Judgement, *, is_exact: bool) -> str | None:
    if not claimed.is_answered:
        return f"no answer is claimed, and the judge sees {_seen(found)}" if is_exact else None
    if claimed.detected != found.detected:
        return f"{_seen(claimed)} is claimed, and the judge sees {_seen(found)}"
    for name in ("confidence", "consistency") if is_exact else ():
        one, other = getattr(claimed, name), getattr(found, name)
        if (one is None) != (other is None) or (one is not None and abs(one - other) > MAX_DIFFERENCE):
            return f"{name} {one} is claimed, and the judge says {other}"
    if is_exact and (claimed.flags or ()) != (found.flags or ()):
        return f"flags {claimed.flags} are claimed, and {found.flags} are there"
    return None


def _seen(judgement: Judgement) -> str:
    return "nobody" if judgement.detected is None else f"'{judgement.detected}'"
