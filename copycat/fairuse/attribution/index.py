"""A suffix array over works: every place at which a word begins, in the order of the letters that follow it.

Letters are those of the canonical form, without spaces between words, so that leet, capitals and spacing change
nothing. Only beginnings of words are kept: 4 bytes for each word beside the letters.

<index>/index.json     works, with where each begins
        letters.bin    their canonical letters in UTF-8, a zero byte after each work
        suffixes.npy   (N,) int32, where words begin, in the order of what follows
        starts.npy     (N,) int32, the same, ascending
        places.npy     (N, 2) int32, start and end of each word in the text of its work

The index holds the works' letters, and so is as secret as they are.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from copycat.errors import DataError, UserError
from copycat.fairuse.attribution.records import IndexFacts
from copycat.fairuse.text import canonical
from copycat.fairuse.text.canonical import CANONICAL_FORM
from copycat.fairuse.works import LoadedWork
from copycat.paths import shown
from copycat.runs.folder import write_bytes, write_json
from copycat.schema import Record

MAX_LETTERS = 2**30
"""Bytes of letters; building takes about six times as much memory. Beyond, an index of infini-gram is the tool."""

FORM = 1
INDEX_FILE, LETTERS_FILE = "index.json", "letters.bin"
_ARRAYS = ("suffixes", "starts", "places")
_BETWEEN = b"\0"


class IndexedWork(Record):
    """A work of the index; its letters begin at `first_letter`, its words at `first_word` of `starts`."""

    id: str
    title: str
    sha256: str
    first_letter: int
    first_word: int


class IndexFile(Record):
    """index.json."""

    form: int = FORM
    canonical_form: int = CANONICAL_FORM
    works: tuple[IndexedWork, ...]


@dataclass(frozen=True)
class SuffixIndex:
    """The arrays and the letters; `letters` is anything that gives bytes for a slice."""

    about: IndexFile
    letters: bytes | mmap.mmap
    suffixes: NDArray[np.int32]
    starts: NDArray[np.int32]
    places: NDArray[np.int32]

    def facts(self) -> IndexFacts:
        """Say what is in it."""
        letters = len(self.letters) - len(self.about.works)
        return IndexFacts(kind="suffix array", works=len(self.about.works), letters=letters, words=len(self.starts))

    def owners(self, letters: NDArray[np.int32]) -> NDArray[np.int64]:
        """Give for each place in the letters the number of its work."""
        return np.asarray(np.searchsorted(self._firsts, letters, "right") - 1)

    @cached_property
    def _firsts(self) -> NDArray[np.int32]:
        return np.array([work.first_letter for work in self.about.works], np.int32)

    def holds(self, works: Sequence[LoadedWork]) -> bool:
        """Whether it is of these works, in this order."""
        mine = [(work.id, work.sha256) for work in self.about.works]
        return mine == [(loaded.work.id, loaded.work.sha256) for loaded in works]


def build_index(works: Sequence[LoadedWork]) -> SuffixIndex:
    """Make an index.

    Raises:
        UserError: a work is withheld, there is none, or there are more letters than MAX_LETTERS.
    """
    parts: list[bytes] = []
    starts: list[NDArray[np.int32]] = []
    places: list[NDArray[np.int32]] = []
    rows: list[IndexedWork] = []
    n_letters = n_words = 0
    for loaded in works:
        words = canonical(loaded.readable)
        encoded = [word.encode("utf-8", "surrogatepass") for word in words.words]
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        rows.append(
            IndexedWork(
                id=loaded.work.id,
                title=loaded.work.title,
                sha256=loaded.work.sha256,
                first_letter=n_letters,
                first_word=n_words,
            )
        )
        if n_letters + int(lengths.sum()) + 1 > MAX_LETTERS:
            raise UserError(
                f"the works hold more than {MAX_LETTERS:,} letters\n"
                "  name fewer, or make an index of infini-gram and name it: --infini-gram DIR"
            )
        starts.append((n_letters + np.cumsum(lengths) - lengths).astype(np.int32))
        places.append(np.stack([words.starts, words.ends], axis=1).astype(np.int32).reshape(-1, 2))
        parts.append(b"".join([*encoded, _BETWEEN]))  # millions of words as objects would take ten times the memory
        n_letters, n_words = n_letters + int(lengths.sum()) + 1, n_words + len(encoded)
    if not n_words:
        raise UserError("there is no word in any work\n  name works with words in them: --works FILE")
    letters = b"".join(parts)
    begins = np.concatenate(starts)
    return SuffixIndex(
        IndexFile(works=tuple(rows)), letters, _sorted_suffixes(letters, begins), begins, np.concatenate(places)
    )


def _sorted_suffixes(letters: bytes, begins: NDArray[np.int32]) -> NDArray[np.int32]:
    from pydivsufsort import divsufsort  # type: ignore[import-untyped]

    suffixes = divsufsort(letters)
    is_begin = np.zeros(len(letters), bool)
    is_begin[begins] = True
    return np.asarray(suffixes[is_begin[suffixes]], np.int32)


def save_index(index: SuffixIndex, place: Path) -> None:
    """Write an index into a folder of its own; index.json comes last, so that half an index is none."""
    place.mkdir(parents=True, exist_ok=True)
    (place / INDEX_FILE).unlink(missing_ok=True)
    write_bytes(place / LETTERS_FILE, bytes(index.letters))
    for name in _ARRAYS:
        np.save(place / f"{name}.npy", getattr(index, name), allow_pickle=False)
    write_json(place / INDEX_FILE, index.about.model_dump(mode="json"))


def load_index(place: Path) -> SuffixIndex:
    """Open an index; letters and arrays stay on the disk until they are read.

    Raises:
        UserError: there is none.
        DataError: it is damaged, or of another form.
    """
    if not (place / INDEX_FILE).is_file():
        raise UserError(
            f"{shown(place)} holds no index ({INDEX_FILE})\n  make one: --works FILE --index {shown(place)}"
        )
    try:
        about = IndexFile.model_validate_json((place / INDEX_FILE).read_bytes())
        arrays: list[Any] = [np.load(place / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS]
        with (place / LETTERS_FILE).open("rb") as file:
            letters = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError, SyntaxError, TokenError, ValidationError) as error:  # numpy reads headers as Python
        why = " ".join(str(error).split())[:200]
        raise DataError([f"{shown(place)}: the index cannot be read ({why})"], AGAIN) from error
    index = SuffixIndex(about, letters, *arrays)
    if (about.form, about.canonical_form) != (FORM, CANONICAL_FORM):
        raise DataError([f"{shown(place)}: the index was made by another version"], AGAIN)
    if not _fits(index):
        raise DataError([f"{shown(place)}: the files of the index are not of one making"], AGAIN)
    return index


def _fits(index: SuffixIndex) -> bool:
    """Whether the files are of one making, as far as can be told without reading them all."""
    n_words = len(index.starts)
    shapes = [array.shape for array in (index.suffixes, index.starts, index.places)]
    return (
        shapes == [(n_words,), (n_words,), (n_words, 2)]
        and all(array.dtype == np.int32 for array in (index.suffixes, index.starts, index.places))
        and bool(index.about.works)
        and n_words > 0
        and 0 <= int(index.starts[-1]) < len(index.letters)
        and index.letters[-1:] == _BETWEEN
    )


AGAIN = "  delete it, and make it again: --works FILE --index DIR"
