"""What `copycat.erase` prints: an erasure, the commands to type next, methods and their settings."""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from copycat.catalog import read_character_set
from copycat.commands.listing import attributes_of
from copycat.console import out
from copycat.erasure import ERASERS
from copycat.erasure.settings import PUBLISHED, SANDBOX
from copycat.erasure.training import steps_of_mean, unet_config
from copycat.errors import UnknownNameError, UserError
from copycat.models import MODELS, ModelRow
from copycat.models import SANDBOX as SANDBOX_MODEL
from copycat.names import fold
from copycat.paths import shown
from copycat.schema import ErasureCard
from copycat.staging import default_characters

LISTS = ("methods", "settings")


class Told(NamedTuple):
    """What is told of an erasure: its card, the folders, model, character set and revision as typed, and the row."""

    card: ErasureCard
    model: str
    folder: Path
    export: Path | None
    characters: str | None
    revision: str | None
    row: ModelRow


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
    """List what one would type after an erasure: looking at it, attacking it, and looking at what was exported.

    A concept that is no character of the set cannot be attacked, because no judge knows it.
    """
    is_folder = Path(told.row.source).is_absolute() and _is_like_sandbox(told.row)
    characters = told.characters or (SANDBOX_MODEL if is_folder else None)
    of_set = [] if characters is None else ["--characters", characters]
    at_revision = [] if told.revision is None else ["--revision", told.revision]
    on = ["--model", told.model, *at_revision, "--erased", shown(told.folder)]
    commands = [_eval([*on, *of_set, *(_as_sandbox() if is_folder else [])])]
    if (concept := _attackable(told.card, characters or default_characters(told.row))) is not None:
        attacked = ["--concept", concept, *of_set, "--prompts", "3", "--out", f"attacks/{told.folder.resolve().name}"]
        commands.append(shlex.join(["python", "-m", "copycat.attack", "--method", "unlearndiffatk", *on, *attacked]))
    if told.export is not None:
        folder = shown(told.export)
        typed = folder if folder.startswith(("/", ".", "~")) else f"./{folder}"
        like = ["--characters", characters or SANDBOX_MODEL, *_as_sandbox()] if _is_like_sandbox(told.row) else of_set
        commands.append(_eval(["--model", typed, *like]))
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
    if kind == "settings" and method is not None and (about := attributes_of(ERASERS.load(method).SETTINGS)):
        out.print(f"\n{about}", markup=False, soft_wrap=True)


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
        ("losses", f"{losses} ({_of_steps(card)})" if losses else "none"),
        ("folder", shown(told.folder)),
        *where,
    ]


def _of_steps(card: ErasureCard) -> str:
    """Say over which steps the losses of a card are means."""
    steps = min(steps_of_mean(card.planned), card.steps)
    return "of the last step" if steps == 1 else f"mean of the last {steps} steps"


def _advice(card: ErasureCard) -> str:
    if (lr := card.settings.get("lr")) is not None:
        return f"start anew with a smaller learning rate: --fresh --lr {float(lr) / 10:g}"
    return "start anew with other settings: --fresh --set KEY=VALUE"


def _eval(options: list[str]) -> str:
    return shlex.join(["python", "-m", "copycat.eval", *options, "--anchors", "name", "--seeds", "1"])


def _is_like_sandbox(row: ModelRow) -> bool:
    """Say whether a model is the sandbox, or a folder with its network: that says neither how it draws, nor whom."""
    if row.source == MODELS.get(SANDBOX_MODEL).source:
        return True
    if not Path(row.source).is_absolute():
        return False
    mine, own = (
        {key: value for key, value in config.items() if not key.startswith("_")}
        for config in (unet_config(row), unet_config(MODELS.get(SANDBOX_MODEL)))
    )
    return mine == own


def _as_sandbox() -> list[str]:
    sampling = MODELS.get(SANDBOX_MODEL).sampling
    return ["--steps", f"{sampling.steps}", "--guidance", f"{sampling.guidance:g}"]


def _attackable(card: ErasureCard, characters: str) -> str | None:
    known = {fold(who.name) for who in read_character_set(characters).characters}
    return next((name for name in card.concepts if fold(name) in known), None)


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
