"""removals.jsonl: appended only, forced to the disk before anything else changes, each line sealed by the next."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from copycat.errors import DataError, first_faults
from copycat.paths import shown
from copycat.provenance.records import REMOVALS_FILE
from copycat.provenance.removal.records import LogLine
from copycat.runs.folder import append_journal, journal_bytes


class LogFault(NamedTuple):
    """A line, from 1, that is not as it was written, and why."""

    line: int
    said: str


def read_log(sidecar: Path) -> tuple[list[LogLine], list[LogFault]]:
    """Read the log and what is wrong with it. A last line that a crash cut off does not count and is no fault."""
    path = sidecar / REMOVALS_FILE
    if not path.is_file():
        return [], []
    try:
        content = path.read_bytes()
    except OSError as error:
        return [], [LogFault(1, f"cannot be read: {error.strerror}")]
    lines: list[LogLine] = []
    faults: list[LogFault] = []
    seal = ""
    for number, raw in enumerate(content[: content.rfind(b"\n") + 1].split(b"\n")[:-1], 1):
        try:
            line = LogLine.model_validate_json(raw)
        except ValidationError as error:
            faults.append(LogFault(number, f"is no line of this log: {error.errors()[0]['msg']}"))
        else:
            if line.before != seal:
                faults.append(LogFault(number, "does not follow the line above: that was changed, or lines lack"))
            lines.append(line)
        seal = hashlib.sha256(raw + b"\n").hexdigest()
    return lines, faults


def require_sound_log(sidecar: Path) -> list[LogLine]:
    """Read the log.

    Raises:
        DataError: a line is damaged, was changed, or is missing.
    """
    lines, faults = read_log(sidecar)
    if faults:
        path = shown(sidecar / REMOVALS_FILE)
        said = first_faults([f"{path}:{fault.line}: {fault.said}" for fault in faults])
        raise DataError(said, "  restore the log from a copy; nothing is removed while it is in doubt")
    return lines


def append_log(sidecar: Path, lines: Sequence[LogLine]) -> None:
    """Append lines, each with the seal of the one before, and force them to the disk."""
    before = require_sound_log(sidecar)
    seal = _seal(before[-1]) if before else ""
    sealed: list[LogLine] = []
    for line in lines:
        sealed.append(line.model_copy(update={"before": seal}))
        seal = _seal(sealed[-1])
    append_journal(sidecar / REMOVALS_FILE, sealed)


def _seal(line: LogLine) -> str:
    return hashlib.sha256(journal_bytes([line])).hexdigest()
