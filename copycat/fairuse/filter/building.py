"""Build a filter from works, one after the other, in a memory that does not grow with them.

The folder appears whole or not at all. It holds the letters of the works: its owner alone may read it.
"""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from copycat.errors import UserError
from copycat.fairuse.filter import index
from copycat.fairuse.filter.index import IndexedWork
from copycat.fairuse.filter.letters import letters_of_work
from copycat.fairuse.filter.parts import HASH_SEED, Grams, Parts, place_bytes
from copycat.fairuse.filter.records import MAX_NAMED, MAX_WINDOW, MIN_WINDOW, FilterFile
from copycat.fairuse.works import GRAM_LETTERS, LoadedWork, load_works
from copycat.fairuse.works.loading import LIST_FILE, TEXT_SUFFIXES
from copycat.fairuse.works.withheld import WORK_FILE
from copycat.paths import shown
from copycat.runs.folder import journal_bytes, write_json

NEAR_WINDOW = 10
MAX_PLACES, MAX_NEAR_PLACES = 64, 8
"""Of one window. Further places of a long one are not kept; a short one that is more common tells nothing, and goes."""

NEAR_LETTERS = 64_000_000
"""With more letters than this, only one in NEAR_SAMPLE short windows is kept."""
NEAR_SAMPLE = 4

BLOOM_RATE = 1e-3


def each_work(sources: Sequence[str]) -> Iterator[LoadedWork]:
    """Load works as `works.load_works` does, but one after the other: a folder of text files is never held whole.

    Raises:
        UserError: as `load_works`, and where two works have one id.
    """
    seen: set[str] = set()
    for source in sources:
        folder = Path(source)
        is_plain = folder.is_dir() and not any((folder / name).exists() for name in (LIST_FILE, WORK_FILE))
        files = sorted(p for p in folder.iterdir() if p.suffix in TEXT_SUFFIXES and p.is_file()) if is_plain else []
        for name in map(str, files) if files else [source]:
            for loaded in load_works([name]):
                if loaded.work.id in seen:
                    raise UserError(
                        f"two works have the id '{loaded.work.id}'\n  rename a file, or give them ids in a {LIST_FILE}"
                    )
                seen.add(loaded.work.id)
                yield loaded


def build_filter(
    works: Iterable[LoadedWork],
    out: Path,
    *,
    window: int = GRAM_LETTERS,
    bloom_rate: float = BLOOM_RATE,
    near: bool = True,
    advance: Callable[[int], None] = lambda _: None,
) -> FilterFile:
    """Build a filter of works into a new folder.

    Args:
        works: taken one after the other; none is kept.
        window: canonical letters that must be the same in a row. A withheld work has windows of 24.
        bloom_rate: share of windows of other texts that the Bloom filter lets through to the exact index.
        near: build the stage for changed wording too; it doubles the index.
        advance: called with the letters done.

    Raises:
        UserError: the folder holds something already, no work has a window, or a number is out of range.
    """
    _check(window, bloom_rate)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{shown(out)} holds something already\n  name a new folder: --out DIR")
    out.parent.mkdir(parents=True, exist_ok=True)
    _clear_killed(out)
    unfinished = out.with_name(f".{out.name}.{os.getpid()}.new")
    unfinished.mkdir(mode=0o700)
    try:
        file = _Builder(unfinished, window, bloom_rate, near).build(works, advance)
        for path in unfinished.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
        if out.exists():
            out.rmdir()
        unfinished.replace(out)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return file


def _clear_killed(out: Path) -> None:
    """Remove what builds of this folder left that were killed."""
    for path in out.parent.glob(f".{glob.escape(out.name)}.*.new"):
        number = path.name.split(".")[-2]
        if number.isdigit() and (int(number) == os.getpid() or not _is_running(int(number))):
            shutil.rmtree(path, ignore_errors=True)


def _is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _check(window: int, bloom_rate: float) -> None:
    if not MIN_WINDOW <= window <= MAX_WINDOW:
        raise UserError(
            f"a window of {window} letters is out of range\n"
            f"  choose {MIN_WINDOW} to {MAX_WINDOW}; 24 are some five words"
        )
    if not 1e-9 <= bloom_rate <= 0.1:
        raise UserError(f"a false-positive rate of {bloom_rate} is out of range\n  choose 1e-9 to 0.1, such as 0.001")


