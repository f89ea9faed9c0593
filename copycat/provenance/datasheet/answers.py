"""A card -> what it says in each field: from the front matter, from croissant.json, from headings of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from copycat.provenance.dataset import Card
from copycat.provenance.datasheet.boilerplate import without_invisible
from copycat.provenance.datasheet.fields import CardField, card_fields
from copycat.provenance.records import RECORDS_FILE

MOST_LETTERS = 20_000
"""Of one answer; what is longer is cut."""

MOST_DEPTH = 12

COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
LINK_COMMENT = re.compile(r"^ {0,3}\[[^\]\n]{1,80}\]: *(?:#|<>) *[\"'(].*$", re.MULTILINE)
"""A comment written as a link that nothing names: "[//]: # (not shown)"."""

HIDDEN = re.compile(
    r"<(\w+)\b[^<>]{0,1000}?(?:\shidden\b|display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0"
    r"|opacity\s*:\s*0\s*[;\"'])[^<>]{0,1000}>.*?(?:</\1\s*>|\Z)"
    r"|<(script|style|template)\b.*?(?:</\2\s*>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
"""Elements that no reader of the page sees."""

PICTURE = re.compile(
    r"!\[(?:[^\[\]\n]|\[[^\[\]\n]{0,200}\]){0,20000}\]"
    r"(?:\((?:[^()\n]|\([^()\n]{0,200}\)){0,20000}\)|\[[^\[\]\n]{0,200}\])"
)
TAG = re.compile(r"</?[A-Za-z][^<>]{0,1000}>")
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
BOLD_LABEL = re.compile(r"^\s*(?:[-*+]\s+)?\*\*([^*]{2,60}?)\s*:?\s*\*\*\s*:?\s*(.*)$")
WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


class Said(NamedTuple):
    """One answer: where it stands ("license", "rai:dataBiases", "## Size") and what it says."""

    place: str
    text: str


class Heading(NamedTuple):
    """A part of the card's text with its level (1 to 6) and title."""

    level: int
    title: str
    lines: list[str]


class Read(NamedTuple):
    """What a card says: field -> answers, headings that belong to no field, and what stands below these (`rest`)."""

    said: Mapping[str, Sequence[Said]]
    unread: Sequence[str]
    rest: Sequence[Said] = ()


def read_answers(card: Card, as_written: bool = False) -> Read:
    """Find what a card says in each field. A heading belongs to one field: that whose words it has most of.

    Args:
        as_written: give the text with what no reader sees (pictures' words, tags), to be written again.
    """
    said: dict[str, list[Said]] = {field.id: [] for field in card_fields().fields}
    for field in card_fields().fields:
        for key in field.front:
            _add(said[field.id], key, front_text(key, card.front.get(key)))
        for key in field.croissant:
            _add(said[field.id], f"croissant {key}", flat_text(_property(card.croissant, key)))
    body = COMMENT.sub("", card.body) if as_written else visible(card.body)
    rest = list(_read_body(body, said))
    return Read(said, [one.place for one in rest], rest)


def _add(answers: list[Said], place: str, text: str) -> None:
    if text.strip():
        answers.append(Said(place, without_invisible(text.strip()[:MOST_LETTERS])))


def _property(croissant: Mapping[str, Any], key: str) -> Any:
    """Give a property by its short name, or with its namespace written out, or without."""
    prefix, _, local = key.rpartition(":")
    if key == "recordSet":
        return _own_sets(croissant.get(key))
    if key in croissant:
        return croissant[key]
    found = next((value for name, value in croissant.items() if prefix and re.split(r"[/#]", name)[-1] == local), None)
    return found if found is not None else croissant.get(f"sc:{key}")


def _own_sets(sets: Any) -> Any:
    """Leave out a set that describes records.parquet of a sidecar: a program wrote it, and it tells of no content."""
    if not isinstance(sets, list):
        return sets
    return [one for one in sets if not (isinstance(one, Mapping) and _is_of_sidecar(one.get("field")))]


def _is_of_sidecar(fields: Any) -> bool:
    sources = [one.get("source") for one in fields if isinstance(one, Mapping)] if isinstance(fields, list) else []
    files = [one.get("fileObject") for one in sources if isinstance(one, Mapping)]
    return bool(files) and all(isinstance(one, Mapping) and one.get("@id") == RECORDS_FILE for one in files)


