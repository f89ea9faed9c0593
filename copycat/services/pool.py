"""Many requests at a time, each result handed over as soon as it is there, none lost at a stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Generic, NamedTuple, TypeVar

from copycat.services import StoppedError
from copycat.services.throttle import Throttle

log = logging.getLogger(__name__)

POLL_S = 0.5
"""Not every system interrupts a wait without an end: so soon Ctrl-C is noticed there."""

J = TypeVar("J")
R = TypeVar("R")


class _Finished(NamedTuple, Generic[J, R]):
    job: J
    results: tuple[R, ...]
    error: BaseException | None


def run_adaptive(
    jobs: Iterable[J],
    work: Callable[[J], R],
    throttle: Throttle,
    on_late: Callable[[J, R], None] | None = None,
    *,
    is_patient: bool = True,
) -> Generator[tuple[J, R], None, None]:
    """Do the jobs in threads, never more of them under way than the throttle's limit.

    A job is taken from `jobs` only when it can start. Pairs come in the order in which they are finished.
    On an error of `work` or of `jobs`, or Ctrl-C while waiting, no job starts any more; those under way
    finish and are yielded, and then the first error is raised. A second Ctrl-C waits for nothing. `work` may
    raise StoppedError for a job that was not sent because of the stop: it is left out.

    Args:
        jobs: what to do.
        work: does one job; called in many threads at once.
        throttle: its limit is read anew for every job; it is stopped while the last jobs finish.
        on_late: called with what was under way when the caller left the loop (an error in its body,
            Ctrl-C there, `close()`), where nothing can be yielded any more; without it that is lost.

    Raises:
        BaseException: the first error, after everything that was under way has been yielded.
    """
    throttle.resume()
    flight = _Flight(jobs, work, throttle, is_patient=is_patient)
    try:
        for finished in flight.finished():
            for result in finished.results:
                yield finished.job, result
    except GeneratorExit:
        flight.stop(None)
        for finished in flight.finished():
            for result in finished.results:
                if on_late is not None:
                    on_late(finished.job, result)
        raise
    if flight.stopped_by is not None:
        raise flight.stopped_by


class _Flight(Generic[J, R]):
    """The jobs under way, and why no further one starts."""

    def __init__(self, jobs: Iterable[J], work: Callable[[J], R], throttle: Throttle, *, is_patient: bool) -> None:
        self.is_patient = is_patient
        self.jobs, self.work, self.throttle = iter(jobs), work, throttle
        self.under_way = 0
        self.is_stopping = False
        self.stopped_by: BaseException | None = None
        self.queue: SimpleQueue[_Finished[J, R]] = SimpleQueue()

    def finished(self) -> Iterator[_Finished[J, R]]:
        """Give each job when it is finished, until none is under way and none is left or may start."""
        while True:
            try:
                self._launch()
                if self.under_way == 0:
                    return
                finished = self._wait()
            except BaseException as error:  # Ctrl-C while waiting, or `jobs` itself failed
                if self.is_stopping or (isinstance(error, KeyboardInterrupt) and not self.is_patient):
                    raise
                self.stop(error)
                continue
            self.under_way -= 1
            is_left_out = self.is_stopping and isinstance(finished.error, StoppedError)
            if finished.error is not None and not is_left_out:
                self.stop(finished.error)
            yield finished

    def stop(self, error: BaseException | None) -> None:
        """Start no job any more; the first error counts."""
        if not self.is_stopping and self.under_way:
            log.warning("stopping once the requests under way are answered: %d (Ctrl-C drops them)", self.under_way)
        self.is_stopping = True
        self.stopped_by = self.stopped_by or error
        self.throttle.stop()

    def _launch(self) -> None:
        while not self.is_stopping and self.under_way < self.throttle.limit:
            try:
                job = next(self.jobs)
            except StopIteration:
                return
            # A daemon, so that a second Ctrl-C does not wait for an answer that may never come.
            thread = threading.Thread(target=self._do, args=(job,), name="copycat-request", daemon=True)
            thread.start()  # may raise: then nothing is under way that would ever finish
            self.under_way += 1

    def _wait(self) -> _Finished[J, R]:
        while True:
            try:
                return self.queue.get(timeout=POLL_S)
            except Empty:
                continue

    def _do(self, job: J) -> None:
        try:
            done: _Finished[J, R] = _Finished(job, (self.work(job),), None)
        except BaseException as error:  # noqa: BLE001  # raised again in the caller's thread
            done = _Finished(job, (), error)
        self.queue.put(done)
