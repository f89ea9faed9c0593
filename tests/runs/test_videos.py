"""Clips: what lies in the folder, what the judge is shown, and what its verdicts add up to."""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path
from typing import Any

import av
import pytest
from copycat_doubles import VIDEO, draw
from harness import Cli, Doubles
from PIL import Image
from plan_builders import SPEC, changed, requests_of
from run_folders import folder_of, lines_of, read, samples_of, tree, without_seconds

from copycat.judges import Verdict
from copycat.judges.verdicts import combine_frames
from copycat.models.frames import cut_sheet
from copycat.schema import CharacterSet

FRAMES, KEPT = 9, (0, 4, 8)


@pytest.fixture
def film(cli: Cli, doubles: Doubles, characters_file: Path) -> Cli:
    """The fake video model on three characters and two anchors: six clips per mitigation."""
    fixed = ("--model", "fake-video", "--judge", "fake-judge", "--device", "cpu", "--characters", "mine.yaml")
    return lambda *options: cli(*fixed, "--anchors", "name,description", "--seeds", 1, *options)


def judgements_of(folder: Path) -> list[dict[str, Any]]:
    return lines_of(folder / "judgements" / "fake-judge-1.jsonl")


def detect_of(folder: Path) -> dict[str, Any]:
    estimates = read(folder / "metrics.json")["estimates"]
    return next(e for e in estimates if (e["metric"], e["anchor"]) == ("detect", "all"))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# ------------------------------------------------------------------------------------- the folder


def test_a_clip_lies_in_the_folder_as_a_video_and_as_a_sheet_with_their_hashes(film: Cli) -> None:
    assert film().code == 0
    folder = folder_of("none")
    samples = samples_of(folder)
    assert len(samples) == 6
    for sample in samples:
        assert (sample["image"], sample["video"]) == (f"images/{sample['key']}.png", f"videos/{sample['key']}.mp4")
        assert sample["sha256"] == sha256(folder / sample["image"])
        assert sample["video_sha256"] == sha256(folder / sample["video"])
        assert (sample["width"], sample["height"]) == (16, 16)
        with av.open(str(folder / sample["video"])) as container:
            assert len(list(container.decode(video=0))) == FRAMES
    assert len(list((folder / "videos").iterdir())) == len(list((folder / "images").iterdir())) == 6


def test_the_sheet_holds_the_kept_frames_pixel_for_pixel(film: Cli, characters: CharacterSet) -> None:
    film()
    spec = changed(SPEC, seeds=1, sampling=VIDEO.sampling)
    for sample, request in zip(samples_of(folder_of("none")), requests_of(characters, spec), strict=True):
        sheet = Image.open(folder_of("none") / sample["image"])
        frames = [draw(request, VIDEO.sampling, f"{request.seed}/{place}") for place in KEPT]
        assert sheet.size == (48, 16)
        assert [f.tobytes() for f in cut_sheet(sheet, 3)] == [f.tobytes() for f in frames]


def test_run_json_says_how_many_frames_were_drawn_and_which_were_looked_at(film: Cli) -> None:
    film("--frames", 12)
    sampling = read(folder_of("none") / "run.json")["spec"]["sampling"]
    assert (sampling["frames"], sampling["kept_frames"], sampling["fps"]) == (12, [0, 2, 3, 5, 6, 8, 9, 11], 8)


def test_frames_to_look_at_can_be_chosen(film: Cli) -> None:
    film("--keep-frames", "1,7")
    folder = folder_of("none")
    assert Image.open(folder / samples_of(folder)[0]["image"]).size == (32, 16)
    assert {len(judgement["frames"]) for judgement in judgements_of(folder)} == {2}


def test_a_finished_run_of_clips_is_repeated_without_drawing_or_judging(film: Cli, doubles: Doubles) -> None:
    film("--mitigation", "negprompt:name")
    before = tree(Path("runs"))
    doubles.forget()
    assert film("--mitigation", "negprompt:name").code == 0
    assert (doubles.generated, doubles.judged) == ([], [])
    assert tree(Path("runs")) == before


@pytest.mark.parametrize("part", ["video", "image"])
@pytest.mark.parametrize("how", ["missing", "empty", "changed", "another clip's"])
def test_a_clip_of_which_a_file_is_missing_or_was_changed_is_drawn_again(
    film: Cli, doubles: Doubles, caplog: pytest.LogCaptureFixture, part: str, how: str
) -> None:
    film()
    folder = folder_of("none")
    before, samples = tree(folder), samples_of(folder)
    path = folder / samples[3][part]
    if how == "missing":
        path.unlink()
    else:
        other = (folder / samples[4][part]).read_bytes()
        path.write_bytes({"empty": b"", "changed": path.read_bytes()[:-1] + b"?", "another clip's": other}[how])
    doubles.forget()
    assert film().code == 0
    assert [record.getMessage() for record in caplog.records] == [
        f"video {samples[3]['video']} or its sheet is missing or was changed; it is made again"
    ]
    assert doubles.generated == [sample["key"] for sample in samples[2:4]]  # its whole batch
    assert doubles.judged == []
    assert without_seconds(samples_of(folder)) == without_seconds(samples)
    after = tree(folder)
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} <= {"samples.jsonl"}


