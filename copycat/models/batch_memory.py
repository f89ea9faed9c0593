"""The most pictures that fit into memory at once: halved when it runs out, and remembered for the next run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from copycat.errors import BackendError
from copycat.models.cache import cache_folder, read_cache, write_cache

T = TypeVar("T")
R = TypeVar("R")


class BatchMemory:
    """Splits batches so that they fit.

    The plan's batches stay what they are; a batch that does not fit is drawn in halves. Memory is the
    machine's matter: what was found is kept in the user's cache folder, by model, settings and device.
    """

    def __init__(self, key: str, path: Path | None = None) -> None:
        self.key, self.path = key, path or cache_folder() / "batch-sizes.json"
        self.limit: int | None = _read(self.path).get(key)

    def run(self, rows: Sequence[T], work: Callable[[Sequence[T]], list[R]]) -> list[R]:
        """Do the work on all rows, in parts that fit.

        Raises:
            BackendError: not even one picture fits.
        """
        done: list[R] = []
        while len(done) < len(rows):
            part = rows[len(done) : len(done) + (self.limit or len(rows))]
            try:
                done += work(part)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self._halve(len(part), error)
        return done

    def _halve(self, size: int, error: Exception) -> None:
        if size == 1:
            raise BackendError(
                "out of memory with one picture; use a smaller --dtype or --size, or a larger device"
            ) from error
        self.limit = size // 2
        free_memory()
        with suppress(OSError):
            write_cache(self.path, _read(self.path) | {self.key: self.limit})


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the device's memory ran out."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower()


def free_memory() -> None:
    """Give back what nothing refers to any more, on the device as well."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _read(path: Path) -> dict[str, int]:
    return {key: size for key, size in read_cache(path).items() if isinstance(size, int) and size > 0}
