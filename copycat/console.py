"""The only module that prints: answers go to stdout, progress and log to stderr."""

from __future__ import annotations

import errno
import logging
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from copycat.errors import BugError, CopycatError

if TYPE_CHECKING:
    from copycat.schema import Estimate

EXIT_DONE, EXIT_NOT_VALID, EXIT_USER, EXIT_INTERRUPTED = 0, 1, 2, 130
EXIT_TERMINATED = 128 + signal.SIGTERM
"""What `kill`, or a cluster whose time is up, ends a command with."""

FILE_WIDTH = 100
"""Columns where stdout is no terminal; rich's own 80 are too few for the tables."""

HEADING_WIDTH = 24
"""Letters of a line of a heading; an estimate with its interval has 23."""

# No emoji: 'negprompt:copyright: 5 of 50' holds the code of one.
out = Console(
    highlight=False, emoji=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else FILE_WIDTH
)
err = Console(stderr=True, highlight=False, emoji=False)


POLITE_THREADS = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
"""How torch's threads wait for each other, unless the user says otherwise: asleep. By default they spin, which gains
nothing measurable on a quiet machine, and on one whose cores are shared slows small networks 15 times."""


_terminated: list[int] = []
"""The signals that asked the program to end."""

_not_resumed: list[bool] = []
"""Holds something while a command runs that is stopped and not taken up again."""


def run_app(app: typer.Typer) -> None:
    """Run a command line and leave with its exit code; a user's mistake shows text, not a traceback.

    SIGTERM ends it as Ctrl-C does, at once, with EXIT_TERMINATED.
    """
    signal.signal(signal.SIGTERM, _terminate)
    for name, value in POLITE_THREADS.items():
        os.environ.setdefault(name, value)
    _not_resumed.clear()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
    code = _code_of(app)
    if code in {EXIT_INTERRUPTED, EXIT_TERMINATED}:
        goes_on = "interrupted; everything finished is kept, and the same command goes on from there"
        say(f"\n{'stopped' if _not_resumed else goes_on}")
    sys.exit(code if isinstance(code, int) else EXIT_DONE)


def nothing_to_resume() -> None:
    """Tell that the running command, such as a server, has nothing to go on with once it is interrupted."""
    _not_resumed.append(True)


def _code_of(app: typer.Typer) -> Any:  # Any: what a command returned, or what was given to sys.exit
    try:
        return app(standalone_mode=False)  # typer turns Ctrl-C into the code 130, older versions into Abort
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED
    except SystemExit as error:
        return error.code
    except typer.Exit as error:
        return error.exit_code
    except Exception as error:
        if _terminated:  # pydantic wraps whatever a serializer of ours lets through, the end of the program too
            return EXIT_TERMINATED
        if not _is_told(error):
            raise
        return EXIT_USER


def _is_told(error: Exception) -> bool:
    """Say what the user must fix; False for what is a mistake of ours."""
    if isinstance(error, OSError) and error.errno in _DISK_ADVICE:
        where = f" '{error.filename}'" if error.filename else ""
        _print_error(f"cannot write{where}: {error.strerror}\n  {_DISK_ADVICE[error.errno]}")
    elif isinstance(error, CopycatError) and not isinstance(error, BugError):
        _print_error(str(error))
    elif hasattr(error, "format_message") and hasattr(error, "show"):  # a usage error of click
        error.show()
    else:
        return False
    return True


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    _terminated.append(number)
    sys.exit(128 + number)


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar with rate and time left on stderr; yields a function that is told how many more are done.

    What is finished before the first picture is made counts as done but not towards the rate.
    Without a terminal, a line is printed at the beginning, every tenth of the way, and at least every half minute.
    """
    with noted_progress(title, total) as advance:
        yield lambda count: advance(count, "")


@contextmanager
def noted_progress(title: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """Show a bar as `progress_bar` does, with a note behind it, such as losses; the function is told both."""
    if not err.is_terminal:
        yield _plain_progress(title, total)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (
        TextColumn("{task.description:<28}", markup=False),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        Remaining(elapsed_when_finished=False),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=err) as progress:
        task = progress.add_task(title, total=total, rate="", note="")

        def advance(count: int, note: str) -> None:
            progress.update(task, advance=count)
            speed = progress.tasks[task].speed
            progress.update(task, rate=f"{speed:5.1f}/s" if speed and speed < QUICK else "", note=note)

        yield advance


QUICK = 1000.0
"""So many in a second are done before anybody has read how many: no rate is told."""

PLAIN_EVERY_S = 30.0
"""Between two lines of progress where there is no terminal."""


def say(text: str) -> None:
    """Tell on stderr what is begun that cannot be counted, such as loading."""
    err.print(text, markup=False, soft_wrap=True)


@contextmanager
def running_count(title: str) -> Iterator[Callable[[int], None]]:
    """Show on stderr how many are done where nobody knows how many there are; yields a function as `progress_bar`.

    Without a terminal, a line is printed every half minute.
    """
    done, start = 0, time.monotonic()
    told = start
    status = err.status(title) if err.is_terminal else None

    def advance(count: int) -> None:
        nonlocal done, told
        done += count
        now = time.monotonic()
        rate = done / max(now - start, 1e-9)
        text = f"{title}: {done:,}, {rate:,.0f}/s" if rate >= 20 else f"{title}: {done:,}, {rate:.1f}/s"
        if status is not None:
            status.update(text)
        elif now - told >= PLAIN_EVERY_S:
            told = now
            err.print(text, markup=False)

    with status or nullcontext():
        yield advance


def comparison_table(title: str, anchors: Sequence[str], columns: Sequence[tuple[str, dict[str, Estimate]]]) -> Table:
    """Lay out estimates: one row per anchor, one column per named set of estimates."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("anchor", overflow="fold")
    for heading, _ in columns:
        table.add_column(in_lines(heading), justify="right", no_wrap=True)
    for anchor in anchors:
        label = anchor if out.width >= FILE_WIDTH else anchor.replace(":", ":\n  ")
        table.add_row(label, *(cell_text(estimates.get(anchor)) for _, estimates in columns))
    return table


