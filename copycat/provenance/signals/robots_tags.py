"""X-Robots-Tag and meta robots: `noai`, `noimageai` (first used in November 2022; no standard), `noindex`, `none`.

Names and values are read without letter case, with or without an agent before a colon ("gptbot: noai"), separated by
commas, semicolons or spaces. There is no way to say yes in this form: without a refusal it is silent. A refusal to one
agent is a refusal: the rights holder does not know every agent by name.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator

from copycat.provenance.records import Signal
from copycat.provenance.signals.recorded import Response
from copycat.provenance.signals.robots import agent_uses
from copycat.provenance.signals.terms import NOAI, Answers, answers_of

_NO_AI = re.compile(r"(?<![a-z])no[\s_-]{0,3}(?:image|img)?s?[\s_-]{0,3}(?:ai|ml)(?![a-z])")
_PREVIEW = re.compile(r"max-[a-z]{1,10}-preview\s*:\s*[\w-]+")
"""`max-image-preview:none` is about the size of a preview, and no `none`."""
_NO_INDEX = re.compile(r"(?<![a-z])(?:no[\s_-]?index|none)(?![a-z])")
META_NAMES = {"robots", "bots", "ai", "noai"}


def read_robots_tag(value: str) -> tuple[Answers, str]:
    """Give what a value says.

    >>> read_robots_tag("NoAI")[0]
    {'training': 'deny', 'generative-training': 'deny', 'inference': 'deny'}
    """
    text = _plain(value)
    answers: Answers = {}
    notes = []
    found = _NO_AI.search(text)
    if found:
        answers |= answers_of(NOAI, "deny")
        if "im" in found.group():
            notes.append("speaks of pictures")
    if _NO_INDEX.search(_PREVIEW.sub("", text)):
        answers |= answers_of(("search",), "deny")
    return answers, "; ".join(notes)


def _plain(value: str) -> str:
    """Give letters in their plain forms: entities undone, full-width ones, and those of no width left out."""
    text = html.unescape(value) if "&" in value else value
    if text.isascii():
        return text.casefold()
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cf")


def read_headers(response: Response) -> Iterator[Signal]:
    """Yield the header X-Robots-Tag, all its lines as one statement."""
    values = [*response.header_values("X-Robots-Tag"), *response.header_values("Robots-Tag")]
    if values:
        yield _signal("x-robots-tag", values, "header X-Robots-Tag", response)


def read_metas(metas: Iterable[tuple[str, str]], response: Response) -> Iterator[Signal]:
    """Yield meta robots, and those of agents by name: (name, content) of each meta tag of a page."""
    wanted = META_NAMES | agent_uses().keys()
    values = [content for name, content in metas if name.strip().casefold() in wanted]
    if values:
        yield _signal("meta-robots", values, "HTML meta robots", response)


def _signal(source: str, values: list[str], place: str, response: Response) -> Signal:
    raw = ", ".join(values)
    answers, note = read_robots_tag(raw)
    at = f"{place} of {response.where}" if response.where and source == "meta-robots" else place
    return Signal(source=source, raw=raw[:200], answers=answers, place=at, fetched_at=response.fetched_at, note=note)
