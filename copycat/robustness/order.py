"""What a matrix is asked for, checked before anything is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from copycat.attacks import ATTACKS, canonical_attack
from copycat.catalog import prompt_set_of, read_character_set, with_lists
from copycat.erasure import ERASERS
from copycat.erasure.settings import CORRECTED
from copycat.errors import UnknownNameError, UserError
from copycat.mitigations import Setting
from copycat.models.resolve import resolve_model
from copycat.names import fold
from copycat.robustness.records import ORIGINAL
from copycat.schema import Character, CharacterSet, Record
from copycat.staging import Job, default_characters

WELL_DRAWN = 0.3
"""Retention is measured on the characters whom the original model draws by name at least so often: the others tell
next to nothing, and drawing them takes as long."""

CHOOSING_SEEDS = 3
"""Pictures of each name by which these are chosen, besides those that are measured on."""


class Order(Record):
    """A matrix as it was typed.

    Attributes:
        base: model, characters, judge, sampling and the like; `seeds` are pictures of each prompt, `out` is where all
            of it goes.
        concepts: ids or names of characters.
        methods: NAME or NAME:PRESET.
        attacks: as after --attack, or the name of one that must be searched for, which is then searched for.
        training_seeds: erasures of each concept by each method, with the seeds 0, 1, ...
        workers: processes at a time.
    """

    base: Job
    concepts: tuple[str, ...]
    methods: tuple[str, ...] = ()
    attacks: tuple[str, ...] = ()
    training_seeds: int = 1
    workers: int = 1


class Settled(NamedTuple):
    """An order with every name resolved; attacks have their full names, the first is none."""

    order: Order
    model: str
    characters: CharacterSet
    concepts: tuple[Character, ...]
    methods: tuple[str, ...]
    attacks: tuple[str, ...]

    def cells(self) -> list[CellName]:
        """List all cells, concept by concept, so that a matrix that is broken off has whole rows of concepts."""
        seeds = range(self.order.training_seeds)
        return [
            CellName(concept.id, method, seed)
            for concept in self.concepts
            for method, seed in [(ORIGINAL, 0), *((method, seed) for method in self.methods for seed in seeds)]
        ]

    def character(self, id_: str) -> Character:
        """Give a concept by its id."""
        return next(concept for concept in self.concepts if concept.id == id_)


class Basis(Record):
    """What figures rest on besides what was typed: cells of another are made anew, never shown beside new ones.

    Attributes:
        source, revision: of the model.
        names: the run of its own weights on all names; its id hashes characters, sampling and the like.
        judge: its name and revision.
        prompts: the hash of all prompts of the anchors.
        methods: every setting of each method.
        searches: the same of each attack that is searched for.
    """

    source: str
    revision: str
    names: str
    judge: str
    prompts: str
    methods: dict[str, dict[str, Any]]
    searches: dict[str, dict[str, Any]]


class CellName(NamedTuple):
    """Which erasure; the method 'none' stands for the original weights."""

    concept: str
    method: str
    seed: int

    @property
    def text(self) -> str:
        """Give the name of its files."""
        if self.method == ORIGINAL:
            return f"original-{self.concept}"
        return f"{self.method.replace(':', '-')}-{self.concept}-s{self.seed}"


def settle(order: Order) -> Settled:
    """Resolve every name of an order.

    Raises:
        UnknownNameError: a concept, a method or an attack that there is not.
        UserError: nothing to erase.
    """
    (model,) = order.base.models
    row = resolve_model(model, order.base.revision)
    characters = read_character_set(order.base.characters or default_characters(row))
    if not order.concepts:
        raise UserError(
            "no concept given\n  needed: --concepts NAME,NAME, characters of the set\n"
            f"  see all: python -m copycat.eval --list characters --characters {characters.id}"
        )
    setting = Setting(characters, with_lists(prompt_set_of(characters), order.base.lists))
    typed = [text for text in order.attacks if text != ORIGINAL]
    return Settled(
        order,
        model,
        characters,
        tuple({who.id: who for who in (_concept(text, characters) for text in order.concepts)}.values()),
        tuple(dict.fromkeys(map(canonical_method, order.methods or ERASERS.names()))),
        (ORIGINAL, *dict.fromkeys(_attack(text, setting) for text in typed)),
    )


def canonical_method(text: str) -> str:
    """Give the name of a method with its preset, without the one that it has anyway.

    Raises:
        UnknownNameError: no such method; whether it has the preset is seen when it is built.
    """
    name, _, preset = text.strip().partition(":")
    known = ERASERS.get(name).name
    return known if preset in ("", CORRECTED) else f"{known}:{preset}"


def is_searched(attack: str) -> bool:
    """Whether an attack of a matrix must be searched for on each erasure."""
    return attack in ATTACKS.names() and ATTACKS.get(attack).is_searched


def asked_of(settled: Settled, cell: CellName, others: tuple[str, ...], basis: Basis) -> dict[str, Any]:
    """Say all that the figures of a cell depend on, as JSON.

    Args:
        others: ids of the characters on whom retention is measured.
    """
    base = settled.order.base
    kept = base.model_dump(mode="json", exclude={"out", "command", "limits", "fresh", "lists", "shard"})
    attacks = attacks_of(settled, cell)
    return {
        **kept,
        **basis.model_dump(mode="json", exclude={"methods", "searches"}),
        "concept": cell.concept,
        "method": cell.method,
        "settings": basis.methods.get(cell.method, {}),
        "seed": cell.seed,
        "attacks": list(attacks),
        "searches": {attack: basis.searches[attack] for attack in attacks if attack in basis.searches},
        "others": list(others),
    }


def attacks_of(settled: Settled, cell: CellName) -> tuple[str, ...]:
    """List the attacks of a cell: what must be searched for is not searched for on the original weights."""
    if cell.method != ORIGINAL:
        return settled.attacks
    return tuple(attack for attack in settled.attacks if not is_searched(attack))


def folder_of(out: Path, kind: str, name: str) -> Path:
    """Give where something of a matrix lies: 'erasures', 'attacks', 'cells' or 'logs'."""
    return out / kind / name


def _concept(text: str, characters: CharacterSet) -> Character:
    for who in characters.characters:
        if text.strip() == who.id or fold(text) == fold(who.name):
            return who
    known = [who.id for who in characters.characters]
    raise UnknownNameError(f"character of '{characters.id}'", text.strip(), known)


def _attack(text: str, setting: Setting) -> str:
    return text if is_searched(text) else canonical_attack(text, setting)
