"""Whom a judge means by a name: whole names only, and nobody where anything else is said of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from copycat.names import Mention, NameMatcher, fold
from copycat.schema import Character, CharacterSet

_ARTICLES = frozenset(fold("the a an s").split())
_LINKS = frozenset(fold("from in of and with").split())
_MEDIA = frozenset(
    fold(
        "character classic original animated animation anime manga cartoon movie film series show tv comic comics "
        "book books video game games version franchise live action"
    ).split()
)
_TITLES = frozenset(fold("mr king queen prince princess").split())
_STUDIOS = frozenset(
    fold(
        "walt disney pixar marvel dc warner bros dreamworks universal illumination nickelodeon lucasfilm paramount "
        "sony nintendo sega capcom namco bandai sanrio hasbro mattel netflix"
    ).split()
)
_BESIDE = _ARTICLES | _MEDIA | _TITLES | _STUDIOS
_TELLING_NOTHING = _ARTICLES | _LINKS | _MEDIA
_DOUBT = frozenset(
    fold(
        "not isn unlike like alike look looks lookalike similar resembling resembles resemblance reminiscent generic "
        "inspired parody imitation knockoff bootleg fake impersonator possibly maybe perhaps probably likely uncertain"
    ).split()
)
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\uff08[^\uff08\uff09]*\uff09")
_NEVER_CLOSED = re.compile(r"[(\[\uff08].*", re.DOTALL)
_EXPLAINED = re.compile(r"\s(?:from|in|of)\s|[,:]|\s-\s|[\u2013\u2014]", re.IGNORECASE)
_JOINED = re.compile(r"\s*[/;&+]\s*|\s(?:and|aka|a\.k\.a\.|vs\.?)\s", re.IGNORECASE)


def match_names(names: Iterable[str], characters: CharacterSet) -> tuple[str, ...]:
    """Give the ids of the characters of a set that the names mean, each once, in their order.

    "and", "&", "+", ";" and "/" join several names. Of each, only what stands before a bracket, a comma, a colon, a
    dash, "from", "in" or "of" decides; what follows explains it. That part means a character if it is one of its
    names or aliases (`copycat.names`) with nothing but articles, titles, studios, and words of the character's own
    names and franchise beside it. "Mario (Super Mario Bros.)", "Disney's Elsa" and "Mario and Luigi" are what they
    say; "Luigi, brother of Mario", "Tinker Bell, Peter Pan" and "She-Hulk" are who stands first.

    Three kinds of names are nobody: with a word of doubt or likeness in it ("a character similar to Mario", "not
    Mario", "Mario (lookalike)"), a short alias whose explanation has nothing to do with the character ("Po from
    Teletubbies"), and a franchise before a colon ("Super Mario: Luigi").
    """
    matcher, cast = _readied(tuple(_Who.of(character) for character in characters.characters))
    return tuple(dict.fromkeys(found for name in names for found in _meant(name, matcher, cast)))


class _Who(NamedTuple):
    """What counts of a character; hashable, so that a set is readied once and not for every picture."""

    id: str
    name: str
    aliases: tuple[str, ...]
    not_aliases: tuple[str, ...]
    franchise: str
    around: tuple[str, ...]

    @classmethod
    def of(cls, character: Character) -> _Who:
        around = (*character.brand_words, character.key_characteristic)
        return cls(character.id, character.name, character.aliases, character.not_aliases, character.franchise, around)


class _Words(NamedTuple):
    """Folded words of a character: those that may stand beside its name, and those that may explain it."""

    beside: frozenset[str]
    explaining: frozenset[str]
    name: str
    franchise: str


@lru_cache(maxsize=16)
def _readied(whos: tuple[_Who, ...]) -> tuple[NameMatcher, dict[str, _Words]]:
    cast = {}
    for who in whos:
        own = _words(who.name, *who.aliases, who.franchise)
        explaining = (own | _words(*who.around)) - _TELLING_NOTHING
        cast[who.id] = _Words(own | _BESIDE, explaining, fold(who.name), fold(who.franchise))
    return NameMatcher(whos), cast


def _words(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in fold(text).split())


def _meant(name: str, matcher: NameMatcher, cast: dict[str, _Words]) -> Iterator[str]:
    name = name.lstrip("([\"' ")
    bare = _without_brackets(name)
    mentions = matcher.find(bare)
    for start, end in _joined_parts(bare, mentions):
        cut = next(_outside(_EXPLAINED, bare, mentions, start, end), None)
        head_end = cut.start() if cut else end
        head = bare[start:head_end]
        # Brackets are blank in `bare`, so that what is left of them in `name` is the explanation.
        explanation = _words(name[start:end]) - _words(head)
        is_title = cut is not None and ":" in cut[0]
        for mention in mentions:
            if start <= mention.start and mention.end <= head_end:
                words = cast[mention.character_id]
                beside = _words(bare[start : mention.start], bare[mention.end : head_end])
                is_clear = beside <= words.beside and not (beside | explanation) & _DOUBT
                if is_clear and _fits(mention, explanation, words) and not (is_title and fold(head) == words.franchise):
                    yield mention.character_id


def _fits(mention: Mention, explanation: frozenset[str], words: _Words) -> bool:
    """Whether an explanation is of this character; asked only of one word that is not the whole name.

    What is written in another script cannot be compared, and is believed.
    """
    telling = {word for word in explanation - _TELLING_NOTHING if word.isascii()}
    is_short = " " not in fold(mention.alias) and fold(mention.alias) != words.name
    return not is_short or not telling or bool(telling & words.explaining)


def _without_brackets(name: str) -> str:
    """Blank brackets, the innermost first, and one that is never closed; places stay what they are."""
    while (blanked := _BRACKETS.sub(_blank, name)) != name:
        name = blanked
    return _NEVER_CLOSED.sub(_blank, name)


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _joined_parts(bare: str, mentions: Sequence[Mention]) -> Iterator[tuple[int, int]]:
    start = 0
    for cut in _outside(_JOINED, bare, mentions, 0, len(bare)):
        yield start, cut.start()
        start = cut.end()
    yield start, len(bare)


def _outside(
    pattern: re.Pattern[str], text: str, mentions: Sequence[Mention], start: int, end: int
) -> Iterator[re.Match[str]]:
    """Find a pattern where it is no part of a name: "Puss and Boots" is one."""
    for found in pattern.finditer(text, start, end):
        if all(found.end() <= mention.start or mention.end <= found.start() for mention in mentions):
            yield found
