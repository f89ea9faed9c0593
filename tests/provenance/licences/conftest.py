"""Toy datasets: a card, records, and files beside them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from copycat.provenance.dataset import open_dataset
from copycat.provenance.records import PURPOSES, Outcome
from copycat.provenance.rules import Context
from copycat.provenance.rules.running import run_rules

Maker = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    """Make a dataset in tmp_path/set: a front matter and text, records, other files."""

    def made(
        front: str | None = None,
        rows: Sequence[Mapping[str, Any]] = ({"id": "a", "text": "words"},),
        body: str = "",
        files: Mapping[str, str] | None = None,
    ) -> Path:
        folder = tmp_path / "set"
        folder.mkdir(exist_ok=True)
        if front is not None:
            (folder / "README.md").write_text(f"---\n{front}\n---\n{body}\n", encoding="utf-8")
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "data.jsonl").write_text(lines, encoding="utf-8")
        for name, text in (files or {}).items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    return made


def outcome(rule: str, path: Path, purpose: str = "training", output_licence: str | None = None) -> Outcome:
    """Run one rule over a dataset."""
    wanted = PURPOSES[purpose].model_copy(update={"output_licence": output_licence})
    context = Context(open_dataset(path), wanted)
    return run_rules(context, [rule]).outcomes[0]


def severities(found: Outcome) -> list[str]:
    return [finding.severity for finding in found.findings]


@pytest.fixture
def check() -> Callable[..., Outcome]:
    return outcome
