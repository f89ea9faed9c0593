"""compare.html: two runs on the same characters, picture by picture; which two is said in the address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from copycat.leaderboard.rows import BoardRow
from copycat.leaderboard.site.pages import render, write_page
from copycat.leaderboard.site.run_view import shipped_set
from copycat.mitigations import NONE

COMPARE_PAGE = "compare.html"


class Choice(NamedTuple):
    """A run that can be chosen; `baseline` is the id of the run without the mitigation, "" if that is not there.

    One that `is_plain` has no mitigation and no attack.
    """

    id: str
    text: str
    judge: str
    baseline: str
    is_plain: bool


class ChoiceGroup(NamedTuple):
    """Runs of which any two can be laid beside each other: the same characters of the same suite."""

    title: str
    characters: str
    choices: tuple[Choice, ...]


def write_compare_page(site: Path, rows: Sequence[BoardRow]) -> None:
    """Write the page; what it shows is loaded from the runs chosen, so it holds their names only.

    Args:
        site: the root of the site.
        rows: those with a page; others cannot be compared.
    """
    write_page(site, COMPARE_PAGE, render("compare.html.j2", "", groups=choice_groups(rows)))


def choice_groups(rows: Iterable[BoardRow]) -> tuple[ChoiceGroup, ...]:
    """Part runs into what may be compared, by name."""
    groups: dict[tuple[str, str], list[BoardRow]] = {}
    for row in rows:
        if row.href:
            groups.setdefault((row.characters, row.suite_version), []).append(row)
    return tuple(_group(*key, groups[key]) for key in sorted(groups))


def _group(characters: str, suite_version: str, rows: list[BoardRow]) -> ChoiceGroup:
    found = shipped_set(characters)
    ordered = sorted(rows, key=lambda row: (row.model.lower(), row.mitigation != NONE, row.mitigation, row.id))
    by_run: dict[str, list[BoardRow]] = {}
    for row in ordered:
        by_run.setdefault(row.run_id, []).append(row)
    return ChoiceGroup(
        title=f"{found.title if found else characters}, suite {suite_version}",
        characters=characters,
        choices=tuple(_choice(row, by_run.get(row.baseline or "", [])) for row in ordered),
    )


def _choice(row: BoardRow, baselines: Sequence[BoardRow]) -> Choice:
    """Name a run; its baseline is the one with the same judge, of the same submitter if there are several."""
    mitigation = "" if row.mitigation == NONE else f", {row.mitigation}"
    attack = "" if row.attack is None else f", attacked by {row.attack}"
    fitting = [one for one in baselines if (one.judge, one.judge_revision) == (row.judge, row.judge_revision)]
    fitting.sort(key=lambda one: one.submitter != row.submitter)
    return Choice(
        id=row.id,
        text=f"{row.model}{mitigation}{attack} ({row.submitter}, {row.date})",
        judge=f"{row.judge} {row.judge_revision}",
        baseline=fitting[0].id if fitting else "",
        is_plain=row.mitigation == NONE and row.attack is None,
    )
