"""`copycat.eval --erased`: edited weights beside the model's own, in the same tables and with the same seeds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from erasures import save_erasure
from harness import Cli, Doubles

from copycat.models.resolve import resolve_model
from copycat.runs.folder import RunFolder
from copycat.schema import Sample

OPTIONS = ("--judge", "fake-judge", "--device", "cpu", "--characters", "mine.yaml", "--steps", 1, "--seeds", 1)


def samples_of(folder: Path) -> list[Sample]:
    return RunFolder(folder).read_samples()


def runs_by_mitigation(answer_out: str) -> dict[str, Path]:
    return {run["metrics"]["mitigation"]: Path(run["folder"]) for run in json.loads(answer_out)["runs"]}


@pytest.fixture
def erase(run: Cli, cli: Cli, tiny_pipeline: Path) -> Cli:
    """Evaluate the tiny pipeline by name only."""
    return lambda *options: cli("--model", tiny_pipeline, *OPTIONS, "--anchors", "name", *options)


def test_erased_weights_stand_beside_the_own_ones_alone_and_with_every_mitigation(
    erase: Cli, tiny_pipeline: Path, tmp_path: Path
) -> None:
    card = save_erasure(tiny_pipeline, tmp_path / "e", size=3)
    answer = erase("--erased", "e", "--mitigation", "negprompt:name", "--json")
    assert answer.code == 0, answer.err
    runs = runs_by_mitigation(answer.out)
    assert list(runs) == ["none", "negprompt:name", "erased:esd-goofy", "erased:esd-goofy+negprompt:name"]
    both = samples_of(runs["erased:esd-goofy+negprompt:name"])
    assert {sample.erasure for sample in both} == {card.erasure}
    assert all(sample.negative_prompt for sample in both)
    plain, erased = (samples_of(runs[name]) for name in ("none", "erased:esd-goofy"))
    assert [sample.seed for sample in plain] == [sample.seed for sample in erased]
    assert {sample.sha256 for sample in plain}.isdisjoint(sample.sha256 for sample in erased)
    assert (runs["erased:esd-goofy"] / "comparison.json").exists()


@pytest.mark.slow
def test_the_same_command_twice_draws_nothing_and_other_weights_are_another_run(
    erase: Cli, tiny_pipeline: Path, tmp_path: Path
) -> None:
    save_erasure(tiny_pipeline, tmp_path / "e")
    first = runs_by_mitigation(erase("--erased", "e", "--json").out)["erased:esd-goofy"]
    before = {path: path.stat().st_mtime_ns for path in first.rglob("*.png")}
    (tmp_path / "e").rename(tmp_path / "moved")
    assert runs_by_mitigation(erase("--erased", tmp_path / "moved", "--json").out)["erased:esd-goofy"] == first
    assert {path: path.stat().st_mtime_ns for path in first.rglob("*.png")} == before
    save_erasure(tiny_pipeline, tmp_path / "again", noise=9)
    assert runs_by_mitigation(erase("--erased", "again", "--json").out)["erased:esd-goofy"] != first


def test_a_dry_run_names_the_erasure(erase: Cli, tiny_pipeline: Path, tmp_path: Path) -> None:
    save_erasure(tiny_pipeline, tmp_path / "e", "text_encoder", method="advunlearn")
    answer = erase("--erased", "e", "--dry-run")
    assert answer.code == 0
    assert "  erased:advunlearn-goofy: 3 pictures (0 made)" in answer.out
    assert not list(tmp_path.glob("runs/*/samples.jsonl"))


def test_an_erasure_of_another_model_is_refused_before_anything_is_drawn(
    erase: Cli, tiny_pipeline: Path, tmp_path: Path
) -> None:
    save_erasure(tiny_pipeline, tmp_path / "e", revision="0" * 64)
    answer = erase("--erased", "e")
    assert answer.code == 2
    assert "this erasure was made for folder:tiny at 000000000000" in answer.err
    assert not list(tmp_path.glob("runs/*/samples.jsonl"))


def test_a_folder_without_an_erasure_is_told(erase: Cli) -> None:
    answer = erase("--erased", "nowhere")
    assert answer.code == 2
    assert "nowhere: no such folder" in answer.err


def test_a_model_without_weights_here_refuses_an_erasure(run: Cli, tiny_pipeline: Path, tmp_path: Path) -> None:
    save_erasure(tiny_pipeline, tmp_path / "e")
    answer = run("--erased", "e")
    assert answer.code == 2
    assert "this erasure was made for" in answer.err


@pytest.mark.slow
def test_shards_draw_erased_pictures_too(erase: Cli, tiny_pipeline: Path, tmp_path: Path) -> None:
    save_erasure(tiny_pipeline, tmp_path / "e", "unet", "text_encoder")
    for shard in ("1/2", "2/2"):
        assert erase("--erased", "e", "--shard", shard).code == 0
    (erased,) = tmp_path.glob("runs/*erased-esd-goofy*")
    drawn = len(list(erased.glob("images/*")))
    runs = runs_by_mitigation(erase("--erased", "e", "--json").out)
    assert runs["erased:esd-goofy"].resolve() == erased
    assert drawn == len(samples_of(erased)) == 3


def test_figures_are_given_of_what_was_erased_and_of_everyone_else(
    run: Cli, doubles: Doubles, tmp_path: Path, characters_file: Path, tiny_pipeline: Path
) -> None:
    """The fake model never shows whom an erasure names, but under attack it mostly does, and others in 7 of 10."""
    del doubles, characters_file
    row = resolve_model("fake")
    save_erasure(tiny_pipeline, tmp_path / "e", source=row.source, revision="1")
    options = ("--erased", "e", "--attack", "arc:A1", "--seeds", 6)
    answer = run(*options, "--json")
    assert answer.code == 0, answer.err
    plain, attacked = json.loads(answer.out)["erased"]["fake"]
    assert plain["concepts"] == attacked["concepts"] == ["goofy"]
    assert plain["detect"]["name"]["n"] == 6
    assert plain["detect"]["all"]["value"] == 0
    assert plain["original"]["all"]["value"] > 0.6
    assert attacked["detect"]["all"]["value"] > 0.2
    groups = {kept["group"]: kept for kept in plain["retention"]}
    assert {name: one["n"] for name, one in groups.items()} == {
        "all": 12, "franchise": 6, "characteristic": 0, "neighbours": 6, "rest": 6,
    }  # fmt: skip
    assert 0.4 < groups["all"]["value"] < 1.1
    assert attacked["retention"] == []  # under attack others are drawn by other prompts
    told = run(*options).out
    assert "on what was erased: fake" in told
    assert "(goofy)" in told and "others kept" in told and "same franchise" in told


def test_the_report_of_an_erasure_parts_what_was_erased_from_everyone_else(
    run: Cli, doubles: Doubles, tmp_path: Path, characters_file: Path, tiny_pipeline: Path
) -> None:
    del doubles, characters_file
    row = resolve_model("fake")
    save_erasure(tiny_pipeline, tmp_path / "e", source=row.source, revision="1")
    assert run("--erased", "e", "--attack", "arc:A1", "--seeds", 2, "--benign").code == 0
    reports = {
        (spec["mitigation"], "benign" in spec["anchors"]): (path.parent / "report.html").read_text(encoding="utf-8")
        for path in tmp_path.glob("runs/*/run.json")
        if (spec := json.loads(path.read_text(encoding="utf-8"))["spec"])
    }
    told = {key for key, page in reports.items() if "DETECT on everyone else" in page and "DETECT on Goofy" in page}
    assert len(told) == 2
    assert {(mitigation.startswith("erased:"), is_benign) for mitigation, is_benign in told} == {(True, False)}
    erased = reports["erased:esd-goofy", False]
    first = erased.partition("DETECT on Goofy")[2].partition("DETECT on everyone else")[0]
    figures = re.sub(r"\s+", "", re.sub(r"<[^>]+>", "", first))
    assert figures.endswith(
        "4/4\N{RIGHTWARDS ARROW}0/4"
    )  # both anchors, two seeds: seen with the own weights, and not once after
