"""A submission's folder -> its records, with limits on everything before it is read: files come from strangers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from copycat.errors import DataError
from copycat.leaderboard.layout import SizeLimits, submission_id
from copycat.leaderboard.records import (
    CALIBRATION,
    JUDGEMENTS,
    METRICS,
    PICTURES,
    SAMPLES,
    SETTINGS,
    SUBMISSION,
    RunSettings,
    Submission,
    SubmittedSample,
)
from copycat.schema import Calibration, Judgement, Record, RunResult

R = TypeVar("R", bound=Record)
MAX_LISTED_LINES = 5
PARQUET_ROWS = 64
LIMITS = SizeLimits()


class LoadedSubmission(NamedTuple):
    """The records of a submission as they were read; nothing of it is checked but its form."""

    path: Path
    id: str
    submission: Submission
    settings: RunSettings
    result: RunResult
    samples: tuple[SubmittedSample, ...]
    judgements: tuple[Judgement, ...]
    calibration: Calibration | None

    @property
    def has_pictures(self) -> bool:
        """Whether the pictures are there to look at."""
        return self.submission.pictures == "included"


def load_submission(path: Path, limits: SizeLimits = LIMITS) -> LoadedSubmission:
    """Read all records of a submission.

    Raises:
        DataError: every fault of form in every file.
    """
    faults: list[str] = []
    submission = _read_record(path / SUBMISSION, Submission, limits, faults)
    settings = _read_record(path / SETTINGS, RunSettings, limits, faults)
    result = _read_record(path / METRICS, RunResult, limits, faults)
    samples = _read_lines(path / SAMPLES, SubmittedSample, limits, faults)
    judgements = _read_lines(path / JUDGEMENTS, Judgement, limits, faults)
    has_calibration = (path / CALIBRATION).exists()
    calibration = _read_record(path / CALIBRATION, Calibration, limits, faults) if has_calibration else None
    if faults or submission is None or settings is None or result is None:
        raise DataError(faults)
    return LoadedSubmission(
        path=path,
        id=submission_id(submission, settings),
        submission=submission,
        settings=settings,
        result=result,
        samples=tuple(samples),
        judgements=tuple(judgements),
        calibration=calibration,
    )


def read_pictures(path: Path, limits: SizeLimits = LIMITS) -> Iterator[tuple[str, bytes]]:
    """Give key and bytes of each picture of a submission, a few at a time; none where they are withheld.

    Raises:
        DataError: the file is no Parquet file of the columns that it must have, or is too large.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = path / PICTURES
    if not file.exists():
        return
    _require_size(file, limits.parquet_bytes)
    try:
        with pq.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=PARQUET_ROWS, columns=["key", "image"]):
                for row in batch.to_pylist():
                    yield str(row["key"]), bytes(row["image"]["bytes"])
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise DataError([f"{file.name}: is no Parquet file with 'key' and 'image' ({type(error).__name__})"]) from error


def _read_record(path: Path, record: type[R], limits: SizeLimits, faults: list[str]) -> R | None:
    try:
        _require_size(path, limits.json_bytes)
        return record.model_validate_json(path.read_bytes())
    except DataError as error:
        faults.extend(error.faults)
    except OSError as error:
        faults.append(f"{path.name}: cannot be read ({error.strerror})")
    except ValidationError as error:
        faults.extend(f"{path.name}: {said}" for said in _sayings(error))
    return None


def _read_lines(path: Path, record: type[R], limits: SizeLimits, faults: list[str]) -> list[R]:
    try:
        _require_size(path, limits.journal_bytes)
        lines = path.read_bytes().splitlines()
    except DataError as error:
        faults.extend(error.faults)
        return []
    except OSError as error:
        faults.append(f"{path.name}: cannot be read ({error.strerror})")
        return []
    if len(lines) > limits.lines:
        faults.append(f"{path.name}: {len(lines):,} lines, at most {limits.lines:,} are allowed")
        return []
    rows, wrong = [], 0
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(record.model_validate_json(line))
        except ValidationError as error:
            wrong += 1
            if wrong <= MAX_LISTED_LINES:
                faults.append(f"{path.name}:{number}: {_sayings(error)[0]}")
    if wrong > MAX_LISTED_LINES:
        faults.append(f"{path.name}: {wrong - MAX_LISTED_LINES} further lines are wrong")
    return rows


def _require_size(path: Path, most: int) -> None:
    if path.is_symlink():
        raise DataError([f"{path.name}: is a link; links are not followed"])
    if (size := path.stat().st_size) > most:
        raise DataError([f"{path.name}: {size:,} bytes, at most {most:,} are allowed"])


def _sayings(error: ValidationError) -> list[str]:
    return [
        f"field '{'.'.join(map(str, one['loc']))}': {one['msg'][:1].lower()}{one['msg'][1:]}"
        for one in error.errors(include_url=False, include_input=False)
    ]
