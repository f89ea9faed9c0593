"""Attacks that were searched for on a model's weights, come back from the folder that `copycat.attack` saved.

attack.json holds what was searched and found, learned.safetensors the embeddings of concept inversion.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from copycat.attacks import ATTACK_FILE, ATTACKS
from copycat.errors import DataError, UserError, first_faults
from copycat.mitigations import Setting
from copycat.names import NameMatcher
from copycat.paths import file_sha256, shown
from copycat.schema import Attack, Character, Erasure, ImageRequest, Record
from copycat.schema.edits import LEARNED

LEARNED_FILE = "learned.safetensors"


class AttackedPrompt(Record):
    """One prompt under attack, with what was drawn from its seed.

    Attributes:
        id: of the prompt; unique with the seed.
        form: of concept arithmetics, such as "arc:O1"; the method's name otherwise.
        text: the prompt. sent: what the mitigation and the attack made of it.
        original, before, after: whether the picture shows the concept: by the original model, by the attacked one
            under the plain prompt, and under the attack; None where it could not be judged.
        prefix: the token ids found; () where none was searched, because the concept was there before.
        decoded: the prefix as text, for people; read again it may be other tokens.
        spells_name: the decoded prefix names the concept.
        loss: mean of the last round. steps: of the optimiser.
        pictures: relative paths of the three pictures by their names here; what is missing could not be drawn.
    """

    id: str
    form: str
    text: str
    sent: str
    seed: int
    original: bool | None
    before: bool | None
    after: bool | None
    prefix: tuple[int, ...] = ()
    decoded: str = ""
    spells_name: bool = False
    loss: float | None = None
    steps: int = 0
    seconds: float = 0.0
    pictures: dict[str, str] = Field(default_factory=dict)


class AttackCard(Record):
    """attack.json: what was attacked with what, and what came of it.

    Attributes:
        model: the name that was typed. source, revision: the exact weights.
        erasure: the edited weights that were attacked; None: the model's own.
        mitigation: acted while pictures were drawn.
        concept: the character's id; `name` as in its prompts.
        learned: the hash of learned.safetensors.
        seconds: of searching and learning, pictures included; resumed parts too.
    """

    schema_version: int = 1
    method: str
    preset: str
    settings: dict[str, Any]
    model: str
    source: str
    revision: str
    erasure: Erasure | None = None
    mitigation: str
    characters: str
    concept: str
    name: str
    judge: str
    judge_revision: str
    prompts: tuple[AttackedPrompt, ...]
    learned: str | None = None
    seconds: float
    device: str
    dtype: str | None
    versions: dict[str, str]

    @property
    def label(self) -> str:
        """What it is called in tables, wherever it lies: method, concept, and some digits of what was found."""
        found = [[row.text, row.seed, row.prefix] for row in self.prompts]
        digest = hashlib.sha256(repr((found, self.learned, self.erasure)).encode()).hexdigest()
        return f"{self.method}:{self.concept}-{digest[:6]}"


def read_attack(folder: Path) -> AttackCard:
    """Read a saved attack, and check that its embeddings are those that it speaks of.

    Raises:
        DataError: no such folder, a broken file, or other embeddings.
    """
    path = folder / ATTACK_FILE
    try:
        card = AttackCard.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            [f"{shown(folder)}: no finished attack there ({ATTACK_FILE} is missing)"],
            "  make one: python -m copycat.attack --method unlearndiffatk --model MODEL --concept NAME --out DIR",
        ) from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise DataError([f"{shown(path)}: {fault}" for fault in first_faults(faults)]) from error
    if card.learned is not None and _sha256(folder / LEARNED_FILE) != card.learned:
        raise DataError(
            [f"{shown(folder / LEARNED_FILE)}: missing, or not the embeddings that {ATTACK_FILE} speaks of"],
            "  search again into a new folder",
        )
    return card


def learned_files(folder: Path) -> dict[str, str]:
    """Give the path of a saved attack's embeddings by their hash, for `ModelRow.files`; nothing where it has none."""
    learned = read_attack(folder).learned
    return {} if learned is None else {learned: str((folder / LEARNED_FILE).resolve())}


