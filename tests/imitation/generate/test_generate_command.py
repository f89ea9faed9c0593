"""`copycat.imitation generate`: what it says and keeps, and kill -9 in the middle."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from harness import Cli, CommandLine, Doubles
from run_folders import samples_of, tree, without_seconds

from copycat.imitation.concepts import read_concepts
from copycat.imitation.generate.pictures import read_generations

PATIENCE_SECONDS = 60.0
CSV = "name,noun\nGoofy,cartoon dog\nMax,teenager\nBluto,sailor\n"


@pytest.fixture
def generate(command_line: CommandLine, doubles: Doubles, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run `python -m copycat.imitation generate ...` with the fake model, in a folder that holds concepts.csv."""
    from copycat.commands.imitation import app

    del doubles
    monkeypatch.chdir(tmp_path)
    Path("concepts.csv").write_text(CSV, encoding="utf-8")
    run = command_line(app, "copycat.imitation")
    return lambda *options: run("generate", "--model", "fake", "--device", "cpu", "--out", "study", *options)


def test_the_same_command_twice_draws_nothing_twice(generate: Cli, doubles: Doubles) -> None:
    first = generate("--concepts", "concepts.csv", "--images", 2)
    assert (first.code, len(doubles.generated)) == (0, 90)
    assert "fake: 3 concepts, 5 templates, 2 pictures of each" in first.out
    assert "shuffled: 30 ok of 30 (the pictures of 'named'" in first.out
    before = tree(Path("study"))
    again = generate("--images", 2)
    assert (again.code, again.out, len(doubles.generated)) == (0, first.out, 90)
    assert tree(Path("study")) == before
    fresh = generate("--images", 2, "--fresh")
    assert (fresh.code, len(doubles.generated)) == (0, 180)


def test_generations_json_says_what_was_drawn_with_what(generate: Cli) -> None:
    answer = generate("--concepts", "concepts.csv", "--images", 1, "--steps", 3, "--guidance", 2, "--json")
    said: dict[str, Any] = json.loads(answer.out)
    kept = json.loads(Path("study/generations.json").read_text(encoding="utf-8"))
    assert {name: said[name] for name in kept} == kept
    assert (kept["model"], kept["source"], kept["revision"], kept["licence"]) == ("fake", "doubles", "1", "Apache-2.0")
    assert (kept["sampling"]["steps"], kept["sampling"]["guidance"]) == (3, 2.0)
    assert kept["templates"]["picture"] == "a picture of {name}"
    assert kept["arms"]["unnamed"]["counts"] == {"ok": 15}
    assert len(kept["arms"]["zero"]["names"]) == 3
    assert said["is_valid"] is True


def test_a_dry_run_shows_prompts_and_writes_nothing(generate: Cli, doubles: Doubles) -> None:
    answer = generate("--concepts", "concepts.csv", "--domain", "face", "--dry-run")
    assert answer.code == 0
    assert "Max's face" not in answer.out
    assert "    Goofy's face, seen from close up" in answer.out
    assert "    a portrait photo of a cartoon dog" in answer.out
    assert "requests   360 pictures: 0 made, 360 to make" in answer.out
    plan = json.loads(generate("--concepts", "concepts.csv", "--dry-run", "--json").out)
    assert plan["total"]["n_to_make"] == 360
    assert not Path("study").exists()
    assert doubles.generated == []


def test_other_settings_are_told_to_be_another_study(generate: Cli) -> None:
    said = (
        "note: other settings than the 90 pictures before: this is another study; the earlier pictures stay in "
        "generations/, and their command brings them back\n"
    )
    first = generate("--concepts", "concepts.csv", "--images", 2)
    assert "another study" not in first.out + generate("--images", 2, "--dry-run").out
    assert said in generate("--images", 1, "--dry-run").out
    assert said in generate("--images", 1).out
    assert generate("--images", 2, "--arms", "named,shuffled").code == 0
    assert len(read_generations(Path("study"), read_concepts(Path("study"), None)).rows) == 60


