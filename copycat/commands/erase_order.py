"""From the options of `copycat.erase` to an order."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copycat.errors import UserError

if TYPE_CHECKING:
    from copycat.erasure.training import Order

OPTION_NAMES = {"settings": "set", "checkpoint_every": "checkpoint-every"}
EXAMPLE = "  python -m copycat.erase --model sandbox --method esd --concept Zoravi --out erased/zoravi"


def required_out(out: Path | None) -> Path:
    """Give the folder of the erasure.

    Raises:
        UserError: --out was not typed.
    """
    if out is None:
        raise UserError(f"no folder for the erasure\n  needed: --out DIR, such as\n{EXAMPLE}")
    return out


def refuse_for_export(options: Mapping[str, Any]) -> None:
    """Refuse what would be ignored where a finished erasure is exported and nothing is erased.

    Raises:
        UserError: such an option was typed.
    """
    ignored = ("anchor", "settings", "steps", "lr", "seed", "device", "dtype", "checkpoint_every", "fresh")
    if typed := [f"--{OPTION_NAMES.get(name, name)}" for name in ignored if options[name]]:
        raise UserError(
            f"{' and '.join(typed)} would change nothing: without --method and --concept a finished erasure is exported"
            "\n  leave them out, or say what to erase, too"
        )


def build_order(options: Mapping[str, Any]) -> Order:
    """Read the options of the command.

    Raises:
        UserError: one is missing, or cannot be.
    """
    from copycat.catalog import read_character_set
    from copycat.console import say
    from copycat.erasure import ERASERS
    from copycat.erasure.concepts import notes_of_strangers, other_names, parse_concepts
    from copycat.erasure.training import Order, frozen_dtype
    from copycat.models.resolve import resolve_model
    from copycat.runs.environment import pick_device
    from copycat.staging import default_characters

    missing = [f"--{name}" for name in ("model", "method", "concept") if options[name] is None]
    if missing:
        raise UserError(
            f"{' and '.join(missing)} missing\n  needed: what to erase from which model, such as\n{EXAMPLE}"
        )
    method = ERASERS.load(options["method"])
    row = resolve_model(options["model"], options["revision"])
    device = pick_device(options["device"])
    characters = read_character_set(options["characters"] or default_characters(row))
    concepts = parse_concepts(options["concept"], options["anchor"], characters)
    for note in notes_of_strangers(concepts, characters):
        say(note)
    typed = typed_settings(options["settings"] or ())
    for key in ("steps", "lr"):
        typed |= _typed_option(method, options, key)
    return Order(
        row=row,
        method=options["method"],
        concepts=concepts,
        preset=options["preset"],
        typed=typed,
        others=other_names(concepts, characters),
        seed=options["seed"],
        device=device,
        dtype=frozen_dtype(options["dtype"], device),
        character_set=characters.id,
        command=typed_command(),
    )


def typed_command() -> str:
    """Give the command that was typed, as it would go on with what it began: without --fresh."""
    words = [word for word in sys.argv[1:] if word != "--fresh"]
    return shlex.join(["python", "-m", "copycat.erase", *(words[1:] if words[:1] == ["erase"] else words)])


def typed_settings(pairs: Sequence[str]) -> dict[str, str]:
    """Part what was typed after --set.

    Raises:
        UserError: it has no '='.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not (sign and key.strip()):
            raise UserError(f"--set '{pair}' has the wrong form\n  needed: KEY=VALUE, such as --set eta=2")
        found[key.strip().replace("-", "_")] = value.strip()
    return found


def _typed_option(method: Any, options: Mapping[str, Any], key: str) -> dict[str, str]:
    from copycat.erasure.settings import require_setting

    if options[key] is None:
        return {}
    require_setting(method, options["method"], key)
    return {key: str(options[key])}
