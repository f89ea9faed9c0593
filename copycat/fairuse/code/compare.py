"""An output against an index: which files share spans with it, from which line to which.

Fingerprints only propose: each span is confirmed and made as long as it goes on the tokens of both files, so that no
hash decides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from copycat.errors import UserError
from copycat.fairuse.code.corpus import Index
from copycat.fairuse.code.duties import duty_of
from copycat.fairuse.code.files import read_code, sha256_of
from copycat.fairuse.code.licences import licence_of, stated_licence
from copycat.fairuse.code.records import CodeHit, CodeOutput, CodeReport, CodeSpan
from copycat.fairuse.code.tokens import CodeTokens, tokenise
from copycat.fairuse.code.winnow import fingerprints_of, is_passed_over, run_hashes
from copycat.paths import shown

MAX_FILES = 200
"""So many files are confirmed for one output, those that share the most fingerprints first."""


class _Span(NamedTuple):
    """Tokens from `mine` of the output and from `theirs` of the file, so many."""

    mine: int
    theirs: int
    length: int


def compare_code(
    outputs: Sequence[Path], index: Index, language: str | None = None, done: Callable[[int], None] = lambda _: None
) -> CodeReport:
    """Compare files of code with an index.

    Args:
        done: is told how many more outputs are compared.

    Raises:
        UserError: an output cannot be read, or is binary.
    """
    found = []
    for path in outputs:
        found.append(compare_one(read_output(path), shown(path), index, language))
        done(1)
    return CodeReport(settings=index.about.settings, corpus=index.facts(), outputs=tuple(found))


def compare_one(code: str, name: str, index: Index, language: str | None = None) -> CodeOutput:
    """Compare one output; too short a one gives a reason and no hits."""
    mine = tokenise(code, name, language)
    settings = index.about.settings
    if len(mine) < settings.k:
        reason = "holds no token of code" if not len(mine) else f"has {len(mine)} tokens, fewer than {settings.k}"
        return _not_compared(code, name, mine, reason)
    chosen = fingerprints_of(mine.tokens, settings)
    masks, numbers = _masks(mine, index), index.numbered(mine.tokens)
    at, entries = index.lookup(chosen.hashes)
    covered = np.zeros(len(mine), bool)
    hits: list[CodeHit] = []
    for number, seeds in _most_shared(index.files[entries], chosen.places[at], index.places[entries]):
        spans = _confirmed(numbers, number, seeds, index)
        spans = [span for span in spans if masks.counted[span.mine : span.mine + span.length].sum() >= settings.k]
        if spans:
            hits.append(_hit(mine, number, spans, masks, index))
            covered |= _of_spans(len(mine), spans)
    hits.sort(key=lambda hit: (-hit.share, -hit.longest, hit.file))
    return CodeOutput(
        output=name,
        sha256=sha256_of(code),
        language=mine.language,
        tokens=len(mine),
        boilerplate=int(masks.common.sum()),
        share=_share(covered & masks.counted, ~masks.common),
        longest=max((hit.longest for hit in hits), default=0),
        hits=tuple(hits),
        stated=stated_licence(code),
    )


def _most_shared(
    files: NDArray[np.int32], mine: NDArray[np.int64], theirs: NDArray[np.int32]
) -> Iterable[tuple[int, list[tuple[int, int]]]]:
    """Give the files with the most different fingerprints in common, each with its pairs of places."""
    seeds: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for file, here, there in zip(files.tolist(), mine.tolist(), theirs.tolist(), strict=True):
        seeds[file].append((here, there))
    ranked = sorted(seeds.items(), key=lambda item: (-len({here for here, _ in item[1]}), item[0]))
    return ranked[:MAX_FILES]


def _confirmed(mine: NDArray[np.uint32], number: int, seeds: Sequence[tuple[int, int]], index: Index) -> list[_Span]:
    """Make spans of pairs of places, as long as the tokens agree; of those of one place in the output the longest."""
    k = index.about.settings.k
    other, _ = index.tokens_of(number)
    spans: set[_Span] = set()
    reached: dict[int, int] = {}  # diagonal -> where the span on it ends in the output
    for here, there in sorted(seeds):
        if here < reached.get(there - here, 0):
            continue
        if not np.array_equal(mine[here : here + k], other[there : there + k]):
            continue  # equal hashes of different runs
        span = _extended(mine, other, here, there)
        reached[there - here] = span.mine + span.length
        spans.add(span)
    return _without_contained(spans)


def _extended(mine: NDArray[np.uint32], other: NDArray[np.uint32], here: int, there: int) -> _Span:
    before = _equal(mine[:here][::-1], other[:there][::-1])
    return _Span(here - before, there - before, before + _equal(mine[here:], other[there:]))


def _equal(first: NDArray[np.uint32], second: NDArray[np.uint32]) -> int:
    """Count the tokens at the beginning that are equal."""
    length = min(len(first), len(second))
    differing = np.flatnonzero(first[:length] != second[:length])
    return int(differing[0]) if len(differing) else length


def _without_contained(spans: Iterable[_Span]) -> list[_Span]:
    """Leave out spans whose tokens of the output lie in a longer one."""
    kept: list[_Span] = []
    end = -1
    for span in sorted(spans, key=lambda span: (span.mine, -span.length, span.theirs)):
        if span.mine + span.length > end:
            kept.append(span)
            end = span.mine + span.length
    return kept


class _Masks(NamedTuple):
    """For each token of an output: whether it is boilerplate, and whether it counts in a span."""

    common: NDArray[np.bool_]
    counted: NDArray[np.bool_]


def _masks(mine: CodeTokens, index: Index) -> _Masks:
    """Boilerplate does not count, and neither does a token all of whose runs have few kinds of token."""
    k = index.about.settings.k
    hashes = run_hashes(mine.tokens, k)
    common = _covered(len(mine), np.flatnonzero(index.is_boilerplate(hashes)), k)
    return _Masks(common, _covered(len(mine), np.flatnonzero(~is_passed_over(hashes)), k) & ~common)


def _hit(mine: CodeTokens, number: int, spans: Sequence[_Span], masks: _Masks, index: Index) -> CodeHit:
    file = index.about.files[number]
    _, lines = index.tokens_of(number)
    theirs = np.zeros(len(lines), bool)
    for span in spans:
        theirs[span.theirs : span.theirs + span.length] = True
    licence = licence_of(index.folder / file.name, read_code(index.folder / file.name, Counter()) or "", index.folder)
    shown_spans = tuple(_shown(span, mine, lines, masks) for span in spans)
    return CodeHit(
        file=file.name,
        file_sha256=file.sha256,
        share=_share(_of_spans(len(mine), spans) & masks.counted, ~masks.common),
        file_share=float(theirs.mean()),
        longest=max(span.tokens for span in shown_spans),
        spans=shown_spans,
        licence=licence,
        duty=duty_of(licence.expression),
    )


def _shown(span: _Span, mine: CodeTokens, lines: NDArray[np.int32], masks: _Masks) -> CodeSpan:
    return CodeSpan(
        tokens=int(masks.counted[span.mine : span.mine + span.length].sum()),
        output_first_line=mine.lines[span.mine],
        output_last_line=mine.lines[span.mine + span.length - 1],
        file_first_line=int(lines[span.theirs]),
        file_last_line=int(lines[span.theirs + span.length - 1]),
    )


def _not_compared(code: str, name: str, mine: CodeTokens, reason: str) -> CodeOutput:
    """Give an output that cannot be compared."""
    return CodeOutput(
        output=name,
        sha256=sha256_of(code),
        language=mine.language,
        tokens=len(mine),
        boilerplate=0,
        share=0.0,
        longest=0,
        hits=(),
        stated=stated_licence(code),
        reason=reason,
    )


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else 0.0


def _of_spans(length: int, spans: Iterable[_Span]) -> NDArray[np.bool_]:
    covered = np.zeros(length, bool)
    for span in spans:
        covered[span.mine : span.mine + span.length] = True
    return covered


def _covered(length: int, places: NDArray[np.int64], k: int) -> NDArray[np.bool_]:
    """Mark the tokens of runs of k."""
    changes = np.zeros(length + 1, np.int64)
    changes[places] += 1
    np.subtract.at(changes, np.minimum(places + k, length), 1)
    return np.cumsum(changes)[:length] > 0


def read_output(path: Path) -> str:
    """Read an output.

    Raises:
        UserError: there is no such file, or it is no code.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise UserError(f"{shown(path)} {what}\n  name files of code; those of a folder: FOLDER/*.py")
    passed_over: Counter[str] = Counter()
    code = read_code(path, passed_over)
    if code is None:
        raise UserError(f"{shown(path)} cannot be compared: {next(iter(passed_over))}\n  name files of code in UTF-8")
    return code
