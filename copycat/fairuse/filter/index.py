"""A built filter on disk, memory-mapped: letters of works, and where their windows stand.

filter.json    see records.FilterFile
works.jsonl    the works in order, each with its place among all letters
letters.bin    canonical letters of each work without spaces, 1, 2 or 4 bytes each
bloom.bin      rbloom; a hit here decides nothing
buckets.bin    bucket of a hash (its highest bits) -> where its places begin
places.bin     places of windows, by bucket, hash and place
near-*.bin     the same three for the shorter windows of the near stage
withheld/NAME/ salted hashes of a withheld work, as `withhold` writes them
"""

from __future__ import annotations

import mmap
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from operator import index as as_int
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from copycat.errors import DataError, UserError
from copycat.fairuse.filter.hashing import window_hash
from copycat.fairuse.filter.records import FilterFile
from copycat.fairuse.records import Work
from copycat.fairuse.text.canonical import CANONICAL_FORM
from copycat.fairuse.works import WithheldGrams
from copycat.paths import shown
from copycat.runs.folder import read_journal
from copycat.schema import Record

if TYPE_CHECKING:
    import numpy as np
    from rbloom import Bloom

FILTER_FILE, WORKS_FILE, LETTERS_FILE, WITHHELD_FOLDER = "filter.json", "works.jsonl", "letters.bin", "withheld"
ENCODINGS = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}
"""Bytes of a letter -> how they are read; each letter has as many."""

FORMATS = (1,)

TESTED = 64
"""Windows that are looked up when a filter is loaded."""


class IndexedWork(Record):
    """A work of a filter: its first letter among those of all works, how many it has, and where their bytes begin."""

    work: Work
    first: int
    letters: int
    at_byte: int = 0
    letter_bytes: int = 1


class WorkLetters:
    """The letters of all works, read where they are asked for."""

    def __init__(self, folder: Path, works: Sequence[IndexedWork]) -> None:
        self.works = works
        self._firsts = [work.first for work in works]
        self._bytes = mapped(folder / LETTERS_FILE)

    def work_at(self, place: int) -> int:
        """Give the number of the work that a place is in."""
        return bisect_right(self._firsts, place) - 1

    def read(self, place: int, count: int) -> str:
        """Give the letters from a place on, fewer at the end of its work."""
        work = self.works[bisect_right(self._firsts, place) - 1]
        first = place - work.first
        size = work.letter_bytes
        last = min(first + count, work.letters)
        content = self._bytes[work.at_byte + first * size : work.at_byte + last * size]
        return str(content, ENCODINGS[size])


