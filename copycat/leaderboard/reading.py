"""A submission's folder -> its records, with limits on everything before it is read: files come from strangers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from copycat.corpus.footers import read_chunks
from copycat.errors import DataError
from copycat.leaderboard.faults import Fault, shortened
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
from copycat.leaderboard.strict_json import StrictJsonError, require_strict
from copycat.schema import Calibration, Judgement, Record, RunResult

R = TypeVar("R", bound=Record)
PARQUET_ROWS = 4
"""Rows that are held in memory at a time: each may hold as many bytes as a picture may have."""
PARQUET_SCHEMA = (("key", "string"), ("sha256", "string"), ("image", "struct<bytes: binary, path: string>"))
PARQUET_ENCODINGS = {"PLAIN", "RLE", "BIT_PACKED"}
PARQUET_METADATA = {b"huggingface", b"ARROW:schema"}
LIMITS = SizeLimits()
MAX_NUMBER = 1e9
"""Beyond all figures, counts, seconds and prices."""
MAX_FAULTS = 200
"""Faults of form of one record or journal that are looked at: each of them costs memory."""

KIND_OF_FIELD = {"submitter.contact": "unsafe-link", "paper": "unsafe-link", "date": "wrong-date"}
"""Fields whose form is a check of its own."""


FEW_COMMAS = 100
"""A line with no more of them holds no list that is worth counting."""


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


class SubmittedPicture(NamedTuple):
    """A row of pictures.parquet."""

    key: str
    sha256: str
    content: bytes
    path: str | None


def load_submission(path: Path, limits: SizeLimits = LIMITS) -> LoadedSubmission:
    """Read all records of a submission.

    Raises:
        DataError: every fault of form in every file.
    """
    loaded, faults = read_submission(path, limits, is_strict=False)
    if loaded is None:
        raise DataError([f"{fault.where}: {fault.what}" for fault in faults])
    if wild := list(dict.fromkeys(_wild_numbers(loaded))):
        raise DataError([f"{name}: holds a number that no run gives, or none" for name in wild])
    return loaded


def _wild_numbers(loaded: LoadedSubmission) -> Iterator[str]:
    """Name the files with numbers that cannot be added up or shown; a page is built before anybody has verified."""
    figures = [(e.value, e.low, e.high, e.per50_mean, e.per50_std, e.k, e.n) for e in loaded.result.estimates]
    counts = tuple(dict(loaded.result.counts).values())
    of_files: tuple[tuple[str, Iterable[float | None]], ...] = (
        (METRICS, (number for row in (*figures, counts) for number in row)),
        (SAMPLES, (sample.seconds for sample in loaded.samples)),
        (SUBMISSION, (loaded.submission.usd_per_picture,)),
    )
    for name, numbers in of_files:
        if any(number is not None and not abs(number) <= MAX_NUMBER for number in numbers):
            yield name


def read_submission(
    path: Path, limits: SizeLimits = LIMITS, *, is_strict: bool = True
) -> tuple[LoadedSubmission | None, list[Fault]]:
    """Read all records of a submission, and give every fault of form in every file.

    Args:
        is_strict: whether to look for what a reader of JSON would not mind, see `strict_json`.

    Returns: the records, None unless every file could be read; and the faults.
    """
    reader = _Reader(path, limits, is_strict)
    submission = reader.record(SUBMISSION, Submission)
    settings = reader.record(SETTINGS, RunSettings)
    result = reader.record(METRICS, RunResult)
    samples = reader.lines(SAMPLES, SubmittedSample)
    judgements = reader.lines(JUDGEMENTS, Judgement)
    calibration = reader.record(CALIBRATION, Calibration) if _is_there(path / CALIBRATION) else None
    faults = list(shortened(reader.faults))
    if faults or submission is None or settings is None or result is None:
        return None, faults
    loaded = LoadedSubmission(
        path=path,
        id=submission_id(submission, settings),
        submission=submission,
        settings=settings,
        result=result,
        samples=tuple(samples),
        judgements=tuple(judgements),
        calibration=calibration,
    )
    return loaded, faults


def read_pictures(path: Path, limits: SizeLimits = LIMITS) -> Iterator[tuple[str, bytes]]:
    """Give key and bytes of each picture of a submission, a few at a time; none where they are withheld.

    Raises:
        DataError: the file is no Parquet file of the columns that it must have, or is too large.
    """
    for row in read_picture_rows(path, limits):
        yield row.key, row.content


def read_picture_rows(path: Path, limits: SizeLimits = LIMITS) -> Iterator[SubmittedPicture]:
    """Give each row of pictures.parquet, a few at a time; none where pictures are withheld.

    Nothing in the file may be compressed or kept in a dictionary, so that it holds no more than its size says.

    Raises:
        DataError: the file is no Parquet file of the form that it must have, or is too large.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = path / PICTURES
    if not _is_there(file):
        return
    _require_size(file, limits.parquet_bytes)
    try:
        _require_footer(file, limits.parquet_footer_bytes)
        left = file.stat().st_size
        with pq.ParquetFile(file, memory_map=False, pre_buffer=False) as table:
            if wrong := _parquet_fault(table, file, limits):
                raise DataError([f"{file.name}: {wrong}"])
            for batch in table.iter_batches(batch_size=PARQUET_ROWS, use_threads=False):
                if (left := left - batch.nbytes) < 0:  # as where one value stands for many
                    raise DataError([f"{file.name}: holds more than its size says"])
                for row in batch.to_pylist():
                    image = row["image"]
                    yield SubmittedPicture(str(row["key"]), str(row["sha256"]), bytes(image["bytes"]), image["path"])
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise DataError([f"{file.name}: is no Parquet file with 'key' and 'image' ({type(error).__name__})"]) from error


