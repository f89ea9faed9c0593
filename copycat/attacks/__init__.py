"""Attacks: what is done while a picture is drawn to bring an inhibited concept back. This file is the table.

Pure, as mitigations are: an attack is a function from request to request, and the model acts on what it sets
(`schema.Attack`) or refuses. Those that must be searched for on a model's weights are found by `copycat.whitebox`
and come back from the folder that it saved.

To add one: a file here with a class that has `canonical` and `apply`, a row below, a test, a line in docs/attacks.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from copycat.errors import DataError, UserError
from copycat.mitigations import NONE, Mitigation, Setting
from copycat.paths import shown
from copycat.registry import Registry, resolve
from copycat.schema import Character, ImageRequest, Record

SAVED = "copycat.attacks.saved:SavedAttack"
"""Reads a folder, whose path is its variant; `canonical` gives the whole name."""

ATTACK_FILE = "attack.json"
"""What makes a folder one that a search has saved."""

ATTACKED = "attacked:"


class AttackRow(Record):
    """An attack: `variants` are examples of what comes after a colon, the first is the default.

    One that `is_searched` needs gradients; it is found by `copycat.attack` and named by the folder that holds it.
    """

    name: str
    target: str
    summary: str
    variants: tuple[str, ...] = ()
    is_searched: bool = False


class AttackMethod(Protocol):
    """Changes what is sent to the model so that the concept comes back.

    Built as `method(variant, setting)`; `method.canonical(variant, setting)` gives the variant's full form.
    """

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Give the request to send instead; character, anchor, repeat and seed stay as they are.

        Args:
            target: whom to bring back; None where nobody is meant, and then nothing changes.
        """


ATTACKS: Registry[AttackRow] = Registry(
    "attack",
    (
        AttackRow(
            name="arc",
            target="copycat.attacks.arc:ConceptArithmetics",
            summary="concept arithmetics: weighted texts are added to the guided prediction in every step",
            variants=("O1", "O2", "O3", "A1", "A2", "A3", "A4", "A5", "O2,weight=1.5,start=0.2,end=0.8"),
        ),
        AttackRow(
            name="unlearndiffatk",
            target=SAVED,
            summary="tokens put in front of the prompt, searched for each prompt by gradients",
            is_searched=True,
        ),
        AttackRow(
            name="cce",
            target=SAVED,
            summary="concept inversion: token embeddings learned from the concept's pictures stand for its name",
            is_searched=True,
        ),
    ),
    hint="see all: python -m copycat.eval --list attacks",
)


class Attacked:
    """A mitigation, and behind it an attack on what it made of the request: the attacker has the last word."""

    def __init__(self, mitigation: Mitigation, attack: AttackMethod) -> None:
        self.mitigation, self.attack = mitigation, attack

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Mitigate, then attack."""
        return self.attack.apply(self.mitigation.apply(request, target), target)


def canonical_attack(text: str, setting: Setting) -> str:
    """Give the full name of what was typed, such as 'arc:O1' for 'arc'; of a folder the name that it goes by.

    Raises:
        UnknownNameError: no such attack or variant.
        UserError: a wrong form, or an attack that must be searched for first.
        DataError: a folder in which no attack is saved.
    """
    kind, variant, owner = _parts(text)
    full: str = owner.canonical(variant, setting)
    return full if kind is None else f"{kind}:{full}"


def build_attack(text: str, setting: Setting) -> AttackMethod:
    """Build the attack of what was typed: a name such as 'arc:O2,weight=1.5', or a folder.

    Raises:
        UserError: as `canonical_attack`.
    """
    _, variant, owner = _parts(text)
    attack: AttackMethod = owner(variant, setting)
    return attack


def attack_files(texts: Iterable[str]) -> dict[str, str]:
    """Give the paths, by hash, of the files that attacks name in requests; those of `ATTACKS` have none.

    Raises:
        UserError: as `canonical_attack`.
    """
    from copycat.attacks.saved import learned_files

    return {sha256: path for folder in saved_folders(texts) for sha256, path in learned_files(folder).items()}


def saved_folders(texts: Iterable[str]) -> list[Path]:
    """Give those of the attacks typed that lie in a folder.

    Raises:
        UserError: as `canonical_attack`.
    """
    return [Path(variant) for kind, variant, _ in map(_parts, texts) if kind is None]


def attacked_name(mitigation: str, attack: str) -> str:
    """Name a mitigation under an attack: 'rewrite:rules+attacked:arc:O1', or 'attacked:arc:O1' for none."""
    said = f"{ATTACKED}{attack}"
    return said if mitigation == NONE else f"{mitigation}+{said}"


def split_attacked(name: str) -> tuple[str, str | None]:
    """Take the name of `attacked_name` apart into mitigation and attack; the latter is None where there is none."""
    before, found, attack = name.partition(ATTACKED)
    return before.removesuffix("+") or NONE, attack if found else None


def _parts(text: str) -> tuple[str | None, str, Any]:  # Any: the class behind a row
    """Give name, variant and class; of a folder no name, and its path as the variant."""
    text = text.strip()
    if "/" in text or text in (".", ".."):
        folder = Path(text).expanduser()
        if not (folder / ATTACK_FILE).is_file():
            raise DataError(
                [f"{shown(folder)}: no saved attack there ({ATTACK_FILE} is missing)"],
                "  search for one: python -m copycat.attack --method METHOD --model MODEL --concept NAME --out DIR",
            )
        return None, str(folder), resolve(SAVED, "saved attacks")
    name, _, variant = text.partition(":")
    if name not in ATTACKS.names() and (Path(text) / ATTACK_FILE).is_file():
        raise UserError(f"'{text}' is a folder, and no attack of that name\n  type: --attack ./{text}")
    row = ATTACKS.get(name)
    if row.is_searched:
        raise UserError(
            f"attack '{name}' must be searched for on the model's weights first\n"
            f"  type: python -m copycat.attack --method {name} --model MODEL --concept NAME --out DIR, "
            "then --attack ./DIR"
        )
    return name, variant or row.variants[0], resolve(row.target, f"attack '{name}'")
