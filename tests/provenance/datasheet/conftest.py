"""A card in which every field is answered, and the records that it speaks of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from copycat.provenance.dataset import Card
from copycat.provenance.dataset.card import read_card
from copycat.provenance.datasheet import Completeness, DatasetFacts, completeness

CARDS = Path(__file__).with_name("cards")

TILES = DatasetFacts(
    n_records=100,
    splits={"train": 80, "test": 20},
    languages={"en": 70, "de": 30},
    licences={"CC-BY-4.0": 60, "CC0-1.0": 40},
    sources={"tiles.example.org": 60, "mosaic.example.org": 40},
    domains={"tiles.example.org": 57, "mosaic.example.org": 40},
    first_retrieved="2025-03-01",
    last_retrieved="2025-03-09",
    n_marked=100,
    n_synthetic=20,
    generators={"Tile Captioner": 20},
)
COLUMNS = ("id", "text", "language", "source", "url")

MakeCard = Callable[[str], Card]
Score = Callable[..., Completeness]


@pytest.fixture
def card_of(tmp_path: Path) -> MakeCard:
    """Give the card that a README.md makes."""

    def make(text: str) -> Card:
        (tmp_path / "README.md").write_text(text, encoding="utf-8")
        return read_card(tmp_path)

    return make


@pytest.fixture
def whole_card() -> str:
    return (CARDS / "whole.md").read_text(encoding="utf-8")


@pytest.fixture
def tiles() -> DatasetFacts:
    return TILES


@pytest.fixture
def score() -> Score:
    """Score a card against the records of the tiles, or others."""

    def of(card: Card, known: DatasetFacts | None = TILES) -> Completeness:
        return completeness(card, known, COLUMNS, date(2026, 6, 1))

    return of
