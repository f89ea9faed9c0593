"""A run that stops before its end: too many errors, or too much money."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness import Cli, Doubles
from plan_builders import requests_of
from run_folders import folder_of, read, samples_of, without_seconds

from copycat.errors import LimitReachedError
from copycat.runs import judging
from copycat.runs.folder import RunFolder
from copycat.runs.limits import Limits, Tally
from copycat.schema import CharacterSet, Sample

BATCH = ("--batch-size", 1)
SERVICE = ("--model", "fake-service")


@pytest.fixture
def serve(cli: Cli, doubles: Doubles, characters_file: Path) -> Cli:
    """The fake service on three characters, two anchors and two seeds: twelve pictures."""
    fixed = (*SERVICE, "--judge", "fake-judge", "--characters", "mine.yaml", "--anchors", "name,description")
    return lambda *options: cli(*fixed, "--seeds", 2, *options)


def samples(characters: CharacterSet, *statuses: str) -> list[Sample]:
    picture = {"image": "images/x.png", "sha256": "0"}
    return [
        Sample.model_validate(
            request.model_dump(exclude={"prompt_id"})
            | {"status": status, "detail": f"why {status}"}
            | (picture if status == "ok" else {})
        )
        for request, status in zip(requests_of(characters), statuses, strict=False)
    ]


# -------------------------------------------------------------------------------------- counting


@pytest.mark.parametrize(
    ("most", "price", "paid", "affordable"),
    [
        (1.0, 0.25, 0, 4),
        (1.0, 0.25, 3, 1),
        (1.0, 0.25, 4, 0),
        (1.0, 0.25, 9, 0),
        (0.99, 0.25, 0, 3),
        (0.3, 0.1, 0, 3),  # 0.1 + 0.1 + 0.1 is more than 0.3 to a computer
        (0.7, 0.1, 0, 7),
        (0.0, 0.1, 0, 0),
        (0.0, 0.0, 5, 12),
        (None, 0.25, 100, 12),
    ],
)
def test_money_is_counted_in_whole_pictures(
    characters: CharacterSet, most: float | None, price: float, paid: int, affordable: int
) -> None:
    before = samples(characters, "ok")[:1] * paid
    assert len(Tally(Limits(None, most, price), before).affordable([[i] for i in range(12)])) == affordable


def test_a_batch_is_drawn_whole_or_not_at_all() -> None:
    batches = [[1, 2, 3], [4, 5, 6], [7]]
    tally = Tally(Limits(None, 5.0, 1.0), ())
    assert tally.affordable(batches) == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("status", "is_charged"), [("ok", 1), ("invalid", 1), ("refused", 1), ("blocked", 0), ("failed", 0)]
)
def test_what_a_service_may_have_charged_counts(characters: CharacterSet, status: str, is_charged: int) -> None:
    one = samples(characters, status)
    assert Tally(Limits(), one).n_charged == is_charged
    tally = Tally(Limits(), ())
    tally.count(one)
    assert tally.n_charged == is_charged


def test_the_error_above_the_limit_stops_and_its_reason_is_told(characters: CharacterSet) -> None:
    tally = Tally(Limits(max_errors=2), ())
    tally.count(samples(characters, "failed", "ok", "failed"))
    with pytest.raises(LimitReachedError) as caught:
        tally.count(samples(characters, "failed"))
    assert str(caught.value) == (
        "stopped: 3 requests failed, --max-errors is 2; the last one: why failed\n"
        "  everything finished is kept; the same command tries the failed ones again and goes on"
    )


@pytest.mark.parametrize("status", ["ok", "refused", "blocked", "invalid"])
def test_only_failures_are_errors(characters: CharacterSet, status: str) -> None:
    Tally(Limits(max_errors=0), ()).count(samples(characters, *[status] * 6))


def test_errors_of_earlier_starts_do_not_count(characters: CharacterSet) -> None:
    tally = Tally(Limits(max_errors=1), samples(characters, "failed", "failed", "failed"))
    tally.count(samples(characters, "failed"))
    assert tally.errors == 1


# ---------------------------------------------------------------------------------------- errors


def test_too_many_errors_stop_the_run_with_2_and_the_same_command_goes_on(run: Cli, doubles: Doubles) -> None:
    run(*BATCH, "--out", "whole")
    doubles.forget()
    doubles.switch(ends={"max": "failed"})
    answer = run(*BATCH, "--max-errors", 2)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.endswith(
        "error: stopped: 3 requests failed, --max-errors is 2; the last one: the fake model fell over\n"
        "  everything finished is kept; the same command tries the failed ones again and goes on\n"
    )
    ends = [sample["status"] for sample in samples_of(folder_of("none"))]
    assert ends == ["ok", "ok", "failed", "failed", "ok", "ok", "ok", "ok", "failed"]
    assert doubles.judged == []
    made = list(doubles.generated)

    doubles.switch()
    assert run(*BATCH, "--max-errors", 2).code == 0
    assert doubles.generated[: len(made)] == made
    assert len(doubles.generated) == len(set(doubles.generated)) == 12
    assert without_seconds(samples_of(folder_of("none"))) == without_seconds(samples_of(folder_of("none", "whole")))


def test_as_many_errors_as_allowed_do_not_stop_the_run(run: Cli, doubles: Doubles) -> None:
    doubles.switch(ends={"max": "failed"})
    answer = run(*BATCH, "--max-errors", 4)
    assert answer.code == 1  # coverage
    assert read(folder_of("none") / "metrics.json")["counts"]["failed"] == 4


def test_no_error_at_all_can_be_asked_for(run: Cli, doubles: Doubles) -> None:
    doubles.switch(ends={"goofy/name": "failed"})
    assert run(*BATCH, "--max-errors", 0).code == 2
    assert [sample["status"] for sample in samples_of(folder_of("none"))] == ["failed"]


def test_a_shard_stops_at_too_many_errors_as_well(run: Cli, doubles: Doubles) -> None:
    doubles.switch(ends={"max": "failed"})
    assert run(*BATCH, "--max-errors", 0, "--shard", "1/2").code == 2


def test_what_a_service_was_still_drawing_when_the_errors_were_too_many_is_kept(serve: Cli, doubles: Doubles) -> None:
    doubles.switch(ends={"goofy/name": "failed"}, seconds=0.05)
    assert serve("--max-errors", 0).code == 2
    finished = [sample["key"] for sample in samples_of(folder_of("none")) if sample["status"] == "ok"]
    assert sorted(finished) == sorted(doubles.generated)
    assert len(finished) >= 1


# ----------------------------------------------------------------------------------------- money


def test_the_run_stops_before_it_costs_more(serve: Cli, doubles: Doubles) -> None:
    answer = serve("--price", 0.04, "--max-cost", 0.22)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.endswith(
        "error: stopped: about $0.20 spent on 5 answers, --max-cost is $0.22\n"
        "  everything finished is kept; the same command with a higher --max-cost goes on from there\n"
    )
    assert len(samples_of(folder_of("none"))) == len(doubles.generated) == 5
    assert read(folder_of("none") / "run.json")["status"] == "running"


def test_earlier_starts_were_paid_for_too(serve: Cli, doubles: Doubles) -> None:
    serve("--out", "whole")
    doubles.forget()
    for dollars, pictures in ((3, 3), (3, 3), (7, 7), (11, 11)):
        assert serve("--price", 1, "--max-cost", dollars).code == 2
        assert len(doubles.generated) == len(set(doubles.generated)) == pictures
    assert serve("--price", 1, "--max-cost", 12).code == 0
    assert len(doubles.generated) == 12
    assert without_seconds(samples_of(folder_of("none"))) == without_seconds(samples_of(folder_of("none", "whole")))


def test_refusals_count_as_paid(serve: Cli, doubles: Doubles) -> None:
    doubles.switch(ends={"goofy": "refused"})
    assert serve("--price", 1, "--max-cost", 4).code == 2
    assert len(samples_of(folder_of("none"))) == 4


def test_failures_cost_nothing_and_are_tried_again_for_the_same_money(serve: Cli, doubles: Doubles) -> None:
    doubles.switch(ends={"goofy": "failed"})
    assert serve("--price", 1, "--max-cost", 12).code == 1
    assert len(doubles.generated) == 8
    doubles.switch()
    assert serve("--price", 1, "--max-cost", 12).code == 0


def test_a_finished_run_is_stopped_by_no_limit(serve: Cli, doubles: Doubles) -> None:
    serve()
    doubles.forget()
    assert serve("--price", 1, "--max-cost", 0, "--max-errors", 0).code == 0
    assert doubles.generated == []


def test_what_is_drawn_here_costs_nothing(run: Cli) -> None:
    assert run("--price", 1, "--max-cost", 0).code == 0


@pytest.mark.parametrize("options", [("--max-cost", 5), ("--max-cost", 0)], ids=str)
def test_a_limit_in_money_without_a_price_is_refused(serve: Cli, doubles: Doubles, options: tuple[Any, ...]) -> None:
    answer = serve(*options)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "error: --max-cost needs to know what a picture costs\n  add --price USD, from your provider's price list\n"
    )
    assert not Path("runs").exists()


@pytest.mark.parametrize("typed", ["--max-errors -1", "--max-cost -1", "--price -1", "--max-errors x", "--price free"])
def test_a_limit_of_the_wrong_form_ends_with_2(run: Cli, typed: str) -> None:
    answer = run(*typed.split())
    assert (answer.code, answer.out) == (2, "")
    assert typed.split(maxsplit=1)[0] in answer.err
    assert "Traceback" not in answer.err


# ------------------------------------------------------------------------------------- interruption


def test_what_a_service_was_still_drawing_at_a_ctrl_c_is_kept_and_not_paid_for_twice(
    serve: Cli, doubles: Doubles
) -> None:
    doubles.switch(interrupt_after=4, seconds=0.02)
    assert serve().code == 130
    assert sorted(sample["key"] for sample in samples_of(folder_of("none"))) == sorted(doubles.generated)
    doubles.switch()
    assert serve().code == 0
    assert len(doubles.generated) == len(set(doubles.generated)) == 12


def test_what_a_service_was_still_drawing_while_the_judge_was_interrupted_is_kept(
    serve: Cli, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    from copycat_doubles import FakeJudge

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    doubles.switch(seconds=0.05)
    with monkeypatch.context() as interrupted:
        interrupted.setattr(judging, "JUDGE_BATCH", 2)
        interrupted.setattr(FakeJudge, "judge", interrupt)
        assert serve().code == 130
    kept = sorted(sample["key"] for sample in samples_of(folder_of("none")))
    assert kept == sorted(doubles.generated)
    assert len(kept) > 2


def test_answers_that_were_paid_for_and_of_no_use_count_over_all_starts(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.add_extra_charges(0)
    assert folder.read_extra_charges() == 0
    folder.add_extra_charges(2)
    folder.add_extra_charges(3)
    tally = Tally(Limits(None, 8.0, 1.0), ())
    tally.take_up((), RunFolder(tmp_path / "run").read_extra_charges())
    assert tally.n_charged == 5
    assert len(tally.affordable([[i] for i in range(12)])) == 3
