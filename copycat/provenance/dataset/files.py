"""The files of a dataset's folder: which there are, of which kind each is, and of which split."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from copycat.provenance.dataset.batches import Fault
from copycat.provenance.records import (
    CROISSANT_FILE,
    MANIFEST_FILE,
    RECORDS_FILE,
    REMOVALS_FILE,
    SIDECAR_FOLDER,
    Evidence,
    printable,
)

Kind = Literal["folder", "parquet", "jsonl", "csv", "webdataset"]
"""How the records lie. A Hub-style dataset is one of these with a card."""

SUFFIXES: dict[str, Kind] = {
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl",
    ".ndjson.gz": "jsonl",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "csv",
    ".tsv.gz": "csv",
    ".tar": "webdataset",
    ".tar.gz": "webdataset",
    ".tgz": "webdataset",
}
SPLITS = ("train", "validation", "valid", "val", "dev", "test")
_NO_LETTER = re.compile(r"[^a-z]+")


@dataclass(frozen=True)
class DataFile:
    """One file with records: its path, its path relative to the dataset ("/"), bytes, kind, and what it is part of.

    `split` and `config` are those that the card declares, else the split that the file's name tells.
    """

    path: Path
    name: str
    size: int
    kind: Kind
    split: str = ""
    config: str = ""


def walk(root: Path, faults: list[Fault], hidden: list[str]) -> Iterator[DataFile]:
    """Yield all files but hidden ones; links to folders are not followed, so that a circle of them is harmless.

    Args:
        faults: what cannot be looked at is added. hidden: names that begin with a dot and may hold records are added.
    """

    def note(path: Path | str, said: str) -> None:
        name = printable(os.path.relpath(path, root).replace(os.sep, "/"))
        faults.append(Fault(Evidence(file=name), said))

    def note_error(error: OSError) -> None:
        note(error.filename or root, f"cannot be read: {error.strerror}")

    for folder, folders, names in os.walk(root, onerror=note_error):
        for name in folders:
            inner = os.path.join(folder, name)  # noqa: PTH118 - 100,000 Paths take a second
            if not name.startswith(".") and os.path.islink(inner):  # noqa: PTH114
                note(inner, "is a link to a folder, which is not followed: check that folder by itself")
        hidden += [
            printable(os.path.relpath(f"{folder}/{name}", root))
            for name in sorted((*folders, *names))
            if _is_hidden(name)
        ]
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not _is_sidecar(Path(folder, name), root)
        )
        prefix = printable(os.path.relpath(folder, root).replace(os.sep, "/"))
        for name in sorted(names):
            if name.startswith("."):
                continue
            path = Path(folder, name)
            try:
                found = path.stat()
            except OSError as error:
                is_dangling = path.is_symlink()
                note(path, "is a link to nothing" if is_dangling else f"cannot be read: {error.strerror}")
                continue
            if not stat.S_ISREG(found.st_mode):
                note(path, "is no regular file")
                continue
            relative = printable(name) if prefix == "." else f"{prefix}/{printable(name)}"
            yield DataFile(path, relative, found.st_size, kind_of(name) or "folder", _split_of(relative))


def leads_out(path: Path, root: Path) -> bool:
    """Whether it is a link to what lies elsewhere."""
    return os.path.islink(path) and not path.resolve().is_relative_to(root.resolve())  # noqa: PTH114


def _is_hidden(name: str) -> bool:
    """Whether it may hold records that nobody sees; what git, caches and systems leave behind holds none."""
    return name.startswith(".") and not name.startswith((".git", ".cache", ".huggingface", ".DS_Store", ".ipynb"))


def _is_sidecar(folder: Path, root: Path) -> bool:
    """Whether it holds a manifest: `provenance` in the dataset itself, `x.provenance` beside a file, or one deeper."""
    if folder.name != SIDECAR_FOLDER and not folder.name.endswith(f".{SIDECAR_FOLDER}"):
        return False
    marks = (RECORDS_FILE, MANIFEST_FILE, CROISSANT_FILE, REMOVALS_FILE)
    return folder == root / SIDECAR_FOLDER or any((folder / mark).is_file() for mark in marks)


def kind_of(name: str) -> Kind | None:
    """Tell the kind by the name of a file; None where it holds no table of records."""
    low = name.lower()
    return next((kind for suffix, kind in SUFFIXES.items() if low.endswith(suffix)), None)


def stem_of(name: str) -> str:
    """Give the name of a file without the ending of its kind."""
    suffix = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)]


def _split_of(name: str) -> str:
    """Tell the split as the Hub does: from a folder's name, or the words of the file's name."""
    words = _NO_LETTER.split(name.lower())
    found = next((split for split in SPLITS if split in words), "")
    return {"valid": "validation", "val": "validation", "dev": "validation"}.get(found, found)
