"""What a method is set to: defaults, a preset, what small networks need, and what was typed, in this order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from copycat.errors import UnknownNameError, UnsupportedError, UserError
from copycat.schema import Record

CORRECTED, PUBLISHED, SANDBOX = "corrected", "published", "sandbox"
"""Presets: the defaults; what paper and code do; and what is laid over either for a small network, such as its pace."""

SMALL_BELOW = 320
"""Channels of the widest block; those of Stable Diffusion's narrowest are 320."""

SET_NAMES = "set"
"""Stands, in `preserve`, for all other names of the character set."""


class MethodSettings(NamedTuple):
    """The name of the preset, every value, and those that a small network needs otherwise than the preset has them."""

    preset: str
    settings: Record
    small: dict[str, Any]


def is_small(unet_config: Mapping[str, Any]) -> bool:
    """Say whether a denoiser is of the sandbox's size: it learns at other rates than Stable Diffusion."""
    return max(unet_config.get("block_out_channels") or (SMALL_BELOW,)) < SMALL_BELOW


def build_settings(
    method: Any, preset: str, typed: Mapping[str, str], *, name: str, is_for_small: bool
) -> MethodSettings:
    """Work out every setting of a method.

    Args:
        method: has SETTINGS and PRESETS, see `Eraser`.
        typed: values as on a command line: "none" for nothing, commas between several.
        name: of the method, for messages.

    Raises:
        UnknownNameError: no such preset.
        UserError: no such setting, or a value that it cannot have.
    """
    presets = {CORRECTED: {}, **method.PRESETS}
    small = dict(presets.pop(SANDBOX, {})) if is_for_small else {}
    presets.pop(SANDBOX, None)
    if preset not in presets:
        raise UnknownNameError(f"preset of {name}", preset, presets)
    values = presets[preset] | small
    fields = method.SETTINGS.model_fields
    for key, text in typed.items():
        if key not in fields:
            raise UnknownNameError(
                f"setting of {name}", key, fields, f"see all: python -m copycat.erase --list settings --method {name}"
            )
        values[key] = _parsed(text, fields[key])
    try:
        settings = method.SETTINGS.model_validate(values)
    except ValidationError as error:
        raise UserError(_fault_text(name, error)) from error
    for key, value in settings:
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"{name}: --set {key}={value}: it must be a finite number")
    return MethodSettings(preset, settings, {key: value for key, value in small.items() if key not in typed})


def with_preserved(settings: Record, others: tuple[str, ...]) -> Record:
    """Put names in place of 'set' where a method has `preserve`, so that a card tells whom exactly.

    Args:
        others: all names of the character set but the concepts; () where there is no set.
    """
    asked: tuple[str, ...] = getattr(settings, "preserve", ())
    if SET_NAMES not in asked:
        return settings
    named = tuple(name for name in asked if name != SET_NAMES)
    return settings.model_copy(update={"preserve": tuple(dict.fromkeys((*named, *others)))})


def require_setting(method: Any, name: str, key: str) -> None:
    """Refuse an option such as --lr for a method that has no such setting.

    Raises:
        UnsupportedError: it has none.
    """
    if key not in method.SETTINGS.model_fields:
        raise UnsupportedError(
            f"'{name}' has no setting '{key}'\n  leave out --{key}; "
            f"see all: python -m copycat.erase --list settings --method {name}"
        )


def _parsed(text: str, field: FieldInfo) -> Any:
    is_list = get_origin(field.annotation) is tuple
    if text.lower() == "none" and (is_list or NoneType in get_args(field.annotation)):
        return () if is_list else None
    if is_list:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _fault_text(name: str, error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "settings"
    return (
        f"{name}: --set {key}={first['input']}: {first['msg']}\n"
        f"  see what it may be: python -m copycat.erase --list settings --method {name}"
    )
