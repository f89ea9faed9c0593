"""Several files of a sidecar change together or not at all, whenever the power goes.

All are written as `.NAME.next`; then the empty file `.commit` is made, which is the moment that counts; then each is
renamed to its place. Whoever comes after a crash finishes the renaming, or throws away what was never committed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from copycat.errors import UserError
from copycat.paths import file_sha256, shown
from copycat.provenance.dataset.card import load_plain_json
from copycat.provenance.manifest.sorting import SORTING
from copycat.provenance.records import CROISSANT_FILE, HISTORY_FILE, MANIFEST_FILE, RECORDS_FILE
from copycat.runs.folder import json_bytes

COMMIT_FILE = ".commit"


def standing(folder: Path, name: str) -> Path:
    """Give where the committed state of a file lies."""
    waiting = unfinished(folder, name)
    return waiting if (folder / COMMIT_FILE).exists() and waiting.exists() else folder / name


def unfinished(folder: Path, name: str) -> Path:
    """Give where the next state of a file is written before it is published."""
    return folder / f".{name}.next"


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Make the folder and hold it for writing; clear up after whoever was killed here.

    Raises:
        UserError: somebody else is writing in it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (RECORDS_FILE, HISTORY_FILE, CROISSANT_FILE, MANIFEST_FILE):
            if (folder / name).is_dir():
                raise UserError(f"{shown(folder / name)}: a folder is in the way\n  move it")
        lock = os.open(folder, os.O_RDONLY)
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(f"{shown(folder)}: a file is in the way\n  move it, or choose another folder") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise UserError(f"{shown(folder)}: another process writes in it\n  wait until it is done") from error
    try:
        _recover(folder)
        yield
    finally:
        if not (folder / COMMIT_FILE).exists():
            _recover(folder)
        os.close(lock)


def publish(folder: Path, names: Sequence[str]) -> None:
    """Put the next states of these files in place, together.

    croissant.json goes with them where it would else state the hash of a records.parquet that is no more.
    """
    held = [*names, *_croissant_again(folder, names)]
    for name in held:
        flush(unfinished(folder, name))
    (folder / COMMIT_FILE).touch()
    flush(folder)
    _recover(folder)


def _croissant_again(folder: Path, names: Sequence[str]) -> list[str]:
    """Write the next croissant.json with the hash of the next records.parquet; gives its name if that was needed."""
    path = folder / CROISSANT_FILE
    if RECORDS_FILE not in names or CROISSANT_FILE in names or not path.is_file():
        return []
    try:
        jsonld = load_plain_json(path.read_bytes())
        files = [each for each in jsonld["distribution"] if each["@id"] == RECORDS_FILE]
        files[0]["sha256"] = file_sha256(unfinished(folder, RECORDS_FILE))
    except (ValueError, KeyError, TypeError, IndexError):
        return []  # it is not ours any more, and says nothing of records.parquet
    unfinished(folder, CROISSANT_FILE).write_bytes(json_bytes(jsonld))
    return [CROISSANT_FILE]


def _recover(folder: Path) -> None:
    """Finish what was committed, and throw away the rest."""
    is_committed = (folder / COMMIT_FILE).exists()
    for name in (RECORDS_FILE, HISTORY_FILE, CROISSANT_FILE, MANIFEST_FILE):
        path = unfinished(folder, name)
        if is_committed and path.exists():
            path.replace(folder / name)
        else:
            path.unlink(missing_ok=True)
    for left in folder.glob(f"{SORTING}*"):
        shutil.rmtree(left, ignore_errors=True)
    if is_committed:
        flush(folder)
        (folder / COMMIT_FILE).unlink()


def flush(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk before going on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
