"""Prompts in pairs: what an anchor is asked for with, and the same words around the concept. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from copycat.erasure.eraser import Concept, NoAnchorError
from copycat.errors import UnsupportedError, UserError

SLOT = "{}"
"""Where the anchor, or the concept, stands in a template."""

TEMPLATES: tuple[str, ...] = (
    "{}",
    "{}",
    "{}",
    "drawing of {}",
    "picture of {}",
    "cartoon of {}",
    "{} sticker",
    "{} wallpaper",
    "poster of {}",
    "{} icon",
    "a photograph of {}",
    "{} standing outdoors",
    "{} seen from up close",
    "{} in the middle of the picture",
    "a detailed illustration of {}",
    "{} on a plain background",
)
"""Our own. The bare word comes more often, because prompts mostly are the bare name."""


class PromptPair(NamedTuple):
    """One anchor prompt, and the prompt of the concept that is to be drawn like it."""

    anchor: str
    concept: str


def prompt_pairs(
    concepts: Sequence[Concept], templates: Sequence[str], anchors: Sequence[str] = ()
) -> tuple[PromptPair, ...]:
    """Write the pairs of all concepts, template by template: c and c* of DoCo.

    Args:
        templates: each has one `SLOT`.
        anchors: a list of words in place of each concept's own anchor; templates take them in turn.

    Raises:
        UnsupportedError: a concept has no anchor, or is its own.
        UserError: no template, or one without its slot.
    """
    if not templates or any(template.count(SLOT) != 1 for template in templates):
        raise UserError(f"templates must be a list of texts with one '{SLOT}' each, got {list(templates)}")
    words_of = {concept.name: _words(concept, anchors) for concept in concepts}
    return tuple(
        PromptPair(template.replace(SLOT, words[place % len(words)]), template.replace(SLOT, name))
        for place, template in enumerate(templates)
        for name, words in words_of.items()
    )


def _words(concept: Concept, anchors: Sequence[str]) -> tuple[str, ...]:
    words = tuple(anchors) or ((concept.anchor,) if concept.anchor else ())
    if not words:
        raise NoAnchorError(
            f"doco draws a concept as something else, and nobody said as what: '{concept.name}' has no anchor\n"
            "  say it: --anchor 'cat'"
        )
    if any(word.strip().casefold() == concept.name.strip().casefold() for word in words):
        raise UnsupportedError(f"'{concept.name}' cannot be its own anchor\n  say another: --anchor 'cat'")
    return words
