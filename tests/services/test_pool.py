"""Many requests at a time: all are done, none is lost, and none starts after a stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from copycat.services import ServiceDownError, StoppedError
from copycat.services.pool import run_adaptive
from copycat.services.throttle import Throttle


class Work:
    """Counts what starts and what is under way; job 'gate' waits until it is opened."""

    def __init__(self, fails: dict[int, BaseException] | None = None, seconds: float = 0.0) -> None:
        self.fails, self.seconds = fails or {}, seconds
        self.started: list[int] = []
        self.under_way = self.most = 0
        self.gate = threading.Event()
        self.gated: set[int] = set()
        self._lock = threading.Lock()

    def __call__(self, job: int) -> str:
        with self._lock:
            self.started.append(job)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        try:
            if job in self.gated:
                assert self.gate.wait(5)
            time.sleep(self.seconds)
            if job in self.fails:
                raise self.fails[job]
            return f"result {job}"
        finally:
            with self._lock:
                self.under_way -= 1


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 5 s"
        time.sleep(0.001)


def test_every_job_is_done_once_and_goes_with_its_own_result() -> None:
    work = Work()
    pairs = list(run_adaptive(range(200), work, Throttle(7, 7)))
    assert sorted(pairs) == [(job, f"result {job}") for job in range(200)]
    assert sorted(work.started) == list(range(200))


def test_there_may_be_nothing_to_do() -> None:
    assert list(run_adaptive([], Work(), Throttle(4, 4))) == []


def test_a_result_comes_while_others_are_still_under_way() -> None:
    work = Work()
    work.gated = {0}
    running = run_adaptive(range(3), work, Throttle(3, 3))
    assert sorted(job for job, _ in (next(running), next(running))) == [1, 2]
    work.gate.set()
    assert [job for job, _ in running] == [0]


def test_never_more_are_under_way_than_the_throttle_allows() -> None:
    work = Work(seconds=0.001)
    list(run_adaptive(range(100), work, Throttle(5, 5)))
    assert work.most <= 5


def test_a_limit_that_changes_on_the_way_is_followed() -> None:
    throttle, work = Throttle(2, 8), Work(seconds=0.001)
    for _ in run_adaptive(range(150), work, throttle):
        throttle.note_success()
    assert 2 < work.most <= 8


def test_a_job_is_taken_only_when_it_can_start() -> None:
    taken: list[int] = []

    def jobs() -> Iterator[int]:
        for job in range(100):
            taken.append(job)
            yield job

    work = Work()
    work.gated = set(range(1, 100))
    running = run_adaptive(jobs(), work, Throttle(4, 4))
    next(running)
    assert len(taken) == 4
    work.gate.set()
    assert len(list(running)) == 99


# ------------------------------------------------------------------------------------- the stops


@pytest.fixture
def press_ctrl_c() -> Iterator[Callable[[], None]]:
    """Send this process what Ctrl-C sends; a process in the background may have been told to ignore it."""
    main = threading.main_thread().ident
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.pthread_kill(main or 0, signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def collect(running: Iterator[tuple[int, str]], into: list[int]) -> None:
    for job, _ in running:
        into.append(job)


def test_after_an_error_no_job_starts_and_what_is_under_way_is_yielded_before_it_is_raised() -> None:
    work, got = Work({0: ServiceDownError("api.example.com", 10, "500")}), list[int]()
    work.gated = {1, 2, 3}
    threading.Timer(0.02, work.gate.set).start()
    with pytest.raises(ServiceDownError):
        collect(run_adaptive(range(50), work, Throttle(4, 4)), got)
    assert sorted(got) == [1, 2, 3]
    assert sorted(work.started) == [0, 1, 2, 3]


def test_the_first_of_several_errors_is_raised() -> None:
    work = Work({0: ValueError("first"), 1: KeyError("second")})
    work.gated = {1}
    threading.Timer(0.02, work.gate.set).start()
    with pytest.raises(ValueError, match="first"):
        list(run_adaptive(range(2), work, Throttle(2, 2)))


def test_an_error_of_the_list_of_jobs_loses_nothing() -> None:
    def jobs() -> Iterator[int]:
        yield from range(3)
        raise OSError("the list broke")

    got: list[int] = []
    with pytest.raises(OSError, match="the list broke"):
        collect(run_adaptive(jobs(), Work(), Throttle(2, 2)), got)
    assert sorted(got) == [0, 1, 2]


def test_ctrl_c_while_waiting_yields_what_is_under_way_and_is_raised_then(press_ctrl_c: Callable[[], None]) -> None:
    work, got = Work(), list[int]()
    work.gated = {0, 1}

    def interrupt() -> None:
        until(lambda: len(work.started) == 2)
        time.sleep(0.02)
        press_ctrl_c()
        time.sleep(0.05)
        work.gate.set()

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        collect(run_adaptive(range(50), work, Throttle(2, 2)), got)
    assert sorted(got) == [0, 1]
    assert sorted(work.started) == [0, 1]


def test_a_second_ctrl_c_waits_for_nothing(press_ctrl_c: Callable[[], None]) -> None:
    work, got = Work(), list[int]()
    work.gated = {0, 1}

    def interrupt_twice() -> None:
        until(lambda: len(work.started) == 2)
        for _ in range(2):
            time.sleep(0.03)
            press_ctrl_c()

    threading.Thread(target=interrupt_twice, daemon=True).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        collect(run_adaptive(range(50), work, Throttle(2, 2)), got)
    assert time.monotonic() - start < 2
    assert got == []
    work.gate.set()


def test_what_is_under_way_when_the_caller_leaves_is_handed_over_late() -> None:
    work, late = Work(), list[tuple[int, str]]()
    work.gated = {1, 2, 3}

    def leave_with_an_error() -> None:
        for job, _ in run_adaptive(range(50), work, Throttle(4, 4), lambda *pair: late.append(pair)):
            threading.Timer(0.02, work.gate.set).start()
            raise KeyboardInterrupt(job)

    with pytest.raises(KeyboardInterrupt):
        leave_with_an_error()
    assert sorted(late) == [(job, f"result {job}") for job in (1, 2, 3)]
    assert sorted(work.started) == [0, 1, 2, 3]


def test_a_stop_ends_the_waiting_between_two_attempts_and_leaves_that_job_out() -> None:
    throttle = Throttle(2, 2)

    def work(job: int) -> int:
        if job == 0:
            throttle.sleep(600)
            with throttle.slot():
                return job
        raise ServiceDownError("api.example.com", 10, "500")

    got: list[object] = []
    with pytest.raises(ServiceDownError):
        got.extend(run_adaptive(range(10), work, throttle))
    assert got == []


def test_a_stop_that_nobody_asked_for_is_an_error() -> None:
    with pytest.raises(StoppedError):
        list(run_adaptive(range(3), Work({0: StoppedError("?")}), Throttle(1, 1)))


def test_the_throttle_can_be_used_for_the_next_run_after_a_stop() -> None:
    throttle = Throttle(2, 2)
    with pytest.raises(ValueError, match="broke"):
        list(run_adaptive(range(5), Work({0: ValueError("broke")}), throttle))

    def work(job: int) -> int:
        with throttle.slot():
            return job

    assert sorted(run_adaptive(range(5), work, throttle)) == [(job, job) for job in range(5)]
