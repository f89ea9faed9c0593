"""The files of a dataset, and one hash over all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from copycat.provenance.manifest.merkle import merkle_root
from copycat.schema import Record

if TYPE_CHECKING:
    from copycat.provenance.dataset import Dataset

BUFFER_BYTES = 1 << 20
THREADS = 2


class FileHash(Record):
    """One file: its name relative to the dataset, its bytes and their sha256 in hex."""

    name: str
    size: int = Field(ge=0)
    sha256: str


def tree_root(files: Iterable[FileHash]) -> str:
    """Give the Merkle root over files, by the UTF-8 bytes of their names; a leaf is sha256, a blank, and the name.

    That is a line of `sha256sum -b` without its "*", so that anybody can make the leaves with other tools.
    """
    ordered = sorted(files, key=lambda file: file.name.encode("utf-8", "surrogateescape"))
    return merkle_root(f"{file.sha256} {file.name}".encode("utf-8", "surrogateescape") for file in ordered)


def hash_files(
    root: Path, names: Sequence[str], tell: Callable[[int], None] = lambda size: None, threads: int = THREADS
) -> list[FileHash]:
    """Hash files below a folder, several at once: hashing lets go of the interpreter.

    Args:
        tell: is told of how many more bytes have been read.

    Raises:
        OSError: a file cannot be read.
    """

    def one(name: str) -> FileHash:
        whole, size, buffer = hashlib.sha256(), 0, bytearray(BUFFER_BYTES)
        view = memoryview(buffer)
        with (root / name).open("rb", buffering=0) as stream:
            while count := stream.readinto(buffer):
                whole.update(view[:count])
                size += count
        tell(size)
        return FileHash(name=name, size=size, sha256=whole.hexdigest())

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, names))


def dataset_files(
    dataset: Dataset, known: Mapping[str, str] | None = None, tell: Callable[[int], None] = lambda size: None
) -> list[FileHash]:
    """Hash the files that hold the records of a dataset, in the order of their names.

    Args:
        known: name -> sha256 of files that have just been hashed.
    """
    known = known or {}
    left = hash_files(dataset.folder, [file.name for file in dataset.files if file.name not in known], tell)
    have = [
        FileHash(name=file.name, size=file.size, sha256=known[file.name])
        for file in dataset.files
        if file.name in known
    ]
    return sorted((*left, *have), key=lambda file: file.name)
