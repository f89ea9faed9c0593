"""Prompt set and anchors -> prompts, in a fixed order and with fixed ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from copycat.catalog.anchors import ANCHORS_HINT, LISTS_HINT, Anchor
from copycat.catalog.hashing import canonical_sha256
from copycat.catalog.prompt_sets import PromptSet, prompt_set_of
from copycat.errors import DataError, UnknownNameError, UserError
from copycat.schema import CharacterSet, Prompt

LISTED_K = (3, 5, 10, 20)
"""The numbers of keywords of CopyCat (arXiv:2406.14526, Figure 3); an anchor may ask for any other."""

SHOWN_SHORT = 5
"""So many characters with too few keywords are named."""


def build_prompts(character_set: CharacterSet, prompt_set: PromptSet, anchors: Sequence[Anchor]) -> tuple[Prompt, ...]:
    """Build one prompt for each anchor and, within it, each character in the order of the set.

    The text of a keyword anchor is its first k keywords, joined by ", ".

    Raises:
        UnknownNameError: an anchor's ranker has no keywords in this prompt set.
        UserError: an anchor is given twice.
        DataError: characters with fewer than k keywords; the text says how many each has.
    """
    labels = [anchor.label for anchor in anchors]
    for position, label in enumerate(labels):
        if label in labels[:position]:
            raise UserError(f"anchor '{label}' is given twice\n  needed: each anchor once")
    return tuple(
        Prompt(id=f"{prompt_set.id}/{character}/{anchor.label}", character=character, anchor=anchor.label, text=text)
        for anchor in anchors
        for character, text in _texts(character_set, prompt_set, anchor).items()
    )


def prompts_sha256(prompts: Iterable[Prompt]) -> str:
    """Give the sha256 of prompts in their order."""
    return canonical_sha256([prompt.model_dump(mode="json") for prompt in prompts])


def list_anchors(character_set: CharacterSet) -> tuple[str, ...]:
    """Give the labels of the anchors that every character of the set has."""
    prompt_set = prompt_set_of(character_set)
    labels = ["name", "description"]
    for ranker, lists in sorted(prompt_set.keywords.items()):
        available = min(len(keywords) for keywords in lists.values())
        labels += [Anchor(kind="keywords", ranker=ranker, k=k).label for k in LISTED_K if k <= available]
    return tuple(labels)


def _texts(character_set: CharacterSet, prompt_set: PromptSet, anchor: Anchor) -> dict[str, str]:
    ids = [character.id for character in character_set.characters]
    if anchor.kind == "name":
        return {i: prompt_set.names[i] for i in ids}
    if anchor.kind == "description":
        return _descriptions(prompt_set, anchor, ids)
    ranker, k = anchor.ranker or "", anchor.k or 0
    if ranker not in prompt_set.keywords:
        known = [f"keywords:{name}-{k}" for name in prompt_set.keywords]
        hint = f"{ANCHORS_HINT}\n  {LISTS_HINT}"
        raise UnknownNameError("anchor", anchor.label, ["name", "description", *known], hint)
    lists = prompt_set.keywords[ranker]
    short = [f"character '{i}' has {len(lists[i])} keywords of ranker '{ranker}'" for i in ids if len(lists[i]) < k]
    if short:
        fewest = min(len(lists[i]) for i in ids)
        enough = f"  the most that every character has: 'keywords:{ranker}-{fewest}'"
        fix = enough if fewest else _needed(f"{k} keyword{'s' if k > 1 else ''}")
        more = [f"and {len(short) - SHOWN_SHORT} characters more"] if len(short) > SHOWN_SHORT else []
        faults = [f"{text}, but anchor '{anchor.label}' needs {k}" for text in short[:SHOWN_SHORT]]
        raise DataError([*faults, *more], fix)
    return {i: ", ".join(lists[i][:k]) for i in ids}


def _descriptions(prompt_set: PromptSet, anchor: Anchor, ids: Sequence[str]) -> dict[str, str]:
    if anchor.ranker is None:
        return {i: prompt_set.descriptions[i] for i in ids}
    if anchor.ranker not in prompt_set.described:
        known = ["description", *(f"description:{name}" for name in prompt_set.described)]
        raise UnknownNameError("anchor", anchor.label, known, f"{ANCHORS_HINT}\n  {LISTS_HINT}")
    ranked = prompt_set.described[anchor.ranker]
    if lacking := [f"character '{i}' has no description in list '{anchor.ranker}'" for i in ids if not ranked.get(i)]:
        more = [f"and {len(lacking) - SHOWN_SHORT} characters more"] if len(lacking) > SHOWN_SHORT else []
        raise DataError([*lacking[:SHOWN_SHORT], *more], _needed("a description"))
    return {i: ranked[i][0] for i in ids}


def _needed(what: str) -> str:
    return f"  needed: {what} for every character; or --characters FILE, with a file of those that the list covers"
