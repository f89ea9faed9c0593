"""A page for each character across all runs, and one for each set with its characters by franchise."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from copycat.catalog import NOTES_YEAR, legal_notes
from copycat.leaderboard.site.character_view import SECTION_TITLES, CharacterRuns, RunLine, RunTable
from copycat.leaderboard.site.gallery import SAID, cell, escape
from copycat.leaderboard.site.pages import broken, render, root_of, write_page
from copycat.leaderboard.site.run_view import Person, people_of, shipped_set, unknown_person
from copycat.leaderboard.site.summary import RunSummary
from copycat.mitigations import NONE
from copycat.schema import Character

CHARACTERS_FOLDER = "characters"
MAX_PICTURED_RUNS = 60
"""Of a table: the runs below these stand without pictures, so that a page with a thousand runs opens at once."""


class Franchise(NamedTuple):
    """The characters of one franchise, by name."""

    name: str
    people: tuple[Person, ...]


def write_character_pages(site: Path, summaries: Sequence[RunSummary]) -> None:
    """Write the pages of all sets of which there are runs, and take away those of sets and characters that are gone.

    Args:
        site: the root of the site.
        summaries: all runs of the board.
    """
    by_set: dict[str, list[RunSummary]] = defaultdict(list)
    for summary in summaries:
        by_set[summary.row.characters].append(summary)
    written = {href for set_id, found in sorted(by_set.items()) for href in _write_set(site, set_id, found)}
    _remove_others(site, written)


def _write_set(site: Path, set_id: str, summaries: Sequence[RunSummary]) -> list[str]:
    """Write the pages of one set, and say which."""
    runs, folder = CharacterRuns(summaries), f"{CHARACTERS_FOLDER}/{set_id}"
    franchises = by_franchise(_people(set_id, summaries))
    pages = {f"{folder}/index.html": _set_page(set_id, franchises, runs)}
    for franchise in franchises:
        for person in franchise.people:
            pages[f"{folder}/{person.id}.html"] = _character_page(set_id, person, franchise, runs)
    for href, page in pages.items():
        write_page(site, href, page)
    return list(pages)


def by_franchise(people: Iterable[Person]) -> tuple[Franchise, ...]:
    """Group characters by franchise, both in the order of the alphabet."""
    grouped: dict[str, list[Person]] = defaultdict(list)
    for person in sorted(people, key=lambda person: person.name.lower()):
        grouped[person.franchise].append(person)
    return tuple(Franchise(name, tuple(grouped[name])) for name in sorted(grouped, key=str.lower))


def _people(set_id: str, summaries: Sequence[RunSummary]) -> list[Person]:
    """Give the characters of the set, and any that only a run knows."""
    known = people_of(set_id)
    asked = {c for summary in summaries for cells in summary.row.by_character.values() for c in cells}
    return [*known.values(), *(unknown_person(character) for character in sorted(asked - set(known)))]


def _set_page(set_id: str, franchises: Sequence[Franchise], runs: CharacterRuns) -> str:
    characters = shipped_set(set_id)
    return render(
        "characters.html.j2",
        root_of(f"{CHARACTERS_FOLDER}/{set_id}/index.html"),
        title=characters.title if characters else set_id,
        about=characters.about if characters else "",
        is_sandbox=characters is not None and characters.is_sandbox,
        franchises=franchises,
        runs=runs,
        cell=cell,
    )


def _character_page(set_id: str, person: Person, franchise: Franchise, runs: CharacterRuns) -> str:
    root = root_of(f"{CHARACTERS_FOLDER}/{set_id}/{person.id}.html")
    characters = shipped_set(set_id)
    tables = runs.tables(person.id)
    known = _known(set_id, person.id)
    return render(
        "character.html.j2",
        root,
        set_title=characters.title if characters else set_id,
        is_sandbox=characters is not None and characters.is_sandbox,
        person=person,
        known=known,
        notes=legal_notes(known) if known else (),
        notes_year=NOTES_YEAR,
        franchise=franchise,
        runs=runs,
        tables=tables,
        section_titles=SECTION_TITLES,
        has_pictures=any(line.pictures for table in tables for line in table.lines),
        max_pictured=MAX_PICTURED_RUNS,
        rows=lambda table: rows_of(table, person, root),
        cell=cell,
    )


def _known(set_id: str, character: str) -> Character | None:
    """Give what the set says of a character."""
    characters = shipped_set(set_id)
    return next((c for c in characters.characters if c.id == character), None) if characters else None


def rows_of(table: RunTable, person: Person, root: str) -> Markup:
    """Give the rows of a table, assembled by hand: a site may have fifty thousand of them."""
    has_pictures = any(line.pictures for line in table.lines)
    return Markup("").join(
        _row(line, person, root, has_pictures=has_pictures, is_pictured=place < MAX_PICTURED_RUNS)
        for place, line in enumerate(table.lines)
    )


def _row(line: RunLine, person: Person, root: str, *, has_pictures: bool, is_pictured: bool) -> Markup:
    row = line.row
    mitigation = "no mitigation" if row.mitigation == NONE else broken(row.mitigation)
    attack = f" <span>attacked by {escape(row.attack)}</span>" if row.attack else ""
    withheld = "" if row.has_pictures else '<span class="quiet">withheld</span>'
    pictures = "".join([withheld, *_thumbnails(line, person, root)]) if is_pictured else ""
    return Markup(  # noqa: S704  # every value is escaped, or a slug
        f'<tr><th scope="row"><a href="{root}{escape(row.href)}#c-{person.id}">{escape(row.model)}</a>'
        f", <span>{mitigation}</span>{attack}{''.join(map(cell, line.tallies))}{cell(line.total)}"
        f"{f'<td class=thumbs>{pictures}' if has_pictures else ''}\n"
    )


def _thumbnails(line: RunLine, person: Person, root: str) -> Iterable[str]:
    name = escape(f"{person.name} by {line.row.model}")
    for picture in line.pictures:
        anchor = escape(picture.anchor)
        yield (
            f'<label class="frame {picture.ending}"><input type="checkbox" class="sr" autocomplete="off"'
            f' aria-label="Show {name}, {anchor}"><img src="{root}{picture.href}" width="64" height="64"'
            f' alt="{anchor}: {SAID[picture.ending]}" loading="lazy" decoding="async"></label>'
        )


def _remove_others(site: Path, written: set[str]) -> None:
    folder = site / CHARACTERS_FOLDER
    for path in sorted(folder.glob("*/*.html")):
        if path.relative_to(site).as_posix() not in written:
            path.unlink()
    for path in sorted(folder.glob("*")):
        if path.is_dir() and not any(path.glob("*.html")):
            shutil.rmtree(path)
