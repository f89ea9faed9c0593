"""What the pages of characters show of all runs: pure, summaries in, records out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from copycat.leaderboard.rows import BoardRow, Group, Section
from copycat.leaderboard.site.run_view import Person, Tally, tally_of
from copycat.leaderboard.site.summary import RunSummary, Thumbnail
from copycat.leaderboard.standings import SECTIONS, group_rows
from copycat.mitigations import NONE

SECTION_TITLES: dict[Section, str] = {
    "verified": "Verified",
    "self-reported": "Self-reported",
    "sandbox": "Sandbox",
}


class Pool(NamedTuple):
    """The runs of one section, without a mitigation or with one; only they are added up with each other."""

    section: Section
    is_mitigated: bool

    @property
    def title(self) -> str:
        """Head of its column."""
        kind = "with a mitigation" if self.is_mitigated else "no mitigation"
        return f"{SECTION_TITLES[self.section].lower()}, {kind}"


class RunLine(NamedTuple):
    """A run in the table of one character; `tallies` are in the order of the group's anchors."""

    row: BoardRow
    tallies: tuple[Tally | None, ...]
    total: Tally
    pictures: tuple[Thumbnail, ...]


class RunTable(NamedTuple):
    """The runs of one group that asked for the character, most recognised first."""

    group: Group
    lines: tuple[RunLine, ...]


class CharacterRuns:
    """The runs on one character set, indexed once for all pages of its characters."""

    def __init__(self, summaries: Sequence[RunSummary]) -> None:
        self._pictures = {summary.row.id: summary.pictures for summary in summaries}
        self._groups = group_rows(summary.row for summary in summaries)
        self._pools = _pooled(summary.row for summary in summaries)

    @property
    def pools(self) -> tuple[Pool, ...]:
        """The columns that there are, in the order of the board's sections."""
        return tuple(sorted(self._pools, key=lambda pool: (SECTIONS.index(pool.section), pool.is_mitigated)))

    def pooled(self, characters: Iterable[Person]) -> tuple[Tally, ...]:
        """Add up the runs of each pool over some characters."""
        wanted = [person.id for person in characters]
        return tuple(_sum_of(self._pools[pool], wanted) for pool in self.pools)

    def tables(self, character: str) -> tuple[RunTable, ...]:
        """Give the tables of one character; groups that never asked for it have none."""
        found = [RunTable(group, self._lines(group, rows, character)) for group, rows in self._groups.items()]
        return tuple(table for table in found if table.lines)

    def _lines(self, group: Group, rows: Sequence[BoardRow], character: str) -> tuple[RunLine, ...]:
        lines = []
        for row in rows:
            by_anchor = [row.by_character[anchor].get(character) for anchor in group.anchors]
            asked = [found for found in by_anchor if found is not None]
            if asked:
                tallies = tuple(None if found is None else tally_of(*found) for found in by_anchor)
                total = tally_of(sum(k for k, _ in asked), sum(n for _, n in asked))
                lines.append(RunLine(row, tallies, total, self._pictures[row.id].get(character, ())))
        return tuple(sorted(lines, key=lambda line: -(line.total.k / line.total.n) if line.total.n else 1.0))


def _pooled(rows: Iterable[BoardRow]) -> dict[Pool, Mapping[str, Sequence[int]]]:
    """Count k and n by character; models that show no character whatever is asked are left out."""
    pools: dict[Pool, dict[str, list[int]]] = {}
    for row in rows:
        if row.is_baseline_model:
            continue
        pool = pools.setdefault(Pool(row.section, row.mitigation != NONE), defaultdict(lambda: [0, 0]))
        for cells in row.by_character.values():
            for character, (k, n) in cells.items():
                counted = pool[character]
                counted[0] += k
                counted[1] += n
    return {pool: dict(counted) for pool, counted in pools.items()}


def _sum_of(counted: Mapping[str, Sequence[int]], characters: Sequence[str]) -> Tally:
    found = [counted[character] for character in characters if character in counted]
    return tally_of(sum(k for k, _ in found), sum(n for _, n in found))
