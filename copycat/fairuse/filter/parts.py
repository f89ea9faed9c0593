"""Windows of works on their way into an index, in a memory that does not grow with them.

They are hashed part by part and spread over files by the highest bits of their hashes; then each file is sorted by
itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from operator import index as as_int
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple

from copycat.fairuse.filter.hashing import window_hashes

if TYPE_CHECKING:
    import numpy as np

PARTS_BITS = 6
HASH_SEED = 0x636F7079636174


class Grams(NamedTuple):
    """How one index is made: its files' prefix, its window, the most places of one, and what becomes of more."""

    prefix: str
    window: int
    most: int
    drops_common: bool = False


class Made(NamedTuple):
    """What an index holds."""

    windows: int
    left_out: int
    bloom_bits: int


class Parts:
    """Windows on their way into one index: spread over files by the highest bits of their hashes."""

    def __init__(self, folder: Path, grams: Grams, files: ExitStack) -> None:
        import numpy as np

        self.folder, self.grams = folder, grams
        self.row = np.dtype([("hash", "<u8"), ("place", "<u8")])
        self.paths = [folder / f"{grams.prefix}part-{number}.tmp" for number in range(1 << PARTS_BITS)]
        self._files = [files.enter_context(path.open("wb", buffering=1 << 16)) for path in self.paths]
        self.begin_work()

    def begin_work(self) -> None:
        """Forget the letters of the work before: no window lies in two works."""
        import numpy as np

        self._codes, self._begins = np.empty(0, np.uint32), np.empty(0, bool)

    def add(self, codes: np.ndarray[Any, Any], begins: np.ndarray[Any, Any], place: int) -> None:
        """Take the next letters of a work, the first of which is at `place`."""
        import numpy as np

        place -= len(self._codes)
        codes, begins = np.concatenate([self._codes, codes]), np.concatenate([self._begins, begins])
        hashes = window_hashes(codes, self.grams.window, HASH_SEED)
        kept = max(0, len(codes) - self.grams.window + 1)
        self._codes, self._begins = codes[kept:], begins[kept:]
        chosen = np.flatnonzero(begins[:kept])
        rows = np.empty(len(chosen), self.row)
        rows["hash"], rows["place"] = hashes[chosen], chosen + place
        rows = rows[np.argsort(rows["hash"] >> np.uint64(64 - PARTS_BITS), kind="stable")]
        edges = np.searchsorted(rows["hash"] >> np.uint64(64 - PARTS_BITS), np.arange((1 << PARTS_BITS) + 1))
        for number, file in enumerate(self._files):
            if edges[number] < edges[number + 1]:
                file.write(rows[edges[number] : edges[number + 1]].tobytes())

    def finish(self, bloom_rate: float, letters: int, sample: int) -> Made:
        """Sort each part, and write the index; the files are closed."""
        import numpy as np
        from rbloom import Bloom

        upper = sum(path.stat().st_size for path in self.paths) // self.row.itemsize
        sample = sample if self.grams.drops_common else 1
        bits = max(PARTS_BITS, (upper // sample // 4).bit_length())
        bloom = Bloom(max(upper // sample, 1), bloom_rate, as_int)
        windows = left_out = 0
        kind = np.uint32 if place_bytes(letters) == 4 else np.uint64
        with self._open("places") as places, self._open("buckets") as buckets:
            for number, rows in enumerate(self._sorted(sample)):
                kept = rows[self._is_kept(rows["hash"])]
                left_out += len(rows) - len(kept)
                bloom.update(kept["hash"].tolist())
                places.write(kept["place"].astype(kind).tobytes())
                in_part = 1 << (bits - PARTS_BITS)
                at = (kept["hash"] >> np.uint64(64 - bits)).astype(np.int64) - number * in_part
                counts = np.bincount(at, minlength=in_part)
                buckets.write((windows + np.cumsum(counts) - counts).astype(kind).tobytes())
                windows += len(kept)
            buckets.write(np.array([windows], kind).tobytes())
        bloom.save(str(self.folder / f"{self.grams.prefix}bloom.bin"))
        return Made(windows, left_out, bloom.size_in_bits)

    def _open(self, name: str) -> IO[bytes]:
        return (self.folder / f"{self.grams.prefix}{name}.bin").open("wb")

    def _sorted(self, sample: int) -> Iterator[np.ndarray[Any, Any]]:
        import numpy as np

        for path in self.paths:
            rows = np.fromfile(path, self.row)
            path.unlink()
            if sample > 1:
                rows = rows[rows["hash"] % np.uint64(sample) == 0]
            yield rows[np.argsort(rows["hash"], kind="stable")]

    def _is_kept(self, hashes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Tell the places to keep: the first of a window, or none of a common one."""
        import numpy as np

        is_first = np.ones(len(hashes), bool)
        is_first[1:] = hashes[1:] != hashes[:-1]
        starts = np.flatnonzero(is_first)
        counts = np.diff(np.append(starts, len(hashes)))
        if self.grams.drops_common:
            return np.repeat(counts <= self.grams.most, counts)
        ranks = np.arange(len(hashes)) - np.repeat(starts, counts)
        return ranks < self.grams.most


def place_bytes(letters: int) -> Literal[4, 8]:
    """Say how many bytes a place among so many letters takes."""
    return 4 if letters < 2**32 else 8
