"""Mitigations: pure functions on requests. This file is the table of names.

To add one: a file here with a class that has `apply`, a row below, a test, a line in docs.
"""

from __future__ import annotations

from typing import Protocol

from copycat.catalog import PromptSet
from copycat.errors import UserError
from copycat.registry import Registry
from copycat.schema import Character, ImageRequest, Record

NONE = "none"


class MitigationRow(Record):
    """A mitigation: `variants` come after a colon, the first is the default."""

    name: str
    target: str
    summary: str
    variants: tuple[str, ...] = ()


class Mitigation(Protocol):
    """Changes what is sent to the model; never touches the model."""

    def apply(self, request: ImageRequest, character: Character) -> ImageRequest:
        """Give the request to send instead; character, anchor, repeat and seed stay as they are."""


MITIGATIONS: Registry[MitigationRow] = Registry(
    "mitigation",
    (
        MitigationRow(name=NONE, target="copycat.mitigations.none:NoMitigation", summary="the prompt as it is"),
        MitigationRow(
            name="negprompt",
            target="copycat.mitigations.negprompt:NegativePrompt",
            summary="classifier-free guidance away from the character (CopyCat, Table 1)",
            variants=("name", "copyright", "keywords", "name-and-keywords"),
        ),
    ),
    hint="see all: python -m copycat.eval --list mitigations",
)


class _Composition:
    """Mitigations one after the other."""

    def __init__(self, parts: tuple[Mitigation, ...]) -> None:
        self.parts = parts

    def apply(self, request: ImageRequest, character: Character) -> ImageRequest:
        for part in self.parts:
            request = part.apply(request, character)
        return request


def canonical_mitigation(text: str) -> str:
    """Give the full name of what was typed: 'negprompt' -> 'negprompt:name', 'none+negprompt' likewise.

    Raises:
        UnknownNameError: no such mitigation or variant.
        UserError: nothing between two '+'.
    """
    parts = [_canonical_part(part.strip(), text) for part in text.split("+")]
    return "+".join([part for part in parts if part != NONE] or [NONE])


def build_mitigation(name: str, prompt_set: PromptSet) -> Mitigation:
    """Build the mitigation of a full name such as 'negprompt:copyright+negprompt:keywords'."""
    parts = []
    for part in canonical_mitigation(name).split("+"):
        kind, _, variant = part.partition(":")
        parts.append(MITIGATIONS.load(kind)(variant, prompt_set))
    return parts[0] if len(parts) == 1 else _Composition(tuple(parts))


def _canonical_part(part: str, whole: str) -> str:
    if not part:
        raise UserError(f"mitigation '{whole}' has an empty part\n  needed: NAME or NAME:VARIANT, joined by '+'")
    kind, _, variant = part.partition(":")
    row = MITIGATIONS.get(kind)
    if not row.variants:
        if variant:
            raise UserError(f"mitigation '{kind}' takes no variant, got '{variant}'\n  type: {kind}")
        return kind
    known: Registry[MitigationRow] = Registry(
        f"variant of mitigation '{kind}':",
        (MitigationRow(name=v, target=row.target, summary="") for v in row.variants),
        MITIGATIONS.hint,
    )
    return f"{kind}:{known.get(variant or row.variants[0]).name}"
