"""`python -m copycat.eval --model ./folder` for every family: it runs, and the run folder is right."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import starmap
from pathlib import Path
from typing import Any

import pytest
from harness import Answer, Cli, Doubles
from pictures import CLIPS, SIDES_PX, options_of
from PIL import Image
from run_folders import runs_in
from tiny_families import FAMILIES as SAVED

from copycat.models.frames import spread_frames

pytestmark = pytest.mark.slow  # a whole job for each family

FAMILIES = tuple(name for name in ("sd", *SAVED) if name not in ("if-2", "if-3"))
NEGATIVE = {"flux": ("--true-guidance", 4), "hunyuan-video": ("--true-guidance", 4), "flux-schnell": ("--guidance", 4)}
"""What the command line needs so that a negative prompt acts."""


@pytest.fixture
def evaluate(
    cli: Cli, doubles: Doubles, characters_file: Path, family_folder: Callable[[str], Path], tmp_path: Path
) -> Callable[..., Answer]:
    """Draw two pictures of a family's folder, which lies in the working folder."""

    def run(family: str, *options: object) -> Answer:
        if not (tmp_path / family).exists():
            shutil.copytree(family_folder(family), tmp_path / family)
        fixed = ("--model", f"./{family}", "--judge", "fake-judge", "--device", "cpu", "--characters", "mine.yaml")
        return cli(*fixed, "--anchors", "name", "--seeds", 1, "--limit", 2, *options)

    return run


def runs() -> dict[str, Path]:
    """The run folders by mitigation."""
    folders = {json.loads((path / "run.json").read_text())["spec"]["mitigation"]: path for path in runs_in()}
    return dict(sorted(folders.items(), reverse=True))


def samples_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]


def frames_of(file: Path) -> int:
    import av

    with av.open(file) as clip:
        return sum(1 for _ in clip.decode(video=0))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_runs_from_its_folder_with_and_without_a_negative_prompt(
    evaluate: Callable[..., Answer], family: str
) -> None:
    mitigations = () if family == "flux2-klein" else ("--mitigation", "negprompt:name")
    answer = evaluate(family, *options_of(family), *mitigations, *NEGATIVE.get(family, ()))
    assert answer.code == 0, answer.err
    folders = runs()
    assert list(folders) == (["none", "negprompt:name"] if mitigations else ["none"])
    for mitigation, folder in folders.items():
        spec = json.loads((folder / "run.json").read_text())["spec"]
        side, frames = SIDES_PX.get(family, 32), CLIPS.get(family)
        assert (spec["model"], spec["model_source"], spec["limit"]) == (family, f"folder:{family}", 2)
        sampling = spec["sampling"]
        assert (sampling["steps"], sampling["width_px"], sampling["height_px"]) == (2, side, side)
        assert sampling["scheduler"]
        assert sampling.get("frames") == frames
        samples = samples_of(folder)
        assert [(s["status"], s["width"], s["height"]) for s in samples] == [("ok", side, side)] * 2, samples
        assert [s["negative_prompt"] for s in samples] == ([None, None] if mitigation == "none" else ["Goofy", "Max"])
        kept = len(spread_frames(frames)) if frames else 1
        assert all(Image.open(folder / s["image"]).size == sheet_size(side, kept) for s in samples)
        assert [frames_of(folder / s["video"]) if s["video"] else None for s in samples] == [frames] * 2
        assert json.loads((folder / "metrics.json").read_text())["counts"]["ok"] == 2
    if mitigations:
        pairs = zip(*map(samples_of, folders.values()), strict=True)
        assert all(starmap(lambda one, two: one["sha256"] != two["sha256"] and one["seed"] == two["seed"], pairs))


def sheet_size(side: int, kept: int) -> tuple[int, int]:
    return min(kept, 4) * side, -(-kept // 4) * side


def test_the_same_command_twice_draws_nothing_again(evaluate: Callable[..., Answer]) -> None:
    evaluate("wan", *options_of("wan"))
    before = (runs()["none"] / "samples.jsonl").read_bytes()
    again = evaluate("wan", *options_of("wan"))
    assert again.code == 0
    assert (runs()["none"] / "samples.jsonl").read_bytes() == before


def test_a_cascade_of_three_folders_draws_the_size_of_its_last_stage(evaluate: Callable[..., Answer]) -> None:
    answer = evaluate("if", "--steps", 2, "--mitigation", "negprompt:name", "--limit", 1)
    assert answer.code == 0, answer.err
    for folder in runs().values():
        spec = json.loads((folder / "run.json").read_text())["spec"]
        assert spec["model_source"] == "folder:if"
        assert [stage["source"] for stage in spec["sampling"]["upscaling"]] == ["stage_2", "stage_3"]
        (sample,) = samples_of(folder)
        assert (sample["status"], sample["width"], sample["height"]) == ("ok", 128, 128), sample


@pytest.mark.parametrize(
    ("family", "options", "complaint"),
    [
        ("flux2-klein", (), "error: 'flux2-klein' (Flux2KleinPipeline) takes no negative prompt"),
        ("flux", (), "error: 'flux' cannot honour a negative prompt with true guidance 1"),
        ("sdxl", ("--guidance", 1), "error: 'sdxl' cannot honour a negative prompt with guidance 1"),
    ],
)
def test_a_negative_prompt_that_would_be_ignored_ends_with_code_2_and_no_run_folder(
    evaluate: Callable[..., Answer], family: str, options: tuple[object, ...], complaint: str
) -> None:
    answer = evaluate(family, *options_of(family), "--mitigation", "negprompt:name", *options)
    assert answer.code == 2
    assert answer.err.startswith(complaint)
    assert not Path("runs").exists()


def test_a_folder_whose_files_do_not_say_a_size_runs_with_the_option_and_asks_for_it_without(
    evaluate: Callable[..., Answer],
) -> None:
    answer = evaluate("z-image", "--steps", 2)
    assert answer.code == 2
    assert answer.err == (
        "error: the files of 'z-image' do not say which size it draws\n  say it: --size WIDTHxHEIGHT\n"
    )
    assert evaluate("z-image", "--steps", 2, "--size", "48x32").code == 0
    assert [(s["width"], s["height"]) for s in samples_of(runs()["none"])] == [(48, 32)] * 2


def test_a_size_that_a_cascade_cannot_draw_is_refused_before_anything_is_drawn(
    evaluate: Callable[..., Answer],
) -> None:
    answer = evaluate("if", "--size", "64x64")
    assert answer.code == 2
    assert answer.err == ("error: 'if' draws 128x128 pixels, stage by stage, and no other size\n  leave out --size\n")


@pytest.mark.parametrize("setting", ["on", "off"])
def test_a_safety_checker_that_is_not_there_can_be_turned_neither_on_nor_off(
    evaluate: Callable[..., Answer], setting: str
) -> None:
    answer = evaluate("sdxl", *options_of("sdxl"), "--safety-checker", setting)
    assert answer.code == 2
    assert answer.err == (
        "error: 'sdxl' (StableDiffusionXLPipeline) has no safety checker\n  leave out --safety-checker\n"
    )
