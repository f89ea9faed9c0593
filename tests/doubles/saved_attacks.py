"""Attacks as a search would have saved them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from copycat.attacks.saved import AttackCard, AttackedPrompt


def found(text: str, seed: int = 1, prefix: tuple[int, ...] = (5,), **more: Any) -> AttackedPrompt:
    given = {"original": True, "before": False, "after": True, "loss": 0.5} | more
    return AttackedPrompt(id=text, form="unlearndiffatk", text=text, sent=text, seed=seed, prefix=prefix, **given)


def save(folder: Path, *prompts: AttackedPrompt, **changes: Any) -> Path:
    card = AttackCard.model_validate(
        {
            "method": "unlearndiffatk",
            "preset": "published",
            "settings": {},
            "model": "tiny",
            "source": "folder:tiny",
            "revision": "0" * 40,
            "mitigation": "none",
            "characters": "my-set",
            "concept": "goofy",
            "name": "Goofy",
            "judge": "fake-judge",
            "judge_revision": "1" * 40,
            "prompts": prompts,
            "seconds": 1.0,
            "device": "cpu",
            "dtype": "float32",
            "versions": {},
            **changes,
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "attack.json").write_text(card.model_dump_json(), encoding="utf-8")
    return folder
