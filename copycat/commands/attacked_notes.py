"""What tables on saved attacks leave unsaid: what they do to their character, and on which weights it is a transfer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from copycat.attacks import saved_folders, split_attacked
from copycat.attacks.saved import AttackCard, read_attack
from copycat.eval import Outcome
from copycat.models.erased import PREFIX
from copycat.schema import Erasure


def notes_on_saved(attacks: Sequence[str], outcomes: Sequence[Outcome]) -> list[str]:
    """Say of each saved attack how often its character is drawn without and under it, and where it is a transfer.

    Args:
        attacks: as typed after --attack.
        outcomes: attacked ones and those that they are compared with, as `evaluate` gives them.
    """
    return [
        note
        for card in map(read_attack, saved_folders(attacks))
        for note in _notes(card, [one for one in outcomes if not one.is_benign])
    ]


def _notes(card: AttackCard, outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield f"{card.label} attacks {card.name} alone, and was searched on {_searched_on(card)}:"
    for one in outcomes:
        mitigation, attack = split_attacked(one.result.mitigation)
        if attack != card.label:
            continue
        where = one.result.model, mitigation
        before = next((run for run in outcomes if (run.result.model, run.result.mitigation) == where), None)
        told = "" if before is None else f", on {_count(card, before)} without it"
        transfer = "" if _is_searched_on(card, one, mitigation) else "; a transfer"
        yield f"  {mitigation}: {card.name} is on {_count(card, one)} pictures under it{told}{transfer}"


def _count(card: AttackCard, run: Outcome) -> str:
    answers = [row.is_detected for row in run.rows.rows if row.sample.character == card.concept and row.is_answered]
    return f"{sum(answers)} of {len(answers)}"


def _is_searched_on(card: AttackCard, run: Outcome, mitigation: str) -> bool:
    erasure = next((row.sample.erasure for row in run.rows.rows if row.sample.erasure is not None), None)
    if mitigation.startswith(PREFIX):
        _, _, mitigation = mitigation.partition("+")
    return _sha256(erasure) == _sha256(card.erasure) and (mitigation or "none") == card.mitigation


def _searched_on(card: AttackCard) -> str:
    """Name what was attacked, as far as the card knows it."""
    weights = "the model's own weights"
    if card.erasure is not None:
        weights = f"weights from which {card.erasure.method} erased {', '.join(card.erasure.concepts)}"
    return weights if card.mitigation == "none" else f"{weights} under {card.mitigation}"


def _sha256(erasure: Erasure | None) -> str | None:
    return None if erasure is None else erasure.sha256
