"""What is compared across the submissions of a board: pictures of one that stand in another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from copycat.catalog import canonical_sha256
from copycat.leaderboard.faults import Fault, Finding, Note, shortened
from copycat.leaderboard.layout import SUBMISSIONS, slug
from copycat.leaderboard.near_copies import near_pairs_by_bands, packed_hashes
from copycat.leaderboard.pictures import draws_nothing
from copycat.leaderboard.reading import LoadedSubmission
from copycat.leaderboard.records import SAMPLES

MAX_SHARE_ALIKE = 0.9
"""Of the pictures that two models drew of the same prompts with the same seeds: beyond, one was copied from the other.

A model that was made of another one by a little training draws many pictures nearly alike: the sandbox's, with every
weight of its denoiser moved by 1 %, 56 % of them. Of copies that were encoded again or made noisy it is 99 %.
"""
TOLD_SHARE_ALIKE = 0.5
MIN_SHARED = 20
"""Pictures that two models must have in common before a share of them says anything."""

MIN_STRAYS, MAX_SHARE_STRAYS = 3, 0.02
"""Pictures of one model that are nearly those of another one's other prompts, and the share of them that is too much:
drawings of one character are alike, and among many models two may be so by chance."""

SHARE_DRAWN_AGAIN = 0.9
"""Of the requests that two submissions of one model share: with so many of the very same pictures, it is told."""

MAX_PAIRS = 200_000
"""Pairs of pictures of two models that are looked at."""

LEVELS = 3
"""Folders between submissions/ and the files of a submission."""


class Trace(NamedTuple):
    """What is kept of a picture to compare it with those of other submissions.

    `request` is a hash of what the model was asked: prompt, negative prompt and seed; `submitter` and `mitigation`
    are of the submission.
    """

    submission: str
    line: int
    model: str
    request: str
    sha256: str
    perceptual_hash: str
    submitter: str = ""
    mitigation: str = ""


def traces_of(loaded: LoadedSubmission) -> list[Trace]:
    """Give a trace of each picture of a submission; none of the baseline whose pictures are all blank."""
    spec, submitter = loaded.settings.spec, loaded.submission.submitter
    if draws_nothing(spec):
        return []
    return [
        Trace(
            loaded.id,
            line,
            spec.model_source,
            canonical_sha256([sample.prompt_sent, sample.negative_prompt, sample.seed])[:16],
            sample.sha256 or "",
            sample.perceptual_hash,
            slug(submitter.organisation or submitter.name),
            spec.mitigation,
        )
        for line, sample in enumerate(loaded.samples, start=1)
        if sample.status == "ok" and sample.perceptual_hash is not None
    ]


def compare_submissions(traces: Iterable[Trace]) -> tuple[list[Fault], list[Note]]:
    """Find pictures that stand in submissions of different models, or of one model for different requests."""
    rows = list(traces)
    findings: list[Finding] = [*_same_bytes(rows), *_nearly_same(rows), *_drawn_again(rows)]
    return (
        list(shortened(one for one in findings if isinstance(one, Fault))),
        [one for one in findings if isinstance(one, Note)],
    )


def strays_of(leaderboard: Path) -> Iterator[Fault]:
    """Find what lies below submissions/ and belongs to no submission: files too high up, folders too deep, links."""
    root = leaderboard / SUBMISSIONS
    if root.is_symlink():
        yield Fault(kind="link", where=SUBMISSIONS, what="is a link; links are not followed")
        return
    level = [root]
    for _ in range(LEVELS):
        below = [path for folder in level for path in sorted(folder.iterdir())]
        for path in below:
            where = ascii(path.relative_to(leaderboard).as_posix())[1:-1]
            if path.is_symlink():
                yield Fault(kind="link", where=where, what="is a link; links are not followed")
            elif not path.is_dir() and path.name not in (".gitkeep", "README.md"):
                said = "is no submission; needed: submissions/<suite>/<submitter>__<model>/<hash>/"
                yield Fault(kind="stray-file", where=where, what=said)
        level = [path for path in below if path.is_dir() and not path.is_symlink()]


def _same_bytes(rows: list[Trace]) -> Iterator[Fault]:
    by_bytes: defaultdict[str, list[Trace]] = defaultdict(list)
    for row in rows:
        by_bytes[row.sha256].append(row)
    for same in by_bytes.values():
        first = same[0]
        for row in same[1:]:
            is_repeated = row.model == first.model and row.request == first.request
            if row.submission != first.submission and not is_repeated:
                yield _copied(row, first, "the very picture")


def _drawn_again(rows: list[Trace]) -> Iterator[Note]:
    """Tell submissions of one model and mitigation by two submitters that hold the very same pictures.

    No fault: a model that draws the same picture of the same seed everywhere does so for whoever measures it again.
    """
    drawn: defaultdict[tuple[str, str], dict[str, dict[str, Trace]]] = defaultdict(dict)
    for row in rows:
        drawn[row.model, row.mitigation].setdefault(row.submission, {})[row.request] = row
    for submissions in drawn.values():
        pictures = list(submissions.items())
        for place, (name, own) in enumerate(pictures):
            earlier = (other for other, theirs in pictures[:place] if _is_drawn_again(own, theirs))
            if (first := next(earlier, None)) is not None:
                said = f"'{name}' has the same pictures as '{first}': drawn again from the same settings, or copied"
                yield Note(kind="same-pictures", what=said)


def _is_drawn_again(own: dict[str, Trace], theirs: dict[str, Trace]) -> bool:
    """Whether nearly all pictures of the same requests are the very same, and somebody else's."""
    shared = own.keys() & theirs.keys()
    is_elses = next(iter(own.values())).submitter != next(iter(theirs.values())).submitter
    same = sum(own[request].sha256 == theirs[request].sha256 for request in shared) if is_elses else 0
    return same > 0 and same >= SHARE_DRAWN_AGAIN * len(shared)


