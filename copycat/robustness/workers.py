"""Cells on several processes: each has one process of its own, so that all it held in memory goes with it."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, NamedTuple

from copycat.errors import CopycatError, UserError
from copycat.paths import shown
from copycat.robustness.cells import Around, make_cell
from copycat.robustness.order import CellName, Order, Settled, folder_of, settle

MOST_FAILED = 3
"""When so many cells have failed and none was made, the others would fail as well."""


class Failed(NamedTuple):
    """A cell that could not be made, and why, as the user is told."""

    cell: CellName
    reason: str


def make_cells(
    settled: Settled, cells: Sequence[CellName], around: Around, advance: Callable[[int], None]
) -> list[Failed]:
    """Make cells, in this process where one worker was asked for; a cell that fails leaves the others alone.

    Raises:
        UserError: the first few failed, and none was made.
    """
    count = settled.order.workers
    return (_one_by_one if count == 1 else _at_once)(settled, cells, around, advance)


def _one_by_one(
    settled: Settled, cells: Sequence[CellName], around: Around, advance: Callable[[int], None]
) -> list[Failed]:
    failed: list[Failed] = []
    for number, cell in enumerate(cells):
        try:
            make_cell(settled, cell, around)
        except CopycatError as error:
            failed.append(Failed(cell, str(error)))
            _check(failed, number + 1)
        advance(1)
    return failed


def _at_once(
    settled: Settled, cells: Sequence[CellName], around: Around, advance: Callable[[int], None]
) -> list[Failed]:
    context = multiprocessing.get_context("spawn")
    todo, failed, n_done = list(cells), list[Failed](), 0
    running: dict[Any, tuple[Any, CellName]] = {}
    try:
        while todo or running:
            while todo and len(running) < settled.order.workers:
                cell = todo.pop(0)
                process = context.Process(target=_work, args=(settled.order, cell, around), daemon=True)
                process.start()
                running[process.sentinel] = (process, cell)
            for sentinel in wait(list(running)):
                process, cell = running.pop(sentinel)
                process.join()
                n_done += 1
                if process.exitcode:
                    failed.append(Failed(cell, _reason(settled, cell, process.exitcode)))
                    _check(failed, n_done)
                advance(1)
    finally:
        for process, _ in running.values():
            process.terminate()
            process.join()
    return failed


def _check(failed: Sequence[Failed], n_done: int) -> None:
    if len(failed) == n_done >= MOST_FAILED:
        raise UserError(failed[-1].reason)


def _work(order: Order, cell: CellName, around: Around) -> None:
    """Make a cell in a process of its own; what it says goes into a log, and why it failed into a file."""
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // order.workers))
    log, reason = _logs(order.base.out, cell)
    log.parent.mkdir(parents=True, exist_ok=True)
    reason.unlink(missing_ok=True)
    with log.open("ab", buffering=0) as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
        try:
            make_cell(settle(order), cell, around)
        except CopycatError as error:
            reason.write_text(str(error), encoding="utf-8")
            sys.exit(2)
        except KeyboardInterrupt:
            sys.exit(130)


def _reason(settled: Settled, cell: CellName, code: Any) -> str:
    log, reason = _logs(settled.order.base.out, cell)
    if reason.exists():
        return reason.read_text(encoding="utf-8")
    return f"its process ended with {code}; what it said is in {shown(log)}"


def _logs(out: Path, cell: CellName) -> tuple[Path, Path]:
    return folder_of(out, "logs", f"{cell.text}.txt"), folder_of(out, "logs", f"{cell.text}.error.txt")
