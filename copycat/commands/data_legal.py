"""`python -m copycat.data legal`: what is known of the legal status of characters, for any place and year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.schema import LegalNote

INFORMS = "These notes inform and are no legal advice."

LEGAL_EPILOG = """\
Notes are computed from the dated facts of a character's versions, and notes that somebody wrote stand as they are. Of a
year to come they tell what the laws of today make of it. They inform and are no legal advice.

\b
Examples:
  python -m copycat.data legal copycat50 --place US
  python -m copycat.data legal copycat50 --year 2035 --place US --status public-domain
  python -m copycat.data legal unseen50 --character superman
"""


def legal(  # noqa: PLR0917 - one parameter per option
    characters: Annotated[str, typer.Argument(metavar="SET|FILE", help="whose notes")],
    year: Annotated[int | None, typer.Option(min=2019, help="a calendar year; default: that of the pages")] = None,
    place: Annotated[str | None, typer.Option(help="only there: US, EU, UK, JP, worldwide")] = None,
    status: Annotated[str | None, typer.Option(help="only these: protected, public-domain, disputed, unknown")] = None,
    character: Annotated[str | None, typer.Option(help="only this one, by id, with the reasons", metavar="ID")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object, with the reasons")] = False,
) -> int:
    """Tell the legal status of each version of a character, for a place and a year, with the statute."""
    from copycat.catalog import NOTES_YEAR, legal_notes, read_character_set
    from copycat.console import EXIT_DONE, print_json

    year = NOTES_YEAR if year is None else year
    _check(place, status)
    found = read_character_set(characters)
    known = {one.id: one for one in found.characters}
    if character is not None and character not in known:
        from copycat.errors import UnknownNameError

        raise UnknownNameError("character", character, known)
    notes = {
        one.id: [
            note
            for note in legal_notes(one, year)
            if place in {None, note.jurisdiction} and status in {None, note.status}
        ]
        for one in ([known[character]] if character is not None else found.characters)
    }
    if as_json:
        told = {name: [note.model_dump(mode="json") for note in some] for name, some in notes.items()}
        print_json({"characters": found.id, "year": year, "about": INFORMS, "notes": told})
    else:
        _print(notes, year, has_reasons=character is not None)
    return EXIT_DONE


def _check(place: str | None, status: str | None) -> None:
    from typing import get_args

    from copycat.catalog.legal_notes import PLACES
    from copycat.errors import UnknownNameError
    from copycat.schema.legal import LegalState

    if place is not None and place not in PLACES:
        raise UnknownNameError("place", place, PLACES)
    if status is not None and status not in get_args(LegalState):
        raise UnknownNameError("status", status, get_args(LegalState))


def _print(notes: dict[str, list[LegalNote]], year: int, *, has_reasons: bool) -> None:
    from rich.markup import escape
    from rich.table import Table

    from copycat.console import out

    rows = [(name, note) for name, some in notes.items() for note in some]
    versions = f"{len(rows)} note{'s' * (len(rows) != 1)} for {year}"
    if not rows:
        out.print(f"{versions}: none has this place and status", markup=False)
        return
    table = Table(title=versions, title_justify="left", box=None, pad_edge=False)
    for column in ("character", "version", "place", "status", "from", "until"):
        table.add_column(column, overflow="fold", no_wrap=column != "version")
    for name, note in rows:
        years = ["" if when is None else str(when) for when in (note.from_year, note.until_year)]
        table.add_row(name, escape(note.version), note.jurisdiction, note.status, *years)
    out.print(table)
    for _, note in rows if has_reasons else ():
        out.print(f"\n{note.version}, {note.jurisdiction}: {note.status}", markup=False, style="bold")
        out.print(f"  {note.note}", markup=False)
    out.print(f"\n{INFORMS}", markup=False)
