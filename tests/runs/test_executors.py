"""Who draws: every executor gives the same pictures, and one that overlaps really does."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest
from copycat_doubles import SERVICE, FakeModel, FakeService
from harness import Doubles
from plan_builders import SPEC, changed, plan_of

from copycat.errors import UnsupportedError
from copycat.models import Picture
from copycat.plan import build_batches
from copycat.runs import runner
from copycat.runs.executors import (
    LOCAL,
    Batch,
    DrawnBatch,
    Executor,
    LocalExecutor,
    ServiceExecutor,
    build_executor,
    overlaps,
)
from copycat.runs.folder import RunFolder
from copycat.runs.runner import Plan
from copycat.schema import CharacterSet, ImageRequest, Sample, Sampling

PATIENCE_SECONDS = 10.0


@pytest.fixture
def plan(characters: CharacterSet) -> Plan:
    """Twelve requests in batches of three."""
    return plan_of(characters, changed(SPEC, batch_size=3))


@pytest.fixture
def batches(plan: Plan) -> list[Batch]:
    return build_batches(plan.requests, 3)


class Watched(FakeModel):
    """Says when a batch begins, and can be made to wait in the middle of one."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []
        self.may_end = threading.Event()
        self.may_end.set()
        self.threads: set[str] = set()

    def generate(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        self.begun.append(requests[0].key)
        self.threads.add(threading.current_thread().name)
        assert self.may_end.wait(PATIENCE_SECONDS)
        return super().generate(requests, sampling)

    def has_begun(self, count: int) -> bool:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.begun) < count and time.monotonic() < deadline:
            time.sleep(0.001)
        return len(self.begun) == count


class PairedService(FakeService):
    """Answers two requests at a time, and none that comes alone."""

    def __init__(self) -> None:
        super().__init__()
        self.pair = threading.Barrier(2)

    def generate(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        self.pair.wait(PATIENCE_SECONDS)
        return super().generate(requests, sampling)


def drawn_by(executor: Executor, batches: Sequence[Batch]) -> list[DrawnBatch]:
    return [drawn._replace(seconds=0) for drawn in executor.run(batches, SPEC.sampling)]


def threads_that_draw() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("draw")]


# ----------------------------------------------------------------------------------------- local


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_overlapping_gives_the_same_batches_in_the_same_order(
    batches: list[Batch], doubles: Doubles, count: int
) -> None:
    plain = drawn_by(LocalExecutor(FakeModel(), overlaps=False), batches[:count])
    overlapped = drawn_by(LocalExecutor(FakeModel(), overlaps=True), batches[:count])
    assert overlapped == plain
    assert [drawn.batch for drawn in plain] == batches[:count]
    assert [len(drawn.pictures) for drawn in plain] == [3] * count


def test_overlapping_gives_the_same_run_folder(plan: Plan, folders: tuple[RunFolder, RunFolder]) -> None:
    for folder, is_overlapping in zip(folders, (False, True), strict=True):
        runner.generate(plan, folder, LocalExecutor(FakeModel(), overlaps=is_overlapping), lambda count: None)
    plain, overlapped = ([s.model_dump(exclude={"seconds"}) for s in folder.read_samples()] for folder in folders)
    assert plain == overlapped
    assert [sorted(p.name for p in f.images.iterdir()) for f in folders] == [
        sorted(f"{r.key}.png" for r in plan.requests)
    ] * 2


@pytest.fixture
def folders(tmp_path_factory: pytest.TempPathFactory, doubles: Doubles) -> tuple[RunFolder, RunFolder]:
    root = tmp_path_factory.mktemp("folders")
    return RunFolder(root / "plain"), RunFolder(root / "overlapped")


def test_the_next_batch_is_drawn_while_the_caller_holds_the_last_one_and_no_further_one(
    batches: list[Batch], doubles: Doubles
) -> None:
    model = Watched()
    drawing = LocalExecutor(model, overlaps=True).run(batches, SPEC.sampling)
    for held in range(1, len(batches) + 1):
        next(drawing)
        ahead = min(held + 1, len(batches))
        assert model.has_begun(ahead)
        time.sleep(0.01)
        assert len(model.begun) == ahead
    assert next(drawing, None) is None
    assert threading.main_thread().name not in model.threads


def test_without_overlap_nothing_is_drawn_that_nobody_has_asked_for(batches: list[Batch], doubles: Doubles) -> None:
    model = Watched()
    drawing = LocalExecutor(model, overlaps=False).run(batches, SPEC.sampling)
    next(drawing)
    assert len(model.begun) == 1
    assert model.threads == {threading.current_thread().name}


def test_the_callers_ctrl_c_ends_the_drawing_after_the_batch_under_way(batches: list[Batch], doubles: Doubles) -> None:
    model = Watched()
    with pytest.raises(KeyboardInterrupt):
        interrupt_first_batch(model, batches)
    assert model.has_begun(2)
    time.sleep(0.02)
    assert len(model.begun) == 2


def interrupt_first_batch(model: FakeModel, batches: Sequence[Batch]) -> None:
    for _ in LocalExecutor(model, overlaps=True).run(batches, SPEC.sampling):
        raise KeyboardInterrupt


def test_a_drawing_that_is_closed_leaves_no_thread_behind(batches: list[Batch], doubles: Doubles) -> None:
    before = threads_that_draw()
    drawing = LocalExecutor(FakeModel(), overlaps=True).run(batches, SPEC.sampling)
    next(drawing)
    drawing.close()  # type: ignore[attr-defined]
    assert threads_that_draw() == before


