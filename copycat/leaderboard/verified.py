"""verified.yaml: which submissions the maintainers vouch for, and in which state."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Annotated

from pydantic import Field

from copycat.errors import DataError
from copycat.leaderboard.layout import VERIFIED
from copycat.leaderboard.listings import read_listing
from copycat.leaderboard.records import MANIFEST, Date, Line, Words
from copycat.paths import shown
from copycat.schema import Record

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class VerifiedEntry(Record):
    """One submission that somebody has run again or looked through; it counts while its manifest has this hash."""

    id: Line
    manifest_sha256: Sha256
    date: Date
    by: Line
    how: Words


class VerifiedList(Record):
    """The whole file."""

    verified: tuple[VerifiedEntry, ...]


_NEEDED = {
    "verified": "a list of entries, or []",
    "manifest_sha256": "what `sha256sum MANIFEST.sha256` prints for the submission",
    "how": "what was done to verify it",
}


def read_verified(leaderboard: Path) -> dict[str, str]:
    """Give the hash of the manifest of each verified submission, by its id; nothing where there is no such file.

    Raises:
        DataError: every fault of the file.
    """
    path = leaderboard / VERIFIED
    if not path.exists():
        return {}
    entries = read_listing(path, VerifiedList, VerifiedEntry, _NEEDED).verified
    twice = [name for name, count in Counter(entry.id for entry in entries).items() if count > 1]
    if twice:
        raise DataError([f"{shown(path)}: '{name}' is listed more than once" for name in twice])
    return {entry.id: entry.manifest_sha256 for entry in entries}


def manifest_sha256(submission: Path) -> str:
    """Give the hash of a submission's manifest, and so of all its files; "" where there is none."""
    path = submission / MANIFEST
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
