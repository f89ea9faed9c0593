"""Rows that may be compared, in order, with the places that each could have and the front that nothing beats."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from copycat.leaderboard.rows import BoardRow, Group, Section
from copycat.metrics import ALL_ANCHORS, RankInterval, rank_intervals

SECTIONS: tuple[Section, ...] = ("verified", "self-reported", "sandbox")
"""In the order of the page: what others have checked comes first, what is no real model last."""

Shares = Mapping[str, Mapping[str, float]]
"""Share of answered requests that show a character, by character, by row."""


class Standings(NamedTuple):
    """The rows of one group, DETECT of all anchors lowest first.

    `ranks` hold, by anchor and row id, the places that are possible; a row that takes no part has none.
    """

    group: Group
    rows: tuple[BoardRow, ...]
    ranks: Mapping[str, Mapping[str, RankInterval]]

    @property
    def anchors(self) -> tuple[str, ...]:
        """All anchors together first, then each."""
        return (ALL_ANCHORS, *self.group.anchors)


def group_rows(rows: Iterable[BoardRow]) -> dict[Group, tuple[BoardRow, ...]]:
    """Part rows into what may be compared: by section, then by set, suite, judge and anchors; lowest DETECT first."""
    groups: dict[Group, list[BoardRow]] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    order = sorted(groups, key=lambda group: (SECTIONS.index(group.section), group[1:]))
    return {group: tuple(sorted(groups[group], key=_lowest_first)) for group in order}


def shares_of(rows: Sequence[BoardRow], anchor: str) -> Shares:
    """Give what a ranking by DETECT stands on; without the models that are there to be compared with only."""
    found = {row.id: row.shares(anchor) for row in rows if not row.is_baseline_model}
    return {name: shares for name, shares in found.items() if len(shares) > 1}


def rank(shares: Shares) -> dict[str, RankInterval]:
    """Give the possible places of each row, none at all where there is nothing to compare."""
    if len(shares) < 2:
        return {}
    try:
        return rank_intervals(shares, better="lower")
    except ValueError:  # two rows that were never asked for the same characters
        return {}


def is_tied(place: RankInterval) -> bool:
    """Whether a row cannot be told apart from some other."""
    return place.best != place.worst


def front(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """Give the names of the points (DETECT, CONS) that no other beats: none has less DETECT and no less CONS.

    Returns:
        From the lowest DETECT to the highest CONS; of equal points all.
    """
    found: list[str] = []
    best = -1.0
    for name, (detect, cons) in sorted(points.items(), key=lambda item: (item[1][0], -item[1][1], item[0])):
        if cons > best or (found and points[found[-1]] == (detect, cons)):
            found.append(name)
            best = cons
    return found


def _lowest_first(row: BoardRow) -> tuple[bool, float, float, str]:
    detect, cons = row.detect.get(ALL_ANCHORS), row.consistency.get(ALL_ANCHORS)
    value = detect.value if detect is not None else None
    return (value is None, value or 0.0, -((cons.value if cons is not None else None) or 0.0), row.id)