@pytest.mark.parametrize("is_overlapping", [False, True])
def test_a_ctrl_c_while_the_caller_works_keeps_what_was_written_and_the_rest_is_drawn_later(
    plan: Plan, folders: tuple[RunFolder, RunFolder], is_overlapping: bool
) -> None:
    def interrupt(finished: object) -> None:
        raise KeyboardInterrupt

    whole, folder = folders
    executor = LocalExecutor(FakeModel(), overlaps=is_overlapping)
    with pytest.raises(KeyboardInterrupt):
        runner.generate(plan, folder, executor, lambda count: None, meanwhile=interrupt)
    kept = folder.read_samples()
    assert [s.key for s in kept] == [r.key for r in plan.requests[:3]]
    again = runner.generate(plan, folder, executor, lambda count: None)
    expected = runner.generate(plan, whole, LocalExecutor(FakeModel(), overlaps=False), lambda count: None)
    assert again[:3] == kept
    assert timeless(again) == timeless(expected)


def timeless(samples: Sequence[Sample]) -> list[dict[str, object]]:
    return [sample.model_dump(exclude={"seconds"}) for sample in samples]


@pytest.mark.parametrize("is_overlapping", [False, True])
def test_an_error_of_the_model_fails_its_own_batch_alone(
    batches: list[Batch], doubles: Doubles, is_overlapping: bool
) -> None:
    doubles.switch(ends={"max/name": "failed"})  # in the first batch and in the third
    drawn = drawn_by(LocalExecutor(FakeModel(), overlaps=is_overlapping), batches)
    assert [[picture.status for picture in one.pictures] for one in drawn] == [
        ["failed"] * 3,
        ["ok"] * 3,
        ["failed"] * 3,
        ["ok"] * 3,
    ]
    assert {picture.detail for picture in drawn[0].pictures} == {"the fake model fell over"}


@pytest.mark.parametrize("is_overlapping", [False, True])
def test_a_bug_in_the_model_comes_out_and_not_before_what_was_drawn_earlier(
    batches: list[Batch], doubles: Doubles, monkeypatch: pytest.MonkeyPatch, is_overlapping: bool
) -> None:
    generate = FakeModel.generate

    def fall_over(self: FakeModel, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        if requests == batches[1]:
            raise ZeroDivisionError
        return generate(self, requests, sampling)

    monkeypatch.setattr(FakeModel, "generate", fall_over)
    drawing = LocalExecutor(FakeModel(), overlaps=is_overlapping).run(batches, SPEC.sampling)
    assert next(drawing).batch == batches[0]
    with pytest.raises(ZeroDivisionError):
        next(drawing)


def test_seconds_are_those_of_the_batch_divided_by_its_size(batches: list[Batch], doubles: Doubles) -> None:
    doubles.switch(seconds=0.06)
    start = time.perf_counter()
    (drawn,) = LocalExecutor(FakeModel(), overlaps=False).run(batches[:1], SPEC.sampling)
    assert 0.06 <= 3 * drawn.seconds <= time.perf_counter() - start + 0.001


def test_the_model_prepares_what_the_executor_is_told_to_prepare(plan: Plan, doubles: Doubles) -> None:
    model = FakeModel()
    LocalExecutor(model, overlaps=False).prepare(plan.requests, SPEC.sampling)
    assert model.prepared == [tuple(request.key for request in plan.requests)]


# --------------------------------------------------------------------------------------- service


def test_a_service_is_asked_for_several_pictures_at_a_time_and_each_comes_once(
    plan: Plan, doubles: Doubles, folders: tuple[RunFolder, RunFolder]
) -> None:
    one_by_one = Plan(spec=changed(plan.spec, batch_size=1), requests=plan.requests)
    samples = runner.generate(one_by_one, folders[0], ServiceExecutor(PairedService()), lambda count: None)
    assert sorted(doubles.generated) == sorted(request.key for request in plan.requests)
    assert [s.key for s in samples] == [request.key for request in plan.requests]
    assert folders[0].read_samples() == samples


def test_a_service_gives_the_same_pictures_as_drawing_here(
    plan: Plan, doubles: Doubles, folders: tuple[RunFolder, RunFolder]
) -> None:
    here = runner.generate(plan, folders[0], LocalExecutor(FakeModel(), overlaps=False), lambda count: None)
    there = runner.generate(plan, folders[1], ServiceExecutor(FakeService()), lambda count: None)
    assert timeless(here) == timeless(there)


def test_an_error_of_a_service_fails_its_own_batch_alone(batches: list[Batch], doubles: Doubles) -> None:
    doubles.switch(ends={"max/name": "failed"})
    drawn = {one.batch: one for one in ServiceExecutor(FakeService()).run(batches, SPEC.sampling)}
    assert [drawn[batch].pictures[0].status for batch in batches] == ["failed", "ok", "failed", "ok"]


# ----------------------------------------------------------------------------------------- choice


def test_a_gpu_and_a_service_overlap_and_a_cpu_does_not(doubles: Doubles) -> None:
    assert [overlaps(FakeModel().row, device) for device in ("cpu", "cuda", "cuda:1", "mps")] == [
        False,
        True,
        True,
        True,
    ]
    assert overlaps(SERVICE, "cpu")


def test_the_executor_follows_from_the_row_and_the_device(doubles: Doubles) -> None:
    here = build_executor(LOCAL, FakeModel().row, FakeModel(), "cpu")
    gpu = build_executor(LOCAL, FakeModel().row, FakeModel(), "cuda")
    assert [getattr(executor, "overlaps", None) for executor in (here, gpu)] == [False, True]
    assert isinstance(build_executor(LOCAL, SERVICE, FakeService(), "cpu"), ServiceExecutor)


def test_a_service_on_a_cluster_is_refused(doubles: Doubles) -> None:
    with pytest.raises(UnsupportedError, match="a Ray cluster adds nothing"):
        build_executor("ray", SERVICE, FakeService(), "cpu")
