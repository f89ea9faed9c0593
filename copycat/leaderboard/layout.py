"""Where submissions lie, and how large they may be."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

from copycat.catalog import canonical_sha256
from copycat.leaderboard.records import RunSettings, Submission

SUBMISSIONS, REPORTED, SITE = "submissions", "reported", "site"
"""Folders of leaderboard/."""

VERIFIED = "verified.yaml"
"""Of leaderboard/: which submissions the maintainers have verified, when and how."""

OLDER_SUITES: tuple[str, ...] = ()
"""Versions of the suite whose submissions are history: an older copycat verified them when they came."""

HASH_HEX_DIGITS = 12
SLUG_HEX_DIGITS = 6
MAX_SLUG_LETTERS = 60


class SizeLimits(NamedTuple):
    """What is read of a submission before it is refused; bytes, pixels, counts.

    `list_items` bounds what all lines of a journal hold in lists: a few bytes each on disk, hundreds in memory.
    """

    files: int = 20
    json_bytes: int = 5_000_000
    lines: int = 20_000
    line_bytes: int = 200_000
    journal_bytes: int = 60_000_000
    list_items: int = 500_000
    manifest_bytes: int = 20_000
    parquet_footer_bytes: int = 30_000_000
    group_bytes: int = 100_000_000
    parquet_bytes: int = 2_000_000_000
    picture_bytes: int = 20_000_000
    picture_pixels: int = 32_000_000
    archive_bytes: int = 3_000_000_000
    archive_ratio: int = 100


def submission_id(submission: Submission, settings: RunSettings) -> str:
    """Name a submission by where it lies below submissions/: '1.0/someone__some-model/0123456789ab'.

    The hash is of the whole spec, with judge and judge revision: another suite or judge version is another row.
    """
    who, model = slug(submission.submitter.organisation or submission.submitter.name), slug(submission.model.name)
    digest = canonical_sha256(settings.spec.model_dump(mode="json"))[:HASH_HEX_DIGITS]
    return f"{submission.suite_version}/{who}__{model}/{digest}"


def slug(text: str) -> str:
    """Give the lower case letters, digits, dots and single hyphens of a name; 'unnamed' if nothing is left.

    A name that holds anything but those, spaces and underscores ends in six digits of its own hash, so that two names
    in another script stay two: 'unnamed-1a2b3c'.
    """
    text = unicodedata.normalize("NFC", text)
    kept = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")
    kept = re.sub(r"\.{2,}", ".", kept)
    if re.fullmatch(r"[A-Za-z0-9 ._-]*", text):
        return kept[:MAX_SLUG_LETTERS].rstrip("-.") or "unnamed"
    digest = hashlib.sha256(text.encode()).hexdigest()[:SLUG_HEX_DIGITS]
    return f"{kept[: MAX_SLUG_LETTERS - SLUG_HEX_DIGITS - 1].rstrip('-.') or 'unnamed'}-{digest}"


def find_submissions(leaderboard: Path) -> list[Path]:
    """List the folders of all submissions, sorted: those that hold any file, three levels below submissions/."""
    return sorted(path for path in (leaderboard / SUBMISSIONS).glob("*/*/*") if path.is_dir())
