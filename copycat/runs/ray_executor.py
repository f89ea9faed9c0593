"""Draws a plan on a Ray cluster: one worker for each GPU, or for each share of the CPUs.

The plan fixes the batches, so that the bytes are those of the local executor. Workers draw and encode; this
process alone writes the run folder. A worker that dies costs the batches it had in hand, and they are drawn again.
"""

from __future__ import annotations

import heapq
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Any

from copycat.errors import UserError
from copycat.models import ModelRow
from copycat.runs.encoding import EncodedPicture
from copycat.runs.environment import describe_environment
from copycat.runs.executors import Batch, DrawnBatch, OnLate
from copycat.runs.ray_cluster import (
    Share,
    cause_of_death,
    death_errors,
    import_ray,
    join_cluster,
    require_kind,
    share_of_a_worker,
)
from copycat.runs.ray_worker import Refusal, Report, Setting, Worker
from copycat.schema import ImageRequest, Sampling

MAX_TRIES = 3
"""How many workers may die of a batch before its pictures are failed."""

AHEAD = 2
"""Batches in a worker's hands: the next one waits there, so that it need not wait for this process."""

PATIENCE_SECONDS = 60.0

log = logging.getLogger(__name__)


class Hand:
    """A worker as this process sees it; `report` is None until it is ready."""

    def __init__(self, actor: Any, number: int) -> None:  # Any: Ray's handle of an actor
        self.actor, self.number = actor, number
        self.report: Report | None = None
        self.is_lost = False