class GramIndex:
    """Windows of letters -> places: the Bloom filter, then the exact index, then the letters themselves."""

    def __init__(self, folder: Path, prefix: str, file: FilterFile, letters: WorkLetters) -> None:
        from rbloom import Bloom

        self._letters = letters
        try:
            self._buckets = _numbers(folder / f"{prefix}buckets.bin", file.place_bytes)
            self._places = _numbers(folder / f"{prefix}places.bin", file.place_bytes)
            self.bloom: Bloom = Bloom.load(str(folder / f"{prefix}bloom.bin"), as_int)
        except (OSError, ValueError, TypeError) as error:
            raise DataError([f"{shown(folder)}: cannot be read ({error})"], REBUILD) from error
        self._shift = 64 - (len(self._buckets) - 1).bit_length() + 1
        if not self._buckets or self._buckets[-1] != len(self._places) or self._shift not in range(1, 64):
            raise DataError([f"{shown(folder / f'{prefix}buckets.bin')}: missing, or cut off"], REBUILD)
        if self.bloom.size_in_bits != (file.near_bloom_bits if prefix else file.bloom_bits):
            raise DataError([f"{shown(folder / f'{prefix}bloom.bin')}: cut off"], REBUILD)
        window, sample = (file.near_window, file.near_sample) if prefix else (file.window, 1)
        if not self._finds_its_own(window, sample, file.hash_seed):
            what = f"{prefix}*.bin, {LETTERS_FILE} and {FILTER_FILE} do not belong together, or are damaged"
            raise DataError([f"{shown(folder)}: {what}"], REBUILD)

    def _finds_its_own(self, window: int, sample: int, seed: int) -> bool:
        """Look a few windows up that are there: files of another filter, or a changed number, find none."""
        for number in range(0, len(self._places), len(self._places) // TESTED + 1):
            letters = self._letters.read(self._places[number], window)
            hashed = window_hash(letters, seed)
            if hashed % sample or self._places[number] not in self.find(hashed, letters):
                return False
        return True

    def candidates(self, hashed: int) -> list[int]:
        """Give the places of all windows in the bucket of a hash: those of the window, and others."""
        bucket = hashed >> self._shift
        return self._places[self._buckets[bucket] : self._buckets[bucket + 1]].tolist()

    def places(self) -> np.ndarray[Any, Any]:
        """Give the places of all windows, by bucket."""
        import numpy as np

        return np.asarray(self._places)

    def find(self, hashed: int, window: str) -> list[int]:
        """Give the places where exactly this window stands."""
        if hashed not in self.bloom:
            return []
        return [p for p in self.candidates(hashed) if self._letters.read(p, len(window)) == window]


def mapped(path: Path) -> Any:
    """Map a file into memory; an empty one is empty bytes."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _numbers(path: Path, size: int) -> memoryview:
    """Map a file of unsigned numbers of 4 or 8 bytes."""
    content = mapped(path)
    if not content:
        return memoryview(array("Q"))
    return memoryview(content).cast("I") if size == 4 else memoryview(content).cast("Q")


def read_filter_file(folder: Path) -> FilterFile:
    """Read filter.json.

    Raises:
        UserError: the folder holds no filter.
        DataError: it is damaged, or was built by another version.
    """
    path = folder / FILTER_FILE
    if not path.is_file():
        raise UserError(
            f"{shown(folder)} holds no filter (no {FILTER_FILE})\n"
            "  build one: python -m copycat.fairuse filter build WORKS --out DIR"
        )
    try:
        file = FilterFile.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise DataError([f"{shown(path)}: field '{field}': {first['msg']}"], REBUILD) from error
    if file.format not in FORMATS or file.canonical_form != CANONICAL_FORM:
        raise DataError(
            [
                f"{shown(path)}: has format {file.format} and canonical form {file.canonical_form}, and this version "
                f"reads format {FORMATS[-1]} and form {CANONICAL_FORM}"
            ],
            REBUILD,
        )
    return file


REBUILD = "  build it again: python -m copycat.fairuse filter build WORKS --out DIR"


def read_works(folder: Path, file: FilterFile) -> list[IndexedWork]:
    """Read works.jsonl, and see that all files of the filter are there in the size that they were built in.

    Raises:
        DataError: one is missing, damaged or of another size.
    """
    try:
        works = read_journal(folder / WORKS_FILE, IndexedWork)
    except DataError as error:
        raise DataError([str(error).partition("\n")[0]], REBUILD) from error
    sizes = {LETTERS_FILE: sum(work.letters * work.letter_bytes for work in works)}
    for prefix, windows in (("", file.windows), *([("near-", file.near_windows)] if file.near_window else [])):
        sizes[f"{prefix}places.bin"] = windows * file.place_bytes
    wrong = [name for name, size in sizes.items() if not _has_size(folder / name, size)]
    if len(works) != file.works:
        wrong.insert(0, WORKS_FILE)
    if wrong:
        raise DataError([f"{shown(folder / name)}: missing, or cut off" for name in wrong], REBUILD)
    return works


def read_withheld(folder: Path, file: FilterFile) -> list[WithheldGrams]:
    """Read the hashes of withheld works.

    Raises:
        DataError: of one they are missing or damaged.
    """
    paths = sorted(path for path in (folder / WITHHELD_FOLDER).glob("*") if path.is_dir())
    if len(paths) != file.withheld_works:
        found = f"{len(paths)} withheld works, and the filter was built of {file.withheld_works}"
        raise DataError([f"{shown(folder / WITHHELD_FOLDER)}: holds {found}"], REBUILD)
    return [WithheldGrams.load(path) for path in paths]


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
