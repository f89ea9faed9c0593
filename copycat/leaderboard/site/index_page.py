"""index.html: the scatters, the tables by section, the published figures, and how all of it is to be read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from copycat.leaderboard.baselines import missing_baselines
from copycat.leaderboard.reported import ReportedWork
from copycat.leaderboard.rows import Section
from copycat.leaderboard.scatter import MANY, Scatter, draw, name_of
from copycat.leaderboard.site.board_table import Column, build_columns, row_html
from copycat.leaderboard.site.pages import render, write_page
from copycat.leaderboard.standings import SECTIONS, Standings, is_tied
from copycat.metrics import ALL_ANCHORS

INDEX = "index.html"

SECTION_TEXTS: dict[Section, tuple[str, str]] = {
    "verified": (
        "Verified here",
        "Real models whose pictures the maintainers had judged again, or drew themselves.",
    ),
    "self-reported": (
        "Self-reported",
        "Real models, with every sample open to inspection. All figures are derived from the samples again; that the "
        "pictures were drawn and judged as stated is the word of the submitter.",
    ),
    "sandbox": (
        "Sandbox",
        "An invented world of drawings of 64 by 64 pixels in which the truth is known. Its figures say something about "
        "the instrument and about mechanisms, and are never comparable with those of real models.",
    ),
}


class GroupView(NamedTuple):
    """One group as the template sees it; `id` names it in addresses and exports."""

    id: str
    standings: Standings
    columns: tuple[Column, ...]
    n_default: int
    pinned: tuple[Markup, ...]
    rows: tuple[Markup, ...]
    scatters: tuple[Scatter | None, ...]
    n_tied: int
    is_ranked: bool
    has_corrected: bool


class SectionView(NamedTuple):
    """A section with its groups; empty ones say so."""

    id: Section
    title: str
    meaning: str
    groups: tuple[GroupView, ...]

    @property
    def n_rows(self) -> int:
        """How many submissions are shown, those of baseline models among them."""
        return sum(len(group.standings.rows) for group in self.groups)


def write_index(site: Path, standings: Sequence[Standings], reported: Sequence[ReportedWork], date: str) -> None:
    """Write the front page.

    Args:
        site: The root of the site.
        standings: All groups, in the order of the page.
        reported: What papers published.
        date: Of the newest submission; "" if there is none.
    """
    write_page(site, INDEX, build_index(standings, reported, date))


def build_index(standings: Sequence[Standings], reported: Sequence[ReportedWork], date: str) -> str:
    """Give the front page as text; the same input gives the same bytes. Sections without rows come last."""
    views = [_group_view(f"g{number}", one) for number, one in enumerate(standings)]
    sections = [
        SectionView(name, *SECTION_TEXTS[name], tuple(v for v in views if v.standings.group.section == name))
        for name in SECTIONS
    ]
    sections.sort(key=lambda section: not section.groups)  # the first figures stand on the first screen
    return render(
        "index.html.j2",
        "",
        sections=sections,
        reported=reported,
        date=date,
        n_rows=sum(section.n_rows for section in sections),
        sets=sorted({view.standings.group.characters for view in views}),
        many=MANY,
        name_of=name_of,
    )


def _group_view(group_id: str, standings: Standings) -> GroupView:
    columns = build_columns(standings)
    pinned = [row for row in standings.rows if row.is_baseline_model]
    pinned += missing_baselines(standings.rows)
    others = [row for row in standings.rows if not row.is_baseline_model]
    drawn = (*others, *pinned)
    ranks = standings.ranks.get(ALL_ANCHORS, {})
    return GroupView(
        id=group_id,
        standings=standings,
        columns=columns,
        n_default=sum(column.is_default for column in columns),
        pinned=tuple(row_html(row, columns) for row in pinned),
        rows=tuple(row_html(row, columns) for row in others),
        scatters=tuple(draw(drawn, anchor) for anchor in standings.anchors),
        n_tied=sum(is_tied(place) for place in ranks.values()),
        is_ranked=bool(ranks),
        has_corrected=any(row.detect_corrected for row in standings.rows),
    )
