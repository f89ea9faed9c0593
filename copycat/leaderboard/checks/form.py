"""Form: which files there are, where they lie, and that no text in them deceives a reader."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from copycat.leaderboard.checks.case import Case
from copycat.leaderboard.faults import Fault
from copycat.leaderboard.layout import SUBMISSIONS, SizeLimits
from copycat.leaderboard.records import (
    CALIBRATION,
    JUDGEMENTS,
    MANIFEST,
    OPTIONAL_FILES,
    PICTURES,
    REQUIRED_FILES,
    SAMPLES,
    SETTINGS,
    SUBMISSION,
    SUBMISSION_SCHEMA_VERSION,
)
from copycat.schema import SCHEMA_VERSION

ALLOWED_FILES = {*REQUIRED_FILES, *OPTIONAL_FILES, MANIFEST}
PARTS_OF_PLACE = 3
MAX_ENTRIES = 1_000
IMAGE_SUFFIXES = ("png", "jpg", "jpeg", "webp")

NOT_SEEN = ("Cc", "Cf", "Zl", "Zp", "Co", "Cn")
FIELD = re.compile(r"[a-z_0-9]+")
TAG = re.compile(r"<\s*[a-zA-Z/!?]")
"""The beginning of markup; "p < 0.05" is none."""

DECEPTIVE = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters, but for tabs and ends of lines
    "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides and isolates of the direction of writing
    "\ufeff\ufff9-\ufffb"  # interlinear annotation
    "\U000e0000-\U000e007f]"  # tags, which show nothing
)
"""Letters that make a text look like another one, whatever it says."""

BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters, marks and signs that show nothing, beside those that Unicode calls controls and formats."""

MAX_MARKS = 3
"""Accents on one letter of a name: more of them cover the lines above and below."""

MAX_TEXT_LETTERS, MAX_WORD_LETTERS = 10_000, 4_000
"""Of a text in a line of a journal, and of one in the settings."""


def files_of(folder: Path, limits: SizeLimits) -> Iterator[Fault]:
    """Check that a folder holds the files of a submission and nothing else, before any of them is read."""
    if any(part.is_symlink() for part in (folder, *_parents_in_board(folder))):
        yield Fault(kind="link", where=folder.name, what="the folder or one above it is a link; links are not followed")
    for count, path in enumerate(sorted(folder.iterdir()), start=1):
        name = path.name if path.name.isprintable() else ascii(path.name)
        if count > MAX_ENTRIES:
            yield Fault(kind="unknown-file", where=folder.name, what=f"holds more than {MAX_ENTRIES:,} entries")
            return
        if path.is_symlink():
            yield Fault(kind="link", where=name, what="is a link; links are not followed")
        elif not path.is_file():
            yield Fault(kind="folder", where=name, what="is no file; a submission has no folders in it")
        elif path.name not in ALLOWED_FILES:
            needed = ", ".join(sorted(ALLOWED_FILES))
            yield Fault(kind="unknown-file", where=name, what=f"belongs to no submission; its files are {needed}")
        elif path.stat().st_size > (most := _most_bytes(path.name, limits)):
            said = f"{path.stat().st_size:,} bytes, at most {most:,} are allowed"
            yield Fault(kind="too-large", where=name, what=said)


def check_place(case: Case) -> Iterator[Fault]:
    """Check that a submission below submissions/ lies where its own words place it, and speaks of this schema."""
    parts = case.loaded.path.absolute().parts
    found = "/".join(parts[-PARTS_OF_PLACE:])
    if len(parts) > PARTS_OF_PLACE and parts[-PARTS_OF_PLACE - 1] == SUBMISSIONS and found != case.loaded.id:
        said = f"lies at '{found}'; by its own words it belongs at '{case.loaded.id}'"
        yield Fault(kind="wrong-place", where=SUBMISSION, what=said)
    versions = (
        (SUBMISSION, case.loaded.submission.schema_version, SUBMISSION_SCHEMA_VERSION),
        ("metrics.json", case.loaded.result.schema_version, SCHEMA_VERSION),
    )
    for where, version, known in versions:
        if version != known:
            said = f"has schema_version {version}; this copycat reads {known}"
            yield Fault(kind="schema-version", where=where, what=said)


