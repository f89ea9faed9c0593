"""Judging while pictures are drawn: the same verdicts in the same batches as judging afterwards."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from copycat_doubles import FakeJudge, FakeModel
from harness import Doubles
from plan_builders import SPEC, changed, plan_of

from copycat.runs import judging, runner
from copycat.runs.executors import Batch, DrawnBatch, LocalExecutor, OnLate
from copycat.runs.folder import RunFolder
from copycat.runs.judging import Bench, JudgeAhead
from copycat.runs.runner import Plan
from copycat.schema import CharacterSet, Sampling


class Shuffled(LocalExecutor):
    """Gives batches in an order of its own, as a service or a cluster does."""

    def __init__(self, model: FakeModel, order: int) -> None:
        super().__init__(model, overlaps=False)
        self.order = order

    def run(self, batches: Sequence[Batch], sampling: Sampling, on_late: OnLate | None = None) -> Iterator[DrawnBatch]:
        yield from super().run(random.Random(self.order).sample(batches, len(batches)), sampling, on_late)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch, doubles: Doubles) -> None:
    monkeypatch.setattr(judging, "JUDGE_BATCH", 5)


@pytest.fixture
def plan(characters: CharacterSet) -> Plan:
    """Twenty-four requests in batches of four; chunks of five for the judge, and four are left over."""
    return plan_of(characters, changed(SPEC, seeds=4))


def judge_afterwards(plan: Plan, folder: RunFolder, characters: CharacterSet) -> FakeJudge:
    judge = FakeJudge()
    samples = runner.generate(plan, folder, LocalExecutor(FakeModel(), overlaps=False), lambda count: None)
    judging.judge_pictures(plan, folder, samples, Bench(judge, characters), lambda count: None)
    return judge


def judge_ahead(
    plan: Plan, folder: RunFolder, characters: CharacterSet, executor: LocalExecutor | None = None
) -> tuple[FakeJudge, int]:
    """Give the judge, and how many verdicts there were when the last picture was drawn."""
    judge = FakeJudge()
    bench = Bench(judge, characters)
    executor = executor or LocalExecutor(FakeModel(), overlaps=False)
    ahead = JudgeAhead(plan, folder, bench)
    samples = runner.generate(plan, folder, executor, lambda count: None, meanwhile=ahead)
    n_ahead = len(folder.read_judgements(plan.spec))
    judging.judge_pictures(plan, folder, samples, bench, lambda count: None)
    return judge, n_ahead


def verdicts(folder: RunFolder) -> bytes:
    return folder.judgements_path(SPEC).read_bytes()


def test_the_verdicts_and_the_judges_batches_are_those_of_judging_afterwards(
    plan: Plan, tmp_path: Path, characters: CharacterSet
) -> None:
    after, ahead = RunFolder(tmp_path / "after"), RunFolder(tmp_path / "ahead")
    last = judge_afterwards(plan, after, characters)
    first, n_ahead = judge_ahead(plan, ahead, characters)
    assert verdicts(ahead) == verdicts(after)
    assert first.batches == last.batches == [5, 5, 5, 5, 4]
    assert n_ahead == 20


@pytest.mark.parametrize("order", range(8))
def test_batches_out_of_order_change_neither_verdicts_nor_the_judges_batches(
    plan: Plan, tmp_path: Path, characters: CharacterSet, order: int
) -> None:
    after, ahead = RunFolder(tmp_path / "after"), RunFolder(tmp_path / "ahead")
    judge_afterwards(plan, after, characters)
    judge, _ = judge_ahead(plan, ahead, characters, Shuffled(FakeModel(), order))
    assert verdicts(ahead) == verdicts(after)
    assert judge.batches == [5, 5, 5, 5, 4]


@pytest.mark.parametrize("ended", list(itertools.product(["failed", "refused", "invalid"], [None, 1])), ids=str)
def test_what_has_no_picture_in_between_is_passed_over(
    plan: Plan, tmp_path: Path, characters: CharacterSet, doubles: Doubles, ended: tuple[str, int | None]
) -> None:
    status, order = ended
    after, ahead = RunFolder(tmp_path / "after"), RunFolder(tmp_path / "ahead")
    doubles.switch(ends={"max/description": status})
    last = judge_afterwards(plan, after, characters)
    executor = None if order is None else Shuffled(FakeModel(), order)
    first, n_ahead = judge_ahead(plan, ahead, characters, executor)
    assert verdicts(ahead) == verdicts(after)
    assert first.batches == last.batches
    assert 0 < n_ahead <= sum(last.batches)


def test_a_picture_that_failed_and_is_drawn_later_is_judged_then(
    plan: Plan, tmp_path: Path, characters: CharacterSet, doubles: Doubles
) -> None:
    folder, whole = RunFolder(tmp_path / "mended"), RunFolder(tmp_path / "whole")
    doubles.switch(ends={"max/description": "failed"})
    judge_ahead(plan, folder, characters)
    before = {judgement.key: judgement for judgement in folder.read_judgements(SPEC)}
    assert 0 < len(before) < len(plan.requests)
    doubles.switch()
    judge_ahead(plan, folder, characters)
    judge_afterwards(plan, whole, characters)
    assert verdicts(folder) == verdicts(whole)
    assert len(folder.read_judgements(SPEC)) == len(plan.requests)


@pytest.mark.parametrize("drawn", range(1, 6))
def test_a_run_broken_off_while_judging_ahead_ends_with_the_same_verdicts_and_judges_each_picture_once(
    plan: Plan, tmp_path: Path, characters: CharacterSet, doubles: Doubles, drawn: int
) -> None:
    broken, whole = RunFolder(tmp_path / "broken"), RunFolder(tmp_path / "whole")
    judge_afterwards(plan, whole, characters)
    doubles.forget()
    doubles.switch(interrupt_after=drawn)
    with pytest.raises(KeyboardInterrupt):
        judge_ahead(plan, broken, characters)
    doubles.switch()
    judge_ahead(plan, broken, characters)
    assert verdicts(broken) == verdicts(whole)
    assert sorted(doubles.judged) == sorted(set(doubles.judged))


def test_a_judge_that_falls_over_ahead_is_asked_again_afterwards(
    plan: Plan, tmp_path: Path, characters: CharacterSet, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, whole = RunFolder(tmp_path / "mended"), RunFolder(tmp_path / "whole")
    judge_afterwards(plan, whole, characters)
    bench = Bench(FakeJudge(), characters)
    doubles.switch(judge_fails=True)
    ahead = JudgeAhead(plan, folder, bench)
    executor = LocalExecutor(FakeModel(), overlaps=False)
    samples = runner.generate(plan, folder, executor, lambda count: None, meanwhile=ahead)
    assert {judgement.is_answered for judgement in folder.read_judgements(SPEC)} == {False}
    doubles.switch()
    judging.judge_pictures(plan, folder, samples, bench, lambda count: None)
    assert verdicts(folder) == verdicts(whole)
