"""Small datasets to make manifests of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from manifests import Make, Manifested

from copycat.provenance.dataset import open_dataset
from copycat.provenance.manifest import Order, write_manifest

DAY = date(2026, 2, 1)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write records as a dataset of one JSONL file; a second time replaces them."""

    def write(rows: Sequence[Mapping[str, Any]], name: str = "data", card: str = "") -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        if card:
            (folder / "README.md").write_text(card, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def manifested() -> Manifested:
    """Write the manifest of a folder."""
    return lambda folder, **order: write_manifest(open_dataset(folder), Order(DAY, **order))
