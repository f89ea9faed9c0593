"""From works and axes to requests in order, each with a key. Nothing is asked here."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from copycat.errors import UserError
from copycat.fairuse.extract.axes import SHOWING_PROMPTS, WITHOUT_TEXT, Decoding
from copycat.fairuse.extract.backends.words import WORDS_PER_TOKEN
from copycat.fairuse.extract.prompts import QUARTERS, parts_of, start_of_sentence
from copycat.fairuse.extract.records import Ask, Evasion, PromptKind, Role, Unit
from copycat.fairuse.text import words_of
from copycat.fairuse.works import LoadedWork

MIN_WINDOW_WORDS = 10
"""A window of fewer words says little about whether it was known."""

NO_TEXT = "that need the text of a withheld work"

MIN_LENGTH = 16
FED_BACK = 100
"""So much of its own text a model gets again where it is asked to go on, in tokens or words; at least the prefix's."""

CHAT_TOKENS = 160
"""So many tokens a request has beside the prefix, at most: wording, evasion, and the marks of the chat."""

Cut = Callable[[str, int, int], "int | None"]


class RoledWork(NamedTuple):
    """A work and why it is asked for."""

    loaded: LoadedWork
    role: Role
    copies: int | None = None


@dataclass(frozen=True)
class Axes:
    """What is varied."""

    prompts: tuple[PromptKind, ...]
    prefixes: tuple[int, ...]
    decodings: tuple[Decoding, ...]
    evasions: tuple[Evasion, ...]
    places: int = 1
    length: int = 128
    rounds: int = 8


class Measure(NamedTuple):
    """How a model counts: in which unit, where so many of them end in a text, and how many it has room for."""

    unit: Unit
    is_chat: bool
    cut: Cut
    room: int | None = None


class Plan(NamedTuple):
    """What is asked, and how many requests were left out for what reason."""

    asks: tuple[Ask, ...]
    left_out: dict[str, int]


class _Way(NamedTuple):
    """One combination of axes, for every work."""

    prompt: PromptKind
    prefix: int
    decoding: Decoding
    draw: int
    evasion: Evasion
    place: int


def build_plan(works: Sequence[RoledWork], axes: Axes, measure: Measure, limit: int | None = None) -> Plan:
    """List the requests: every way of asking in turn, and within it every work, so that a limit meets all works alike.

    Raises:
        UserError: nothing can be asked about any work.
    """
    left_out: Counter[str] = Counter()
    asks: list[Ask] = []
    ordered = mixed(works)
    for way, work in product(_ways(axes), ordered):
        found = _ask(way, work, axes, measure)
        if isinstance(found, str):
            left_out[found] += 1
        else:
            asks.append(found)
    if limit is not None and len(asks) > limit:
        left_out[f"beyond --limit {limit}"] = len(asks) - limit
        asks = asks[:limit]
    if not any(ask.role == "work" for ask in asks):
        why = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        hint = (
            "a withheld work can be asked for by title or position: --prompts title,position, or name the file of the "
            "text"
            if NO_TEXT in left_out
            else "shorten --prefix, allow longer answers (--length), or name longer works"
        )
        raise UserError(f"nothing can be asked about any work: left out are {why}\n  {hint}")
    return Plan(tuple(asks), dict(sorted(left_out.items())))


def mixed(works: Sequence[RoledWork]) -> list[RoledWork]:
    """Order works by the hash of their id, controls among them, so that the first N are a sample of all."""
    return sorted(works, key=lambda work: hashlib.sha256(work.loaded.work.id.encode()).digest())


def key_of(work_sha256: str, axes: tuple[object, ...]) -> str:
    """Name an ask: 16 hex digits of a hash of its axes and of the hash of the whole work."""
    content = json.dumps([work_sha256, *axes], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]


# --------------------------------------------------------------------------------------- private


def _ways(axes: Axes) -> Iterator[_Way]:
    for evasion, decoding, prompt in product(axes.evasions, axes.decodings, axes.prompts):
        prefixes = axes.prefixes if prompt in SHOWING_PROMPTS else (0,)
        n_places = axes.places if prompt in SHOWING_PROMPTS else len(QUARTERS) if prompt == "position" else 1
        for prefix, place, draw in product(prefixes, range(n_places), range(decoding.draws)):
            yield _Way(prompt, prefix, decoding, draw, evasion, place)


def _ask(way: _Way, roled: RoledWork, axes: Axes, measure: Measure) -> Ask | str:
    """Give the ask, or why it is left out."""
    loaded = roled.loaded
    length = _length(way, axes, measure)
    if length < MIN_LENGTH:
        return "longer than the model's context"
    if loaded.text is None:
        if way.prompt not in WITHOUT_TEXT:
            return NO_TEXT
        return _made(way, roled, axes, length)
    text = loaded.text
    found = _start_and_rest(way, text, axes, measure)
    if isinstance(found, str):
        return found
    start, rest = found
    window_end = _window_end(text, rest, length * (axes.rounds if way.prompt == "continue" else 1), measure)
    if len(words_of(text[rest:window_end])) < MIN_WINDOW_WORDS:
        return f"with fewer than {MIN_WINDOW_WORDS} words of the work left"
    return _made(way, roled, axes, length, (start, rest, window_end))


def _start_and_rest(way: _Way, text: str, axes: Axes, measure: Measure) -> tuple[int, int] | str:
    """Give where the shown prefix begins and ends, or why there is none."""
    if way.prompt == "position":
        parts = parts_of(text)
        if way.place >= len(parts):
            return "for a part that the work does not have"
        return parts[way.place].start, parts[way.place].start
    if way.prompt not in SHOWING_PROMPTS:
        return 0, 0
    start = start_of_sentence(text, way.place * len(text) // axes.places)
    rest = measure.cut(text, start, way.prefix)
    return "of works shorter than the prefix" if rest is None else (start, rest)


def _made(way: _Way, roled: RoledWork, axes: Axes, length: int, places: tuple[int, int, int] = (0, 0, 0)) -> Ask:
    start, rest, window_end = places
    work = roled.loaded.work
    told = (way.prompt, way.prefix, way.decoding.name, way.draw, way.evasion, way.place)
    return Ask(
        key=key_of(work.sha256, (work.id, *told, start, rest, length, axes.rounds if way.prompt == "continue" else 1)),
        work=work.id,
        role=roled.role,
        prompt=way.prompt,
        prefix=way.prefix,
        decoding=way.decoding.name,
        temperature=way.decoding.temperature,
        draw=way.draw,
        evasion=way.evasion,
        place=way.place,
        start=start,
        rest=rest,
        window_end=window_end,
        length=length,
    )


def _length(way: _Way, axes: Axes, measure: Measure) -> int:
    """Give the tokens of an answer for which the model has room beside the request."""
    if measure.room is None:
        return axes.length
    fed = max(way.prefix, FED_BACK) if way.prompt == "continue" else way.prefix
    return min(axes.length, measure.room - fed - (CHAT_TOKENS if measure.is_chat else 4))


def _window_end(text: str, rest: int, tokens: int, measure: Measure) -> int:
    count = tokens if measure.unit == "tokens" else round(tokens * WORDS_PER_TOKEN)
    end = measure.cut(text, rest, count)
    return len(text) if end is None else end
