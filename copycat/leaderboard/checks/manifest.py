"""The manifest: the sha256 of every file, and of no other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from copycat.leaderboard.faults import Fault
from copycat.leaderboard.layout import SizeLimits
from copycat.leaderboard.records import MANIFEST, OPTIONAL_FILES, REQUIRED_FILES

LINE = re.compile(r"([0-9a-f]{64}) [ *]([A-Za-z0-9._-]+)")


def check_manifest(folder: Path, limits: SizeLimits) -> Iterator[Fault]:
    """Compare MANIFEST.sha256 with the files; needs none of their contents to be right."""
    path = folder / MANIFEST
    if path.is_symlink() or not path.is_file():
        yield _fault("missing-file", "is not there; make it: sha256sum *.json *.jsonl *.parquet > MANIFEST.sha256")
        return
    if path.stat().st_size > limits.manifest_bytes:
        return  # told by the check of sizes
    listed: dict[str, str] = {}
    for number, line in enumerate(path.read_bytes().decode("utf-8", errors="replace").splitlines(), start=1):
        match = LINE.fullmatch(line)
        if match is None:
            yield _fault("manifest", "has the wrong form; needed: 64 hex digits, two spaces, a file's name", number)
        elif match[2] in listed:
            yield _fault("manifest", f"lists '{match[2]}' twice", number)
        else:
            listed[match[2]] = match[1]
    there = {name for name in (*REQUIRED_FILES, *OPTIONAL_FILES) if _is_plain(folder / name)}
    for name in sorted(there - set(listed)):
        yield _fault("manifest", f"does not list '{name}'")
    for name in sorted(name for name in set(listed) - there if not (folder / name).exists()):
        yield _fault("manifest", f"lists '{name}', which is not there")
    for name in sorted(there & set(listed)):
        if (folder / name).stat().st_size <= limits.parquet_bytes and _sha256(folder / name) != listed[name]:
            said = "has another sha256 than the manifest says: it was changed after it was packed"
            yield Fault(kind="manifest", where=name, what=said)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fault(kind: str, what: str, number: int | None = None) -> Fault:
    return Fault(kind=kind, where=MANIFEST if number is None else f"{MANIFEST}:{number}", what=what)
