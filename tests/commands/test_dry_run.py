"""`--dry-run`: what is said before anything is made. Counting is tested in tests/runs/test_forecast.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness import Cli, Doubles

from copycat.commands import dry_run
from copycat.commands.dry_run import describe_sampling, print_plan
from copycat.models import MODELS
from copycat.runs.limits import Limits
from copycat.runs.machine import Device
from copycat.staging import Job

GIB = 2**30


@pytest.fixture
def run(cli: Cli, doubles: Doubles, characters_file: Path) -> Cli:
    """Twelve pictures or clips per mitigation."""
    fixed = ("--judge", "fake-judge", "--device", "cpu", "--characters", "mine.yaml")
    return lambda *options: cli(*fixed, "--anchors", "name,description", "--seeds", 2, *options)


def line_of(answer: str, label: str) -> str:
    return next(line for line in answer.splitlines() if line.strip().startswith(label)).strip()


def warnings_in(answer: str) -> list[str]:
    return [line.removeprefix("warning: ") for line in answer.splitlines() if line.startswith("warning: ")]


def test_time_that_nobody_has_measured_is_unknown_and_a_limited_run_measures_it(run: Cli) -> None:
    before = run("--model", "fake", "--dry-run").out
    assert line_of(before, "CPU time") == (
        "CPU time   unknown: no picture of fake has been made here yet; --limit 8 measures it"
    )
    run("--model", "fake", "--limit", 8)
    after = line_of(run("--model", "fake", "--dry-run").out, "CPU time")
    assert "about" in after
    assert "s a picture, the median of 4 made here)" in after


def test_nothing_is_left_to_make_after_a_run(run: Cli) -> None:
    run("--model", "fake")
    answer = run("--model", "fake", "--dry-run").out
    assert "none: 12 pictures (12 made), nothing to make" in answer
    assert line_of(answer, "CPU time") == "CPU time   none"
    assert line_of(answer, "disk").startswith("disk       nothing more")


def test_fresh_is_warned_about_and_counts_everything_again(run: Cli) -> None:
    run("--model", "fake")
    answer = run("--model", "fake", "--dry-run", "--fresh").out
    assert "none: 12 pictures (12 made), 12 to make" in answer
    assert warnings_in(answer) == ["--fresh deletes the 12 pictures made so far"]


def test_a_video_model_plans_clips(run: Cli) -> None:
    answer = run("--model", "fake-video", "--dry-run").out
    assert "9 frames at 8 per second, 3 of them judged" in answer
    assert line_of(answer, "requests") == "requests   12 clips: 0 made, 12 to make"


def test_a_service_costs_what_the_user_says_or_an_unknown_sum(run: Cli) -> None:
    unknown = run("--model", "fake-service", "--dry-run").out
    assert line_of(unknown, "money") == "money      unknown, give --price USD, what one picture costs"
    assert line_of(unknown, "API calls").startswith("API calls  12, ")
    assert "time" not in unknown
    told = run("--model", "fake-service", "--dry-run", "--price", 0.25).out
    assert line_of(told, "money").startswith("money      about $3.00 ($0.25 a picture;")


def test_a_limit_of_money_that_ends_a_run_is_warned_about(run: Cli) -> None:
    answer = run("--model", "fake-service", "--dry-run", "--price", 0.25, "--max-cost", 1)
    assert warnings_in(answer.out) == ["--max-cost $1.00 ends fake-service + none after 4 of 12 pictures"]


def test_too_little_disk_is_warned_about(run: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_run, "free_bytes", lambda _: 100)
    (warning,) = warnings_in(run("--model", "fake", "--dry-run").out)
    assert warning.startswith("not enough disk: about 1 MiB needed")


@pytest.mark.parametrize(
    ("total", "free", "words"), [(8, 8, []), (6, 6, ["has 6 GiB in all"]), (8, 2, ["has 2 GiB free"])]
)
def test_a_gpu_that_is_too_small_is_warned_about(
    run: Cli, monkeypatch: pytest.MonkeyPatch, total: float, free: float, words: list[str]
) -> None:
    gpu = Device(kind="cuda", label="cuda:0", name="GPU", total_gib=total, free_gib=free)
    row = MODELS.get("fake").model_copy(update={"memory_gib": 7.0})
    stage = type("S", (), {"row": row, "device": "cuda"})
    found = list(dry_run._memory_warnings(stage, [gpu]))  # type: ignore[arg-type]
    assert len(found) == len(words)
    assert all(word in text for word, text in zip(words, found, strict=True))


def test_one_json_object_holds_runs_total_and_warnings(
    run: Cli, characters_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = Job(
        models=("fake-service",), characters="mine.yaml", anchors=("name",), judge="fake-judge", device="cpu", seeds=1
    )
    print_plan(job.model_copy(update={"limits": Limits(usd_per_picture=0.5)}), as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["total"] | {"n_bytes": 0} == {
        "n_planned": 3,
        "n_made": 0,
        "n_to_make": 3,
        "n_api_calls": 3,
        "device_seconds": 0,
        "usd": 1.5,
        "n_bytes": 0,
    }
    assert [one["mitigation"] for one in found["runs"]] == ["none"]
    assert found["warnings"] == []


def test_every_setting_is_said() -> None:
    sampling = MODELS.get("sandbox").sampling.model_copy(update={"true_guidance": 4.0, "long_prompts": True})
    assert describe_sampling(sampling) == [
        "10 steps",
        "guidance 3",
        "64x64",
        "float32",
        "DPMSolverMultistepScheduler",
        "true guidance 4",
        "long prompts",
    ]
