"""Datasets with a manifest are made once, and each test gets a copy."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lookup"))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the datasets toy, in one file, and split, the same in two; both with manifests."""
    from planted_worlds import make_manifest, rows, write_jsonl

    folder = tmp_path_factory.mktemp("made")
    make_manifest(write_jsonl(folder / "toy", rows()))
    write_jsonl(folder / "split", rows(8))
    write_jsonl(folder / "split", [{**row, "id": f"t{row['id']}"} for row in rows(12)[8:]], "test.jsonl")
    make_manifest(folder / "split")
    return folder
