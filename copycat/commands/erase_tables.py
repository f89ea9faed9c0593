"""What `copycat.erase` prints: an erasure, the commands to type next, methods and their settings."""

from __future__ import annotations

import inspect
import shlex
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from copycat.console import out
from copycat.erasure import ERASERS
from copycat.erasure.settings import PUBLISHED, SANDBOX
from copycat.errors import UnknownNameError, UserError
from copycat.models import SANDBOX as SANDBOX_MODEL
from copycat.paths import shown
from copycat.schema import ErasureCard, Record

LISTS = ("methods", "settings")


class Told(NamedTuple):
    """What is told of an erasure: its card, the folders, and the model and the character set as they were typed."""

    card: ErasureCard
    model: str
    folder: Path
    export: Path | None = None
    characters: str | None = None


def print_told(told: Told) -> None:
    """Print what was done, how it went, and what to type next."""
    table = _plain_table()
    for name, text in _facts(told):
        table.add_row(name, text)
    out.print(table, markup=False)
    if told.card.status == "diverged":
        lines = [
            f"diverged: a loss or a weight was no number; the weights are those of step {told.card.steps}",
            f"  {_advice(told.card)}",
        ]
    else:
        lines = ["next:", *(f"  {command}" for command in next_commands(told))]
    for line in ["", *lines]:
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def as_object(told: Told) -> dict[str, Any]:
    """Give the card with its folder and the commands to type next, for --json."""
    commands = next_commands(told) if told.card.status == "finished" else []
    where = {"folder": shown(told.folder), "export": None if told.export is None else shown(told.export)}
    return {**told.card.model_dump(mode="json"), **where, "next": commands}


def next_commands(told: Told) -> list[str]:
    """List what one would type after an erasure."""
    model, at = shlex.quote(told.model), shlex.quote(shown(told.folder))
    concept = shlex.quote(told.card.concepts[0])
    of_set = "" if told.characters is None else f" --characters {shlex.quote(told.characters)}"
    commands = [
        f"python -m copycat.eval --model {model} --erased {at}{of_set}",
        f"python -m copycat.attack --method unlearndiffatk --model {model} --erased {at} --concept {concept}{of_set} "
        f"--out {at}-attack",
    ]
    if told.export is not None:
        commands.append(_eval_of_export(told.card, told.export, of_set))
    return commands


def print_list(kind: str, method: str | None) -> None:
    """Print the methods, or the settings of one.

    Raises:
        UnknownNameError: no such list.
        UserError: settings of no method.
    """
    if kind not in LISTS:
        raise UnknownNameError("list", kind, LISTS)
    if kind == "methods":
        table = _plain_table()
        for row in ERASERS.rows():
            table.add_row(row.name, f"{row.summary}; edits the {row.edits} ({row.source})")
    elif method is None:
        raise UserError("settings of which method?\n  python -m copycat.erase --list settings --method esd")
    else:
        table = _settings_table(method)
    out.print(table, markup=False)
    if kind == "settings" and method is not None and (about := _attributes(ERASERS.load(method).SETTINGS)):
        out.print(f"\n{about}", markup=False, soft_wrap=True)


def _attributes(settings: type[Record]) -> str:
    """Give what the record's docstring says of its fields; "" where they have descriptions of their own."""
    _, _, behind = (inspect.getdoc(settings) or "").partition("Attributes:\n")
    return behind.rstrip()


def _facts(told: Told) -> list[tuple[str, str]]:
    card = told.card
    losses = ", ".join(f"{name} {loss:.4g}" for name, loss in card.losses.items())
    where = [("model with it", shown(told.export))] if told.export is not None else []
    return [
        ("method", f"{card.method}, {card.preset}"),
        ("concept", ", ".join(card.concepts)),
        ("model", card.model),
        ("steps", f"{card.steps} of {card.planned}, {timedelta(seconds=round(card.seconds))} on {card.device}"),
        ("edited numbers", f"{card.n_parameters:,}"),
        ("last losses", losses or "none"),
        ("folder", shown(told.folder)),
        *where,
    ]


def _advice(card: ErasureCard) -> str:
    if (lr := card.settings.get("lr")) is not None:
        return f"start anew with a smaller learning rate: --fresh --lr {float(lr) / 10:g}"
    return "start anew with other settings: --fresh --set KEY=VALUE"


def _eval_of_export(card: ErasureCard, export: Path, of_set: str) -> str:
    """Give the command for an exported folder, which does not say how the sandbox is drawn, nor whom it knows."""
    folder = shown(export)
    typed = folder if folder.startswith(("/", ".", "~")) else f"./{folder}"
    command = f"python -m copycat.eval --model {shlex.quote(typed)}"
    if card.model != SANDBOX_MODEL:
        return command + of_set
    from copycat.models import MODELS

    sampling = MODELS.get(SANDBOX_MODEL).sampling
    return f"{command}{of_set or ' --characters sandbox'} --steps {sampling.steps} --guidance {sampling.guidance:g}"


def _settings_table(name: str) -> Table:
    method = ERASERS.load(name)
    published, small = method.PRESETS.get(PUBLISHED, {}), method.PRESETS.get(SANDBOX, {})
    table = Table(box=None, pad_edge=False)
    for heading in ("setting", "corrected", "published", "small networks", ""):
        table.add_column(heading, overflow="fold")
    for key, field in method.SETTINGS.model_fields.items():
        default = field.get_default(call_default_factory=True)
        cells = [_shown(default), *(_shown(p[key]) if key in p else "" for p in (published, small))]
        table.add_row(key, *cells, field.description or "")
    return table


def _shown(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ",".join(map(str, value)) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _plain_table() -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table
