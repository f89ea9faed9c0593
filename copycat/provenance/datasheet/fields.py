"""The table of fields of a datasheet, read from fields.yaml.

Sources: Croissant 1.1 (2026-01-29), required and recommended properties of a dataset; Croissant RAI 1.0; "Towards Best
Practices for Open Datasets" (arXiv 2501.08365), practices 4.1 to 4.5; Gebru et al., "Datasheets for Datasets"
(arXiv 1803.09010).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field as Default

from copycat.provenance.dataset.card import load_plain_yaml
from copycat.schema import Record
from copycat.schema.base import Text

Kind = Literal["text", "licence", "url", "date", "version", "language", "people", "name"]

FactKind = Literal["number", "date", "link", "contact", "name", "source", "model", "column", "language", "licence",
                   "reason", "size", "share", "choice", "columns"]  # fmt: skip
FACT_KINDS: tuple[FactKind, ...] = get_args(FactKind)

FACT_WORDS: dict[FactKind, str] = {
    "number": "a number of something",
    "date": "a date to the month",
    "link": "an address",
    "contact": "an address to write to",
    "name": "a name",
    "source": "a source by name",
    "model": "a model by name",
    "column": "a column",
    "language": "a language",
    "licence": "a licence by its SPDX identifier",
    "reason": "a reason",
    "size": "the number of records that are there",
    "share": "the share of the records that are there",
    "choice": "a kind of collection by its usual name",
    "columns": "half or more of the columns, each by its name",
}


class CardField(Record):
    """One row of fields.yaml, whose head says what each value means."""

    id: Text
    section: Text
    title: Text
    source: Text
    front: tuple[str, ...] = ()
    croissant: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    kind: Kind
    about: tuple[str, ...] = ()
    facts: tuple[tuple[FactKind, ...], ...] = ()
    write: Text
    is_short: bool = False
    needs: Literal["", "synthetic"] = ""


class CardFields(Record):
    """The table: sections in their order (name -> heading), and fields."""

    sections: dict[str, str]
    fields: tuple[CardField, ...] = Default(min_length=1)


@cache
def card_fields() -> CardFields:
    """Read the table."""
    path = Path(__file__).with_name("fields.yaml")
    return CardFields.model_validate(load_plain_yaml(path.read_text(encoding="utf-8")))
