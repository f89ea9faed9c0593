"""Read a judge's answer strictly: the one answer that it clearly gives, or none at all. Never a guess."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from copycat.names import NameMatcher, fold
from copycat.schema import Character, CharacterSet

MAX_NAMES, MAX_NAME_LENGTH, MAX_WORDS = 20, 100, 10
MAX_TEXT = 20_000
NOBODY = frozenset(
    [
        "none",
        "nobody",
        "no one",
        "no character",
        "no characters",
        "unknown",
        "n a",
        "na",
        "null",
        "name",
        "character",
        "nothing",
        "no",
        "yes",
        "true",
        "false",
    ]
)
"""Folded words that stand where a name should, and are none."""

MIN_YES_NO = 0.05
"""With less probability on yes and no together, the model is saying something else."""


class UnreadableError(ValueError):
    """There is no clear answer in the text; it says why."""


class OpenAnswer(NamedTuple):
    """Whom the judge names, in its own spelling; empty if it says that there is nobody."""

    names: tuple[str, ...]


def read_open(text: str) -> OpenAnswer:
    """Read the answer to the open question: a JSON object {"characters": [names]}.

    Raises:
        UnreadableError: anything else.
    """
    value = _value_of(text, "characters")
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UnreadableError('"characters" is no list of names')
    if len(names) > MAX_NAMES:
        raise UnreadableError(f"{len(names)} names; at most {MAX_NAMES} can be meant")
    return OpenAnswer(tuple(_name(name) for name in names))


def read_closed(text: str) -> bool:
    """Read the answer to the closed question: a JSON object {"shown": true} or {"shown": false}.

    Raises:
        UnreadableError: anything else.
    """
    value = _value_of(text, "shown")
    if not isinstance(value, bool):
        raise UnreadableError('"shown" is neither true nor false')
    return value


def match_names(names: Iterable[str], characters: CharacterSet) -> tuple[str, ...]:
    """Give the ids of the characters of a set that the names mean, each once, in their order.

    Each name is taken apart first: what stands in brackets goes, and what follows a comma, a colon, a dash or
    "from"; a slash, "aka", "and" and "&" join several names. A part means a character if it holds one of its names or
    aliases (`copycat.names`) and otherwise only words that explain it: articles, titles, words of its franchise, its
    brands and its other names. "Mario (Super Mario Bros.)", "Disney's Elsa" and "Mario and Luigi" are what they say;
    "She-Hulk" is not Hulk, "Woody Woodpecker" is not Woody, and "not Mario", "Mario-like plumber" and "a character
    similar to Mario" are nobody.
    """
    matcher = NameMatcher(characters.characters)
    explaining = {character.id: HARMLESS | _own_words(character) for character in characters.characters}
    found = []
    for name in names:
        for part in _parts(name):
            mentions = matcher.find(part)
            named = {word for mention in mentions for word in fold(part[mention.start : mention.end]).split()}
            left = set(fold(part).split()) - named
            found += [m.character_id for m in mentions if left <= explaining[m.character_id]]
    return tuple(dict.fromkeys(found))


def yes_probability(p_yes: float, p_no: float) -> float | None:
    """Give P(Yes) among yes and no; None where the model would rather say something else.

    VQAScore (arXiv:2404.01291, section 3) is the plain probability of "Yes". What other words take from it depends on
    the model and not on the picture, so it is taken out here; the figure is called CONS, and is not VQAScore.

    Args:
        p_yes, p_no: probabilities of the next token, each summed over the spellings of the word.
    """
    both = p_yes + p_no
    return min(1.0, max(0.0, p_yes / both)) if both >= MIN_YES_NO else None


def from_top_logprobs(tokens: Sequence[tuple[str, float]]) -> float | None:
    """Give P(Yes) from the likeliest first tokens of an API's answer, with their log-probabilities."""
    p_yes, p_no = (
        sum(math.exp(logprob) for token, logprob in tokens if fold(token) == word and math.isfinite(logprob))
        for word in ("yes", "no")
    )
    return yes_probability(p_yes, p_no)


