"""`--mitigation filter`: what a run tells of it, and what it refuses before anything is drawn."""

from __future__ import annotations

import pytest
from harness import Cli, Doubles
from run_folders import folder_of, read, samples_of


def test_a_filtered_run_says_what_it_cost_and_keeps_what_it_rejected(run: Cli) -> None:
    answer = run("--mitigation", "filter:block")
    assert answer.code == 0
    assert "pictures drawn for 12 requests" in answer.out
    folder = folder_of("filter:block")
    blocked = [sample for sample in samples_of(folder) if sample["status"] == "blocked"]
    assert all(len(sample["rejected"]) == 1 for sample in blocked)
    assert all("rejected" not in sample for sample in samples_of(folder_of("none")))
    detect = next(
        e for e in read(folder / "metrics.json")["estimates"] if (e["metric"], e["anchor"]) == ("detect", "all")
    )
    assert detect["value"] == 0.0


def test_a_filtered_run_goes_on_where_it_stopped(run: Cli, doubles: Doubles) -> None:
    first = run("--mitigation", "filter:regenerate")
    drawn = len(doubles.generated)
    again = run("--mitigation", "filter:regenerate")
    assert len(doubles.generated) == drawn
    assert first.out == again.out


def test_the_judge_that_filters_is_part_of_the_run(run: Cli) -> None:
    run("--mitigation", "filter:block,fake-judge")
    assert read(folder_of("filter-block-fake-judge") / "run.json")["spec"]["filter_judge"].startswith("fake-judge@")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--mitigation", "filter:block,sandbox"), "knows only character set 'sandbox'"),
        (("--mitigation", "filter:block,fake-jugde"), "did you mean 'fake-judge'"),
        (("--mitigation", "filter:block", "--judge", "none"), "an output filter needs a judge"),
        (("--mitigation", "filter:block", "--executor", "ray"), "works where the judge is"),
    ],
    ids=["another set", "unknown judge", "nobody", "a cluster"],
)
def test_a_filter_that_could_not_work_is_refused_before_anything_is_drawn(
    run: Cli, doubles: Doubles, options: tuple[str, ...], text: str
) -> None:
    answer = run(*options)
    assert (answer.code, text in answer.err) == (2, True), answer.err
    assert doubles.generated == []
