"""Words and phrases by which texts of cards are read, from words.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from copycat.provenance.dataset.card import load_plain_yaml
from copycat.schema import Record


class Words(Record):
    """The lists of words.yaml, whose comments say what each is for."""

    placeholders: frozenset[str]
    filler: frozenset[str]
    instructions: tuple[str, ...]
    no_names: frozenset[str]
    small_words: frozenset[str]
    no_reasons: frozenset[str]
    of_data: frozenset[str]
    collection_types: tuple[str, ...]
    numbers: tuple[str, ...]
    languages: dict[str, str]


@cache
def words() -> Words:
    """Read the lists."""
    return Words.model_validate(load_plain_yaml(Path(__file__).with_name("words.yaml").read_text(encoding="utf-8")))
