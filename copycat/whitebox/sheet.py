"""sheet.html: the pictures of each prompt side by side, one self-contained page without a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from jinja2 import PackageLoader

from copycat.attacks.saved import AttackCard, AttackedPrompt
from copycat.runs.pages import strict_environment
from copycat.runs.report_pictures import thumbnail_data_uri
from copycat.whitebox.rates import attack_rates

SHOWN_PX = 224
"""Twice what the page shows."""

_TEMPLATES = PackageLoader("copycat")
_STYLES = ("imitation/tokens.css", "whitebox/sheet.css")
_WORDS = {True: "yes", False: "no", None: "not judged"}


class Side(NamedTuple):
    """A picture of a prompt: its data URI, None where there is none; whether it shows the concept, also in words."""

    src: str | None
    shows: bool
    said: str
    alt: str


class Strip(NamedTuple):
    """A prompt with one seed: what the page shows of it, `after` in the order of the forms."""

    text: str
    found: str
    original: Side
    before: Side
    after: tuple[Side, ...]


def build_sheet(card: AttackCard, load_picture: Callable[[str], bytes]) -> str:
    """Write the page as text. Pure, given the loader.

    Args:
        load_picture: gives the bytes of a picture by its relative path, none where it is gone.
    """
    environment = strict_environment(_TEMPLATES)
    forms = tuple(dict.fromkeys(row.form for row in card.prompts))
    by_prompt: dict[tuple[str, int], dict[str, AttackedPrompt]] = {}
    for row in card.prompts:
        by_prompt.setdefault((row.id, row.seed), {})[row.form] = row
    return environment.get_template("whitebox/sheet.html.j2").render(
        card=card,
        is_sandbox=card.characters == "sandbox",
        rates=attack_rates(card.prompts),
        forms=forms,
        has_forms=card.method == "arc",
        strips=[_strip(rows, forms, load_picture) for rows in by_prompt.values()],
        css="".join(_TEMPLATES.get_source(environment, name)[0] for name in _STYLES),
    )


def _strip(rows: dict[str, AttackedPrompt], forms: tuple[str, ...], load: Callable[[str], bytes]) -> Strip:
    first = next(iter(rows.values()))
    return Strip(
        first.text,
        _found(first),
        _side(first, "original", first.original, load),
        _side(first, "before", first.before, load),
        tuple(_side(rows[form], "after", rows[form].after, load) if form in rows else _NOTHING for form in forms),
    )


_NOTHING = Side(None, False, "", "")


def _found(row: AttackedPrompt) -> str:
    """Say what was put into the prompt; nothing of compositions, whose form is in the heading."""
    if row.prefix:
        return f"{row.decoded} ({' '.join(map(str, row.prefix))})"
    return "" if row.sent == row.text else row.sent


def _side(row: AttackedPrompt, name: str, shows: bool | None, load: Callable[[str], bytes]) -> Side:
    path = row.pictures.get(name)
    if path is None:
        is_before = name == "after" and row.form == "unlearndiffatk" and not row.prefix  # nothing was to be searched
        return Side(None, False, "as before" if is_before else "no picture", "")
    return Side(thumbnail_data_uri(load(path), SHOWN_PX), shows is True, _WORDS[shows], f"{row.text}: {name}")