def in_lines(heading: str, width: int = HEADING_WIDTH) -> str:
    """Break the name of a long mitigation after its terms and parts, so that it leaves room for figures."""
    lines: list[str] = [""]
    for piece in re.split(r"(?<=[,+])", heading):
        if lines[-1] and len(lines[-1]) + len(piece) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)


def cell_text(estimate: Estimate | None) -> str:
    """Give an estimate with its interval, in rich's markup; differences have a sign."""
    from copycat.metrics.texts import shown_amount

    if estimate is None or estimate.value is None or estimate.low is None or estimate.high is None:
        return "no figure"
    numbers = [shown_amount(number, estimate.unit) for number in (estimate.value, estimate.low, estimate.high)]
    if estimate.unit == "difference":
        numbers = [number if number.startswith("-") else f"+{number}" for number in numbers]
    value, low, high = numbers
    return f"{value} [dim]\\[{low}, {high}][/dim]"


def _plain_progress(title: str, total: int) -> Callable[[int, str], None]:
    done, told = 0, time.monotonic()
    begun: tuple[float, int] | None = None
    if total:
        say(f"{title}: 0 of {total:,}")

    def advance(count: int, note: str) -> None:
        nonlocal done, told, begun
        before, done = done, done + count
        now = time.monotonic()
        if total and count and (before * 10 // total != done * 10 // total or now - told >= PLAIN_EVERY_S):
            told = now
            say(f"{title}: {done:,} of {total:,}{_speed(begun, now, done, total)}{f' ({note})' if note else ''}")
        begun = begun or (now, done)  # what is finished already is told first

    return advance


def _speed(begun: tuple[float, int] | None, now: float, done: int, total: int) -> str:
    """Say how many are done in a second since `begun`, and how long the rest takes; "" where that is not known."""
    if begun is None or done == begun[1] or now <= begun[0]:
        return ""
    rate = (done - begun[1]) / (now - begun[0])
    if rate >= QUICK:
        return ""
    return f", {rate:,.1f}/s" + (f", {timedelta(seconds=round((total - done) / rate))} left" if done < total else "")


def _print_error(text: str) -> None:
    """Print an error; letters that would command the terminal, such as those of a file's name, are left out."""
    plain = "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")
    err.print(f"error: {plain}", markup=False, soft_wrap=True)


_DISK_ADVICE: dict[int | None, str] = {
    errno.ENOSPC: "free some space; everything finished is kept, and the same command goes on from there",
    errno.EDQUOT: "your quota is used up; everything finished is kept, and the same command goes on from there",
    errno.EACCES: "choose a folder that you may write to: --out DIR",
    errno.EPERM: "choose a folder that you may write to: --out DIR",
    errno.EROFS: "the disk is read-only; choose another folder: --out DIR",
    errno.ENOTDIR: "a file is in the way; choose another folder: --out DIR",
    errno.EEXIST: "a file is in the way; choose another folder: --out DIR",
}


def print_json(content: Any) -> None:
    """Print one JSON object on stdout."""
    import json

    sys.stdout.write(json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n")
