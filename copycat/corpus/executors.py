"""Where units are counted: here in threads, in several processes, or on a Ray cluster. The counts are the same."""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import secrets
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from itertools import groupby
from typing import NamedTuple

from copycat.corpus.batches import Batch, Unit, read_batches
from copycat.corpus.duplicates import SeenTexts
from copycat.corpus.tally import Tally
from copycat.corpus.units import BatchTallier, Job, count_unit, in_order, n_threads
from copycat.errors import DataError, MissingExtraError, UnsupportedError, UserError

Finished = Generator[tuple[Unit, Tally], None, None]
Advance = Callable[[int], object]


class Where(NamedTuple):
    """Where to count, in how many processes (None: here), and whom to tell of rows that are read."""

    executor: str
    processes: int | None
    advance: Advance


def tally_units(job: Job, units: Sequence[Unit], seen: SeenTexts | None, where: Where) -> Finished:
    """Count units, each finished one as soon as it is, in whatever order.

    Raises:
        UnsupportedError: there is no such executor.
        MissingExtraError: ray is not installed.
        UserError: a process ended before its unit was counted.
        DataError: a file is damaged.
    """
    if where.executor == "ray":
        return _on_ray(job, units, where.advance)
    if where.executor != "local":
        raise UnsupportedError(f"there is no executor '{where.executor}'\n  needed: 'local' or 'ray'")
    processes = min(where.processes or 1, len(units))
    if processes > 1:
        return _in_processes(job, units, processes, where.advance)
    return _here(job, units, seen, where.advance)


def _here(job: Job, units: Sequence[Unit], seen: SeenTexts | None, advance: Advance) -> Finished:
    """Read ahead over the ends of units, so that no thread waits for one."""
    tallier = BatchTallier(job, seen)

    def tally(item: tuple[Unit, Batch]) -> tuple[Unit, Tally]:
        return item[0], tallier.tally(item[1])

    batches = ((unit, batch) for unit in units for batch in read_batches(job.corpus, unit))
    with ThreadPoolExecutor(n_threads()) as pool:
        for unit, parts in groupby(in_order(pool, n_threads(), tally, batches), key=lambda part: part[0]):
            whole = Tally()
            for _, part in parts:
                whole.add(part)
                advance(part.rows)
            yield unit, whole


def _told(job: Job, unit: Unit, threads: int) -> tuple[Unit, Tally | str]:
    """Count a unit in another process; a fault comes back as text, as errors lose their parts on the way."""
    try:
        return unit, count_unit(job, unit, threads)
    except DataError as error:
        return unit, str(error)


def _unpacked(found: tuple[Unit, Tally | str], advance: Advance) -> tuple[Unit, Tally]:
    unit, tally = found
    if isinstance(tally, str):
        raise DataError([tally])
    advance(tally.rows)
    return unit, tally


def _in_processes(job: Job, units: Sequence[Unit], processes: int, advance: Advance) -> Finished:
    threads = max(1, n_threads() // processes)
    context = multiprocessing.get_context("spawn")  # forking a process in which threads run may hang
    pool = ProcessPoolExecutor(processes, mp_context=context)
    try:
        for future in as_completed([pool.submit(_told, job, unit, threads) for unit in units]):
            yield _unpacked(future.result(), advance)
    except BrokenProcessPool as error:
        raise UserError(
            "a process that counts ended before it was done; most often memory is short\n  ask for fewer processes"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _on_ray(job: Job, units: Sequence[Unit], advance: Advance) -> Finished:
    """Give each unit to a task of one core; every machine must see the files under the same paths.

    The cluster is the one that this program has joined, else the one of RAY_ADDRESS, else one of this machine alone.
    """
    try:
        ray = importlib.import_module("ray")
    except ImportError as error:
        raise MissingExtraError(
            "executor 'ray' needs the package ray, which is not installed\n  pip install 'copycat[ray]'"
        ) from error
    is_own = not ray.is_initialized()
    if is_own:
        if not os.environ.get("RAY_ADDRESS"):  # Ray would leave a secret of its own in the home folder
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    try:
        task = ray.remote(num_cpus=1)(_told)
        shared = ray.put(job)
        running = [task.remote(shared, unit, 1) for unit in units]
        while running:
            (done, *_), running = ray.wait(running)
            yield _unpacked(ray.get(done), advance)
    finally:
        if is_own:
            ray.shutdown()
