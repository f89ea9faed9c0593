"""What a mitigation steers away from, as people type it: 'name,embedding-5,laion-5'.

A term is `name`, `copyright` (the words "copyrighted character"), `universal` (a fixed list that needs no
knowledge of the target), `keywords` (the set's default list) or a list of the prompt set, `RANKER` or `RANKER-K`.
`best` stands for the composition that did best in CopyCat (arXiv 2406.14526), Table 1: the name, five keywords
ranked by the text encoder and five ranked by co-occurrence, as far as the set has such lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from copycat.catalog import PromptSet
from copycat.catalog.anchors import LISTS_HINT
from copycat.errors import UnknownNameError, UnsupportedError, UserError
from copycat.names import fold
from copycat.schema import Character, Slug

KEYWORDS = 5
"""How many keywords of a list are taken where a term does not say (CopyCat Table 1 uses five per ranker)."""

COPYRIGHT = "copyrighted character"

UNIVERSAL = (
    COPYRIGHT,
    "famous cartoon character",
    "well-known mascot",
    "superhero costume",
    "video game hero",
    "anime hero",
    "film still",
    "franchise merchandise",
    "trademark",
    "logo",
    "fan art",
)
"""Words for what protected characters have in common; no model was looked at when they were chosen."""

BY_EMBEDDING = ("embedding",)
BY_COOCCURRENCE = ("laion", "cooccurrence")
"""Names of lists, the first that a set has is taken for `best`."""

TERMS_HINT = "see all: python -m copycat.eval --list mitigations"

_LIST = re.compile(r"(?P<ranker>[a-z][a-z0-9]*(?:-[a-z0-9]+)*?)(?:-(?P<k>[0-9]+))?")


def canonical_terms(text: str, prompt_set: PromptSet) -> str:
    """Give the full form: 'best' -> 'name,embedding-5,cooccurrence-5', 'name, keywords' -> 'name,authored-5'.

    Raises:
        UnknownNameError: a term that is neither a word of ours nor a list of this set.
        UserError: a term is empty or given twice.
        UnsupportedError: keywords are asked for, and the set has none.
    """
    terms: list[str] = []
    for part in text.split(","):
        terms += _full_terms(part.strip(), text, prompt_set)
    if repeated := next((term for place, term in enumerate(terms) if term in terms[:place]), None):
        raise UserError(f"'{text}' has the term '{repeated}' twice\n  needed: each term once")
    return ",".join(terms)


class Terms:
    """The words of canonical terms for each character.

    Args:
        text: what `canonical_terms` gave.
        owner: the mitigation they belong to, for messages.

    Raises:
        UnsupportedError: a character of the set has fewer keywords than a term asks for.
    """

    def __init__(self, text: str, prompt_set: PromptSet, owner: str) -> None:
        self.terms = text.split(",")
        self.lists = {term: _keywords(term, prompt_set, owner) for term in self.terms if _is_list(term)}

    def words(self, target: Character | None) -> tuple[str, ...]:
        """List the words in the order of the terms, each once; without a target only those that need none."""
        found: dict[str, str] = {}
        for term in self.terms:
            for word in self._of(term, target):
                found.setdefault(fold(word), word)
        return tuple(found.values())

    def _of(self, term: str, target: Character | None) -> Sequence[str]:
        if term == "copyright":
            return (COPYRIGHT,)
        if term == "universal":
            return UNIVERSAL
        if target is None:
            return ()
        return (target.name,) if term == "name" else self.lists[term][target.id]


def _is_list(term: str) -> bool:
    return term not in ("name", "copyright", "universal")


def _full_terms(term: str, whole: str, prompt_set: PromptSet) -> list[str]:
    if not term:
        raise UserError(f"'{whole}' has an empty term\n  needed: terms joined by ',', such as name,keywords")
    if not _is_list(term):
        return [term]
    if term == "best":
        return ["name", *(f"{ranker}-{KEYWORDS}" for ranker in _best_lists(prompt_set))]
    match = _LIST.fullmatch(term)
    ranker, k = (match["ranker"], int(match["k"] or KEYWORDS)) if match else (term, KEYWORDS)
    if ranker == "keywords":
        if prompt_set.default_ranker is None:
            raise UnsupportedError(
                f"'{whole}' needs keywords, and character set '{prompt_set.id}' has none\n"
                "  give each character a list 'keywords', or use: name"
            )
        ranker = prompt_set.default_ranker
    if ranker not in prompt_set.keywords or k < 1:
        known = [
            "name",
            "copyright",
            "universal",
            "best",
            "keywords",
            *(f"{r}-{KEYWORDS}" for r in prompt_set.keywords),
        ]
        raise UnknownNameError("term", term, known, f"{TERMS_HINT}\n  {LISTS_HINT}")
    return [f"{ranker}-{k}"]


def _best_lists(prompt_set: PromptSet) -> list[str]:
    chosen = [
        next((ranker for ranker in kind if ranker in prompt_set.keywords), None)
        for kind in (BY_EMBEDDING, BY_COOCCURRENCE)
    ]
    there = [ranker for ranker in chosen if ranker is not None]
    return there or ([prompt_set.default_ranker] if prompt_set.default_ranker else [])


def _keywords(term: str, prompt_set: PromptSet, owner: str) -> Mapping[Slug, Sequence[str]]:
    ranker, _, number = term.rpartition("-")
    k, lists = int(number), prompt_set.keywords[ranker]
    short = [character for character in prompt_set.names if len(lists.get(character, ())) < k]
    if short:
        raise UnsupportedError(
            f"mitigation '{owner}' needs {k} keywords of list '{ranker}' for each character, and "
            f"character '{short[0]}' of set '{prompt_set.id}' has {len(lists.get(short[0], ()))}\n"
            f"  {len(short)} of {len(prompt_set.names)} have too few; ask for fewer, or use another list, or: name"
        )
    return {character: words[:k] for character, words in lists.items()}
