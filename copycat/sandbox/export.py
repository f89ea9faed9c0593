"""The sandbox's registry entry and prompts, made from the world: `python -m copycat.sandbox export`."""

from __future__ import annotations

from pathlib import Path

import yaml

from copycat.catalog import freeze_prompt_set
from copycat.sandbox.captions import describe
from copycat.sandbox.corpus import LICENCE, build_rows, cooccurrence_keywords
from copycat.sandbox.world import Inhabitant, inhabitants
from copycat.schema import Character, CharacterSet, FirstAppearance, LegalNote

RANKER = "cooccurrence"
YEAR = 2026
SOURCED = (
    "name",
    "franchise",
    "rights_holder",
    "first_appearance",
    "key_characteristic",
    "description",
    "legal_status",
)
OWN = "invented for this project; copycat/sandbox/world.py"


def build_character_set() -> CharacterSet:
    """Describe the inhabitants as a character set. The key characteristic is the species."""
    return CharacterSet(
        id="sandbox",
        title="The sandbox: 50 invented characters",
        about="Invented for this project and drawn by code; made by 'python -m copycat.sandbox export', not by hand.",
        sources={"brand_words": (OWN,)},
        licences=dict.fromkeys((*SOURCED, "brand_words"), LICENCE),
        characters=tuple(_character(who) for who in inhabitants()),
    )


def write_character_set(path: Path) -> None:
    """Write characters/sandbox.yaml."""
    content = build_character_set().model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    path.write_text(text, encoding="utf-8")


def write_prompts(folder: Path, date: str) -> None:
    """Freeze the prompt set; the keywords come from the co-occurrence of name and word in the captions."""
    freeze_prompt_set(
        build_character_set(),
        folder,
        {RANKER: cooccurrence_keywords(build_rows())},
        how={
            "name.jsonl": "the character's name",
            "description.jsonl": "the description of the character file",
            f"keywords-{RANKER}.jsonl": "words of the sandbox's keyword pool, ranked by the number of its training "
            "captions that hold both name and word",
        },
        by="python -m copycat.sandbox export",
        date=date,
        default_ranker=RANKER,
        licence=LICENCE,
    )


def _character(who: Inhabitant) -> Character:
    return Character(
        id=who.id,
        name=who.name,
        franchise=who.franchise,
        rights_holder="nobody: invented, released under Apache-2.0 with this project",
        first_appearance=FirstAppearance(title="copycat sandbox", year=YEAR),
        key_characteristic=who.appearance.species,
        description=describe(who.appearance),
        brand_words=(who.franchise,),
        legal_status=(LegalNote(version="the only one", jurisdiction="worldwide", status="invented", from_year=YEAR),),
        sources=dict.fromkeys(SOURCED, (OWN,)),
    )