def test_clips_in_shards_are_those_of_an_unsharded_run(film: Cli, doubles: Doubles) -> None:
    film("--out", "whole")
    doubles.forget()
    for index in (1, 2):
        film("--shard", f"{index}/2")
    film()
    assert len(doubles.generated) == len(set(doubles.generated)) == 6
    folders = [folder_of("none", out) for out in ("runs", "whole")]
    contents = [{k: v for k, v in tree(f).items() if k not in ("samples.jsonl", "report.html")} for f in folders]
    assert contents[0] == contents[1]
    assert len([name for name in contents[0] if name.endswith(".mp4")]) == 6


# -------------------------------------------------------------------------------------- the judge


def test_every_kept_frame_is_judged_and_told(film: Cli, doubles: Doubles) -> None:
    doubles.switch(shows={"0": "max", "4": "goofy", "5": "bluto"})
    film()
    assert len(doubles.judged) == 6 * (3 + 1)  # and the sheet of them
    assert [judgement["frames"] for judgement in judgements_of(folder_of("none"))] == [["max", "goofy", None]] * 6


def test_a_clip_shows_the_character_asked_for_if_any_kept_frame_does(film: Cli, doubles: Doubles) -> None:
    doubles.switch(shows={"0": "max", "4": "goofy", "5": "bluto"})
    film()
    folder = folder_of("none")
    detected = {s["character"]: j["detected"] for s, j in zip(samples_of(folder), judgements_of(folder), strict=True)}
    assert detected == {"goofy": "goofy", "max": "max", "bluto": "max"}  # bluto is in no frame that was kept
    assert (detect_of(folder)["k"], detect_of(folder)["n"]) == (4, 6)


def test_a_clip_in_which_no_kept_frame_shows_anybody_shows_nobody(film: Cli, doubles: Doubles) -> None:
    doubles.switch(shows={"1": "goofy", "2": "max", "3": "bluto"})
    film()
    folder = folder_of("none")
    assert {judgement["detected"] for judgement in judgements_of(folder)} == {None}
    assert detect_of(folder)["k"] == 0


def test_the_consistency_of_a_clip_is_that_of_its_best_frame(film: Cli) -> None:
    film()
    folder = folder_of("none")
    for sample, judgement in zip(samples_of(folder), judgements_of(folder), strict=True):
        frames = cut_sheet(Image.open(folder / sample["image"]), 3)
        assert judgement["consistency"] == max(round(frame.getpixel((2, 0))[0] / 255, 6) for frame in frames)


def test_a_clip_that_a_judge_falls_over_on_is_unjudged_and_tried_again(film: Cli, doubles: Doubles) -> None:
    doubles.switch(judge_fails=True)
    assert film().code == 1
    doubles.switch()
    assert film().code == 0
    assert len(judgements_of(folder_of("none"))) == 6


def test_a_refused_clip_has_no_file_and_is_counted(film: Cli, doubles: Doubles) -> None:
    doubles.switch(ends={"max": "refused"})
    assert film().code == 0
    refused = [sample for sample in samples_of(folder_of("none")) if sample["status"] == "refused"]
    assert [(sample["image"], sample["video"], sample["video_sha256"]) for sample in refused] == [
        (None, None, None)
    ] * 2
    assert len(list((folder_of("none") / "videos").iterdir())) == 4


# ------------------------------------------------------------------------------------- the report


def test_the_report_shows_the_sheet_and_links_to_the_clip(film: Cli) -> None:
    film("--mitigation", "negprompt:name")
    folder, baseline = folder_of("negprompt:name"), folder_of("none")
    page = (folder / "report.html").read_text(encoding="utf-8")
    for one in (folder, baseline):
        for sample in samples_of(one):
            sheet = base64.b64encode((one / sample["image"]).read_bytes()).decode()
            assert f"data:image/png;base64,{sheet}" in page
            assert f'{sample["video"]}"' in page
    assert Image.open(io.BytesIO(base64.b64decode(sheet))).size == (48, 16)


# -------------------------------------------------------------------------------- adding up frames


def seen(*frames: tuple[str | None, float, float]) -> Verdict:
    return combine_frames([Verdict(*frame) for frame in frames], "goofy")


@pytest.mark.parametrize(
    ("frames", "whole"),
    [
        ([("goofy", 0.6, 0.2)], ("goofy", 0.6, 0.2)),
        ([(None, 0.9, 0.1), ("goofy", 0.6, 0.2)], ("goofy", 0.6, 0.2)),
        ([("max", 0.99, 0.7), ("goofy", 0.4, 0.2), ("goofy", 0.5, 0.1)], ("goofy", 0.5, 0.7)),
        ([("max", 0.6, 0.2), ("bluto", 0.7, 0.1), (None, 0.9, 0.3)], ("bluto", 0.7, 0.3)),
        ([(None, 0.6, 0.2), (None, 0.9, 0.1)], (None, 0.9, 0.2)),
        ([("max", 0.7, 0.0), ("bluto", 0.7, 0.0)], ("max", 0.7, 0.0)),
    ],
    ids=[
        "one frame",
        "shown once",
        "the surest frame shows another one",
        "others only",
        "nobody",
        "a tie goes to the first",
    ],
)
def test_verdicts_of_frames_add_up_as_worked_out_by_hand(
    frames: list[tuple[str | None, float, float]], whole: tuple[str | None, float, float]
) -> None:
    assert seen(*frames) == Verdict(*whole)
