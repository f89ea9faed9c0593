"""`--list models|mitigations|attacks|judges|anchors|characters`."""

from __future__ import annotations

import datetime
import inspect

from rich.table import Table

from copycat.console import out
from copycat.errors import UnknownNameError
from copycat.schema import Record

KINDS = ("models", "mitigations", "attacks", "judges", "anchors", "characters")


def print_list(kind: str, characters: str | None) -> None:
    """Print the names of one kind, with what each is.

    Raises:
        UnknownNameError: no such kind.
    """
    if kind == "models":
        _print_models()
        return
    rows = {
        "mitigations": _mitigations,
        "attacks": lambda: _attacks(characters or "sandbox"),
        "judges": _judges,
        "anchors": lambda: _anchors(characters or "sandbox"),
        "characters": _characters,
    }.get(kind)
    if rows is None:
        raise UnknownNameError("list", kind, KINDS)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows():
        table.add_row(name, text)
    out.print(table, markup=False)


def attributes_of(settings: type[Record]) -> str:
    """Give what the docstring of a record of settings says of its fields; "" where it says nothing."""
    _, _, behind = (inspect.getdoc(settings) or "").partition("Attributes:\n")
    return behind.rstrip()


def _print_models() -> None:
    from copycat.commands.list_models import model_lines
    from copycat.models import MODELS

    today = datetime.datetime.now(datetime.UTC).date()
    for line in model_lines(MODELS.rows(), out.width, today):
        out.print(line.text, style=line.style, markup=False, soft_wrap=True)


def _mitigations() -> list[tuple[str, str]]:
    from copycat.mitigations import MITIGATIONS

    return [
        (row.name + (f":{'|'.join(row.variants)}" if row.variants else ""), row.summary) for row in MITIGATIONS.rows()
    ]


def _attacks(characters: str) -> list[tuple[str, str]]:
    """List attacks, and the forms of 'arc' with what each adds for the first character of a set."""
    from copycat.attacks import ATTACKS
    from copycat.attacks.arc import FORMS, OPTIONS, detours_of, signed_terms
    from copycat.attacks.templates import filled
    from copycat.catalog import read_character_set

    found = read_character_set(characters)
    target = found.characters[0]
    forms = [(f"  arc:{name}", f"{form.summary}: {signed_terms(name, found, target)}") for name, form in FORMS.items()]
    detours = [
        (f"  detour={d.name}", f"of '{found.id}': '{filled(d.mixed, target)}', '{filled(d.alone, target)}'")
        for d in detours_of(found)
    ]
    options = ("  options", f"after the form, with commas: {OPTIONS}")
    arc, *others = ATTACKS.rows()
    others_said = [(f"./FOLDER of {row.name}" if row.is_searched else row.name, row.summary) for row in others]
    return [(arc.name, arc.summary), *forms, options, *detours, *others_said]


def _judges() -> list[tuple[str, str]]:
    from copycat.judges import JUDGES, JudgeRow
    from copycat.judges.families import DEFAULT, DEFAULT_NAME, FAMILIES

    def about(row: JudgeRow) -> str:
        calibrated = "calibrated" if row.is_calibrated else "not calibrated"
        return f"{row.summary}; {calibrated}; character set: {row.knows or 'any'}"

    return [
        (DEFAULT, f"for real characters: {DEFAULT_NAME}"),
        *((row.name, about(row)) for row in JUDGES.rows()),
        *((family.form, family.summary) for family in FAMILIES),
    ]


def _anchors(characters: str) -> list[tuple[str, str]]:
    from copycat.catalog import list_anchors, read_character_set

    return [(label, f"of character set '{characters}'") for label in list_anchors(read_character_set(characters))]


def _characters() -> list[tuple[str, str]]:
    from copycat.catalog import list_character_sets, read_character_set

    sets = [read_character_set(name) for name in list_character_sets()]
    return [(s.id, f"{s.title} ({len(s.characters)} characters)") for s in sets]
