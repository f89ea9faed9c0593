"""Take records out of files. Each file is written anew beside the old one, forced to the disk, and renamed over it.

What stays, stays as it is: lines and members byte for byte, rows of Parquet value for value, in the same order, with
the same columns and compression. A file that is a record is deleted, with the facts beside it.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import tarfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import IO

from copycat.corpus.footers import read_chunks
from copycat.errors import UnsupportedError
from copycat.paths import shown
from copycat.provenance.dataset import DataFile, Dataset
from copycat.provenance.dataset.folders import METADATA, files_named
from copycat.provenance.dataset.tables import MAX_LINE_BYTES, csv_rows, json_rows
from copycat.provenance.manifest.publishing import flush
from copycat.provenance.records import printable
from copycat.provenance.removal.finding import Place

COPY_BYTES = 1 << 20
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def rewrite_files(dataset: Dataset, places: Sequence[Place]) -> list[str]:
    """Take records out of the files of a dataset.

    Returns: the names of the files that were changed or deleted; of a folder, with those that spoke of the records.

    Raises:
        UnsupportedError: a file cannot be rewritten; no file has been changed then.
    """
    if dataset.kind == "folder":
        return _delete_files(dataset, [place.file for place in places])
    by_file: dict[str, set[int]] = defaultdict(set)
    for place in places:
        by_file[place.file].add(place.at)
    files = [file for file in dataset.files if file.name in by_file]
    for file in files:
        if file.kind == "webdataset":
            _require_plain_tar(file)
    for file in files:
        rewrite_file(file, by_file[file.name])
    return [file.name for file in files]


def rewrite_file(file: DataFile, dropped: Collection[int]) -> None:
    """Write one file without the records of these numbers (see `finding.Place`), in one step.

    A JSONL file that loses all its lines is deleted.
    """
    target = file.path.resolve()  # a link to a file stays a link
    unfinished = target.with_name(f".{target.name}.new")
    writers: dict[str, Callable[[Path, Path, Collection[int]], None]] = {
        "parquet": _write_parquet,
        "jsonl": _write_jsonl,
        "csv": _write_csv,
        "webdataset": _write_tar,
    }
    try:
        writers[file.kind](target, unfinished, dropped)
        flush(unfinished)
        unfinished.chmod(target.stat().st_mode)
        if file.kind == "jsonl" and _is_empty(unfinished, target):
            target.unlink()  # a text file of nothing is taken for a damaged one
            unfinished.unlink()
        else:
            unfinished.replace(target)
        flush(target.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _write_parquet(source: Path, target: Path, dropped: Collection[int]) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    gone = np.array(sorted(dropped), dtype=np.int64) - 1
    with pq.ParquetFile(source) as table:
        facts = table.metadata
        # Not facts.row_group(0).column(n): pyarrow 26 ends the process on some damaged files.
        chunks = next(iter(read_chunks(source)), [])
        known = {chunk.path: "NONE" if chunk.codec == "UNCOMPRESSED" else chunk.codec for chunk in chunks}
        with pq.ParquetWriter(target, table.schema_arrow, compression=known or "snappy") as writer:
            first = 0
            for number in range(facts.num_row_groups):
                group = table.read_row_group(number)
                keep = np.ones(group.num_rows, dtype=bool)
                keep[gone[(gone >= first) & (gone < first + group.num_rows)] - first] = False
                first += group.num_rows
                writer.write_table(group.filter(pa.array(keep)), row_group_size=max(1, int(keep.sum())))


def _write_jsonl(source: Path, target: Path, dropped: Collection[int]) -> None:
    gone = set(dropped)
    with _reader(source) as lines, _writer(source, target) as out:
        out.writelines(raw for number, raw in enumerate(lines, 1) if number not in gone)


def _write_csv(source: Path, target: Path, dropped: Collection[int]) -> None:
    """Copy the bytes of each record; a record may have several lines, and is named by the last of them."""
    gone = set(dropped)
    csv.field_size_limit(MAX_LINE_BYTES)
    with _reader(source) as stream, _writer(source, target) as out:
        taken: list[bytes] = []

        def texts() -> Iterator[str]:
            for raw in stream:
                for part in _LINE.findall(raw):  # a lone CR ends a line for the csv module, too
                    is_first = not taken and reader.line_num == 0
                    taken.append(part)
                    yield part.decode("utf-8-sig" if is_first else "utf-8", "replace")

        reader = csv.reader(texts(), delimiter="\t" if ".tsv" in source.name.lower() else ",")
        for _ in reader:
            if reader.line_num not in gone:
                out.writelines(taken)
            taken.clear()
        out.writelines(taken)


def _write_tar(source: Path, target: Path, dropped: Collection[int]) -> None:
    """Copy headers and bytes of members as they are; members that share a key are one record."""
    gone = set(dropped)
    with tarfile.open(source, "r:") as archive, source.open("rb") as stream, target.open("wb") as out:
        number, before = 0, ""
        members = archive.getmembers()
        ends = [member.offset for member in members[1:]] + [archive.offset]
        for member, end in zip(members, ends, strict=True):
            if member.isfile():
                folder, _, base = printable(member.name).rpartition("/")
                key = f"{folder}/{base.partition('.')[0]}".lstrip("/")
                number, before = (number, before) if number and key == before else (number + 1, key)
                if number in gone:
                    continue
            _copy(stream, out, member.offset, end)
        out.write(bytes(2 * tarfile.BLOCKSIZE))
        out.write(bytes(-out.tell() % tarfile.RECORDSIZE))


def _require_plain_tar(file: DataFile) -> None:
    try:
        with tarfile.open(file.path, "r:") as archive:
            archive.next()
    except tarfile.TarError as error:
        raise UnsupportedError(
            f"{shown(file.path)}: is no plain tar archive, and is not rewritten\n"
            "  unpack it and pack it again without compression, or take the records out yourself"
        ) from error


def _delete_files(dataset: Dataset, names: Sequence[str]) -> list[str]:
    """Delete files that are records, what is said beside them, and their lines in metadata files."""
    gone, changed = set(names), set(names)
    paths = {file.name: file.path for file in dataset.files}
    for path in sorted(path for name in METADATA for path in dataset.folder.rglob(name)):
        where = path.parent.relative_to(dataset.folder).as_posix()
        if _drop_metadata(path, "" if where == "." else where, gone):
            changed.add(path.relative_to(dataset.folder).as_posix())
    for name in sorted(gone):
        path = paths[name]
        for beside in (path.with_name(f"{path.name}.json"), path.with_suffix(".json")):
            if beside != path and beside.is_file():
                beside.unlink()
                changed.add(beside.relative_to(dataset.folder).as_posix())
        path.unlink(missing_ok=True)
    return sorted(printable(name) for name in changed)


def _drop_metadata(path: Path, folder: str, gone: AbstractSet[str]) -> bool:
    """Take the lines of these files out of a metadata file; says whether there were any."""
    kind = "jsonl" if path.suffix == ".jsonl" else "csv"
    file = DataFile(path, path.name, 0, kind)  # type: ignore[arg-type]
    rows = json_rows(file) if kind == "jsonl" else csv_rows(file)
    lines = [row.line for row in rows if not gone.isdisjoint(files_named(row.said, folder).values())]
    if lines:
        rewrite_file(file, lines)
    return bool(lines)


def _reader(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")  # type: ignore[return-value]


def _is_empty(path: Path, target: Path) -> bool:
    with gzip.open(path, "rb") if target.name.lower().endswith(".gz") else path.open("rb") as stream:
        return not stream.read(1)


def _writer(source: Path, target: Path) -> IO[bytes]:
    if not source.name.lower().endswith(".gz"):
        return target.open("wb")
    raw = gzip.GzipFile(target, "wb", mtime=0)
    return io.BufferedWriter(raw)  # type: ignore[return-value]


def _copy(source: IO[bytes], target: IO[bytes], start: int, end: int) -> None:
    source.seek(start)
    left = end - start
    while left and (part := source.read(min(left, COPY_BYTES))):
        target.write(part)
        left -= len(part)
