"""Finished units of a count in a folder, so that a count that was killed goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from copycat.corpus.batches import UNIT_ROWS, Unit
from copycat.corpus.reading import files_sha256
from copycat.corpus.tally import Tally
from copycat.corpus.units import Job
from copycat.errors import UserError
from copycat.paths import shown

FORMAT = 1


class Checkpoint:
    """A folder `FOLDER/<fingerprint>/` with a file for each finished unit.

    The fingerprint is of the files (path, size, time of change), the column, names and phrases, so that another count
    begins anew in a folder of its own. A file is written aside and then put in its place: it is whole or not there.

    Raises:
        UserError: the folder cannot be made.
    """

    def __init__(self, folder: Path, job: Job, is_deduplicated: bool) -> None:
        self.job = job
        self.folder = folder / fingerprint(job, is_deduplicated)[:16]
        self.is_deduplicated = is_deduplicated
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{shown(folder)}: cannot be made ({error})\n  needed: a folder to write to") from error

    def sha256(self, is_stopped: Callable[[], bool]) -> str:
        """Hash the files of the corpus, as `files_sha256` does, or give what was hashed before."""
        place = self.folder / "sha256"
        if place.is_file():
            return place.read_text(encoding="ascii")
        found = files_sha256(self.job.corpus, is_stopped)
        _write(place, lambda aside: aside.write_text(found, encoding="ascii"))
        return found

    def load_all(self, units: Sequence[Unit]) -> dict[Unit, Tally]:
        """Give the units that are finished."""
        found = ((unit, self._load(self._place(unit))) for unit in units)
        return {unit: tally for unit, tally in found if tally is not None}

    def save(self, unit: Unit, tally: Tally) -> None:
        """Keep a finished unit."""
        place = self._place(unit)
        if self.is_deduplicated:
            import numpy as np

            hashes = np.concatenate(tally.fresh)
            _write(place.with_suffix(".npy"), lambda aside: np.save(aside, hashes))
        if self.job.keeps_rows:
            import numpy as np

            rows = np.concatenate(tally.named)
            _write(place.with_suffix(".rows.npy"), lambda aside: np.save(aside, rows))
        text = json.dumps(tally.as_json())
        _write(place, lambda aside: aside.write_text(text, encoding="utf-8"))

    def _place(self, unit: Unit) -> Path:
        number = self.job.corpus.files.index(unit.file)
        return self.folder / f"file-{number:05d}-row-{unit.start}.json"

    def _load(self, place: Path) -> Tally | None:
        try:
            tally = Tally.from_json(json.loads(place.read_text(encoding="utf-8")))
            if self.is_deduplicated:
                import numpy as np

                tally.fresh = [np.sort(np.load(place.with_suffix(".npy"), allow_pickle=False))]
            if self.job.keeps_rows:
                import numpy as np

                tally.named = [np.load(place.with_suffix(".rows.npy"), allow_pickle=False)]
        except (OSError, ValueError, KeyError, TypeError):
            return None  # not finished, or damaged since: it is counted again
        return tally


def fingerprint(job: Job, is_deduplicated: bool) -> str:
    """Hash what a count depends on; of the files, what the file system says of them."""
    import polars as pl

    files = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in job.corpus.files]
    is_hashed = is_deduplicated or job.keeps_rows
    hashes = pl.__version__ if is_hashed else None  # the hash of a text may change with the version
    column, longest = job.corpus.text_column, job.corpus.max_line_bytes
    whole = [FORMAT, UNIT_ROWS, files, column, longest, job.characters, sorted(job.phrases), hashes]
    if job.keeps_rows:
        whole.append(job.corpus.other_columns)
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def _write(place: Path, write: Callable[[Path], object]) -> None:
    aside = place.with_name(f"aside-{os.getpid()}-{place.name}")
    write(aside)
    aside.replace(place)
