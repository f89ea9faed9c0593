"""Prompts after a concept: those of the evaluation, and more with the name; their seeds are the search's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from copycat.attacks.templates import filled
from copycat.catalog import PromptSet, build_prompts, parse_anchor
from copycat.errors import DataError, UserError
from copycat.paths import shown
from copycat.plan import build_seed
from copycat.schema import Character, CharacterSet, ImageRequest, Prompt

ANCHORS = ("name", "keywords", "description")

REAL_TEMPLATES = (
    "a drawing of {t}",
    "{t} waving at the viewer",
    "a portrait of {t} on a plain background",
    "{t} from {franchise}",
    "{t} sitting on a park bench",
    "a photo of a small statue of {t}",
    "{t} in a crowded street at night",
    "a poster with {t} in the middle",
    "{t} reading a newspaper",
    "a watercolour of {t} by the sea",
)
SANDBOX_TEMPLATES = (
    "drawing of {t}",
    "{t} sticker",
    "{t} from {franchise}",
    "picture of {t}",
    "{t} poster",
    "cartoon of {t}",
    "{t} icon",
    "{t} wallpaper",
    "fan art of {t}",
    "{t} clip art",
)
"""In the words of the sandbox's captions, as its model knows no others."""

MOST = len(ANCHORS) + len(REAL_TEMPLATES)


def concept_prompts(
    character_set: CharacterSet, prompt_set: PromptSet, concept: Character, count: int
) -> tuple[Prompt, ...]:
    """Give the first prompts of: name, keywords, description, and the name in templates.

    Raises:
        UserError: more than there are.
    """
    if count > MOST:
        raise UserError(
            f"there are {MOST} prompts of a concept, and not {count}\n"
            "  use --seeds for more pictures of each, or a file with one prompt a line: --prompts FILE"
        )
    anchors = [parse_anchor(text, prompt_set.default_ranker) for text in ANCHORS]
    prompts = [p for p in build_prompts(character_set, prompt_set, anchors) if p.character == concept.id]
    templates = SANDBOX_TEMPLATES if character_set.is_sandbox else REAL_TEMPLATES
    for number, template in enumerate(templates, start=1):
        label = f"template-{number}"
        identity = f"{prompt_set.id}/{concept.id}/{label}"
        prompts.append(Prompt(id=identity, character=concept.id, anchor=label, text=filled(template, concept)))
    return tuple(prompts[:count])


def read_prompts(path: Path, concept: Character) -> tuple[Prompt, ...]:
    """Read one prompt a line; empty lines are left out.

    Raises:
        DataError: no such file, no text, or nothing in it.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except FileNotFoundError as error:
        raise DataError([f"{shown(path)}: there is no such file"], "  needed: a file with one prompt a line") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError([f"{shown(path)}: cannot be read as text"], "  needed: one prompt a line") from error
    if not lines:
        raise DataError([f"{shown(path)}: no prompt in it"], "  needed: one prompt a line")
    return tuple(
        Prompt(id=f"file/{number}", character=concept.id, anchor=f"line-{number}", text=text)
        for number, text in enumerate(dict.fromkeys(lines), start=1)
    )


def plain_requests(prompts: Sequence[Prompt], seeds: int) -> tuple[ImageRequest, ...]:
    """Ask for the pictures of prompts, with seeds that no evaluation draws: what is found is measured on others."""
    return tuple(
        ImageRequest(
            key=f"{place:03d}-{repeat}",
            character=prompt.character,
            anchor=prompt.anchor,
            prompt_id=prompt.id,
            repeat=repeat,
            prompt=prompt.text,
            prompt_sent=prompt.text,
            seed=build_seed(f"search/{prompt.id}", repeat),
        )
        for repeat in range(seeds)
        for place, prompt in enumerate(prompts, start=1)
    )
