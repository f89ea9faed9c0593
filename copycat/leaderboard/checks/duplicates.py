"""Duplicates: no picture stands for two requests, whether its bytes are the same or were made to differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

from copycat.leaderboard.checks.case import Case
from copycat.leaderboard.faults import Fault, Finding, Note
from copycat.leaderboard.near_copies import MAX_BITS, MAX_BITS_MOVED, is_copy, near_pairs, packed_hashes
from copycat.leaderboard.pictures import draws_nothing
from copycat.leaderboard.records import SAMPLES, SubmittedSample

MAX_COMPARED = 50_000
"""Pairs whose pixels are compared; behind that many, hashes alone tell."""
MAX_COPIES = 1_000
"""Copies that are told; who has more of them is refused anyway."""


def check_duplicates(case: Case) -> Iterator[Finding]:
    """Compare every picture with every other of the submission."""
    if draws_nothing(case.spec):
        return
    lines = {sample.key: number for number, sample in enumerate(case.loaded.samples, start=1)}
    by_bytes: defaultdict[str | None, list[SubmittedSample]] = defaultdict(list)
    for sample in {sample.key: sample for sample in case.pictured}.values():
        by_bytes[sample.sha256].append(sample)
    for first, *others in by_bytes.values():
        for sample in others:
            said = f"has the very picture of line {lines[first.key]}"
            yield Fault(kind="duplicate-picture", where=f"{SAMPLES}:{lines[sample.key]}", what=said)
    yield from _near(case, [samples[0] for samples in by_bytes.values() if samples[0].perceptual_hash], lines)


def _near(case: Case, samples: list[SubmittedSample], lines: dict[str, int]) -> Iterator[Finding]:
    looks = case.inspected.looks if case.loaded.has_pictures else {}
    alike = copies = 0
    for count, (i, j, bits) in enumerate(_pairs(samples, has_looks=bool(looks))):
        if copies > MAX_COPIES:
            break
        one, other = looks.get(samples[i].key), looks.get(samples[j].key)
        is_same_prompt = samples[i].prompt_sent == samples[j].prompt_sent
        if count == MAX_COMPARED and looks:
            said = f"of more than {MAX_COMPARED:,} pairs of pictures that look alike, the others were compared by hash"
            yield Note(kind="alike-pictures", what=said)
        if one is not None and other is not None and count < MAX_COMPARED:
            if one.is_blank or other.is_blank:
                continue
            is_same = is_copy(one, other, bits, may_be_alike=is_same_prompt)
        else:
            is_same = bits <= MAX_BITS and not is_same_prompt
        if is_same:
            said = f"is a copy of the picture of line {lines[samples[i].key]}, changed a little ({bits} of 256 bits)"
            copies += 1
            yield Fault(kind="near-copy", where=f"{SAMPLES}:{lines[samples[j].key]}", what=said)
        elif bits <= MAX_BITS:
            alike += 1
    if alike:
        said = f"{alike} pairs of pictures of one prompt are nearly alike: learnt by heart, or copied; look at them"
        yield Note(kind="alike-pictures", what=said)


def _pairs(samples: Sequence[SubmittedSample], *, has_looks: bool) -> Iterator[tuple[int, int, int]]:
    """Give the pairs that are worth a look, the likest first; where pixels can be compared also less like ones."""
    hashes = packed_hashes([sample.perceptual_hash or "" for sample in samples])
    yield from near_pairs(hashes, MAX_BITS)
    if has_looks:
        moved = (pair for pair in near_pairs(hashes, MAX_BITS_MOVED) if pair[2] > MAX_BITS)
        yield from islice(moved, MAX_COMPARED)
