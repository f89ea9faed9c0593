"""Who draws the batches of a plan: this process, threads that wait for a service, or the machines of a Ray cluster.

Every executor gives the same bytes, because the plan fixes the batches and each picture has a seed of its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

from copycat.errors import BackendError, UnsupportedError
from copycat.models import ImageModel, ModelRow, Picture
from copycat.runs.encoding import EncodedPicture, encode_picture
from copycat.schema import ImageRequest, Sampling

LOCAL, RAY = "local", "ray"
EXECUTORS = (LOCAL, RAY)

log = logging.getLogger(__name__)

Batch = tuple[ImageRequest, ...]
OnLate = Callable[["DrawnBatch"], object]


class DrawnBatch(NamedTuple):
    """What became of a batch; `seconds` is its time divided by its size."""

    batch: Batch
    pictures: list[EncodedPicture]
    seconds: float


class Executor(Protocol):
    """Draws batches, in any order."""

    def prepare(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Do what is done once for all requests of this and later runs of the same model."""

    def run(self, batches: Sequence[Batch], sampling: Sampling, on_late: OnLate | None = None) -> Iterator[DrawnBatch]:
        """Give each batch as soon as it is drawn.

        Args:
            on_late: told of a batch that comes in after the caller has stopped listening.
        """

    def release(self) -> None:
        """Let go of the model's memory, which a judge may need; more can be drawn later."""

    def close(self) -> None:
        """Let go of threads and machines."""


def draw(model: ImageModel, batch: Batch, sampling: Sampling) -> tuple[list[Picture], float]:
    """Draw one batch; an error of the model fails its pictures and not the run. Unit: seconds per picture."""
    start = time.perf_counter()
    try:
        pictures = model.generate(batch, sampling)
    except BackendError as error:
        log.warning("%s", error)
        pictures = [Picture("failed", None, str(error))] * len(batch)
    return pictures, round((time.perf_counter() - start) / len(batch), 4)


def finish(batch: Batch, drawn: tuple[list[Picture], float], sampling: Sampling) -> DrawnBatch:
    """Encode the pictures of a batch."""
    pictures, seconds = drawn
    return DrawnBatch(batch, [encode_picture(picture, sampling) for picture in pictures], seconds)


class LocalExecutor:
    """Draws in this process.

    Args:
        overlaps: draw the next batch while the caller encodes, writes and judges the last one. Worth it
            where another device draws; on a CPU both would only wait for each other.
    """

    def __init__(self, model: ImageModel, *, overlaps: bool) -> None:
        self.model, self.overlaps = model, overlaps

    def prepare(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Have the model encode its texts."""
        self.model.prepare(requests, sampling)

    def run(self, batches: Sequence[Batch], sampling: Sampling, on_late: OnLate | None = None) -> Iterator[DrawnBatch]:
        """Draw batch after batch, in order; a batch under way when the caller stops is given up."""
        del on_late
        if not self.overlaps:
            for batch in batches:
                yield finish(batch, draw(self.model, batch, sampling), sampling)
            return
        with ThreadPoolExecutor(1, thread_name_prefix="draw") as thread:
            ahead = [(batch, thread.submit(draw, self.model, batch, sampling)) for batch in batches[:1]]
            for position in range(len(batches)):
                batch, future = ahead.pop()
                drawn = future.result()
                following = batches[position + 1 : position + 2]
                ahead = [(later, thread.submit(draw, self.model, later, sampling)) for later in following]
                yield finish(batch, drawn, sampling)

    def release(self) -> None:
        """Have the model drop its weights, where it can."""
        if (release := getattr(self.model, "release", None)) is not None:
            release()

    def close(self) -> None:
        """Nothing to let go of."""


class ServiceExecutor:
    """Asks a service for many pictures at a time, as many as it answers without complaint."""

    def __init__(self, model: Any) -> None:  # Any: an ImageModel with a throttle
        self.model = model

    def prepare(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Look for the key, so that its absence is told once and before anything is asked."""
        self.model.prepare(requests, sampling)

    def run(self, batches: Sequence[Batch], sampling: Sampling, on_late: OnLate | None = None) -> Iterator[DrawnBatch]:
        """Give each answer as soon as it is there, so that what was paid for is on the disk.

        Raises:
            ServiceDownError: so many requests in a row failed that the service seems to be down.
        """
        from copycat.services.pool import run_adaptive

        def work(batch: Batch) -> DrawnBatch:
            return finish(batch, draw(self.model, batch, sampling), sampling)

        def late(_: Batch, drawn: DrawnBatch) -> None:
            if on_late is not None:
                on_late(drawn)

        for _, drawn in run_adaptive(batches, work, self.model.throttle, late, is_patient=False):
            yield drawn
        self.model.breaker.check()

    def release(self) -> None:
        """Nothing of it is in our memory."""

    def close(self) -> None:
        """Nothing to let go of."""


def overlaps(row: ModelRow, device: str) -> bool:
    """Whether writing and judging can go on while the next pictures are drawn elsewhere than on this CPU."""
    return row.is_service or device != "cpu"


def build_executor(kind: str, row: ModelRow, model: ImageModel, device: str) -> Executor:
    """Build the executor of a model.

    Raises:
        UnsupportedError: a service is not drawn on a cluster of ours.
        MissingExtraError: ray is not installed.
    """
    if kind == RAY:
        if row.is_service:
            raise UnsupportedError(
                f"'{row.name}' draws elsewhere; a Ray cluster adds nothing\n  leave out --executor ray"
            )
        from copycat.runs.ray_executor import RayExecutor

        ray: Executor = RayExecutor(row, device)
        return ray
    return ServiceExecutor(model) if row.is_service else LocalExecutor(model, overlaps=overlaps(row, device))
