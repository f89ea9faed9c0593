"""A judge that is no longer the one it was is noticed before its verdicts are mixed with the old ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import Cli, Doubles
from run_folders import folder_of, lines_of, runs_in, tree

from copycat.runs.sentinels import sentinel_pictures


def first_verdicts() -> Path:
    (path,) = Path("runs/sentinels").glob("fake-judge-*.jsonl")
    return path


def test_there_are_24_small_pictures_and_no_two_alike() -> None:
    pictures = sentinel_pictures()
    assert {picture.size for picture in pictures} == {(64, 64)}
    assert len({picture.tobytes() for picture in pictures}) == 24


def test_the_first_verdicts_are_kept_beside_the_runs(run: Cli) -> None:
    run()
    assert len(lines_of(first_verdicts())) == 24
    assert len(runs_in()) == 1


def test_a_steady_judge_goes_on(run: Cli, doubles: Doubles) -> None:
    run("--limit", 4)
    before = first_verdicts().read_bytes()
    assert run().code == 0
    assert first_verdicts().read_bytes() == before


def test_a_judge_that_has_drifted_judges_nothing_and_says_what_to_do(run: Cli, doubles: Doubles) -> None:
    run("--limit", 4)
    doubles.switch(judge_drifts=True)
    doubles.forget()
    answer = run()
    assert answer.code == 2
    assert "judge 'fake-judge' is not what it was: 24 of 24 sentinel pictures" in answer.err
    assert "--rejudge" in answer.err
    assert doubles.judged == []
    assert len(doubles.generated) == 12  # drawn, and kept for the judge that comes


def test_a_finished_run_does_not_ask_a_judge_that_has_drifted(run: Cli, doubles: Doubles) -> None:
    run()
    doubles.switch(judge_drifts=True)
    before = tree(Path("runs"))
    assert run().code == 0
    assert tree(Path("runs")) == before


def test_rejudging_drops_the_old_verdicts_and_takes_the_judge_as_it_is_now(run: Cli, doubles: Doubles) -> None:
    run()
    doubles.switch(judge_drifts=True)
    doubles.forget()
    assert run("--rejudge").code == 0
    assert (len(doubles.generated), len(doubles.judged)) == (0, 12)
    assert {line["confidence"] for line in lines_of(first_verdicts())} == {0.9}
    assert len(lines_of(next((folder_of("none") / "judgements").glob("*.jsonl")))) == 12


@pytest.mark.parametrize("damage", [b"{}\n", b"no json\n"])
def test_first_verdicts_that_were_edited_are_told_with_file_and_line(run: Cli, damage: bytes) -> None:
    run("--limit", 4)
    first_verdicts().write_bytes(damage)
    answer = run()
    assert answer.code == 2
    assert "runs/sentinels/fake-judge-" in answer.err
    assert ".jsonl:1:" in answer.err