def check_texts(case: Case) -> Iterator[Fault]:
    """Check names for markup and invisible letters, links for being links, and all texts for deceptive letters."""
    loaded = case.loaded
    submission = loaded.submission.model_dump(mode="json")
    words = {name: submission.pop(name) for name in ("statement", "notes")}
    for path, text in _strings(submission):
        yield from _of_name(f"{SUBMISSION}, {path}", text)
    for path, text in _strings(words):
        yield from _of_words(f"{SUBMISSION}, {path}", text)
        if TAG.search(text):
            said = f"field '{path}' holds markup; needed: plain text"
            yield Fault(kind="markup", where=SUBMISSION, what=said)
    for path, link in (("paper", loaded.submission.paper), ("submitter.contact", loaded.submission.submitter.contact)):
        if link is not None and not _is_plain_link(link):
            said = f"field '{path}' is no plain web address: a host, and no user name or password in it"
            yield Fault(kind="unsafe-link", where=SUBMISSION, what=said)
    for path, text in _strings(loaded.settings.model_dump(mode="json")):
        yield from _of_name(f"{SETTINGS}, {path}", text)
    if loaded.calibration is not None:
        for path, text in _strings(loaded.calibration.model_dump(mode="json", exclude={"cells", "labels"})):
            yield from _of_name(f"{CALIBRATION}, {path}", text)
    for file, rows in ((SAMPLES, loaded.samples), (JUDGEMENTS, loaded.judgements)):
        for number, row in enumerate(rows, start=1):
            for path, text in _strings(row.model_dump(mode="json")):
                yield from _of_words(f"{file}:{number}, {path}", text)


def check_paths(case: Case) -> Iterator[Fault]:
    """Check that the paths in samples are those of a run folder, and name nothing else."""
    for number, sample in enumerate(case.loaded.samples, start=1):
        where = f"{SAMPLES}:{number}"
        is_clip = case.spec.sampling.is_video and sample.status == "ok"
        images = [f"images/{sample.key}.{suffix}" for suffix in IMAGE_SUFFIXES] if sample.status == "ok" else [None]
        videos = [f"videos/{sample.key}.mp4" if is_clip else None]
        for name, found, paths in (("image", sample.image, images), ("video", sample.video, videos)):
            if found not in paths:
                said = f"field '{name}' is {found!a:.80}; needed: {paths[0]!r}"
                yield Fault(kind="wrong-path", where=where, what=said)
        if (sample.video is None) != (sample.video_sha256 is None):
            yield Fault(kind="wrong-path", where=where, what="a clip has a path and a sha256, or neither")


def _parents_in_board(folder: Path) -> list[Path]:
    parents = list(folder.absolute().parents)[:PARTS_OF_PLACE]
    return parents if parents and parents[-1].name == SUBMISSIONS else []


def _most_bytes(name: str, limits: SizeLimits) -> int:
    if name in (PICTURES, MANIFEST):
        return limits.parquet_bytes if name == PICTURES else limits.manifest_bytes
    return limits.journal_bytes if name.endswith(".jsonl") else limits.json_bytes


def _of_name(where: str, text: str) -> Iterator[Fault]:
    """Check a name: one line of visible letters, and no markup."""
    file, _, field = where.partition(", ")
    if len(text) > MAX_WORD_LETTERS:
        said = f"field '{field}' has {len(text):,} letters, at most {MAX_WORD_LETTERS:,} are allowed"
        yield Fault(kind="too-large", where=file, what=said)
        return
    kinds = [unicodedata.category(letter) for letter in text] if not text.isascii() or not text.isprintable() else []
    hidden = next((c for c, kind in zip(text, kinds, strict=False) if kind in NOT_SEEN or BLANK.match(c)), None)
    if hidden is not None:
        said = f"field '{field}' holds U+{ord(hidden):04X}, a letter that is not seen"
        yield Fault(kind="hidden-letter", where=file, what=said)
    if any(set(kinds[place : place + MAX_MARKS + 1]) <= {"Mn", "Me"} for place in range(len(kinds) - MAX_MARKS)):
        said = f"field '{field}' has more than {MAX_MARKS} marks on one letter; needed: letters that can be read"
        yield Fault(kind="hidden-letter", where=file, what=said)
    if "<" in text or ">" in text:
        yield Fault(kind="markup", where=file, what=f"field '{field}' holds '<' or '>'; needed: plain text")


def _of_words(where: str, text: str) -> Iterator[Fault]:
    file, _, field = where.partition(", ")
    if len(text) > MAX_TEXT_LETTERS:
        said = f"field '{field}' has {len(text):,} letters, at most {MAX_TEXT_LETTERS:,} are allowed"
        yield Fault(kind="too-large", where=file, what=said)
    elif (found := DECEPTIVE.search(text)) is not None:
        said = f"field '{field}' holds U+{ord(found[0]):04X}, a letter that deceives a reader"
        yield Fault(kind="hidden-letter", where=file, what=said)


def _is_plain_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def _strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Give every text in a record with the path of its field; the keys of mappings are texts, too."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            here = f"{path}.{key}" if path else str(key)
            if not FIELD.fullmatch(str(key)):
                yield here[:100], str(key)
            yield from _strings(inner, here)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _strings(inner, f"{path}.{place}" if path else str(place))