def _parquet_fault(table: Any, file: Path, limits: SizeLimits) -> str | None:
    """Say why a Parquet file is not read further; None if it may be."""
    about, schema = table.metadata, table.schema_arrow
    found = tuple((field.name, str(field.type)) for field in schema)
    if found != PARQUET_SCHEMA:
        needed = ", ".join(f"{name}: {kind}" for name, kind in PARQUET_SCHEMA)
        return f"its columns are {', '.join(f'{n}: {k}' for n, k in found)[:200]}; needed: {needed}"
    if stray := set(about.metadata or {}) - PARQUET_METADATA:
        return f"has metadata that nobody asked for: {', '.join(sorted(map(repr, stray)))[:200]}"
    if about.num_rows > limits.lines:
        return f"has {about.num_rows:,} rows, at most {limits.lines:,} are allowed"
    return _group_fault(about, file, limits)


def _group_fault(about: Any, file: Path, limits: SizeLimits) -> str | None:
    """Say what is wrong with the row groups, as the metadata tell of them: nothing of them is read yet."""
    if about.num_row_groups > max(about.num_rows, 1):
        return f"has {about.num_row_groups:,} row groups for {about.num_rows:,} rows"
    groups = read_chunks(file)  # not about.row_group(n).column(n): that ends the process on some files
    if [len(group) for group in groups] != [about.num_columns] * about.num_row_groups:
        return "has a footer that can be read in two ways"
    for group in groups:
        for column in group:
            if column.codec != "UNCOMPRESSED" or not column.encodings <= PARQUET_ENCODINGS:
                return "is compressed; needed: uncompressed and without dictionaries, as copycat.submit writes it"
            if not 0 <= column.compressed_size <= limits.group_bytes:
                return f"has a row group of more than {limits.group_bytes:,} bytes; needed: fewer rows in each"
    return None


