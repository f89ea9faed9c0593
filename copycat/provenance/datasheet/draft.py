"""A card as a draft: what the records tell and the card says already, and marked blanks for the rest.

A blank begins with BLANK and counts as nothing, so that a draft has no more points than its facts. In the front matter
a blank is a comment of YAML behind its key, which says nothing to any reader of the card until somebody fills it in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import yaml

from copycat.provenance.dataset import Card
from copycat.provenance.dataset.card import BLANK
from copycat.provenance.dataset.contact import contact_of
from copycat.provenance.datasheet.answers import Read, Said, front_text, read_answers
from copycat.provenance.datasheet.boilerplate import sentences, why_boilerplate
from copycat.provenance.datasheet.evidence import language_code
from copycat.provenance.datasheet.facts import DatasetFacts
from copycat.provenance.datasheet.fields import CardField, card_fields
from copycat.provenance.datasheet.report import CardReport
from copycat.sharing.cards import markdown_table, plain

FRONT = {"name": "pretty_name", "licence": "license", "creator": "creator", "url": "homepage",
         "published": "date_published", "version": "version", "languages": "language"}  # fmt: skip
"""Fields that stand in the front matter, with their keys."""

CONTACT = "an address to ask for a removal or a correction, of e-mail or of the web"
SUCH_AS = {"creator": "{name: ..., url: ...}"}
"""How a value is written that is no plain word."""

MOST_LISTED = 20


def card_draft(report: CardReport, card: Card) -> str:
    """Write the draft of README.md."""
    fields = card_fields()
    read = read_answers(card, as_written=True)
    front = _front(report, card)
    lines = [
        "---",
        yaml.safe_dump(front, allow_unicode=True, sort_keys=False).rstrip(),
        *_front_blanks(report, card, read),
        "---",
        "",
        f"# {front['pretty_name']}",
    ]
    for section in fields.sections:
        for field in [field for field in fields.fields if field.section == section]:
            text = _text(field, report, read.said[field.id])
            if text:
                title = (field.headings or (field.title,))[0]
                lines += ["", f"## {title[:1].upper()}{title[1:]}", "", text]
    for title, text in read.rest:
        lines += ["", f"## {title}", "", text]
    return "\n".join(lines) + "\n"


def _text(field: CardField, report: CardReport, said: Sequence[Said]) -> str:
    """Give what stands below a heading; "" where nothing is needed. A person's words are never left out."""
    scored = report.score.of(field.id)
    own = "\n\n".join(text for place, text in said if _is_own(place))
    if all(why_boilerplate(line) for line in sentences(own)):
        own = ""
    points = 1 if scored is None or field.id in FRONT else scored.points
    if own:
        return own if points or BLANK in own else f"{own}\n\n{BLANK} {field.write}]"
    computed = "" if scored is None else "\n\n".join(_computed(field, report))
    return computed or ("" if points == 1 else f"{BLANK} {field.write}]")


def _is_own(place: str) -> bool:
    """Whether an answer stands in the text of the card; those of the front matter and of Croissant stay there."""
    return not place.startswith("croissant") and place not in {key for one in card_fields().fields for key in one.front}


def _front(report: CardReport, card: Card) -> dict[str, object]:
    """Give the front matter: as it is, without placeholders, with what the records tell."""
    told = [key for field in card_fields().fields if field.id in FRONT for key in field.front if key in card.front]
    empty = {key for key in told if why_boilerplate(front_text(key, card.front[key]))}
    front = {key: value for key, value in card.front.items() if key not in empty}
    front.setdefault("pretty_name", report.dataset)
    codes = [code for name in report.facts.languages if (code := language_code(name))]
    if codes and "language" not in front and "languages" not in front:
        front["language"] = list(dict.fromkeys(codes))[:MOST_LISTED]
    return front


def _front_blanks(report: CardReport, card: Card, read: Read) -> list[str]:
    """Give a blank for each key that is not there, as comments: a value that is none would be read as one."""
    found = []
    for field in [field for field in card_fields().fields if field.id in FRONT and field.id != "name"]:
        is_told = field.id == "languages" and any(map(language_code, report.facts.languages))
        if not is_told and not any(not why_boilerplate(text) for _, text in read.said[field.id]):
            such_as = f", such as {SUCH_AS[field.id]}" if field.id in SUCH_AS else ""
            found.append(f"# {FRONT[field.id]}:  # {BLANK} {field.write}{such_as}]")
    if not contact_of(card):
        found.append(f"# contact:  # {BLANK} {CONTACT}]")
    return ["# Still to be written. Take away the '#' before a key, and put the value behind it.", *found] * bool(found)


def _computed(field: CardField, report: CardReport) -> Iterator[str]:
    """Yield what the records tell of a field."""
    known = report.facts
    if field.id == "size" and known.n_records:
        splits = ", ".join(f"{count} in {plain(name)}" for name, count in known.splits.items())
        yield f"The dataset has {known.n_records} records{f': {splits}' if splits else ''}."
    elif field.id == "record" and report.columns:
        yield markdown_table(("column", "meaning"), [(name, "") for name in report.columns]).replace(
            "|  |", f"| {BLANK} what it means] |"
        )
    elif field.id == "sources" and known.sources:
        yield f"The records come from {_listed(known.sources)}."
    elif field.id == "timeframe" and known.first_retrieved:
        yield f"From {known.first_retrieved} to {known.last_retrieved}."
    elif field.id == "terms" and known.licences:
        yield f"By licence of the record: {_listed(known.licences)}."
    elif field.id == "removal" and known.n_removed:
        were = "1 record was" if known.n_removed == 1 else f"{known.n_removed:,} records were"
        yield f"{were} removed so far."
        yield f"{BLANK} {field.write}]"
    elif field.section == "synthetic":
        yield from _synthetic(field, known)


def _synthetic(field: CardField, known: DatasetFacts) -> Iterator[str]:
    share = known.synthetic_share
    if field.id == "synthetic-share" and share is not None:
        yield f"{100 * share:.1f} % of the records are synthetic: {known.n_synthetic} of {known.n_records}."
    elif field.id == "synthetic-share" and known.n_marked:
        n_unknown = known.n_records - known.n_marked
        yield f"Marked as synthetic: {known.n_synthetic} of {known.n_records} records; unknown for {n_unknown}."
        yield f"{BLANK} {field.write}]"
    if field.id == "synthetic-models" and known.generators:
        yield f"The synthetic records were made by {_listed(known.generators)}."


def _listed(counts: dict[str, int]) -> str:
    named = [f"{_one_line(name)} ({count} records)" for name, count in list(counts.items())[:MOST_LISTED]]
    more = len(counts) - MOST_LISTED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _one_line(name: str) -> str:
    """Give a name of the dataset's own as plain text; a dot or a dash in it stays as it is, to be found again."""
    return re.sub(r"[<>|`*\[\]\\]", " ", " ".join(name.split()))[:120]
