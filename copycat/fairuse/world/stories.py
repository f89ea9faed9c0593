"""Tell invented stories from a grammar: the same facts in any number of wordings.

Everything here is pure and seeded by text, so that the same world comes out on every machine and in every process.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import yaml

from copycat.paths import package_folder
from copycat.sandbox.world import SPECIES, THEMES

_PART = re.compile(r"\{(\w+)\}|<(\w+)>|\[([^\]|]+(?:\|[^\]|]+)+)\]")
_SYLLABLES = (
    ("Ba", "Du", "Fe", "Gri", "Ha", "Jo", "Ki", "Lu", "Mo", "Ne", "Or", "Pa", "Ri", "Sto", "Tu", "Ve", "Wi", "Yo"),
    ("bel", "dro", "fin", "gor", "kal", "lim", "mar", "nok", "pes", "ram", "sul", "tiv", "van", "wen", "zel"),
    ("a", "bo", "da", "ek", "il", "mo", "no", "ra", "sk", "tta", "us", "wy"),
)

Facts = Mapping[str, str]
"""What happens in a story, whatever its wording: hero, species, home, helper, trade, material, thing, ..."""

ASKED = ("helper", "season", "keeper", "price", "food", "place")
"""The facts that questions are about."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """Templates and words; see grammar.yaml."""

    facts: dict[str, tuple[str, ...]]
    homes: dict[str, tuple[str, ...]]
    pools: dict[str, tuple[str, ...]]
    beats: tuple[tuple[str, ...], ...]
    sayings: tuple[str, ...]
    notes: dict[str, tuple[str, ...]]

    @property
    def pool_of(self) -> dict[str, tuple[str, ...]]:
        """Map each single word that may stand for others to all of its pool."""
        return {word: words for words in self.pools.values() for word in words if " " not in word}


@dataclass(frozen=True, slots=True)
class Telling:
    """One wording of a story, beat by beat, and the number of the template that was taken for each."""

    beats: tuple[str, ...]
    templates: tuple[int, ...]

    @property
    def text(self) -> str:
        """Give the whole story."""
        return " ".join(self.beats)


@cache
def grammar() -> Grammar:
    """Read grammar.yaml, once."""
    raw = yaml.safe_load((package_folder("fairuse/world") / "grammar.yaml").read_text(encoding="utf-8"))
    lists = {name: {k: tuple(v) for k, v in raw[name].items()} for name in ("facts", "homes", "pools", "notes")}
    return Grammar(**lists, beats=tuple(map(tuple, raw["beats"])), sayings=tuple(raw["sayings"]))


def draw_facts(
    rng: random.Random, hero: str | None = None, species: str | None = None, theme: str | None = None
) -> Facts:
    """Draw what happens; hero, species and theme too where none are given."""
    words = grammar()
    facts = {
        "hero": hero or draw_name(rng),
        "species": species or rng.choice(SPECIES),
        "home": rng.choice(words.homes[theme or rng.choice(THEMES)]),
        "helper": draw_name(rng),
        "trade": rng.choice(words.facts["helper_trade"]),
    }
    names = ("material", "thing", "keeper", "price", "season", "food", "place")
    facts |= {name: rng.choice(words.facts[name]) for name in names}
    facts["saying"] = _capital(_fill(rng, rng.choice(words.sayings), facts))
    facts["title"] = f"{facts['hero']} and the {facts['material'].title()} {facts['thing'].title()}"
    return facts


def draw_name(rng: random.Random) -> str:
    """Make up a name: three syllables, one of 3,240."""
    return "".join(rng.choice(part) for part in _SYLLABLES)


def tell(rng: random.Random, facts: Facts, unlike: Sequence[int] | None = None) -> Telling:
    """Word a story: a template for each beat and fresh words in it.

    Args:
        unlike: templates of another telling, each of which is avoided, so that little but the facts is shared.
    """
    told: list[str] = []
    taken: list[int] = []
    for beat, templates in enumerate(grammar().beats):
        free = [n for n in range(len(templates)) if unlike is None or n != unlike[beat]]
        taken.append(rng.choice(free))
        told.append(_capital(_fill(rng, templates[taken[-1]], facts)))
    return Telling(tuple(told), tuple(taken))


def near_copy(rng: random.Random, text: str, changes: int = 4) -> str:
    """Change a few words of a text for others of their pools: another edition, nearly the same."""
    pools = grammar().pool_of
    places = [m for m in re.finditer(r"[a-z]+", text) if m.group() in pools]
    chosen = sorted(rng.sample(places, min(changes, len(places))), key=lambda m: m.start(), reverse=True)
    for place in chosen:
        others = [word for word in pools[place.group()] if word != place.group()]
        text = text[: place.start()] + rng.choice(others) + text[place.end() :]
    return text


def note_of(facts: Facts, kind: str, wording: int) -> str:
    """Say one fact about a story without telling it: a sentence that ends with the fact."""
    return _fill(random.Random(0), grammar().notes[kind][wording], facts)


def _fill(rng: random.Random, template: str, facts: Facts) -> str:
    words = grammar()

    def part(match: re.Match[str]) -> str:
        fact, pool, wordings = match.groups()
        if fact:
            return facts[fact]
        return str(rng.choice(words.pools[pool] if pool else wordings.split("|")))

    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", _PART.sub(part, template))


def _capital(sentence: str) -> str:
    first = next((i for i, letter in enumerate(sentence) if letter.isalpha()), 0)
    return sentence[:first] + sentence[first:][:1].upper() + sentence[first + 1 :]
