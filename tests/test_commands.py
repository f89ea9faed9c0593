"""The smaller commands, and the options of the main job: what they refuse before anything is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness import Cli, Doubles
from run_folders import folder_of, read, samples_of, tree
from typer.testing import CliRunner

from copycat.commands import data, sandbox
from copycat.errors import UserError


@pytest.mark.parametrize("date", ["foo", "2026-13-31", "31-01-2026", "2026-1-1"])
def test_what_is_no_date_is_refused_and_nothing_is_written(tmp_path: Path, date: str) -> None:
    frozen = ["freeze", "unseen50", "--out", str(tmp_path / "a"), "--by", "us", "--date", date]
    exported = ["export", "--folder", str(tmp_path / "b"), "--date", date]

    answers = [CliRunner().invoke(data.app, frozen), CliRunner().invoke(sandbox.app, exported)]

    assert [answer.exit_code for answer in answers] == [2, 2]
    assert all(f"'{date}' is no date" in answer.output for answer in answers)
    assert not list(tmp_path.iterdir())


def test_the_sheet_of_characters_is_a_png(tmp_path: Path) -> None:
    answer = CliRunner().invoke(sandbox.app, ["render", "--out", str(tmp_path / "sheet.txt")])

    assert isinstance(answer.exception, UserError)
    assert "ends in .png" in str(answer.exception)
    assert not list(tmp_path.iterdir())


def test_the_sheet_of_characters_makes_its_folder(tmp_path: Path) -> None:
    answer = CliRunner().invoke(sandbox.app, ["render", "--out", str(tmp_path / "new" / "sheet.png")])

    assert answer.exit_code == 0
    assert (tmp_path / "new" / "sheet.png").is_file()


def test_a_changed_text_is_frozen_under_a_new_version(tmp_path: Path) -> None:
    options = ["freeze", "unseen50", "--out", str(tmp_path / "p"), "--by", "us", "--date", "2026-01-31"]
    CliRunner().invoke(data.app, options)

    answer = CliRunner().invoke(data.app, [*options, "--how", "anew", "--version", "1.1"])

    assert answer.exit_code == 0
    assert "version: '1.1'" in (tmp_path / "p" / "card.yaml").read_text(encoding="utf-8")


# ------------------------------------------------------------------------ options of the main job

LATER = "needed: rising positions from 0, such as 0,6,15"
WRONG_OPTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "size without height": (("--size", "1024"), "--size '1024' has the wrong form\n  needed: WIDTHxHEIGHT in pixels, "),
    "size in words": (("--size", "large"), "--size 'large' has the wrong form\n  needed: WIDTHxHEIGHT in pixels, "),
    "size too small": (("--size", "7x64"), "--size '7x64' has the wrong form\n  needed: WIDTHxHEIGHT in pixels, "),
    "negative size": (("--size", "-64x64"), "--size '-64x64' has the wrong form\n"),
    "size with a third side": (("--size", "8x8x8"), "--size '8x8x8' has the wrong form\n"),
    "empty size": (("--size", ""), "--size '' has the wrong form\n"),
    "frames in words": (("--keep-frames", "all"), f"--keep-frames 'all' has the wrong form\n  {LATER}\n"),
    "falling frames": (("--keep-frames", "6,0"), f"--keep-frames '6,0' has the wrong form\n  {LATER}\n"),
    "a frame twice": (("--keep-frames", "0,0"), f"--keep-frames '0,0' has the wrong form\n  {LATER}\n"),
    "a negative frame": (("--keep-frames", "-1,2"), f"--keep-frames '-1,2' has the wrong form\n  {LATER}\n"),
    "a frame too few": (("--keep-frames", "0,,2"), f"--keep-frames '0,,2' has the wrong form\n  {LATER}\n"),
    "no frame": (("--keep-frames", ""), f"--keep-frames '' has the wrong form\n  {LATER}\n"),
    "compile": (("--compile", "yes"), "unknown compile 'yes'\n  known: auto, off, on\n"),
    "executor": (("--executor", "slurm"), "unknown executor 'slurm'\n  known: local, ray\n"),
    "near executor": (("--executor", "locl"), "unknown executor 'locl'\n  did you mean 'local'?\n"),
    "safety checker": (("--safety-checker", "no"), "unknown safety-checker 'no'\n"),
    "preset": (("--preset", "papr"), "unknown preset of model 'fake': 'papr'\n"),
    "frames of a picture": (("--frames", "9"), "'fake' has no setting 'frames'\n  leave out --frames\n"),
    "kept frames of a picture": (("--keep-frames", "0"), "'fake' has no setting 'keep-frames'\n  leave out --keep-"),
    "quality of a pipeline": (("--quality", "high"), "'fake' has no setting 'quality'\n  leave out --quality\n"),
    "a cluster for a service": (
        ("--model", "fake-service", "--executor", "ray"),
        "'fake-service' draws elsewhere; a Ray cluster adds nothing\n  leave out --executor ray\n",
    ),
    "a frame that is not drawn": (
        ("--model", "fake-video", "--keep-frames", "0,9"),
        "'fake-video' draws 9 frames, numbered from 0; there is no frame 9\n  use --keep-frames with smaller numbers",
    ),
    "a frame after the end": (
        ("--model", "fake-video", "--frames", "5", "--keep-frames", "0,5"),
        "'fake-video' draws 5 frames, numbered from 0; there is no frame 5\n",
    ),
    "a revision of what is no repository": (("--model", "sandbox", "--revision", "main"), "model 'sandbox' is no Hub"),
}


@pytest.fixture
def order(cli: Cli, doubles: Doubles, characters_file: Path) -> Cli:
    """The main job without a judge being named."""
    fixed = ("--device", "cpu", "--characters", "mine.yaml", "--anchors", "name,description", "--seeds", 2)
    return lambda *options: cli(*(() if "--model" in options else ("--model", "fake")), *fixed, *options)


@pytest.mark.parametrize("mistake", WRONG_OPTIONS)
def test_a_wrong_value_of_an_option_ends_with_2_and_a_text_that_helps(
    order: Cli, doubles: Doubles, mistake: str
) -> None:
    options, text = WRONG_OPTIONS[mistake]
    answer = order("--judge", "fake-judge", *options)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"error: {text}")
    assert not Path("runs").exists()
    assert doubles.generated == []


@pytest.mark.parametrize("typed", ["--frames 0", "--true-guidance -1", "--frames few", "--true-guidance x"])
def test_a_number_of_the_wrong_form_ends_with_2(order: Cli, typed: str) -> None:
    answer = order("--judge", "fake-judge", *typed.split())
    assert (answer.code, answer.out) == (2, "")
    assert typed.split(maxsplit=1)[0] in answer.err
    assert "Traceback" not in answer.err


def test_what_was_asked_for_is_in_run_json(order: Cli) -> None:
    options = ("--size", "32X24", "--steps", 3, "--guidance", 2, "--dtype", "bfloat16", "--compile", "auto")
    assert order("--judge", "fake-judge", *options).code == 0
    assert read(folder_of("none") / "run.json")["spec"]["sampling"] == {
        "steps": 3,
        "guidance": 2.0,
        "width_px": 32,
        "height_px": 24,
        "dtype": "bfloat16",
        "scheduler": "NoScheduler",
    }


def test_compiling_is_another_run_and_says_so(order: Cli) -> None:
    order("--judge", "fake-judge")
    order("--judge", "fake-judge", "--compile", "on")
    compiled = [read(path)["spec"]["sampling"].get("compile") for path in Path("runs").glob("*/run.json")]
    assert sorted(compiled, key=str) == [None, "regional"]


# ---------------------------------------------------------------------------------------- no judge


def test_without_a_judge_pictures_are_made_and_left_unjudged(order: Cli, doubles: Doubles) -> None:
    answer = order("--judge", "none", "--mitigation", "negprompt:name")
    assert answer.code == 1
    assert len(doubles.generated) == 24
    assert doubles.judged == []
    for mitigation in ("none", "negprompt:name"):
        metrics = read(folder_of(mitigation) / "metrics.json")
        assert (metrics["judge"], metrics["counts"]["ok"], metrics["counts"]["unjudged"]) == ("none", 12, 12)
        assert all(e["value"] is None and e["reason"] for e in metrics["estimates"] if e["metric"] == "detect")
        assert (folder_of(mitigation) / "report.html").is_file()
        assert not (folder_of(mitigation) / "judgements").exists()
    assert "not valid: 0.0 % of 12 planned pictures of 'none' were judged, refused or blocked" in answer.err
    assert "Traceback" not in answer.err


def test_pictures_without_a_judge_are_judged_later_and_not_drawn_again(order: Cli, doubles: Doubles) -> None:
    order("--judge", "none", "--mitigation", "negprompt:name")
    before = {name: content for name, content in tree(Path("runs")).items() if "/images/" in name}
    doubles.forget()
    answer = order("--judge", "fake-judge", "--mitigation", "negprompt:name")
    assert answer.code == 0
    assert doubles.generated == []
    assert len(doubles.judged) == 24
    assert {name: content for name, content in tree(Path("runs")).items() if "/images/" in name} == before
    metrics = read(folder_of("none") / "metrics.json")
    assert (metrics["judge"], metrics["counts"]["unjudged"]) == ("fake-judge", 0)


def test_a_run_judged_later_is_the_same_as_one_judged_at_once(order: Cli) -> None:
    order("--judge", "fake-judge", "--mitigation", "negprompt:name", "--out", "once")
    order("--judge", "none", "--mitigation", "negprompt:name")
    order("--judge", "fake-judge", "--mitigation", "negprompt:name")
    for mitigation in ("none", "negprompt:name"):
        once, later = (tree(folder_of(mitigation, out)) for out in ("once", "runs"))
        changing = {"samples.jsonl", "report.html"}
        assert {k: v for k, v in once.items() if k not in changing} == {
            k: v for k, v in later.items() if k not in changing
        }


def test_where_the_default_judge_cannot_be_had_nothing_is_drawn_and_other_ways_are_told(
    order: Cli, doubles: Doubles
) -> None:
    answer = order()
    assert answer.code == 2
    assert doubles.generated == []
    assert "judge 'open_clip:ViT-L-14/" in answer.err
    for way in ("OPENAI_BASE_URL", "--judge openai:MODEL", "--judge none"):
        assert way in answer.err


def test_a_judge_that_was_asked_for_and_cannot_be_had_is_told_without_the_other_ways(order: Cli) -> None:
    answer = order("--judge", "open_clip:ViT-B-32/laion2b_s34b_b79k")
    assert answer.code == 2
    assert "default judge" not in answer.err


def test_references_that_nobody_compares_with_are_refused(order: Cli, tmp_path: Path) -> None:
    answer = order("--judge", "fake-judge", "--references", str(tmp_path))
    assert answer.code == 2
    assert "compares with no pictures" in answer.err


def test_an_unknown_measure_is_refused_before_anything_is_drawn(order: Cli, doubles: Doubles) -> None:
    answer = order("--judge", "fake-judge", "--metrics", "clipscor")
    assert answer.code == 2
    assert "did you mean 'clipscore'" in answer.err
    assert doubles.generated == []


def test_a_limit_and_a_shard_go_together(order: Cli, doubles: Doubles) -> None:
    options = ("--judge", "fake-judge", "--limit", 5, "--batch-size", 1)
    for index in (1, 2):
        order(*options, "--shard", f"{index}/2")
    assert order(*options).code == 0
    assert len(samples_of(folder_of("none"))) == len(doubles.generated) == 5


# -------------------------------------------------------------------------- several judges as one


def figures(metrics: dict[str, Any]) -> dict[str, Any]:
    return {e["metric"]: e for e in metrics["estimates"] if e["anchor"] == "all"}


def test_an_ensemble_tells_how_far_its_members_agree(order: Cli) -> None:
    answer = order("--judge", "either:fake-judge+fake-judge", "--mitigation", "negprompt:name", "--seeds", 20)
    assert answer.code == 0
    found = figures(read(folder_of("negprompt:name") / "metrics.json"))
    assert found["agreement"]["value"] == 1
    assert found["agreement_alpha"]["value"] == 1
    assert "Judges agree: 100.0" in answer.out
    assert "-> 1.00" in answer.out


def test_a_screen_tells_what_it_kept_back_and_missed(order: Cli) -> None:
    order("--judge", "screen:fake-judge+fake-judge", "--mitigation", "negprompt:name", "--seeds", 20)
    found = figures(read(folder_of("negprompt:name") / "metrics.json"))
    assert 0.4 < found["screened_out"]["value"] < 0.9
    assert found["screen_misses"]["value"] == 0
    single = order("--judge", "fake-judge", "--mitigation", "negprompt:name", "--seeds", 20, "--json")
    alone = figures(json.loads(single.out)["runs"][1]["metrics"])
    assert found["detect"]["value"] == alone["detect"]["value"]