def test_what_is_wrong_is_told_before_anything_is_written(generate: Cli) -> None:
    for options, said in (
        (("--characters", "sandbox", "--concepts", "concepts.csv"), "leave out one of them"),
        ((), "no concepts are given\n  needed: --characters SET or --concepts FILE"),
        (("--concepts", "concepts.csv", "--arms", "named,nil"), "unknown arm 'nil'"),
        (("--concepts", "concepts.csv", "--arms", ","), "no arm given"),
        (("--concepts", "concepts.csv", "--executor", "raj"), "did you mean 'ray'"),
        (("--concepts", "concepts.csv", "--dtype", "float8"), "unknown dtype 'float8'"),
        (("--concepts", "concepts.csv", "--domain", "styles"), "did you mean 'style'"),
        (("--concepts", "none.csv"), "there is no file none.csv"),
        (("--concepts", "concepts.csv", "--device", "tpu"), "tpu"),
    ):
        answer = generate(*options)
        assert (answer.code, said in answer.err, "Traceback" in answer.err) == (2, True, False), answer.err
    assert not Path("study").exists()


def test_more_than_two_in_a_hundred_failures_make_it_not_valid(generate: Cli, doubles: Doubles) -> None:
    doubles.switch(ends={"max/poster": "failed"})
    answer = generate("--concepts", "concepts.csv", "--arms", "named", "--batch-size", 1)
    assert answer.code == 1
    assert "named: 8 failed, 112 ok of 120" in answer.out
    assert "note: named: 8 failed: the fake model fell over" in answer.out


# ------------------------------------------------------------------------------------------------- kills


def start(folder: Path, doubles: Doubles) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "copycat.imitation", "generate", "--model", "fake", "--device", "cpu"]
    command += ["--concepts", "concepts.csv", "--out", folder.name, "--images", "3"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder.parent, env=doubles.environment(), **quiet)  # type: ignore[call-overload]


def finished_keys(study: Path) -> set[str]:
    lines = [path.read_bytes() for path in study.glob("generations/*/samples.jsonl")]
    whole = [line for content in lines for line in content[: content.rfind(b"\n") + 1].splitlines()]
    return {json.loads(line)["key"] for line in whole}


def test_a_study_that_is_terminated_says_what_is_kept(tmp_path: Path, doubles: Doubles) -> None:
    (tmp_path / "concepts.csv").write_text(CSV, encoding="utf-8")
    doubles.switch(seconds=0.05)
    process, deadline = start(tmp_path / "study", doubles), time.monotonic() + PATIENCE_SECONDS
    while len(doubles.generated) < 10 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGTERM)
    _, complaints = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 143, complaints.decode()
    assert b"interrupted; everything finished is kept" in complaints
    assert b"Traceback" not in complaints


@pytest.mark.slow
def test_a_study_killed_twice_ends_as_an_unbroken_one(tmp_path: Path, doubles: Doubles) -> None:
    (tmp_path / "concepts.csv").write_text(CSV, encoding="utf-8")
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    _, complaints = start(unbroken, doubles).communicate(timeout=PATIENCE_SECONDS)
    assert (unbroken / "generations.json").is_file(), complaints.decode()
    doubles.forget()
    doubles.switch(seconds=0.02)
    for pictures in (13, 60):
        process, deadline = start(broken, doubles), time.monotonic() + PATIENCE_SECONDS
        before = finished_keys(broken)
        n_made = len(doubles.generated)
        while len(doubles.generated) < pictures and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it ended before it was killed"
        assert not before & set(doubles.generated[n_made:]), "a finished picture was drawn twice"
        assert before <= finished_keys(broken), "a finished picture was lost"
        found = read_generations(broken, read_concepts(broken, None))
        assert {row.status for row in found.rows} == {"ok", "missing"}
        assert len([row for row in found.rows if row.arm != "shuffled"]) == 135
    finished, n_made = finished_keys(broken), len(doubles.generated)
    start(broken, doubles).communicate(timeout=PATIENCE_SECONDS)
    assert not finished & set(doubles.generated[n_made:]), "a finished picture was drawn twice"
    concepts = read_concepts(broken, None)
    assert (broken / "generations.json").read_bytes() == (unbroken / "generations.json").read_bytes()
    assert read_generations(broken, concepts).rows == read_generations(unbroken, concepts).rows
    for folder in unbroken.glob("generations/*"):
        twin = broken / "generations" / folder.name
        assert without_seconds(samples_of(twin)) == without_seconds(samples_of(folder))