# ------------------------------------------------------------------------------------ the object in the text


_FENCE = re.compile(r"\A```(?:json)?\s*\n(.*?)\n?```\Z", re.DOTALL | re.IGNORECASE)


def _value_of(text: str, key: str) -> Any:
    """Give what stands under the one key of the one object in a text."""
    if len(text) > MAX_TEXT:
        raise UnreadableError(f"{len(text)} letters; an answer is short")
    stripped = text.strip().removeprefix("\ufeff").strip()
    if fenced := _FENCE.match(stripped):
        stripped = fenced[1].strip()
    if not stripped:
        raise UnreadableError("empty")
    found = list(_objects_in(stripped))
    if not found:
        raise UnreadableError("no whole JSON object")
    values = [_only_value(pairs, key) for pairs in found]
    if any(value != values[0] for value in values):
        raise UnreadableError("several answers that differ")
    return values[0]


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, so that a key that stands twice is seen."""


def _objects_in(text: str) -> Iterable[_Pairs]:
    """Give every outermost JSON object; a bracket that opens none of them makes the text unreadable."""
    decoder = json.JSONDecoder(object_pairs_hook=_Pairs, parse_constant=_refuse)
    position = 0
    while (start := text.find("{", position)) >= 0:
        try:
            value, position = decoder.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            raise UnreadableError("damaged or cut-off JSON") from error
        yield value


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _only_value(pairs: _Pairs, key: str) -> Any:
    if len(pairs) != 1 or fold(pairs[0][0]) != fold(key):
        raise UnreadableError(f'needed: the one key "{key}"')
    return pairs[0][1]


def _name(text: str) -> str:
    """Give a name as it was written; refuse what is none."""
    name = " ".join(text.split())
    if any(unicodedata.category(c) in {"Cc", "Co", "Cn", "Cs"} for c in text if c not in "\n\t\r"):
        raise UnreadableError("a name with control characters")
    if not fold(name) or fold(name) in NOBODY:
        raise UnreadableError(f"'{name[:40]}' is no name")
    if len(name) > MAX_NAME_LENGTH or len(name.split()) > MAX_WORDS or "{" in name or "}" in name:
        raise UnreadableError("a sentence where a name should stand")
    return name


# ------------------------------------------------------------------------------------------------ names


HARMLESS = frozenset(
    [
        "the",
        "a",
        "an",
        "s",
        "of",
        "mr",
        "mrs",
        "ms",
        "dr",
        "sir",
        "lady",
        "lord",
        "king",
        "queen",
        "prince",
        "princess",
        "captain",
        "character",
        "classic",
        "original",
        "animated",
        "cartoon",
        "movie",
        "film",
        "series",
        "comic",
        "game",
        "version",
        "disney",
        "pixar",
        "marvel",
        "dc",
        "nintendo",
        "dreamworks",
    ]
)
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_EXPLAINED = re.compile(r"\s+from\s+|\s*,\s+|\s+[-\u2013\u2014]\s+|\s*:\s+", re.IGNORECASE)
_JOINED = re.compile(r"\s*/\s*|\s+a\.?k\.?a\.?\s+|\s+and\s+|\s*&\s*", re.IGNORECASE)


def _parts(name: str) -> list[str]:
    """Take a name apart: what explains it goes, and what is joined is parted; the whole comes first."""
    bare = _BRACKETS.sub(" ", name).strip()
    return [
        bare,
        _EXPLAINED.split(bare, maxsplit=1)[0],
        *(_EXPLAINED.split(p, maxsplit=1)[0] for p in _JOINED.split(bare)),
    ]


def _own_words(character: Character) -> frozenset[str]:
    texts = (character.name, *character.aliases, character.franchise, *character.brand_words)
    return frozenset(word for text in texts for word in fold(text).split())
