"""Edited weights on a pipeline: a folder with a card and a delta, put on and taken off again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from copycat.errors import DataError, UnsupportedError, first_faults
from copycat.paths import shown
from copycat.schema import ErasureCard

CARD, DELTA = "card.json", "delta.safetensors"
"""An erasure's folder: its card, and the edited tensors, each named 'component.parameter'."""


def file_sha256(path: Path) -> str:
    """Hash a file's bytes, as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_card(folder: Path) -> ErasureCard:
    """Read the card of an erasure, and check that its delta is the one it speaks of.

    Raises:
        DataError: no such folder, a broken card, or a delta that is missing or another one.
    """
    try:
        card = ErasureCard.model_validate_json((folder / CARD).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            [f"{shown(folder)}: no finished erasure there ({CARD} is missing)"],
            "  make one: python -m copycat.erase --model MODEL --method esd --concept NAME --out DIR",
        ) from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise DataError([f"{shown(folder / CARD)}: {fault}" for fault in first_faults(faults)]) from error
    delta = folder / DELTA
    if not delta.is_file() or file_sha256(delta) != card.delta_sha256:
        raise DataError(
            [f"{shown(delta)}: missing, or not the weights that {CARD} speaks of"], "  erase again into a new folder"
        )
    return card


def check_base(card: ErasureCard, model: str, source: str, revision: str) -> None:
    """Refuse a delta that was made for other weights.

    Raises:
        UnsupportedError: source or revision is another.
    """
    if (card.source, card.revision) != (source, revision):
        raise UnsupportedError(
            f"this erasure was made for {card.source} at {card.revision[:12]}, and '{model}' is {source} at "
            f"{revision[:12]}\n  use the model it was made for, or erase again: python -m copycat.erase "
            f"--model {model} --method {card.method} --concept '{','.join(card.concepts)}' --out DIR"
        )


def components_of(delta: Path) -> set[str]:
    """Name the parts of a pipeline that a delta edits, such as 'unet'."""
    from safetensors import safe_open

    with safe_open(delta, framework="pt") as file:
        return {name.partition(".")[0] for name in file.keys()}  # noqa: SIM118


def put_on(pipeline: Any, delta: Path) -> dict[str, Any]:
    """Put edited tensors in place of a pipeline's own, as far as it has the components.

    Returns: the pipeline's own tensors by name, for `take_off`.

    Raises:
        DataError: a tensor that the component does not have, or of another shape.
    """
    from safetensors.torch import load_file

    own: dict[str, Any] = {}
    for name, edited in load_file(delta).items():
        component, _, parameter = name.partition(".")
        module = getattr(pipeline, component, None)
        if module is None:  # the half without this component was loaded
            continue
        held = dict(module.named_parameters()).get(parameter)
        if held is None or held.shape != edited.shape:
            take_off(pipeline, own)
            raise DataError([f"{shown(delta)}: '{name}' does not fit the model's {component}"])
        own[name] = held.data
        held.data = edited.to(held.device, held.dtype)
    return own


def take_off(pipeline: Any, own: dict[str, Any]) -> None:
    """Give a pipeline its own tensors back."""
    for name, tensor in own.items():
        component, _, parameter = name.partition(".")
        dict(getattr(pipeline, component).named_parameters())[parameter].data = tensor
