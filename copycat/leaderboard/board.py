"""What is compared across the submissions of a board: pictures of one that stand in another."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from copycat.catalog import canonical_sha256
from copycat.leaderboard.faults import Fault, shortened
from copycat.leaderboard.layout import SUBMISSIONS
from copycat.leaderboard.near_copies import near_pairs_by_bands, packed_hashes
from copycat.leaderboard.pictures import draws_nothing
from copycat.leaderboard.reading import LoadedSubmission
from copycat.leaderboard.records import SAMPLES

MAX_SHARE_ALIKE = 0.5
"""Of the pictures that two models drew of the same prompts with the same seeds: beyond, one was copied from the other.

A model that was made of another one by a little training draws some pictures nearly alike, and so this is no matter of
a single picture.
"""
MIN_SHARED = 20
"""Pictures that two models must have in common before a share of them says anything."""

LEVELS = 3
"""Folders between submissions/ and the files of a submission."""


class Trace(NamedTuple):
    """What is kept of a picture to compare it with those of other submissions.

    `request` is a hash of what the model was asked: prompt, negative prompt and seed.
    """

    submission: str
    line: int
    model: str
    request: str
    sha256: str
    perceptual_hash: str


def traces_of(loaded: LoadedSubmission) -> list[Trace]:
    """Give a trace of each picture of a submission; none of the baseline whose pictures are all blank."""
    spec = loaded.settings.spec
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
        )
        for line, sample in enumerate(loaded.samples, start=1)
        if sample.status == "ok" and sample.perceptual_hash is not None
    ]


def compare_submissions(traces: Iterable[Trace]) -> list[Fault]:
    """Find pictures that stand in submissions of different models, or of one model for different requests."""
    rows = list(traces)
    return list(shortened([*_same_bytes(rows), *_nearly_same(rows)]))


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


def _nearly_same(rows: list[Trace]) -> Iterator[Fault]:
    """Compare models pairwise by the pictures that they drew of one request, and find near copies of other requests."""
    first_of = {(row.model, row.request, row.perceptual_hash): row for row in reversed(rows)}
    kept = list(first_of.values())[::-1]
    requests: defaultdict[str, set[str]] = defaultdict(set)
    for row in kept:
        requests[row.model].add(row.request)
    alike: Counter[tuple[str, str]] = Counter()
    example: dict[tuple[str, str], tuple[Trace, Trace]] = {}
    for i, j, _ in near_pairs_by_bands(packed_hashes([row.perceptual_hash for row in kept])):
        one, other = kept[i], kept[j]
        if one.model == other.model or one.sha256 == other.sha256:
            continue
        if one.request != other.request:
            yield _copied(other, one, "nearly the picture")
            continue
        models = (one.model, other.model)
        alike[models] += 1
        example.setdefault(models, (one, other))
    for models, count in alike.items():
        shared = len(requests[models[0]] & requests[models[1]])
        if shared >= MIN_SHARED and count > MAX_SHARE_ALIKE * shared:
            one, other = example[models]
            said = f"{count} of {shared} pictures are nearly those of '{one.submission}', which is of another model"
            yield Fault(kind="copied-picture", where=f"{other.submission}/{SAMPLES}", what=said)


def _copied(row: Trace, first: Trace, what: str) -> Fault:
    whose = "another model" if row.model != first.model else "another prompt or seed"
    said = f"has {what} of '{first.submission}/{SAMPLES}:{first.line}', which is of {whose}"
    return Fault(kind="copied-picture", where=f"{row.submission}/{SAMPLES}:{row.line}", what=said)
