"""Terms of use of a dataset, sentence by sentence: which clauses are worth a second look.

What it finds are words, not their effect: whether a clause holds is for a court, and differs between countries. Whole
texts of known licences are left alone. Clauses, reasons and sources: clauses.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

import yaml

from copycat.provenance.dataset import Dataset
from copycat.provenance.dataset.contact import contact_of
from copycat.provenance.licences.statements import LICENCE_FILE, licence_of_text, read_text
from copycat.provenance.records import Evidence
from copycat.provenance.rules.rule import shortened
from copycat.schema import Record

TERMS_FILE = re.compile(r"(terms|tos|eula|conditions|usage|data[-_ ]use)([-._ ][\w.\- ]*)?", re.IGNORECASE)
_HEADING = re.compile(r"^(#{1,6})\s+(.*)$")
_OF_TERMS = re.compile(
    r"\b(licen[cs]\w*|terms?|conditions?|usage|restrictions?|access|permitted|agreement|tou)\b", re.I
)
MAX_LETTERS, MAX_SENTENCE = 400_000, 1_500
KEYS = ("extra_gated_prompt", "license_details", "terms", "terms_of_use", "conditions")
CROISSANT_KEYS = ("usageInfo", "conditionsOfAccess", "sc:conditionsOfAccess", "copyrightNotice")


class Clause(Record):
    """A kind of clause; clauses.yaml says what the fields mean."""

    id: str
    kind: Literal["restriction", "unenforceable", "vague"]
    words: tuple[str, ...]
    unless: tuple[str, ...] = ()
    about: str
    advice: str
    source: str


class Text(NamedTuple):
    """Terms of use: where they stand, the line of the first one, and the words. `is_known`: a known licence, whole."""

    file: str
    line: int | None
    pointer: str
    words: str
    is_known: bool = False


class Hit(NamedTuple):
    """A sentence that a clause was found in."""

    clause: Clause
    place: Evidence


@cache
def clauses() -> tuple[Clause, ...]:
    """Read clauses.yaml."""
    text = resources.files(__package__).joinpath("clauses.yaml").read_text(encoding="utf-8")
    return tuple(Clause.model_validate(row) for row in yaml.safe_load(text)["clauses"])


def terms_of(dataset: Dataset) -> list[Text]:
    """Give the terms of use: LICENSE and TERMS files, sections of the card about terms, and fields that hold some."""
    found = list(_of_files(dataset))
    card = dataset.card
    found += list(sections(card.body, card.file))
    for source, file, keys in ((card.front, card.file, KEYS), (card.croissant, card.croissant_file, CROISSANT_KEYS)):
        for key in keys:
            value = source.get(key)
            if isinstance(value, str) and value.strip():
                found.append(Text(file, None, key, value[:MAX_LETTERS]))
    return found


def whom_to_ask(dataset: Dataset, texts: Sequence[Text] | None = None) -> str:
    """Give the contact that the card, croissant.json or the terms name; "" where none does.

    Args:
        texts: the terms, where they are read already.
    """
    found = terms_of(dataset) if texts is None else texts
    return contact_of(dataset.card, (text.words for text in found if not text.is_known))


def find_clauses(text: Text) -> Iterator[Hit]:
    """Yield the sentences of terms that hold a clause; one sentence may hold several."""
    if text.is_known:
        return
    for line, sentence in sentences(text):
        low = sentence.casefold()
        for clause, words, unless in _compiled():
            if any(one.search(low) for one in words) and not any(one.search(low) for one in unless):
                place = Evidence(file=text.file, line=line, pointer=text.pointer, value=shortened(sentence))
                yield Hit(clause, place)


def sentences(text: Text) -> Iterator[tuple[int | None, str]]:
    """Yield line and words of each sentence; a paragraph is split at full stops, an item of a list stands alone."""
    line, start, part = text.line or 1, text.line or 1, ""
    for raw in [*text.words.splitlines(), ""]:
        words = raw.strip().lstrip("#>*-•0123456789.) ").strip()
        is_item = bool(re.match(r"\s*([*\-•>#]|\d+[.)])\s", raw))
        if part and (not words or is_item):
            yield from _split(part, start if text.line else None)
            part = ""
        if words:
            start = line if not part else start
            part = f"{part} {words}".strip()
        line += 1


def _split(paragraph: str, line: int | None) -> Iterator[tuple[int | None, str]]:
    for sentence in re.split(r"(?<=[.;!?])\s+(?=[A-Z(\"'])", paragraph):
        if sentence.strip():
            yield line, sentence[:MAX_SENTENCE]


@cache
def _compiled() -> tuple[tuple[Clause, tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]], ...]:
    return tuple(
        (one, tuple(re.compile(words) for words in one.words), tuple(re.compile(words) for words in one.unless))
        for one in clauses()
    )


def _of_files(dataset: Dataset) -> Iterator[Text]:
    if not dataset.root.is_dir():
        return
    try:
        paths = sorted(path for path in dataset.root.iterdir() if path.is_file())
    except OSError:
        return
    for path in paths:
        is_terms = bool(TERMS_FILE.fullmatch(path.name)) and path.suffix.lower() in ("", ".md", ".txt", ".rst")
        if not is_terms and not LICENCE_FILE.fullmatch(path.name):
            continue
        text = read_text(path)
        if text:
            is_known = not is_terms and len(text) > 400 and licence_of_text(text).expression is not None
            yield Text(path.name, 1, "", text[:MAX_LETTERS], is_known)


def sections(body: str, file: str) -> Iterator[Text]:
    """Yield the sections of a card whose heading is about terms, with the sections below them."""
    lines = body[:MAX_LETTERS].splitlines()
    taken: list[str] = []
    level = start = 0
    is_code = False
    for at, raw in enumerate([*lines, "# end"], 1):
        is_code = is_code != raw.lstrip().startswith("```")
        heading = None if is_code and at <= len(lines) else _HEADING.match(raw)
        if heading and level and len(heading.group(1)) <= level:
            yield Text(file, None, f"section '{shortened(lines[start - 1].lstrip('# '))}'", "\n".join(taken))
            level, taken = 0, []
        if heading and not level and at <= len(lines) and _OF_TERMS.search(heading.group(2)):
            level, start = len(heading.group(1)), at
        elif level:
            taken.append(raw)
