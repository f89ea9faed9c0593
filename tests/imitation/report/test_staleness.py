"""Scores that are of other pictures than those that generations.json tells of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from studies import make_analysis, write_study

from copycat.imitation.generate.pictures import generations_sha256
from copycat.imitation.report.reading import read_study
from copycat.imitation.report.staleness import other_pictures

DRAWN: dict[str, Any] = {"model": "sandbox", "images": 4, "arms": {"named": {"counts": {"ok": 8}}}, "warnings": []}


def warnings_of(folder: Path, drawn: dict[str, Any], scored: dict[str, str]) -> list[str]:
    (folder / "generations.json").write_text(json.dumps(drawn))
    (folder / "scores.json").write_text(json.dumps({"facts": scored}))
    return [text for text in read_study(folder).warnings if "generations.json" in text]


def test_generations_that_changed_since_they_were_scored_are_told(tmp_path: Path) -> None:
    write_study(tmp_path, make_analysis())
    (tmp_path / "generations.json").write_text(json.dumps(DRAWN))
    scored = {"generations.sha256": generations_sha256(tmp_path) or ""}
    assert warnings_of(tmp_path, DRAWN, scored) == []
    assert warnings_of(tmp_path, DRAWN | {"warnings": ["told anew"]}, scored) == []
    more_drawn = {"arms": {"named": {"counts": {"ok": 9}}}}
    for change in ({"images": 8}, {"model": "other"}, more_drawn):
        (told,) = warnings_of(tmp_path, DRAWN | change, scored)
        assert told.startswith("generations.json has changed since its pictures were scored: score")


@pytest.mark.parametrize("fact", ["generations.folder", "embeddings"])
def test_scores_of_a_users_own_pictures_beside_generations_are_told(tmp_path: Path, fact: str) -> None:
    write_study(tmp_path, make_analysis())
    (told,) = warnings_of(tmp_path, DRAWN, {fact: "mine"})
    assert told.startswith("scores are of mine, and generations.json tells of other pictures")


def test_scores_that_do_not_say_what_they_were_made_from_are_let_be() -> None:
    assert other_pictures("0123456789abcdef", {"embedder": "dino"}) is None
    assert other_pictures(None, {"generations.sha256": "0123456789abcdef"}) is None
