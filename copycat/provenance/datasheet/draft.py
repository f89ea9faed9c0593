"""A card as a draft: what the records tell and the card says already, and marked blanks for the rest.

A blank begins with BLANK and counts as nothing, so that a draft has no more points than its facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from copycat.provenance.dataset import Card
from copycat.provenance.datasheet.answers import read_answers
from copycat.provenance.datasheet.boilerplate import BLANK
from copycat.provenance.datasheet.evidence import language_code
from copycat.provenance.datasheet.facts import DatasetFacts
from copycat.provenance.datasheet.fields import CardField, card_fields
from copycat.provenance.datasheet.report import CardReport
from copycat.sharing.cards import markdown_table, plain

FRONT = {"name": "pretty_name", "licence": "license", "languages": "language", "version": "version",
         "published": "date_published", "url": "homepage", "creator": "creator"}  # fmt: skip
"""Fields that stand in the front matter."""

MOST_LISTED = 20


def card_draft(report: CardReport, card: Card) -> str:
    """Write the draft of README.md."""
    fields = card_fields()
    said = read_answers(card, as_written=True).said
    front = _front(report, card)
    lines = [
        "---",
        yaml.safe_dump(front, allow_unicode=True, sort_keys=False).rstrip(),
        "---",
        "",
        f"# {front['pretty_name']}",
    ]
    for section in fields.sections:
        for field in fields.fields:
            if field.section != section or field.id in FRONT or field.id in report.score.left_out:
                continue
            scored = report.score.of(field.id)
            kept = "\n\n".join(text for place, text in said[field.id] if _is_own(place))
            own = kept if scored is not None and kept and not scored.is_boilerplate else ""
            title = (field.headings or (field.title,))[0]
            if own and scored is not None and not scored.points:
                own += f"\n\n{BLANK} {field.write}]"
            text = own or "\n\n".join(_computed(field, report)) or f"{BLANK} {field.write}]"
            lines += ["", f"## {title[:1].upper()}{title[1:]}", "", text]
    return "\n".join(lines) + "\n"


def _is_own(place: str) -> bool:
    """Whether an answer stands in the text of the card; those of the front matter and of Croissant stay there."""
    return not place.startswith("croissant") and place not in {key for one in card_fields().fields for key in one.front}


def _front(report: CardReport, card: Card) -> dict[str, object]:
    """Give the front matter: as it is, with what is missing; blanks are left out of it, since a value must be one."""
    front = dict(card.front)
    front.setdefault("pretty_name", report.dataset)
    codes = [code for name in report.facts.languages if (code := language_code(name))]
    if codes and "language" not in front and "languages" not in front:
        front["language"] = list(dict.fromkeys(codes))[:MOST_LISTED]
    return front


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
        yield f"{known.n_removed} records were removed so far."
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