def front_text(key: str, value: Any) -> str:
    """Give a value of the front matter as text; sizes in words, since they are numbers of records there."""
    if key == "size_categories":
        return "; ".join(
            f"{category} records" for category in (value if isinstance(value, list) else [value]) if category
        )
    if key == "dataset_info":
        return "; ".join(f"{split}: {count} examples" for split, count in split_sizes(value).items())
    return flat_text(value)


def split_sizes(info: Any) -> dict[str, int]:
    """Give split -> records, as `dataset_info` of the Hub's front matter has it; several configurations are summed."""
    sizes: dict[str, int] = {}
    for config in info if isinstance(info, list) else [info]:
        splits = config.get("splits") if isinstance(config, Mapping) else None
        for split in splits if isinstance(splits, list) else []:
            if isinstance(split, Mapping) and isinstance(split.get("num_examples"), int):
                name = str(split.get("name", ""))
                sizes[name] = sizes.get(name, 0) + split["num_examples"]
    return sizes


def flat_text(value: Any, depth: int = 0) -> str:
    """Give a value of YAML or JSON-LD as text: of mappings their names, addresses and descriptions."""
    if value is None or depth > MOST_DEPTH:
        return ""
    if isinstance(value, Mapping):
        keys = [key for key in value if not str(key).startswith("@") or key in ("@value",)]
        wanted = [
            key for key in ("name", "@value", "value", "description", "url", "email", "field", "license") if key in keys
        ]
        parts = [flat_text(value[key], depth + 1) for key in (wanted or keys)]
        return ": ".join(part for part in parts if part)
    if isinstance(value, list | tuple):
        return "\n".join(part for part in (flat_text(one, depth + 1) for one in value[:1000]) if part)
    return str(value)[:MOST_LETTERS]


def _read_body(body: str, said: dict[str, list[Said]]) -> Iterator[Said]:
    """Give each heading's text to its field, or to that of the heading above; yields what has neither."""
    above: list[tuple[int, str | None]] = []
    for part in headings(body):
        while above and above[-1][0] >= part.level:
            above.pop()
        field = field_of(part.title)
        own = field.id if field else next((name for _, name in reversed(above) if name), None)
        above.append((part.level, own))
        if own is None and part.level <= 1:
            own = "description"
        rest = []
        for line in part.lines:
            label = BOLD_LABEL.match(line)
            other = field_of(label[1], exactly=True) if label else None
            if label and other:
                _add(said[other.id], f"**{label[1]}**", label[2])
            else:
                rest.append(line)
        text = "\n".join(rest).strip()
        if own is not None:
            _add(said[own], f"{'#' * part.level} {part.title}".strip("# ") or "text", text)
        elif text:
            yield Said(part.title, text)


def headings(body: str) -> Iterator[Heading]:
    """Yield the parts of a Markdown text without comments.

    A code block has no heading; it is read only where it may show a record.
    """
    part = Heading(0, "", [])
    fence, is_about_records = "", False
    for line in body.splitlines():
        mark = re.match(r"^\s*(```+|~~~+)", line)
        if mark:
            fence = "" if fence and line.strip().startswith(fence) else fence or mark[1]
            continue
        found = None if fence else HEADING.match(line)
        if found:
            yield part
            part = Heading(len(found[1]), found[2], [])
            about = field_of(part.title)
            is_about_records = about is not None and about.id == "record"
        elif not fence or is_about_records:
            part.lines.append(line)
    yield part


def visible(body: str) -> str:
    """Take out of a Markdown text what no reader sees: comments, hidden elements, words behind pictures, tags."""
    for pattern in (COMMENT, LINK_COMMENT, HIDDEN, PICTURE):
        body = pattern.sub("", body)
    return TAG.sub(lambda tag: tag[0] if "://" in tag[0][:10] else " ", body)


def field_of(title: str, exactly: bool = False) -> CardField | None:
    """Give the field that a heading belongs to: the same words, else the longest run of words in it."""
    words = " ".join(WORD.findall(title.casefold()))
    best: tuple[int, CardField | None] = (0, None)
    for plain, field in _phrases():
        if words == plain:
            return field
        if not exactly and f" {plain} " in f" {words} " and len(plain) > best[0]:
            best = (len(plain), field)
    return best[1]


@cache
def _phrases() -> list[tuple[str, CardField]]:
    """Give the words of every heading, with the field that it belongs to."""
    return [
        (" ".join(WORD.findall(phrase.casefold())), field)
        for field in card_fields().fields
        for phrase in (*field.headings, field.title)
    ]