class _Builder:
    def __init__(self, folder: Path, window: int, bloom_rate: float, near: bool) -> None:
        self.folder, self.bloom_rate = folder, bloom_rate
        self.grams = [Grams("", window, MAX_PLACES)]
        if near:
            self.grams.append(Grams("near-", NEAR_WINDOW, MAX_NEAR_PLACES, drops_common=True))
        self.letters = self.works = self.withheld = self.hashes = self.bytes = 0
        self.too_short: list[str] = []

    def build(self, works: Iterable[LoadedWork], advance: Callable[[int], None]) -> FilterFile:
        with ExitStack() as files:
            letters = files.enter_context((self.folder / index.LETTERS_FILE).open("wb"))
            parts = [Parts(self.folder, grams, files) for grams in self.grams]
            rows = files.enter_context((self.folder / index.WORKS_FILE).open("wb"))
            for loaded in works:
                if loaded.withheld is not None:
                    self._add_withheld(loaded)
                else:
                    rows.write(journal_bytes([self._add(loaded, letters, parts, advance)]))
            if not self.works + self.withheld:
                raise UserError("there is no work to build a filter of\n  name works: text files, folders, or a list")
        sample = NEAR_SAMPLE if self.letters > NEAR_LETTERS else 1
        made = [part.finish(self.bloom_rate, self.letters, sample) for part in parts]
        if not made[0].windows and not self.withheld:
            raise UserError(
                f"no work has {self.grams[0].window} letters, which a window needs\n"
                "  bring longer works, or build with a smaller --window"
            )
        file = FilterFile(
            window=self.grams[0].window,
            near_window=NEAR_WINDOW if len(made) > 1 else 0,
            near_sample=sample,
            hash_seed=HASH_SEED,
            works=self.works,
            withheld_works=self.withheld,
            withheld_hashes=self.hashes,
            too_short=tuple(self.too_short),
            letters=self.letters,
            windows=made[0].windows,
            near_windows=made[1].windows if len(made) > 1 else 0,
            left_out=made[0].left_out,
            bloom_bits=made[0].bloom_bits,
            near_bloom_bits=made[1].bloom_bits if len(made) > 1 else 0,
            bloom_rate=self.bloom_rate,
            place_bytes=place_bytes(self.letters),
        )
        write_json(self.folder / index.FILTER_FILE, file.model_dump(mode="json"))
        return file

    def _add(
        self, loaded: LoadedWork, out: IO[bytes], parts: list[Parts], advance: Callable[[int], None]
    ) -> IndexedWork:
        import numpy as np

        first, at_byte = self.letters, self.bytes
        size = _letter_bytes(loaded.readable)
        kind = {1: np.uint8, 2: np.uint16, 4: np.uint32}[size]
        for part in parts:
            part.begin_work()
        for piece in letters_of_work(loaded.readable):
            out.write(piece.codes.astype(kind).tobytes())
            for part in parts:
                part.add(piece.codes, piece.begins, self.letters)
            self.letters += len(piece.codes)
            advance(len(piece.codes))
        self.bytes = at_byte + (self.letters - first) * size
        self.works += 1
        if self.letters - first < self.grams[0].window and len(self.too_short) < MAX_NAMED:
            self.too_short.append(loaded.work.id)
        return IndexedWork(
            work=loaded.work, first=first, letters=self.letters - first, at_byte=at_byte, letter_bytes=size
        )

    def _add_withheld(self, loaded: LoadedWork) -> None:
        assert loaded.withheld is not None  # noqa: S101 - told apart by the caller
        if self.grams[0].window != GRAM_LETTERS:
            raise UserError(
                f"'{loaded.work.title}' is withheld, and its hashes are of windows of {GRAM_LETTERS} letters\n"
                f"  build with --window {GRAM_LETTERS}"
            )
        loaded.withheld.save(self.folder / index.WITHHELD_FOLDER / loaded.work.id)
        self.withheld += 1
        self.hashes += len(loaded.withheld.grams)


def _letter_bytes(text: str) -> int:
    """Say how many bytes each canonical letter of a text surely fits into."""
    if text.isascii():
        return 1
    letters = {letter for piece in letters_of_work("".join(sorted(set(text)))) for letter in set(piece.codes.tolist())}
    highest = max(letters, default=0)
    return 1 if highest < 256 else 2 if highest < 65_536 else 4
