"""Matching blocks: the longest common run, then the longest on either side of it, and so on; in order in both texts.

The rule is that of Ratcliff and Obershelp, as `difflib.SequenceMatcher(autojunk=False)` has it: of several longest
runs the first in the output is taken, then the first in the reference. Blocks of fewer than `min_words` words are
left out. difflib takes quadratic time; here it is nearly linear:

1. Windows of `min_words` words that both texts have are paired, and pairs on one diagonal that follow each other are
   one run. Runs are chosen from the longest down, cut to the room that those chosen before leave (`choosing`).
2. Where a text repeats itself so much that there are too many pairs, the longest runs are found by a suffix array,
   and the rooms between them are taken one by one. The work that this may cost is bounded (`MAX_SORTED`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from copycat.fairuse.metrics.choosing import choose
from copycat.fairuse.metrics.numbers import Pair, gram_numbers
from copycat.fairuse.metrics.suffixes import Match, longest_matches

if TYPE_CHECKING:
    import numpy as np

PAIRS_PER_WORD = 4
"""Pairs of equal windows that are listed, for each word of both texts; prose has about one."""

MIN_PAIRS = 2_000
"""So many pairs are always listed: below it, a suffix array gains nothing."""

MAX_SORTED = 80
"""How many times the words of both texts may be sorted anew, in all. Then what is left over is matched by its rarer
windows alone, and `Blocks.exact` is False. Texts of two words in random order do not come near it."""


class Blocks(NamedTuple):
    """Blocks in the order of both texts; `exact` is False where the bound on work was met."""

    blocks: list[Match]
    exact: bool


class _Room(NamedTuple):
    """A part of each text, ends exclusive."""

    output: int
    output_end: int
    reference: int
    reference_end: int


def matching_blocks(pair: Pair, min_words: int) -> Blocks:
    """Find the blocks of at least `min_words` words, which is at least 1."""
    grams = gram_numbers(pair, min_words)
    found: list[Match] = []
    exact, budget = True, MAX_SORTED * (len(pair.output) + len(pair.reference))
    rooms = [_Room(0, len(pair.output), 0, len(pair.reference))]
    while rooms:
        room = rooms.pop()
        size = room.output_end - room.output + room.reference_end - room.reference
        windows = _windows(grams, room, min_words)
        listed = _Pairs(windows)
        if listed.total > max(MIN_PAIRS, PAIRS_PER_WORD * size):
            if budget > 0:
                budget -= size
                rooms += _split(pair, room, min_words, found)
                continue
            exact = False
            listed.keep_rare(max(MIN_PAIRS, PAIRS_PER_WORD * size))
        found += [
            Match(run.output + room.output, run.reference + room.reference, run.length)
            for run in choose(listed.runs(min_words), min_words)
        ]
    return Blocks(sorted(found), exact)


def _windows(grams: Pair, room: _Room, min_words: int) -> Pair:
    """Cut out the windows that lie wholly in a room."""
    shorter = min_words - 1
    return Pair(
        grams.output[room.output : max(room.output, room.output_end - shorter)],
        grams.reference[room.reference : max(room.reference, room.reference_end - shorter)],
    )


def _split(pair: Pair, room: _Room, min_words: int, found: list[Match]) -> list[_Room]:
    """Find the longest runs of a room, add them to `found`, and give the rooms before, between and behind them."""
    matches = longest_matches(
        Pair(pair.output[room.output : room.output_end], pair.reference[room.reference : room.reference_end])
    )
    if not matches or matches[0].length < min_words:
        return []
    rooms: list[_Room] = []
    output, reference = room.output, room.reference
    for match in matches:
        first, second = match.output + room.output, match.reference + room.reference
        found.append(Match(first, second, match.length))
        rooms.append(_Room(output, first, reference, second))
        output, reference = first + match.length, second + match.length
    return [*rooms, _Room(output, room.output_end, reference, room.reference_end)]


class _Pairs:
    """Pairs of equal windows, counted at once and listed when asked for."""

    def __init__(self, windows: Pair) -> None:
        import numpy as np

        self._order = np.argsort(windows.reference, kind="stable")
        ordered = windows.reference[self._order]
        self._first = np.searchsorted(ordered, windows.output, "left")
        self._count = np.searchsorted(ordered, windows.output, "right") - self._first
        self.total = int(self._count.sum())

    def keep_rare(self, most: int) -> None:
        """Forget the windows with the most pairs, so that at most so many pairs are left."""
        import numpy as np

        rarest = np.argsort(self._count, kind="stable")
        too_many = np.cumsum(self._count[rarest]) > most
        self._count[rarest[too_many]] = 0

    def runs(self, min_words: int) -> np.ndarray[Any, Any]:
        """List the runs: pairs that follow each other on one diagonal are one.

        Shapes: (R, 3): where it starts in the output and in the reference, and its length in words.
        """
        import numpy as np

        count = self._count
        total, width = int(count.sum()), len(count) + 1
        output = np.repeat(np.arange(len(count)), count)
        nth = np.arange(total) - np.repeat(np.cumsum(count) - count, count)
        reference = self._order[np.repeat(self._first, count) + nth]
        along = np.sort((reference - output + len(count)) * width + output)
        starts = np.flatnonzero(np.diff(along, prepend=-2) != 1)
        lengths = np.diff(starts, append=total) + min_words - 1
        diagonal, output = np.divmod(along[starts], width)
        return np.stack([output, output + diagonal - len(count), lengths], axis=1)
