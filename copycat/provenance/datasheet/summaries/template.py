"""The fields that a law asks for, read from eu.yaml and ab2013.yaml."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from copycat.errors import UnknownNameError
from copycat.provenance.dataset.card import load_plain_yaml
from copycat.schema import Record
from copycat.schema.base import Text

SUMMARIES = ("eu", "ab2013")

FactName = Literal[
    "modalities",
    "size",
    "range",
    "latest",
    "period",
    "languages",
    "sources",
    "domains",
    "synthetic",
    "licences",
    "signals",
]


class SummaryField(Record):
    """One field of a template.

    Attributes:
        id: the number of the template. who: whether a dataset can answer it, or only the provider of a model.
        facts: names of `computed.py`, of which any answers it; card: fields of a datasheet, of which any does.
        words: of these, one must stand in the card's answer; (): none needs to.
        in_part: facts alone answer it in part.
    """

    id: Text
    section: Text
    title: Text
    who: Literal["dataset", "provider"]
    facts: tuple[FactName, ...] = ()
    card: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    in_part: bool = False
    write: Text


class Summary(Record):
    """A template: of which law, from which text, read when."""

    name: Text
    title: Text
    law: Text
    source: Text
    read_on: date
    note: Text
    fields: tuple[SummaryField, ...]


@cache
def summary(name: str) -> Summary:
    """Give a template by its name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in SUMMARIES:
        raise UnknownNameError("summary", name, SUMMARIES)
    raw = load_plain_yaml(Path(__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8"))
    return Summary.model_validate(raw)
