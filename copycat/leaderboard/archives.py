"""A .zip of a submission -> a temporary folder, with limits before anything is unpacked and while it is."""

from __future__ import annotations

import io
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from copycat.leaderboard.faults import Fault
from copycat.leaderboard.layout import SizeLimits

CHUNK_BYTES = 1 << 20
MAX_NAME_LETTERS = 200
MAX_PARTS = 2
"""Of an entry's name: the submission's folder, and a file in it."""
ENCRYPTED = 0x1
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
NESTED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")
SMALL_BYTES = 100_000
"""Below this size no ratio is looked at: a short text of one letter packs 100 times and harms nobody."""


class Unpacked(NamedTuple):
    """Where the files are, None if the archive is refused; and why."""

    folder: Path | None
    faults: tuple[Fault, ...] = ()


@contextmanager
def unpacked(path: Path, limits: SizeLimits) -> Iterator[Unpacked]:
    """Unpack an archive into a temporary folder, which is gone afterwards.

    The files of the submission may lie at the top or in one folder. Nothing is written unless every entry is a plain
    file with a plain name, and never more bytes than the limits allow, whatever the archive says of its sizes.
    """
    with tempfile.TemporaryDirectory(prefix="copycat-submission-") as scratch:
        try:
            yield _unpack(path, Path(scratch), limits)
        except _ArchiveError as error:
            yield Unpacked(None, error.faults)


class _ReadInPieces:
    """A file that gives at most CHUNK_BYTES at a time: a list of a hundred million entries would be read at once."""

    def __init__(self, file: io.FileIO) -> None:
        self.file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """Read as a file does; what is too much at once ends in a ValueError."""
        content = self.file.read(CHUNK_BYTES + 1 if size < 0 else min(size, CHUNK_BYTES + 1)) or b""
        if len(content) > CHUNK_BYTES:
            raise ValueError("the list of entries is too long")
        return content


class _ArchiveError(Exception):
    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__()


def _unpack(path: Path, scratch: Path, limits: SizeLimits) -> Unpacked:
    if (size := path.stat().st_size) > limits.archive_bytes:
        raise _refusal("too-large", path.name, f"{size:,} bytes, at most {limits.archive_bytes:,} are allowed")
    try:
        with path.open("rb", buffering=0) as file, zipfile.ZipFile(_ReadInPieces(file)) as archive:  # type: ignore[arg-type]
            entries = archive.infolist()
            if not entries:
                raise _refusal("archive-damaged", path.name, "is empty")
            if faults := tuple(_faults_of(entries, limits)):
                raise _ArchiveError(*faults)
            left = limits.archive_bytes
            for entry in entries:
                if not entry.is_dir():
                    left = _write(archive, entry, scratch / entry.filename, left)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        said = f"is no whole .zip file ({type(error).__name__}); needed: a folder, or a .zip of one"
        raise _refusal("archive-damaged", path.name, said) from error
    inner = sorted(scratch.iterdir())
    return Unpacked(inner[0] if len(inner) == 1 and inner[0].is_dir() else scratch)


def _faults_of(entries: list[zipfile.ZipInfo], limits: SizeLimits) -> Iterator[Fault]:
    """Find everything wrong with the list of entries; nothing is read yet."""
    if len(entries) > limits.files:
        said = f"holds {len(entries):,} entries, at most {limits.files} are allowed"
        yield Fault(kind="archive-count", where="archive", what=said)
        return
    total = sum(entry.file_size for entry in entries)
    if total > limits.archive_bytes:
        said = f"holds {total:,} bytes unpacked, at most {limits.archive_bytes:,} are allowed"
        yield Fault(kind="archive-bomb", where="archive", what=said)
    if deep := [entry for entry in entries if len(PurePosixPath(entry.filename).parts) > MAX_PARTS]:
        others = f", as do {len(deep) - 1} others" if len(deep) > 1 else ""
        said = f"lies in a folder of a folder{others}; needed: a .zip of the submission's own folder, FOLDER/NAME"
        yield Fault(kind="archive-path", where=_shown(deep[0]), what=said)
    names = [entry.filename.rstrip("/").casefold() for entry in entries]
    for place, (entry, name) in enumerate(zip(entries, names, strict=True)):
        for kind, what in _entry_faults(entry, limits):
            yield Fault(kind=kind, where=_shown(entry), what=what)
        if name in names[:place]:
            yield Fault(kind="archive-repeated", where=_shown(entry), what="is in the archive twice")


def _entry_faults(entry: zipfile.ZipInfo, limits: SizeLimits) -> Iterator[tuple[str, str]]:
    name, kind = entry.orig_filename, stat.S_IFMT(entry.external_attr >> 16)
    path = PurePosixPath(name)
    is_plain = name == entry.filename and name.isascii() and name.isprintable() and len(name) <= MAX_NAME_LETTERS
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts or not is_plain:
        yield "archive-path", "leads out of the archive or has an odd name; needed: a file's name, or FOLDER/NAME"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        yield "archive-link", "is a link or a device; needed: files alone"
    if entry.flag_bits & ENCRYPTED:
        yield "archive-encrypted", "is encrypted"
    elif entry.compress_type not in METHODS:
        yield "archive-method", "is packed in an uncommon way; needed: stored or deflated"
    if name.lower().endswith(NESTED):
        yield "archive-nested", "is an archive within the archive"
    packed = max(entry.compress_size, 1)
    if entry.file_size > SMALL_BYTES and entry.file_size > limits.archive_ratio * packed:
        said = f"unpacks {entry.file_size / packed:,.0f} times its size, at most {limits.archive_ratio} are allowed"
        yield "archive-bomb", said


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, left: int) -> int:
    """Unpack one file, no more of it than it says it has, and give how many bytes may still come."""
    path.parent.mkdir(exist_ok=True)
    written = 0
    with archive.open(entry) as packed, path.open("xb") as file:
        while chunk := packed.read(CHUNK_BYTES):
            written += len(chunk)
            if written > min(entry.file_size, left):
                raise _refusal("archive-bomb", _shown(entry), "holds more than it says")
            file.write(chunk)
    return left - written


def _refusal(kind: str, where: str, what: str) -> _ArchiveError:
    return _ArchiveError(Fault(kind=kind, where=where, what=what))


def _shown(entry: zipfile.ZipInfo) -> str:
    return ascii(entry.orig_filename)[1:-1][:80]
