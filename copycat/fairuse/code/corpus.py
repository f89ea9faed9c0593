"""A folder of code as an index of fingerprints: files are read one at a time, and only numbers are kept.

<index>/index.json   settings, files with their hashes, what was passed over
        hashes.npy   (N,) uint64, ascending
        files.npy    (N,) int32, the number of the file of each
        places.npy   (N,) int32, the token at which the run of k begins
        boilerplate.npy  (B,) uint64, ascending: what is subtracted
        tokens.npy   (T,) uint32, all tokens of all files, numbered in index.json
        lines.npy    (T,) int32, the line of each
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from tokenize import TokenError
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from copycat.errors import UserError
from copycat.fairuse.code.files import LATIN, NO_CODE, code_files, read_code, sha256_of
from copycat.fairuse.code.records import CorpusFacts, Settings
from copycat.fairuse.code.tokens import CodeTokens, tokenise
from copycat.fairuse.code.winnow import Fingerprints, fingerprints_of, run_hashes
from copycat.paths import shown
from copycat.runs.folder import write_json
from copycat.schema import Record

CHUNK, PARALLEL_FROM = 32, 8
"""Files that one process reads at a time, and so many chunks are worth more processes."""

INDEX_FILE, FORM = "index.json", 2
_ARRAYS = ("hashes", "files", "places", "boilerplate", "tokens", "lines")


Templates = NDArray[np.uint64]
"""Hashes of code that is subtracted wherever it stands, ascending."""


class IndexedFile(Record):
    """A file of the corpus; `name` is relative to its folder. Size and time tell whether it is still the same.

    Its tokens begin at `first_token` of all.
    """

    name: str
    sha256: str
    size: int
    mtime_ns: int
    tokens: int
    first_token: int = 0


class IndexFile(Record):
    """index.json."""

    form: int = FORM
    settings: Settings
    files: tuple[IndexedFile, ...]
    passed_over: dict[str, int]
    vocabulary: tuple[str, ...] = ()
    """The token of each number."""

    templates: str = ""
    """The hash of what is subtracted whatever the corpus; "" for nothing."""


class Index(NamedTuple):
    """Fingerprints of a folder, in ascending order of hash; those of boilerplate are not among them."""

    folder: Path
    about: IndexFile
    hashes: NDArray[np.uint64]
    files: NDArray[np.int32]
    places: NDArray[np.int32]
    boilerplate: NDArray[np.uint64]
    tokens: NDArray[np.uint32]
    lines: NDArray[np.int32]

    def tokens_of(self, number: int) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
        """Give the tokens of one file, numbered, and their lines."""
        file = self.about.files[number]
        part = slice(file.first_token, file.first_token + file.tokens)
        return self.tokens[part], self.lines[part]

    def numbered(self, tokens: Sequence[str]) -> NDArray[np.uint32]:
        """Give tokens the numbers that they have in the corpus; one that it lacks gets the number behind the last."""
        numbers = {token: number for number, token in enumerate(self.about.vocabulary)}
        return np.array([numbers.get(token, len(numbers)) for token in tokens], np.uint32)

    def lookup(self, wanted: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Find equal hashes; gives places in `wanted` and places in this index, pair by pair."""
        low, high = np.searchsorted(self.hashes, wanted, "left"), np.searchsorted(self.hashes, wanted, "right")
        counts = high - low
        mine = np.repeat(np.arange(len(wanted)), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return mine, np.repeat(low, counts) + within

    def is_boilerplate(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Say of each hash whether it is subtracted."""
        return np.isin(hashes, self.boilerplate)

    def facts(self) -> CorpusFacts:
        """Say what is in it."""
        whole = hashlib.sha256("".join(f"{file.name}\n{file.sha256}\n" for file in self.about.files).encode())
        return CorpusFacts(
            folder=shown(self.folder),
            sha256=whole.hexdigest(),
            files=len(self.about.files),
            tokens=sum(file.tokens for file in self.about.files),
            fingerprints=len(self.hashes),
            boilerplate=len(self.boilerplate),
            passed_over=self.about.passed_over,
        )


def build_index(
    folder: Path,
    settings: Settings,
    templates: Templates | None = None,
    done: Callable[[int], None] = lambda _: None,
    processes: int | None = 1,
) -> Index:
    """Read a folder.

    Args:
        templates: whatever they hold is subtracted.
        done: is told how many more files are read.
        processes: None for one on each core; the index is the same.

    Raises:
        UserError: there is no such folder, or nothing in it can be indexed.
    """
    passed_over: Counter[str] = Counter()
    files: list[IndexedFile] = []
    parts: list[Fingerprints] = []
    tokens: list[NDArray[np.uint32]] = []
    lines: list[NDArray[np.int32]] = []
    vocabulary: dict[str, int] = {}
    n_tokens = 0
    paths = list(code_files(folder, passed_over))
    for chunk in _read_chunks(folder, paths, settings, processes):
        for file in chunk.files:
            files.append(file.model_copy(update={"first_token": n_tokens}))
            n_tokens += file.tokens
        for cut in chunk.cuts:
            numbers = [vocabulary.setdefault(token, len(vocabulary)) for token in cut.tokens]
            tokens.append(np.array(numbers, np.uint32))
            lines.append(np.array(cut.lines, np.int32))
        parts += chunk.parts
        passed_over += chunk.passed_over
        done(chunk.read)
    if not any(len(part.hashes) for part in parts):
        raise UserError(
            f"{shown(folder)} holds no code that can be compared{_told(passed_over)}\n"
            f"  needed: files of a programming language with {settings.k} tokens or more"
        )
    hashes = np.concatenate([part.hashes for part in parts])
    owners = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part.hashes) for part in parts])
    places = np.concatenate([part.places for part in parts]).astype(np.int32)
    subtracted = _boilerplate(hashes, owners, files, settings)
    if templates is not None:
        subtracted = np.union1d(subtracted, templates)
    kept = ~np.isin(hashes, subtracted)
    order = np.argsort(hashes[kept], kind="stable")
    about = IndexFile(
        settings=settings,
        files=tuple(files),
        passed_over=dict(sorted(passed_over.items())),
        vocabulary=tuple(vocabulary),
        templates=_sha256_of(templates),
    )
    return Index(
        folder,
        about,
        hashes[kept][order],
        owners[kept][order],
        places[kept][order],
        subtracted,
        np.concatenate(tokens),
        np.concatenate(lines),
    )


def save_index(index: Index, place: Path) -> None:
    """Write an index into a folder of its own; index.json comes last, so that half an index is none."""
    place.mkdir(parents=True, exist_ok=True)
    (place / INDEX_FILE).unlink(missing_ok=True)
    for name in _ARRAYS:
        np.save(place / f"{name}.npy", getattr(index, name), allow_pickle=False)
    write_json(place / INDEX_FILE, index.about.model_dump(mode="json"))


def load_index(place: Path, folder: Path, settings: Settings, templates: Templates | None = None) -> Index | None:
    """Read an index if it is one of this folder as it is now, made alike; else None: it is to be made again."""
    try:
        about = IndexFile.model_validate_json((place / INDEX_FILE).read_bytes())
        is_alike = (about.form, about.settings, about.templates) == (FORM, settings, _sha256_of(templates))
        if not is_alike or not _is_current(about, folder):
            return None
        arrays: list[Any] = [np.load(place / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS]
    except (OSError, ValueError, SyntaxError, TokenError, ValidationError):  # numpy reads headers as Python
        return None
    index = Index(folder, about, *arrays)
    return index if _fits(index) else None


def _fits(index: Index) -> bool:
    """Whether the files are of one making, as far as can be told without reading them all."""
    n_hashes, n_tokens = len(index.hashes), sum(file.tokens for file in index.about.files)
    return all(array.ndim == 1 for array in index[2:]) and (
        len(index.files) == len(index.places) == n_hashes and len(index.tokens) == len(index.lines) == n_tokens
    )


# ---------------------------------------------------------------------------------------- files


class _Chunk(NamedTuple):
    """Some files of a corpus as they go into the index; `read` counts those passed over, too."""

    files: list[IndexedFile]
    cuts: list[CodeTokens]
    parts: list[Fingerprints]
    passed_over: Counter[str]
    read: int


def _read_chunks(folder: Path, paths: Sequence[Path], settings: Settings, processes: int | None) -> Iterator[_Chunk]:
    """Read files some at a time, in their order; in more processes where there is enough to do."""
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    read = partial(_read_chunk, folder, settings)
    if processes == 1 or len(chunks) < PARALLEL_FROM:
        yield from map(read, chunks)
        return
    context = multiprocessing.get_context("spawn")  # forking a process in which threads run may hang
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        try:
            yield from pool.map(read, chunks)
        except BrokenProcessPool as error:
            raise UserError(
                "a process that reads code ended before it was done; most often memory is short\n"
                "  free some memory, or compare with a part of the corpus"
            ) from error


def _read_chunk(folder: Path, settings: Settings, paths: Sequence[Path]) -> _Chunk:
    chunk = _Chunk([], [], [], Counter(), len(paths))
    for path in paths:
        code = read_code(path, chunk.passed_over)
        if code is not None:
            cut = tokenise(code, path.name)
            chunk.files.append(_indexed(folder, path, code, len(cut)))
            chunk.cuts.append(cut)
            chunk.parts.append(fingerprints_of(cut.tokens, settings))
    return chunk


def _indexed(folder: Path, path: Path, code: str, tokens: int) -> IndexedFile:
    state = path.stat()
    return IndexedFile(
        name=path.relative_to(folder).as_posix(),
        sha256=sha256_of(code),
        size=state.st_size,
        mtime_ns=state.st_mtime_ns,
        tokens=tokens,
    )


def _is_current(about: IndexFile, folder: Path) -> bool:
    known = {file.name: (file.size, file.mtime_ns) for file in about.files}
    there = {}
    for path in code_files(folder, Counter()):
        state = path.stat()
        there[path.relative_to(folder).as_posix()] = (state.st_size, state.st_mtime_ns)
    n_unread = sum(n for why, n in about.passed_over.items() if why not in {NO_CODE, LATIN})
    return known.items() <= there.items() and len(there) - len(known) == n_unread


# ----------------------------------------------------------------------------------- boilerplate


def _boilerplate(
    hashes: NDArray[np.uint64], owners: NDArray[np.int32], files: Sequence[IndexedFile], settings: Settings
) -> NDArray[np.uint64]:
    """Give the hashes that stand in the files of `sources` sources or more.

    A source is a folder right below the corpus, or a file right in it. Files with the same content count once: a copy
    of a whole library in ten projects is a copy, and no boilerplate.
    """
    first = {file.sha256: number for number, file in reversed(list(enumerate(files)))}
    names: dict[str, int] = {}
    sources = np.array([names.setdefault(file.name.partition("/")[0], len(names)) for file in files], np.int64)
    is_first = np.array([first[file.sha256] == number for number, file in enumerate(files)])
    kept = is_first[owners]
    pairs = np.unique(np.stack([hashes[kept], sources[owners[kept]].astype(np.uint64)]), axis=1)
    values, counts = np.unique(pairs[0], return_counts=True)
    return np.asarray(values[counts >= settings.sources])


def read_templates(place: Path, settings: Settings) -> Templates:
    """Give all hashes of a file or folder of templates, not only the chosen ones: elsewhere, others are chosen.

    Raises:
        UserError: there is no such file or folder.
    """
    if not place.exists():
        raise UserError(f"there is no file or folder {shown(place)}\n  needed: --boilerplate with code to subtract")
    skipped: Counter[str] = Counter()
    paths = [place] if place.is_file() else list(code_files(place, skipped))
    codes = [(path, code) for path in paths if (code := read_code(path, skipped)) is not None]
    found = [run_hashes(tokenise(code, path.name).tokens, settings.k) for path, code in codes]
    return np.unique(np.concatenate(found)) if found else np.zeros(0, np.uint64)


def _sha256_of(templates: Templates | None) -> str:
    return hashlib.sha256(templates.tobytes()).hexdigest() if templates is not None and len(templates) else ""


def _told(passed_over: Counter[str]) -> str:
    if not passed_over:
        return ""
    return ": " + ", ".join(f"{why}: {n:,}" for why, n in sorted(passed_over.items()))
