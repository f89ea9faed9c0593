"""Attacks: what is done while a picture is drawn to bring an inhibited concept back. This file is the table.

Pure, as mitigations are: an attack is a function from request to request, and the model acts on what it sets
(`schema.Attack`) or refuses. Those that must be searched for on a model's weights are found by `copycat.whitebox`
and come back from the folder that it saved.
"""

from __future__ import annotations

from typing import Protocol

from copycat.registry import Registry
from copycat.schema import Character, ImageRequest, Record


class AttackRow(Record):
    """An attack: `variants` come after a colon, the first is the default; one that `is_searched` needs gradients."""

    name: str
    target: str
    summary: str
    variants: tuple[str, ...] = ()
    is_searched: bool = False


class AttackMethod(Protocol):
    """Changes what is sent to the model so that the concept comes back."""

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Give the request to send instead; character, anchor, repeat and seed stay as they are.

        Args:
            target: whom to bring back; None where nobody is meant, and then nothing changes.
        """


ATTACKS: Registry[AttackRow] = Registry("attack", (), hint="see all: python -m copycat.eval --list attacks")
