"""The wording of requests and evasions, and taking back what an evasion did to an answer."""

from __future__ import annotations

import codecs
import hashlib
import re
from functools import cache
from typing import NamedTuple

import yaml

from copycat.fairuse.extract.records import Ask, Evasion, PromptKind
from copycat.fairuse.works import LoadedWork
from copycat.paths import package_folder

PROMPTS_FILE = "prompts.yaml"

LANGUAGES = {"en": "English", "fr": "French", "de": "German", "es": "Spanish", "it": "Italian", "pt": "Portuguese"}


class Wording(NamedTuple):
    """prompts.yaml, and its hash."""

    requests: dict[PromptKind, str]
    plain: dict[PromptKind, str]
    evasions: dict[Evasion, str]
    sha256: str


@cache
def read_wording() -> Wording:
    """Read the wording that comes with the project."""
    content = (package_folder("fairuse/extract") / PROMPTS_FILE).read_bytes()
    rows = yaml.safe_load(content)
    return Wording(rows["requests"], rows["plain"], rows["evasions"], hashlib.sha256(content).hexdigest())


def build_request(ask: Ask, loaded: LoadedWork, *, is_chat: bool, prefix: str | None = None) -> str:
    """Write the request of an ask; a model that only goes on with a text gets the prefix or the title alone.

    Args:
        prefix: what to go on from, instead of the work's own words.
    """
    if prefix is None:
        prefix = (loaded.text or "")[ask.start : ask.rest]
    work = loaded.work
    wording = read_wording()
    if not is_chat:
        return wording.plain[ask.prompt].format_map({"prefix": prefix, "title": work.title})
    language = LANGUAGES.get(work.language, f"the language '{work.language}'")
    request = wording.requests[ask.prompt].format_map(
        {
            "prefix": prefix,
            "title": f"\u201c{work.title}\u201d",
            "by": f" by {work.author}" if work.author else "",
            "part": _part_of(ask, loaded) if ask.prompt == "position" else "",
        }
    )
    evasion = wording.evasions[ask.evasion].format_map(
        {"language": language, "other_language": "French" if work.language != "fr" else "English"}
    )
    # Before the prefix, which has to stand last: behind it, the evasion would be read as a part of the text.
    head, gap, tail = request.partition("\n\n")
    return "\n".join(filter(None, (head, evasion))) + gap + tail


def _part_of(ask: Ask, loaded: LoadedWork) -> str:
    return QUARTERS[ask.place] if loaded.text is None else parts_of(loaded.text)[ask.place].name


def undone(evasion: Evasion, text: str) -> str:
    """Take back what an evasion did to the letters, place for place; what the canonical form undoes is left to it."""
    return codecs.encode(text, "rot13") if evasion == "rot13" else text


_CHAPTER = re.compile(
    r"^[ \t]*((?:chapter|book|part|canto|act|stave|letter)[ \t]+(?:[ivxlcdm]+|\d+|[a-z]+)\b[^\n]{0,60})$",
    re.IGNORECASE | re.MULTILINE,
)


class Part(NamedTuple):
    """A part that a position prompt asks for: what it is called, and where it begins in the text."""

    name: str
    start: int


MAX_PARTS = 3


def parts_of(text: str) -> list[Part]:
    """Give up to three parts: chapters spread over the text where it has headings, else its quarters.

    The first chapter is left out where there are others: it is what a title prompt asks for.
    """
    headings = [Part(m.group(1).strip(), m.end()) for m in _CHAPTER.finditer(text)]
    if len(headings) > 1:
        rest = headings[1:]
        count = min(MAX_PARTS, len(rest))
        return [rest[i * len(rest) // count] for i in range(count)]
    starts = [start_of_sentence(text, share * len(text) // 4) for share in (1, 2, 3)]
    return [Part(name, start) for name, start in zip(QUARTERS, starts, strict=True)]


QUARTERS = ("what begins after its first quarter", "its second half", "its last quarter")
"""Also asked for where a work is withheld as hashes, and its chapters are not known."""

_SENTENCE_END = re.compile(r"[.!?\u2026][\"'\u201d\u2019)]*\s+|\n\s*")


def start_of_sentence(text: str, place: int) -> int:
    """Give where the next sentence or line after a place begins; the place of the next word where there is none."""
    if place <= 0:
        return 0
    match = _SENTENCE_END.search(text, place, min(len(text), place + 2000))
    if match is not None and match.end() < len(text):
        return match.end()
    space = re.compile(r"\s+").search(text, place)
    return space.end() if space is not None else place