class RayExecutor:
    """Draws on every GPU of a cluster, or on its CPUs.

    Raises:
        MissingExtraError: ray is not installed.
        UnsupportedError: Ray does not hand out devices of this kind.
    """

    def __init__(self, row: ModelRow, device: str) -> None:
        import_ray()
        require_kind(device)
        self.row, self.device = row, device
        self.hands: list[Hand] = []
        self._exits = ExitStack()
        self._share: Share | None = None
        self._texts: Any = None  # Any: a reference to the requests in Ray's store
        self._environment: dict[str, str] = {}
        self._n_hired = self._n_lost_in_a_row = 0

    def prepare(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Find the cluster; each worker encodes the texts when it starts."""
        if self._share is None:
            join_cluster(self._exits)
            self._share = share_of_a_worker(self.device)
            self._environment = describe_environment(self.device)
        self._texts = import_ray().put(tuple(requests))
        for hand in self.hands:
            hand.actor.prepare.remote(self._texts, sampling)

    def run(self, batches: Sequence[Batch], sampling: Sampling, on_late: OnLate | None = None) -> Iterator[DrawnBatch]:
        """Give each batch as soon as a worker has drawn it.

        When the caller stops, what has come in is given to `on_late`, and what is under way is given up.

        Raises:
            UserError: what a worker's model complains of; a worker is of another kind; they all die.
        """
        if batches and self._texts is None:
            self.prepare([request for batch in batches for request in batch], sampling)
        this_round = _Round(self, batches, sampling)
        try:
            yield from this_round.run()
        finally:
            if on_late is not None:
                for drawn in this_round.come_in():
                    on_late(drawn)

    def release(self) -> None:
        """Let go of the workers; others are hired when there is more to draw."""
        if import_ray().is_initialized():
            for hand in self.hands:
                import_ray().kill(hand.actor)
        self.hands.clear()

    def close(self) -> None:
        """Let go of the workers, and end the cluster if it was started here."""
        self.release()
        self._exits.close()
        self._share = self._texts = None

    def hire(self, n_batches: int, sampling: Sampling) -> list[tuple[Any, Hand]]:
        """Start the workers that the cluster has room for, at most one for each batch.

        Returns: the new ones, with the reference under which each will say that it is ready.
        """
        assert self._share is not None  # noqa: S101 - `prepare` came first
        started = []
        while len(self.hands) < min(self._share.n_workers, n_batches):
            actor = (
                import_ray()
                .remote(Worker)
                .options(
                    num_cpus=self._share.cpus,
                    num_gpus=self._share.gpus,
                    max_restarts=0,
                    max_concurrency=AHEAD if self.device == "cuda" else 1,  # on a CPU encoding would slow drawing
                )
                .remote(self.row, self.device, Setting.of_this_process(self._share.threads))
            )
            self._n_hired += 1
            self.hands.append(hand := Hand(actor, self._n_hired))
            started.append((actor.prepare.remote(self._texts, sampling), hand))
        return started

    def welcome(self, hand: Hand, report: Report) -> None:
        """Take a worker into service.

        Raises:
            UserError: its machine or its packages are others than this one's, and run.json would not be true.
        """
        names = sorted(self._environment.keys() | report.environment.keys())
        here, there = self._environment.get, report.environment.get
        others = [f"{name} {there(name)} there, {here(name)} here" for name in names if here(name) != there(name)]
        if others:
            raise UserError(
                f"a worker of the Ray cluster differs from this machine: {'; '.join(others)}\n"
                "  needed: one kind of device and the same packages everywhere, or the pictures cannot be compared\n"
                "  install the same versions on every node (docs/scale.md), or leave out --executor ray"
            )
        hand.report = report
        log.info("worker %d is ready, process %d", hand.number, report.pid)

    def lose(self, hand: Hand, error: Exception) -> None:
        """Let go of a worker that died.

        Raises:
            UserError: so many died in a row that the next one would as well.
        """
        hand.is_lost = True
        self.hands.remove(hand)
        import_ray().kill(hand.actor)
        self._n_lost_in_a_row += 1
        log.warning("worker %d died: %s", hand.number, cause_of_death(error))
        if self._n_lost_in_a_row >= MAX_TRIES * max(MAX_TRIES, self._share.n_workers if self._share else 0):
            raise UserError(
                f"{self._n_lost_in_a_row} workers died one after the other: {cause_of_death(error)}\n"
                "  often memory: try --batch-size 1 or a smaller --dtype; or a node lacks copycat (docs/scale.md)\n"
                "  everything finished is kept, and the same command goes on from there"
            ) from error

    def note_success(self) -> None:
        """Forget the dead: a batch came back."""
        self._n_lost_in_a_row = 0


class _Round:
    """The batches of one call of `run`: what is still to hand out, what is in hand, how often each was lost."""

    def __init__(self, executor: RayExecutor, batches: Sequence[Batch], sampling: Sampling) -> None:
        self.executor, self.batches, self.sampling = executor, batches, sampling
        self.todo = list(range(len(batches)))  # a heap: the first of the plan first
        self.n_left = len(batches)
        self.tries: Counter[int] = Counter()
        self.starting: dict[Any, Hand] = {}
        self.in_hand: dict[Any, tuple[Hand, int]] = {}

    def run(self) -> Iterator[DrawnBatch]:
        ray = import_ray()
        while self.n_left:
            self.starting |= self.executor.hire(self.n_left, self.sampling)
            self._hand_out()
            # In the order in which they were handed out: of a worker that died, what it had finished comes first.
            references = [*self.in_hand, *self.starting]
            done, _ = ray.wait(references, timeout=None if self.in_hand else PATIENCE_SECONDS)
            if not done:
                log.warning("no worker is ready yet: the models load, or the cluster has no room; still waiting")
            for reference in done:
                yield from self._take(reference)

    def come_in(self) -> Iterator[DrawnBatch]:
        """Give the batches that are drawn and were not taken yet."""
        ray = import_ray()
        if not self.in_hand or not ray.is_initialized():
            return
        done, _ = ray.wait([*self.in_hand], num_returns=len(self.in_hand), timeout=0)
        for reference in done:
            with suppress(*death_errors()):
                if not isinstance(answer := ray.get(reference), Refusal):
                    yield self._drawn(self.in_hand[reference][1], *answer)

    def _hand_out(self) -> None:
        ready = [hand for hand in self.executor.hands if hand.report is not None]
        most = AHEAD if len(self.todo) > len(ready) else 1  # towards the end nobody waits for another's second batch
        for depth in range(most):
            for hand in ready:
                if self.todo and self._may_take(hand, depth):
                    position = heapq.heappop(self.todo)
                    reference = hand.actor.draw.remote(self.batches[position], self.sampling)
                    self.in_hand[reference] = (hand, position)

    def _may_take(self, hand: Hand, depth: int) -> bool:
        """Whether a worker that may hold so many batches gets another one: one that was lost is drawn alone.

        So a batch that kills takes another one along once only.
        """
        held = [position for other, position in self.in_hand.values() if other is hand]
        has_suspect = any(self.tries[position] for position in held)
        return len(held) <= depth and not has_suspect and not (held and self.tries[self.todo[0]])

    def _take(self, reference: Any) -> Iterator[DrawnBatch]:
        """Take what a worker has handed in: that it is ready, a batch, or that it is dead."""
        hand, position = self.in_hand.pop(reference, None) or (self.starting.pop(reference), None)
        try:
            answer = import_ray().get(reference)
        except death_errors() as error:
            yield from self._lost(hand, position, error)
            return
        if isinstance(answer, Refusal):
            raise answer.as_error()
        if position is None:
            self.executor.welcome(hand, answer)
            return
        self.executor.note_success()
        yield self._drawn(position, *answer)

    def _lost(self, hand: Hand, position: int | None, error: Exception) -> Iterator[DrawnBatch]:
        """Put a batch back, or give it up."""
        if position is not None:
            self.tries[position] += 1
            if self.tries[position] < MAX_TRIES:
                heapq.heappush(self.todo, position)
            else:
                detail = f"{MAX_TRIES} workers died while they had this batch; the last one: {cause_of_death(error)}"
                yield self._drawn(position, [EncodedPicture("failed", detail)] * len(self.batches[position]), 0.0)
        if not hand.is_lost:
            self.executor.lose(hand, error)

    def _drawn(self, position: int, pictures: list[EncodedPicture], seconds: float) -> DrawnBatch:
        self.n_left -= 1
        failed = [picture.detail for picture in pictures if picture.status == "failed"]
        if failed:
            log.warning("%s", failed[0])
        return DrawnBatch(self.batches[position], pictures, seconds)