class SavedAttack:
    """Puts what a search found into the prompts of its concept's character; all others stay as they are.

    UnlearnDiffAtk: the prefix that was found for this very prompt and seed, else one found for the prompt, else the
    most successful one: among those that succeeded, else among all, the one with the lowest loss. A prompt whose own
    picture showed the concept without a prefix gets none. CCE: LEARNED takes the place of the concept's first mention;
    a prompt without one gets it in front, where nothing cuts it off.

    Args:
        variant: the folder.

    Raises:
        DataError: as `read_attack`.
        UserError: it would attack nobody: its concept is in another set, or it holds compositions.
    """

    def __init__(self, variant: str, setting: Setting) -> None:
        self.card = _read_for(Path(variant), setting)

    @staticmethod
    def canonical(variant: str, setting: Setting) -> str:
        """Give the name that the attack goes by in tables."""
        return _read_for(Path(variant), setting).label

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Attack the request if it is after the concept."""
        if target is None or target.id != self.card.concept:
            return request
        if self.card.learned is not None:
            return with_learned(request, target, self.card.method, self.card.learned)
        return with_prefix(request, self.card.method, chosen_prefix(self.card.prompts, request))


def with_learned(request: ImageRequest, concept: Character, method: str, learned: str) -> ImageRequest:
    """Let learned embeddings stand for the concept in a prompt."""
    attack = Attack(method=method, learned=learned)
    return request.model_copy(update={"attack": attack, "prompt_sent": learned_text(request.prompt_sent, concept)})


def with_prefix(request: ImageRequest, method: str, prefix: tuple[int, ...]) -> ImageRequest:
    """Put token ids in front of a prompt; without any the request stays as it is."""
    if not prefix:
        return request
    return request.model_copy(update={"attack": Attack(method=method, prefix=prefix)})


def learned_text(text: str, concept: Character) -> str:
    """Give a prompt with LEARNED in place of the concept's first mention, or in front."""
    text = text.replace(LEARNED, "")  # whoever wrote that: it must stand there once
    mentions = NameMatcher((concept,)).find(text)
    if not mentions:
        return f"{LEARNED}, {text}" if text.strip() else LEARNED
    first = mentions[0]
    return text[: first.start] + LEARNED + text[first.end :]


def chosen_prefix(rows: tuple[AttackedPrompt, ...], request: ImageRequest) -> tuple[int, ...]:
    """Choose the prefix for a request, as `SavedAttack` says."""
    same = [row for row in rows if row.text == request.prompt]
    if exact := [row for row in same if row.seed == request.seed]:
        return exact[0].prefix
    found = [row for row in same if row.prefix] or [row for row in rows if row.prefix]
    best = min(
        found, key=lambda row: (row.after is not True, float("inf") if row.loss is None else row.loss), default=None
    )
    return () if best is None else best.prefix


def _read_for(folder: Path, setting: Setting) -> AttackCard:
    card = read_attack(folder)
    if not ATTACKS.get(card.method).is_searched:
        best = next((row.form for row in card.prompts if row.after), card.prompts[0].form if card.prompts else "arc")
        raise UserError(
            f"{shown(folder)} holds pictures of '{card.method}', which is not searched for\n  type: --attack {best}"
        )
    if all(character.id != card.concept for character in setting.characters.characters):
        raise UserError(
            f"{shown(folder)} attacks {card.name} of the characters '{card.characters}', and '{setting.characters.id}' "
            f"has nobody of the id '{card.concept}'\n  needed: --characters with the set that it was searched with"
        )
    return card


def _sha256(path: Path) -> str | None:
    try:
        return file_sha256(path)
    except OSError:
        return None
