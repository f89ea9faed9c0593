"""Choosing blocks among runs: the longest first, each cut to the room that is left."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

MANY = 64
"""From so many runs of one length on, those without room are put aside by arrays."""

NOWHERE = 2**60


class Run(NamedTuple):
    """A run that both texts share."""

    output: int
    reference: int
    length: int


class _Chosen:
    """Blocks chosen so far; each starts behind the one before it in both texts."""

    def __init__(self) -> None:
        self.output, self.output_end = [-NOWHERE, NOWHERE], [0, NOWHERE]
        self.reference, self.reference_end = [-NOWHERE, NOWHERE], [0, NOWHERE]

    def pieces(self, output: int, reference: int, length: int, min_words: int) -> Iterator[Run]:
        """Give the parts of a run that lie between two blocks that follow each other, if long enough."""
        ahead = reference - output
        gap = bisect_right(self.output, output)
        while gap < len(self.output) and self.output_end[gap - 1] < output + length:
            start = max(output, self.output_end[gap - 1], self.reference_end[gap - 1] - ahead)
            end = min(output + length, self.output[gap], self.reference[gap] - ahead)
            if end - start >= min_words:
                yield Run(start, start + ahead, end - start)
            gap += 1

    def add(self, run: Run) -> None:
        gap = bisect_right(self.output, run.output)
        self.output.insert(gap, run.output)
        self.output_end.insert(gap, run.output + run.length)
        self.reference.insert(gap, run.reference)
        self.reference_end.insert(gap, run.reference + run.length)

    def with_room(self, starts: np.ndarray[Any, Any], length: int) -> np.ndarray[Any, Any]:
        """Tell which runs of one length lie wholly between two blocks. Shapes: (R, 2) to (R,)."""
        import numpy as np

        gap = np.searchsorted(self.output, starts[:, 0], "right")
        before = np.array([self.output_end, self.reference_end]).T[gap - 1]
        after = np.array([self.output, self.reference]).T[gap]
        has_room: np.ndarray[Any, Any] = np.all((before <= starts) & (starts + length <= after), axis=1)
        return has_room


def choose(runs: np.ndarray[Any, Any], min_words: int) -> list[Run]:
    """Choose blocks; see `blocks`.

    Shapes:
        runs: (R, 3): where each starts in both texts, and its length.
    """
    import numpy as np

    runs = runs[np.lexsort((runs[:, 1], runs[:, 0], -runs[:, 2]))]
    lengths, firsts = np.unique(-runs[:, 2], return_index=True)
    whole = dict(zip((-lengths).tolist(), np.split(runs[:, :2], firsts[1:]), strict=True)) if len(runs) else {}
    cut: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)
    waiting = [-length for length in whole]
    heapify(waiting)
    chosen = _Chosen()
    while waiting:
        length = -heappop(waiting)
        candidates = _candidates(chosen, whole.pop(length, runs[:0, :2]), length, min_words)
        for output, reference in sorted({*candidates, *cut.pop(length, ())}):
            for piece in chosen.pieces(output, reference, length, min_words):
                if piece.length == length:
                    chosen.add(piece)
                    break
                if piece.length not in cut and piece.length not in whole:
                    heappush(waiting, -piece.length)
                cut[piece.length].add((piece.output, piece.reference))
    return [
        Run(output, reference, end - output)
        for output, reference, end in zip(chosen.output, chosen.reference, chosen.output_end, strict=True)
    ][1:-1]


def _candidates(chosen: _Chosen, starts: np.ndarray[Any, Any], length: int, min_words: int) -> list[tuple[int, int]]:
    """Leave out the shortest runs that have no room any more: they cannot be cut."""
    if length == min_words and len(starts) >= MANY:
        starts = starts[chosen.with_room(starts, length)]
    return [(output, reference) for output, reference in starts.tolist()]
