"""`--metrics ladder`: generated pictures against a user's folder of references, in the main job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tiny_judge import sandbox_render, save_references

if TYPE_CHECKING:
    from harness import Cli

RUNGS = "ladder-exact,ladder-phash:0.05,ladder-dhash:0.05"


def test_copies_of_a_references_folder_of_any_layout_are_rows_of_the_run(run: Cli, tmp_path: Path) -> None:
    save_references(tmp_path / "refs", {f"artist-{i}": [sandbox_render(i, 0)] for i in range(8)})
    answer = run("--mitigation", "none", "--metrics", RUNGS, "--references", tmp_path / "refs", "--json")
    assert answer.code == 0
    estimates = json.loads(answer.out)["runs"][0]["metrics"]["estimates"]
    found = {one["metric"]: one for one in estimates if one["anchor"] == "all"}
    assert (found["copy_exact"]["value"], found["copy_exact"]["n"], found["copy_exact"]["better"]) == (0, 12, "lower")
    assert {"copy_phash", "copy_dhash"} <= set(found)
    report = next(tmp_path.glob("runs/*/report.html")).read_text(encoding="utf-8")
    assert "Near a reference by pHash" in report
    assert "ladder-phash:RATE" in report
    assert "Copies by" not in report


def test_too_few_references_for_the_rate_are_told_before_a_picture_is_made(run: Cli, tmp_path: Path) -> None:
    save_references(tmp_path / "refs", {f"artist-{i}": [sandbox_render(i, 0)] for i in range(8)})
    answer = run("--mitigation", "none", "--metrics", "ladder-phash", "--references", tmp_path / "refs")
    assert answer.code == 2
    assert "28 pairs of unrelated pictures cannot show a false-positive rate of 0.001" in answer.err
    assert not list(tmp_path.glob("runs/*/images/*"))
