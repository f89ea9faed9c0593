"""The facts that a text holds: dates, numbers, addresses, names, reasons, and what agrees with the dataset itself.

They are told from words alone. A text can lie; where the records know better, `claims` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from copycat.provenance.datasheet.boilerplate import folded
from copycat.provenance.datasheet.facts import DatasetFacts
from copycat.provenance.datasheet.fields import FactKind
from copycat.provenance.datasheet.words import words

MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
DATE = re.compile(
    rf"\b(?:(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?:-\d\d)?|(?:\d{{1,2}}\.? )?{MONTHS}\.? (?:\d{{1,2}},? )?(?:19|20)\d\d"
    rf"|(?:19|20)\d\d\s*(?:-|\u2013|to|until)\s*(?:19|20)\d\d)\b",
    re.IGNORECASE,
)
LINK = re.compile(r"https?://[\w.\-]+\.\w{2,}[^\s)\]>\"'|]*|\b10\.\d{4,9}/\S+|\barXiv:\s?\d{4}\.\d{4,5}", re.IGNORECASE)
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
PATH = re.compile(
    r"`[^`\n]{2,80}`"
    r"|\b[\w-]+\.(?:txt|jsonl?|py|r|sh|ipynb|md|html?|pdf|csv|tsv|xlsx|ods|parquet|ya?ml|toml|tar|zip|gz|xml)\b"
)
HOST = re.compile(r"(?<![\w@./-])(?:[a-z0-9][a-z0-9-]{0,62}\.){1,8}[a-z]{2,18}(?![\w@.-]*\w)", re.IGNORECASE)
"""An address without its scheme: "art.example.org"."""

NAME = re.compile(r"\b(?:[A-ZÀ-Þ][\w\u2019'-]*[a-z0-9A-Z]|[a-z]+[A-Z]\w*|\w*?\d[a-z]\w*)\b")
REASON = re.compile(
    r"\b(?:because|since|in order to|as (?:it|they|the|no|every|each|all|we)|due to|therefore|for lack of|otherwise"
    r"|so (?:that|it|they|the|no|nobody|there|this|we|you))\b(.*)",
    re.IGNORECASE | re.DOTALL,
)
NONE = re.compile(
    r"^\W*(?:(?:none|no|not|never|without|0(?:\.0+)?\s?%?)(?![\w%])|(?:\w+\W+){0,3}?(?:none|nothing|nobody)\b)(.*)",
    re.IGNORECASE | re.DOTALL,
)
"""An answer that says that there is nothing ("None.", "We changed nothing"), and what it says beside that."""

FEWEST_REASONS = 2
"""Words of a reason that say something."""


@cache
def _number() -> re.Pattern[str]:
    """Give the pattern of a number and the word after it; "about" before it makes it vague, "at least" is a limit."""
    return re.compile(
        r"(?P<vague>(?:over|more than|about|around|approximately|nearly|almost|some|roughly|several"
        r"|many)\s+)?"
        rf"(?<![\w.])(?<![A-Za-z]-)(?P<number>\d[\d,.'\u202f ]*\d|\d|\b(?:{'|'.join(words().numbers)})\b)"
        r"\s?(?P<unit>%|[A-Za-z][\w-]*)",
        re.IGNORECASE,
    )


class Evidence(NamedTuple):
    """A fact in a text: its kind and the words that state it, folded."""

    kind: FactKind
    words: str


def facts_in(lines: Iterable[str], known: DatasetFacts, columns: Iterable[str] = ()) -> set[Evidence]:
    """Find the facts in the sentences of a field."""
    found: set[Evidence] = set()
    names = list(columns)
    for line in lines:
        found.update(_plain_facts(line))
        found.update(_facts_of_dataset(line, known, names))
        found.update(_names(line))
    return found


def is_statement(line: str) -> bool:
    """Whether a sentence has the small words that sentences have; a pile of keywords has none."""
    all_words = folded(line).split()
    if len(all_words) < 4:
        return False
    share = sum(word in words().small_words for word in all_words) / len(all_words)
    return 0.12 <= share <= 0.8


def is_reasoned_none(text: str, asked: frozenset[str] = frozenset()) -> bool:
    """Whether a text says that there is nothing and why: "none, because ...", or "None." and a sentence of its own.

    Args:
        asked: words of the question, which are no reason.
    """
    none = NONE.match(text)
    if none is None:
        return False
    reason = REASON.search(text)
    if reason is not None and is_reason(reason[1], asked=asked):
        return True
    return any(is_statement(line) and is_reason(line, 3, asked) for line in re.split(r"[.:;!]\s+", none[1]))


def is_reason(text: str, fewest: int = FEWEST_REASONS, asked: frozenset[str] = frozenset()) -> bool:
    """Whether words give a reason: enough of them that say something, beside those of the question (`asked`)."""
    return len(set(folded(text).split()) - words().no_reasons - words().small_words - asked) >= fewest


def _plain_facts(line: str) -> Iterator[Evidence]:
    for link in LINK.findall(line):
        yield Evidence("link", link.casefold().rstrip(".,;/"))
        yield Evidence("contact", link.casefold().rstrip(".,;/"))
    for address in EMAIL.findall(line):
        yield Evidence("contact", address.casefold())
    for date in DATE.findall(line):
        yield Evidence("date", folded(date))
    bare = DATE.sub(" ", LINK.sub(" ", line))
    for found in _number().finditer(bare):
        if not found["vague"]:
            yield Evidence("number", folded(f"{found['number']} {found['unit']}"))
    reason = REASON.search(line)
    if reason and is_reason(reason[1]):
        yield Evidence("reason", folded(reason[1]))
    low = folded(line)
    for choice in words().collection_types:
        if folded(choice) in low:
            yield Evidence("choice", folded(choice))


def _names(line: str) -> Iterator[Evidence]:
    bare = DATE.sub(" ", EMAIL.sub(" ", LINK.sub(" ", line)))
    for path in PATH.findall(bare):
        yield Evidence("name", folded(path))
    plain = re.sub(r"[*_`#|]", " ", PATH.sub(" ", bare))
    start = len(plain) - len(plain.lstrip(" \"'(["))
    matches = [found for found in NAME.finditer(plain) if found[0].casefold() not in words().no_names]
    run: list[str] = []
    for at, found in enumerate(matches):
        is_first = found.start() <= start
        followed = any(0 < other.start() - found.end() <= 1 for other in matches)
        inner = any(letter.isupper() or letter.isdigit() for letter in found[0][1:])
        has_version = re.match(r"\s+v?\d+\.\d", plain[found.end() :]) is not None
        if not is_first or followed or inner or has_version:
            run.append(folded(found[0]))
        is_last = at + 1 == len(matches) or matches[at + 1].start() - found.end() > 1
        if run and is_last:
            yield Evidence("name", " ".join(run))
            run = []


def _facts_of_dataset(line: str, known: DatasetFacts, columns: list[str]) -> Iterator[Evidence]:
    low, row = line.casefold(), f" {folded(line)} "
    parts = set(row.split())
    known_sources = [*list(known.sources)[:2000], *list(known.domains)[:2000]]
    for name in known_sources:
        if len(name) > 2 and (name.casefold() in low or _all_words_in(folded(name), row, parts)):
            yield Evidence("source", folded(name))
    if not known_sources:
        yield from (Evidence("source", one.words) for one in [*_names(line), *_links(line)])
    for name in known.generators:
        if len(name) > 1 and name.casefold() in low:
            yield Evidence("model", folded(name))
    if not known.generators:
        yield from (Evidence("model", one.words) for one in _names(line))
    yield from (Evidence("language", name) for name in languages_in(line))
    for name in columns:
        if re.search(rf"(?:^|[`|\"'*])\s*{re.escape(name.casefold())}\s*(?:[`|\"'*:]|$)", low):
            yield Evidence("column", folded(name))
    if not columns:
        yield from (Evidence("column", folded(cell)) for cell in re.findall(r"`([^`\n]{2,40})`", line))
    from copycat.provenance.datasheet.reading import spdx_in

    yield from (Evidence("licence", name.casefold()) for name in spdx_in(line))


def _all_words_in(name: str, row: str, parts: set[str]) -> bool:
    """Whether a name stands in a sentence, or all its words do, as in "the newsletter, issues 40 and 41"."""
    own = name.split()
    return f" {name} " in row or (len(own) > 1 and set(own) <= parts and any(len(one) > 3 for one in own))


def _links(line: str) -> Iterator[Evidence]:
    bare = PATH.sub(" ", LINK.sub(" ", line))
    return (Evidence("link", link.casefold()) for link in (*LINK.findall(line), *HOST.findall(bare)))


TAG = re.compile(r"^[a-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*$")


def language_code(name: str) -> str | None:
    """Give the primary subtag of a BCP 47 tag or of an English name of a language; None for what is neither."""
    plain = name.strip().strip("`'\"").casefold()
    if plain in words().languages:
        return words().languages[plain]
    return re.split(r"[-_]", plain)[0] if TAG.match(plain) else None


def languages_in(line: str) -> set[str]:
    """Give the codes of languages that a sentence names in English, or in code marks as tags."""
    named = {words().languages[word] for word in folded(line).split() if word in words().languages}
    return named | {code for tag in re.findall(r"`([a-z]{2,3}(?:-\w+)?)`", line) if (code := language_code(tag))}
