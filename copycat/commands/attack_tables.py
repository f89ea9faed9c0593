"""What `copycat.attack` prints: each prompt before and under attack, rates, and the command that uses it again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from rich.table import Table

from copycat.commands.listing import attributes_of
from copycat.console import out
from copycat.errors import UnknownNameError, UserError
from copycat.metrics.texts import shown_amount
from copycat.names import fold
from copycat.paths import shown

if TYPE_CHECKING:
    from copycat.attacks.saved import AttackCard, AttackedPrompt
    from copycat.whitebox.job import AttackJob
    from copycat.whitebox.rates import Rate

LISTS = ("methods", "settings")
SHOWN_LETTERS, FEWEST_LETTERS = 44, 12
"""Of a prompt in a table: at most, and where many compositions stand beside it."""

WIDE = 132
"""Columns of a terminal from which on a rate has one line."""


def print_card(card: AttackCard, job: AttackJob) -> None:
    """Print what came of an attack, and what to type next."""
    from copycat.whitebox.folder import SHEET
    from copycat.whitebox.rates import attack_rates

    on = "" if card.erasure is None else f", erased by {card.erasure.method}"
    under = "" if card.mitigation == "none" else f", with {card.mitigation}"
    title = f"{card.method} on {card.model}{on}{under}: is {card.name} drawn?"
    out.print(title, markup=False, soft_wrap=True)
    rates = attack_rates(card.prompts)
    if card.method == "arc":
        out.print(_forms_table(card), markup=False)
    else:
        out.print(_prompts_table(card.prompts, has_prefix=card.learned is None), markup=False)
    table = _plain_table("attack", "original model", "before", "under attack")
    for rate in rates:
        table.add_row(rate.form, *(_rate_text(one) for one in (rate.original, rate.before, rate.after)))
    out.print(table, markup=False)
    lines = [
        *notes_of(card),
        *note_on_weights(job),
        f"{card.seconds:.0f} s; pictures side by side in {shown(job.out / SHEET)}",
        "next:",
    ]
    for line in ["", *lines, *(f"  {command}" for command in next_commands(card, job))]:
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def notes_of(card: AttackCard) -> list[str]:
    """Say what makes the rates mean something else than they seem to."""
    notes = []
    if spelt := sum(row.spells_name for row in card.prompts):
        notes.append(f"note: {spelt} of the prefixes found spell the name")
    if not any(row.original for row in card.prompts):
        notes.append(f"note: the original model does not draw {card.name} on these prompts either: this tells nothing")
    elif not any(row.after and not row.before for row in card.prompts):
        notes.append(f"note: nothing brought {card.name} back here")
    erased = () if card.erasure is None else card.erasure.concepts
    if erased and not {fold(concept) for concept in erased} & {fold(card.name), fold(card.concept)}:
        notes.append(f"note: the erasure is of {', '.join(map(_cut, erased))}, and names no {card.name}")
    return notes


def note_on_weights(job: AttackJob) -> list[str]:
    """Say of the attacked weights that their erasure did not come to its end."""
    from copycat.models.erased import read_card

    if job.erased is None or (card := read_card(job.erased)).status == "finished":
        return []
    return [f"note: the erasure diverged; attacked are the weights of its step {card.steps} of {card.planned}"]


def as_object(card: AttackCard, job: AttackJob) -> dict[str, Any]:
    """Give the card with its rates, its folder and the commands to type next, for --json."""
    from copycat.whitebox.folder import SHEET
    from copycat.whitebox.rates import attack_rates

    rates = [
        {"form": rate.form} | {side: getattr(rate, side)._asdict() for side in ("original", "before", "after")}
        for rate in attack_rates(card.prompts)
    ]
    return {
        **card.model_dump(mode="json"),
        "rates": rates,
        "notes": [*notes_of(card), *note_on_weights(job)],
        "folder": shown(job.out),
        "sheet": shown(job.out / SHEET),
        "next": next_commands(card, job),
    }


def next_commands(card: AttackCard, job: AttackJob) -> list[str]:
    """Say how to put the attack into an evaluation: the folder, or the name of the best composition."""
    from copycat.whitebox.rates import attack_rates

    if card.method == "arc":
        best = max(attack_rates(card.prompts), key=lambda rate: rate.after.value or 0.0)
        attacks = best.form
    else:
        folder = shown(job.out)
        attacks = folder if folder.startswith(("/", ".", "~")) else f"./{folder}"
    erased = [] if job.erased is None else ["--erased", shown(job.erased)]
    mitigated = [] if card.mitigation == "none" else ["--mitigation", card.mitigation]
    typed = {"--revision": job.revision, "--characters": job.characters, "--judge": job.judge, "--device": job.device}
    same = [word for option, value in typed.items() if value is not None for word in (option, value)]
    words = ["python", "-m", "copycat.eval", "--model", job.model, *same, *erased, *mitigated, "--attack", attacks]
    return [shlex.join([*words, "--anchors", "name", "--seeds", "2"])]


def print_list(kind: str, method: str | None) -> None:
    """Print the methods, or the settings of one with the values of its presets.

    Raises:
        UnknownNameError: no such list or method.
        UserError: settings of no method.
    """
    from copycat.attacks import ATTACKS
    from copycat.whitebox.settings import METHODS, PRESETS, SETTINGS, check_method

    if kind not in LISTS:
        raise UnknownNameError("list", kind, LISTS)
    if kind == "methods":
        table = _plain_table()
        for name in METHODS:
            table.add_row(name, ATTACKS.get(name).summary)
        out.print(table, markup=False)
        return
    if method is None:
        raise UserError("settings of which method?\n  python -m copycat.attack --list settings --method cce")
    check_method(method)
    presets = PRESETS[method]
    table = _plain_table("setting", *presets)
    for name, field in SETTINGS[method].model_fields.items():
        table.add_row(name, *(str(preset.get(name, field.default)) for preset in presets.values()))
    out.print(table, markup=False)
    if about := attributes_of(SETTINGS[method]):
        out.print(f"\n{about}", markup=False, highlight=False, soft_wrap=True)


def _prompts_table(rows: tuple[AttackedPrompt, ...], *, has_prefix: bool) -> Table:
    table = _plain_table("prompt", "original", "before", "under attack", *(["prefix"] if has_prefix else []))
    for row in rows:
        sides = (row.original, row.before, row.after)
        table.add_row(_cut(row.text), *map(_word, sides), *([_prefix_text(row)] if has_prefix else []))
    return table


def _forms_table(card: AttackCard) -> Table:
    """Lay compositions out side by side, a prompt with its seed in each line."""
    forms = list(dict.fromkeys(row.form for row in card.prompts))
    titles = ("original", "before", *(form.removeprefix("arc:") for form in forms))
    table = _plain_table("prompt", *titles)
    letters = max(FEWEST_LETTERS, out.width - 2 - sum(max(len(title), len("yes")) + 2 for title in titles))
    by_prompt: dict[tuple[str, int], dict[str, AttackedPrompt]] = {}
    for row in card.prompts:
        by_prompt.setdefault((row.id, row.seed), {})[row.form] = row
    for rows in by_prompt.values():
        first = next(iter(rows.values()))
        after = [_word(rows[form].after) if form in rows else "" for form in forms]
        table.add_row(_cut(first.text, letters), _word(first.original), _word(first.before), *after)
    return table


def _plain_table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=bool(columns))
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _rate_text(rate: Rate) -> str:
    if rate.value is None or rate.low is None or rate.high is None:
        return "nothing judged"
    value, low, high = (shown_amount(number, "share") for number in (rate.value, rate.low, rate.high))
    between = ", " if out.width >= WIDE else "\n"
    return f"{value} % [{low}, {high}]{between}{rate.k} of {rate.n}"


def _prefix_text(row: AttackedPrompt) -> str:
    """Give a prefix as text; its token ids where they are no whole letters."""
    return (
        " ".join(f"#{token}" for token in row.prefix)
        if "\N{REPLACEMENT CHARACTER}" in row.decoded
        else _cut(row.decoded)
    )


def _word(is_shown: bool | None) -> str:
    return {True: "yes", False: "no", None: "not judged"}[is_shown]


def _cut(text: str, letters: int = SHOWN_LETTERS) -> str:
    """Shorten a text, and let no control character reach the terminal."""
    plain = " ".join("".join(c if c.isprintable() else "?" for c in text).split())
    letters = min(letters, SHOWN_LETTERS)
    return plain if len(plain) <= letters else f"{plain[: letters - 1]}…"
