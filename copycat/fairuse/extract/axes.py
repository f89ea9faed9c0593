"""From what a user types to the axes of an extraction."""

from __future__ import annotations

import re
from typing import NamedTuple, TypeVar, get_args

from copycat.errors import UnknownNameError, UserError
from copycat.fairuse.extract.records import Evasion, PromptKind

PROMPT_KINDS: tuple[PromptKind, ...] = get_args(PromptKind)
EVASIONS: tuple[Evasion, ...] = get_args(Evasion)

SHOWING_PROMPTS: frozenset[PromptKind] = frozenset({"prefix", "continue"})
"""What shows a part of the work."""

PLAIN_PROMPTS: frozenset[PromptKind] = SHOWING_PROMPTS | {"title"}
"""What a model that only goes on with a text can be asked: it takes no requests, and a title is a heading to it."""

WITHOUT_TEXT: frozenset[PromptKind] = frozenset({"title", "position", "paraphrase"})
"""What can be asked without the text of the work."""

MAX_PREFIX, MAX_DRAWS = 4096, 1000

_DECODING = re.compile(r"greedy|t(?P<t>\d+(?:\.\d+)?)(?:x(?P<n>\d+))?")

N = TypeVar("N", bound=str)


class Decoding(NamedTuple):
    """How an answer is drawn; `draws` answers to each request."""

    name: str
    temperature: float
    draws: int


def parse_names(kind: str, typed: str, known: tuple[N, ...]) -> tuple[N, ...]:
    """Read names between commas, each once, in the order typed.

    Raises:
        UnknownNameError: one is not known. UserError: there is none.
    """
    found: list[N] = []
    for name in _parts(typed):
        match = next((one for one in known if one == name), None)
        if match is None:
            raise UnknownNameError(kind, name, known)
        if match not in found:
            found.append(match)
    if not found:
        raise UserError(f"there is no {kind} in '{typed}'\n  needed: names between commas, such as {known[0]}")
    return tuple(found)


def parse_prefixes(typed: str) -> tuple[int, ...]:
    """Read lengths of prefixes between commas, sorted.

    Raises:
        UserError: one is no whole number from 1 to MAX_PREFIX.
    """
    found = set()
    for part in _parts(typed):
        if not part.isdecimal() or not 1 <= int(part) <= MAX_PREFIX:
            raise UserError(
                f"--prefix: '{part}' is no length\n  needed: whole numbers from 1 to {MAX_PREFIX}, such as 25,50"
            )
        found.add(int(part))
    if not found:
        raise UserError("--prefix names no length\n  needed: whole numbers, such as 25,50")
    return tuple(sorted(found))


def parse_decodings(typed: str) -> tuple[Decoding, ...]:
    """Read decodings: 'greedy', 't0.2' (temperature), 't1x8' (eight draws).

    Raises:
        UserError: one has another form.
    """
    found: dict[str, Decoding] = {}
    for part in _parts(typed):
        match = _DECODING.fullmatch(part)
        temperature = float(match["t"]) if match and match["t"] else 0.0
        draws = int(match["n"]) if match and match["n"] else 1
        if match is None or (part != "greedy" and not 0 < temperature <= 2) or not 1 <= draws <= MAX_DRAWS:
            raise UserError(
                f"--decoding: '{part}' is no decoding\n  needed: greedy, t0.2 (a temperature up to 2), "
                f"or t1x8 (8 draws, at most {MAX_DRAWS})"
            )
        name = "greedy" if part == "greedy" else f"t{temperature:g}"
        if name in found and found[name].draws != draws:
            raise UserError(f"--decoding: {name} is there twice, with different numbers of draws")
        found[name] = Decoding(name, temperature, draws)
    if not found:
        raise UserError("--decoding names none\n  needed: greedy, t0.2, or t1x8")
    return tuple(found.values())


def _parts(typed: str) -> list[str]:
    return [part.strip() for part in typed.split(",") if part.strip()]
