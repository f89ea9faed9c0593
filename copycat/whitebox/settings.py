"""Settings of the methods: a preset, and what the user typed instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from copycat.errors import UnknownNameError, UserError
from copycat.models import ModelRow
from copycat.schema import Record
from copycat.whitebox import cce, unlearndiffatk

METHODS = ("arc", "unlearndiffatk", "cce")
FORMS = ("A1", "A2", "A3", "A4", "A5", "O1", "O2", "O3")
CORRECTED, SANDBOX = "corrected", "sandbox"
SMALL_PX = 128
"""Models that draw no larger pictures learn in tens of steps what others learn in thousands."""


class ArcSettings(Record):
    """Which compositions are tried.

    Attributes:
        forms: joined by '+'; options follow their form: 'O1+O2,weight=1.5'.
    """

    forms: str = "+".join(FORMS)


SETTINGS: dict[str, type[Record]] = {
    "arc": ArcSettings,
    "unlearndiffatk": unlearndiffatk.UnlearnDiffAtkSettings,
    "cce": cce.CceSettings,
}
PRESETS: dict[str, Mapping[str, Mapping[str, Any]]] = {
    "arc": {CORRECTED: {}},
    "unlearndiffatk": unlearndiffatk.PRESETS,
    "cce": cce.PRESETS,
}


def check_method(method: str) -> None:
    """Refuse what is no method.

    Raises:
        UnknownNameError: with a suggestion.
    """
    if method not in METHODS:
        raise UnknownNameError("attack", method, METHODS, "see all: python -m copycat.attack --list methods")


def preset_of(method: str, preset: str | None, row: ModelRow) -> str:
    """Give the preset asked for, else the one that fits the size of the model's pictures."""
    if preset is None:
        is_small = max(row.sampling.width_px, row.sampling.height_px) <= SMALL_PX
        return SANDBOX if is_small and SANDBOX in PRESETS[method] else CORRECTED
    if preset not in PRESETS[method]:
        raise UnknownNameError("preset", preset, PRESETS[method])
    return preset


def build_settings(method: str, preset: str, changes: Sequence[str]) -> Record:
    """Build the settings of a method.

    Args:
        changes: 'name=value' each, as typed.

    Raises:
        UnknownNameError: no such setting.
        UserError: another form, or a value that it cannot take.
    """
    kind = SETTINGS[method]
    given = {name: str(value) for name, value in PRESETS[method][preset].items()}
    for change in changes:
        name, equals, value = (part.strip() for part in change.partition("="))
        if not equals:
            raise UserError(f"--set '{change}' has the wrong form\n  needed: name=value, such as --set tokens=5")
        if name not in kind.model_fields:
            raise UnknownNameError(f"setting of '{method}':", name, kind.model_fields)
        given[name] = value
    try:
        return kind.model_validate_strings(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(
            f"--set {'.'.join(map(str, first['loc']))}={first['input']}: {first['msg']}\n"
            "  see all: python -m copycat.attack --list settings"
        ) from error