def _require_footer(path: Path, most: int) -> None:
    """Look how long the footer is that Parquet would read at once: the last 8 bytes say it."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 8, 0))
        size = int.from_bytes(file.read(4), "little")
    if size > most:
        raise DataError([f"{path.name}: its footer has {size:,} bytes, at most {most:,} are allowed"])


class _Reader:
    """Reads files of one folder, and keeps what is wrong with them."""

    def __init__(self, path: Path, limits: SizeLimits, is_strict: bool) -> None:
        self.path, self.limits, self.is_strict = path, limits, is_strict
        self.faults: list[Fault] = []
        self.is_hopeless = False

    def record(self, name: str, record: type[R]) -> R | None:
        """Read a file of one record; None if it is wrong."""
        content = self._bytes(name, self.limits.json_bytes)
        return None if content is None else self._parsed(content, record, name)

    def lines(self, name: str, record: type[R]) -> list[R]:
        """Read a journal; empty if anything is wrong with it as a whole."""
        content = self._bytes(name, self.limits.journal_bytes)
        if content is None:
            return []
        if content and not content.endswith(b"\n"):
            self._fault("cut-off", name, "the last line has no newline at its end: it was cut off")
        lines = content.split(b"\n")[: None if content and not content.endswith(b"\n") else -1]
        if len(lines) > self.limits.lines:
            self._fault("too-large", name, f"{len(lines):,} lines, at most {self.limits.lines:,} are allowed")
            return []
        if long := next((n for n, line in enumerate(lines, start=1) if len(line) > self.limits.line_bytes), None):
            self._fault("too-large", f"{name}:{long}", f"the line has more than {self.limits.line_bytes:,} bytes")
            return []
        return self._rows(name, lines, record)

    def _rows(self, name: str, lines: list[bytes], record: type[R]) -> list[R]:
        """Parse lines, and stop where the rest would only cost time or memory."""
        rows, n_items, n_before = [], 0, len(self.faults)
        for number, line in enumerate(lines, start=1):
            row = self._parsed(line, record, f"{name}:{number}")
            if row is not None:
                rows.append(row)
                if line.count(b",") > FEW_COMMAS:
                    n_items += sum(len(value) for _, value in row if isinstance(value, tuple))
            if n_items > self.limits.list_items:
                self._fault(
                    "too-large", name, f"more than {self.limits.list_items:,} entries in the lists of its lines"
                )
                break
            if len(self.faults) - n_before > MAX_FAULTS or self.is_hopeless:
                self._fault("schema", name, f"read up to line {number} of {len(lines):,}: too much is wrong")
                break
        return rows

    def _bytes(self, name: str, most: int) -> bytes | None:
        path = self.path / name
        if not _is_there(path):
            self._fault("missing-file", name, "is not there; every submission has this file")
            return None
        try:
            _require_size(path, most)
            return path.read_bytes()
        except DataError as error:
            kind = "link" if path.is_symlink() else "too-large"
            self.faults += [Fault(kind=kind, where=name, what=said.partition(": ")[2]) for said in error.faults]
        except OSError as error:
            self._fault("unreadable-file", name, f"cannot be read ({error.strerror})")
        return None

    def _parsed(self, content: bytes, record: type[R], where: str) -> R | None:
        try:
            if self.is_strict:
                require_strict(content)
            return record.model_validate_json(content)
        except StrictJsonError as error:
            self._fault(error.kind, where, str(error))
        except ValidationError as error:
            self.is_hopeless |= error.error_count() > MAX_FAULTS
            for field, said in _sayings(error):
                self._fault(KIND_OF_FIELD.get(field, "schema"), where, said)
        return None

    def _fault(self, kind: str, where: str, what: str) -> None:
        self.faults.append(Fault(kind=kind, where=where, what=what))


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _require_size(path: Path, most: int) -> None:
    if path.is_symlink():
        raise DataError([f"{path.name}: is a link; links are not followed"])
    if not path.is_file():
        raise DataError([f"{path.name}: is no file"])
    if (size := path.stat().st_size) > most:
        raise DataError([f"{path.name}: {size:,} bytes, at most {most:,} are allowed"])


def _sayings(error: ValidationError) -> list[tuple[str, str]]:
    """Give field and sentence of each fault that a record has; a field's name comes from a stranger and is cut."""
    if error.error_count() > MAX_FAULTS:
        return [("", f"{error.error_count():,} fields are wrong: it is no such record")]
    found = []
    for one in error.errors(include_url=False, include_input=False):
        field = ".".join(map(str, one["loc"]))[:100]
        said = f"{one['msg'][:1].lower()}{one['msg'][1:]}"[:300]
        found.append((field, f"field '{field}': {said}" if field else said))
    return found
