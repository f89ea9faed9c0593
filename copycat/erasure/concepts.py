"""What was typed after --concept -> concepts: characters by id or name, or any words."""

from __future__ import annotations

from copycat.erasure.eraser import Concept
from copycat.errors import UserError, near_names
from copycat.live import LivePipeline
from copycat.names import fold
from copycat.schema import Character, CharacterSet


def parse_concepts(text: str, anchor: str | None, characters: CharacterSet | None) -> tuple[Concept, ...]:
    """Find the concepts of a comma list.

    A character's id or name stands for its name, and its key characteristic is the anchor unless one is given.

    Args:
        anchor: one for all concepts, or a comma list with one for each.

    Raises:
        UserError: no concept, one twice, or another number of anchors.
    """
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise UserError("--concept names nothing\n  needed: a character's name, or words, such as --concept Zoravi")
    found = tuple(_concept(name, to, characters) for name, to in zip(names, _anchors(anchor, len(names)), strict=True))
    if len({fold(concept.name) for concept in found}) < len(found):
        raise UserError(f"--concept '{text}' names one concept twice\n  needed: each once")
    return found


def other_names(concepts: tuple[Concept, ...], characters: CharacterSet | None) -> tuple[str, ...]:
    """Give the names of all characters of a set that are not erased."""
    erased = {fold(concept.name) for concept in concepts}
    return tuple(c.name for c in (characters.characters if characters else ()) if fold(c.name) not in erased)


def notes_of_strangers(concepts: tuple[Concept, ...], characters: CharacterSet) -> list[str]:
    """Say of each concept that is no character of the set that it is, perhaps misspelt, erased as words."""
    known = {fold(who.name) for who in characters.characters}
    return [_note(concept.name, characters) for concept in concepts if fold(concept.name) not in known]


def _note(text: str, characters: CharacterSet) -> str:
    words = {fold(word): who.name for who in characters.characters for word in (*who.aliases, who.id, who.name)}
    near = near_names(fold(text), words)
    hint = f"; did you mean '{words[near[0]]}'?" if near else ""
    return f"note: '{text}' is no character of '{characters.id}' and is erased as words{hint}"


def check_concepts(live: LivePipeline, concepts: tuple[Concept, ...]) -> None:
    """Refuse a concept, or an anchor of one, that the text encoders cannot read.

    Raises:
        UserError: it has no tokens, or more than fit.
    """
    for concept in concepts:
        check_text(live, "concept", concept.name)
        if concept.anchor is not None:
            check_text(live, "anchor", concept.anchor)


def check_text(live: LivePipeline, what: str, text: str) -> None:
    """Refuse a text that the text encoders cannot read, in a message that calls it `what`.

    Raises:
        UserError: it has no tokens, or more than fit.
    """
    if not all(live.token_ids(text)):
        raise UserError(
            f"the {what} '{text}' has no tokens: the text encoder of '{live.name}' would read nothing\n"
            "  needed: words that its tokenizer knows"
        )
    try:
        live.rows(text)
    except UserError as error:
        raise UserError(f"the {what} '{text[:60]}...' is too long\n  {error}") from error


def _anchors(text: str | None, count: int) -> list[str | None]:
    given: list[str | None] = [part.strip() for part in (text or "").split(",") if part.strip()]
    if len(given) not in {0, 1, count}:
        raise UserError(f"{len(given)} anchors for {count} concepts\n  needed: one for all, or one for each")
    return given if len(given) == count else given * count if given else [None] * count


def _concept(text: str, anchor: str | None, characters: CharacterSet | None) -> Concept:
    found = _character(text, characters)
    if found is None:
        return Concept(name=text, anchor=anchor)
    return Concept(name=found.name, anchor=anchor or found.key_characteristic)


def _character(text: str, characters: CharacterSet | None) -> Character | None:
    everyone = characters.characters if characters else ()
    return next((c for c in everyone if text == c.id or fold(text) == fold(c.name)), None)
