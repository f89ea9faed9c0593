"""What says nothing: placeholders, questions and instructions of templates, filler text, and the same text twice."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

from copycat.provenance.datasheet.words import words

MARKED_BLANK = re.compile(
    r"\{\{.*?\}\}|\[(?:to be written|more information needed|needs? more information|todo|tbd|tba|n/?a|optional|insert"
    r"|your|add|link|name|date|fill)\b[^\]]*\]"
    r"|<(?:insert|your|add|todo|tbd|fill)[^>]*>|\b(?:TODO|TBD|FIXME|XXX+)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"\w+(?:[.'\u2019-]\w+)*")
SLOT = re.compile(r"\{\{[^{}]{0,1000}\}\}|\{%[^{}]{0,1000}%\}")
"""A slot of a template that was never filled, whatever its default says."""

MOST_LETTERS = 600
"""Of one sentence; no honest one is longer, and patterns take long over what is no sentence."""

SHINGLE = 5
"""Words in a row by which the same text is known again."""


def without_invisible(text: str) -> str:
    """Take out letters that nobody sees (zero-width ones, marks of direction, soft hyphens), by which words differ."""
    return text if text.isascii() else "".join(one for one in text if unicodedata.category(one) != "Cf")


def sentences(text: str) -> list[str]:
    """Split a text into sentences, lines of lists, and rows of tables; slots of templates are taken out."""
    found: list[str] = []
    paragraph: list[str] = []
    for line in [*SLOT.sub(" ", text).splitlines(), ""]:
        plain = re.sub(r"^\s*(?:[-*+>]\s+|\d+[.)]\s+)", "", line).strip()
        starts = plain != line.strip() or plain.startswith("|")
        if (not plain or starts) and paragraph:
            found += _in_sentences(" ".join(paragraph))
            paragraph = []
        if plain and not re.fullmatch(r"[|:\-\s=_*]+", plain):
            paragraph.append(plain)
            if starts:
                found += _in_sentences(" ".join(paragraph))
                paragraph = []
    return found


def _in_sentences(text: str) -> list[str]:
    parts = re.split(r"(?<=[.!?;])\s+(?=[\"'(\[`*]?[A-Z0-9\u00c0-\u00de\[])", text)
    return [part.strip()[:MOST_LETTERS] for part in parts if part.strip()]


def folded(text: str) -> str:
    """Give the words of a text in small letters, one space apart."""
    return " ".join(WORD.findall(text.casefold().replace("_", " ").replace("/", " ")))


def why_boilerplate(sentence: str) -> str:
    """Say why a sentence says nothing; "" if it may say something."""
    bare = MARKED_BLANK.sub(" ", sentence)
    plain = folded(bare)
    if bare != sentence and len(plain.split()) < 4:
        return "a blank that is still to be filled"
    if plain in words().placeholders:
        return "a placeholder"
    if sentence.rstrip(" *_)\"'\u201d").endswith("?"):
        return "a question of a template"
    if len(words().filler & set(plain.split())) >= 3:
        return "filler text"
    if _instruction().match(plain) and not re.search(r"\d", sentence):
        return "an instruction of a template"
    return ""


@cache
def _instruction() -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(map(re.escape, words().instructions))})\b")


def shingles(sentence: str) -> set[tuple[str, ...]]:
    """Give all runs of SHINGLE words; of a shorter sentence, all its words (three at least)."""
    row = tuple(folded(sentence).split())
    if len(row) < SHINGLE:
        return {row} if len(row) >= 3 else set()
    return {row[at : at + SHINGLE] for at in range(len(row) - SHINGLE + 1)}


def own_sentences(texts: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Drop from each field's sentences those of which half or more stands in another field, too.

    Args:
        texts: field -> its sentences. What stands in one field twice is not counted against it.
    """
    in_fields: Counter[tuple[str, ...]] = Counter()
    for lines in texts.values():
        in_fields.update(set().union(*(shingles(line) for line in lines)) if lines else set())

    def is_own(line: str) -> bool:
        of_line = shingles(line)
        return not of_line or 2 * sum(in_fields[one] > 1 for one in of_line) < len(of_line)

    return {name: [line for line in lines if is_own(line)] for name, lines in texts.items()}
