"""kill -9 at random moments: what comes out in the end is what an unbroken run gives."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from harness import Doubles

RUNS, SEEDS = 2, 25
PICTURES = RUNS * SEEDS * 3 * 2  # three characters, two anchors
KILLS = 10
PATIENCE_SECONDS = 60.0


def start(out: Path, characters_file: Path, doubles: Doubles) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "copycat.eval", "--model", "fake", "--judge", "fake-judge", "--device", "cpu"]
    command += ["--mitigation", "negprompt:name", "--characters", str(characters_file), "--anchors", "name,description"]
    command += ["--seeds", str(SEEDS), "--batch-size", "4", "--out", out.name]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=out.parent, env=doubles.environment(), **quiet)  # type: ignore[call-overload]


def finish(process: subprocess.Popen[bytes]) -> None:
    _, complaints = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, complaints.decode()


def finished_samples(out: Path) -> list[dict[str, Any]]:
    """The whole lines of all journals, as any reader would see them."""
    lines: list[bytes] = []
    for path in sorted(out.glob("*/samples.jsonl")):
        content = path.read_bytes()
        lines += content[: content.rfind(b"\n") + 1].splitlines()
    return [json.loads(line) for line in lines]


def kill_after_progress(process: subprocess.Popen[bytes], doubles: Doubles, pictures: int, seconds: float) -> None:
    """Wait until so many more pictures are made, and so much longer, then SIGKILL."""
    before, deadline = len(doubles.generated), time.monotonic() + PATIENCE_SECONDS
    while len(doubles.generated) < before + pictures and process.poll() is None:
        assert time.monotonic() < deadline, "the run makes no progress"
        time.sleep(0.002)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def without_seconds(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in sample.items() if name != "seconds"} for sample in samples]


def files(out: Path, pattern: str) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.glob(pattern))}


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_as_an_unbroken_one(
    tmp_path: Path, characters_file: Path, doubles: Doubles
) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    finish(start(unbroken, characters_file, doubles))
    doubles.forget()
    doubles.switch(seconds=0.02)
    dice = random.Random(2406)
    for _ in range(KILLS):
        finished = {sample["key"] for sample in finished_samples(broken)}
        made = len(doubles.generated)
        pictures, seconds = dice.randrange(1, 9), dice.uniform(0, 0.03)
        kill_after_progress(start(broken, characters_file, doubles), doubles, pictures, seconds)
        assert not finished & set(doubles.generated[made:]), "a finished picture was made twice"
        assert finished <= {sample["key"] for sample in finished_samples(broken)}, "a finished picture was lost"
    assert 0 < len(finished_samples(broken)) < PICTURES, "the kills came too early or too late to test anything"
    finish(start(broken, characters_file, doubles))

    assert without_seconds(finished_samples(broken)) == without_seconds(finished_samples(unbroken))
    assert len(finished_samples(broken)) == PICTURES
    for pattern, count in (
        ("*/images/*", PICTURES),
        ("*/judgements/*", RUNS),
        ("*/metrics.json", RUNS),
        ("*/run.json", RUNS),
        ("*/comparison.json", RUNS - 1),
    ):
        assert files(broken, pattern) == files(unbroken, pattern)
        assert len(files(broken, pattern)) == count


@pytest.mark.slow
@pytest.mark.parametrize("judged", [0, 1, 20])
def test_a_run_killed_while_judging_judges_only_what_is_missing(
    tmp_path: Path, characters_file: Path, doubles: Doubles, judged: int
) -> None:
    out = tmp_path / "runs"
    finish(start(out, characters_file, doubles))
    before = files(out, "*/*.*") | files(out, "*/judgements/*")
    for path in out.glob("*/judgements/*"):
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:judged]) + lines[judged][:30])
    for path in [*out.glob("*/metrics.json"), *out.glob("*/report.html")]:
        path.unlink()
    doubles.forget()
    finish(start(out, characters_file, doubles))
    assert doubles.generated == []
    assert files(out, "*/*.*") | files(out, "*/judgements/*") == before