def _nearly_same(rows: list[Trace]) -> Iterator[Finding]:
    """Compare models pairwise by the pictures that they drew of one request, and find near copies of other requests."""
    first_of = {(row.model, row.request, row.perceptual_hash): row for row in reversed(rows)}
    kept = list(first_of.values())[::-1]
    requests: defaultdict[str, set[str]] = defaultdict(set)
    for row in kept:
        requests[row.model].add(row.request)
    numbers = {model: number for number, model in enumerate(requests)}
    models_of = np.array([numbers[row.model] for row in kept], dtype=np.int64)
    pairs: defaultdict[tuple[str, str], list[tuple[Trace, Trace]]] = defaultdict(list)
    near = near_pairs_by_bands(packed_hashes([row.perceptual_hash for row in kept]), models_of)
    for count, (i, j, _) in enumerate(near, start=1):
        if count > MAX_PAIRS:
            said = f"more than {MAX_PAIRS:,} pairs of pictures are nearly alike; the others were not compared"
            yield Note(kind="alike-models", what=said)
            break
        if kept[i].sha256 != kept[j].sha256:  # the very same is told already
            pairs[kept[i].model, kept[j].model].append((kept[i], kept[j]))
    for models, found in pairs.items():
        yield from _compare_models(found, requests[models[0]], requests[models[1]])


def _compare_models(pairs: list[tuple[Trace, Trace]], one: set[str], other: set[str]) -> Iterator[Finding]:
    """Judge near copies between two models, `one` and `other` being what they were asked."""
    strays = [pair for pair in pairs if pair[0].request != pair[1].request]
    if len(strays) >= max(MIN_STRAYS, MAX_SHARE_STRAYS * min(len(one), len(other))):
        yield from (_copied(row, first, "nearly the picture") for first, row in strays)
    shared = len(one & other)
    same = [pair for pair in pairs if pair[0].request == pair[1].request]
    count = len({row.request for _, row in same})
    if shared < MIN_SHARED or count <= TOLD_SHARE_ALIKE * shared:
        return
    first, row = same[0]
    said = f"{count} of {shared} pictures are nearly those of '{first.submission}', which is of another model"
    if count > MAX_SHARE_ALIKE * shared:
        yield Fault(kind="copied-picture", where=f"{row.submission}/{SAMPLES}", what=said)
    else:
        yield Note(
            kind="alike-models", what=f"'{row.submission}': {said}: made of one another, or copied; look at them"
        )


def _copied(row: Trace, first: Trace, what: str) -> Fault:
    whose = "another model" if row.model != first.model else "another prompt or seed"
    said = f"has {what} of '{first.submission}/{SAMPLES}:{first.line}', which is of {whose}"
    return Fault(kind="copied-picture", where=f"{row.submission}/{SAMPLES}:{row.line}", what=said)
