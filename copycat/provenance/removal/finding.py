"""Where in the files of a dataset removed records lie: by id, by place, or by the hash of their content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from copycat.names import words
from copycat.provenance.dataset import Batch, Dataset, Fault
from copycat.provenance.dataset.batches import as_stripped, python_values
from copycat.provenance.lookup.looking import place_key
from copycat.provenance.lookup.queries import MAX_PICTURE_BYTES, hashes_of
from copycat.provenance.manifest.content import Hasher

MIN_WORDS = 8
"""A text of fewer words may be anybody's: its hash alone removes nothing."""


@dataclass(frozen=True)
class Targets:
    """What is looked for.

    Attributes:
        ids: of the removed records. hashes: of their contents.
        places: place (see `lookup.place_key`) -> hash of the record that lies there, for records without an id of their
            own; only of the dataset that the records were removed from.
    """

    ids: Set[str] = frozenset()
    hashes: Set[str] = frozenset()
    places: Mapping[str, str | None] = field(default_factory=dict)


class Place(NamedTuple):
    """A record that was found: its file, its number in it (line, row, or record of an archive), and by what.

    `phash` is made of its picture where the dataset has the picture itself; "" otherwise.
    """

    file: str
    at: int
    key: str
    id: str
    sha256: str | None
    is_by_id: bool
    is_short: bool
    phash: str = ""


@dataclass
class Places:
    """All places, and what could not be read on the way."""

    places: list[Place] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    n_records: int = 0


def find_records(dataset: Dataset, targets: Targets, tell: Callable[[int], None] = lambda records: None) -> Places:
    """Read a whole dataset once and give every record that is to be removed.

    A record that is found by its content alone must have content that is nobody else's: a picture, a file, a row, or a
    text of MIN_WORDS words.
    """
    hasher = Hasher(dataset)
    found = Places(faults=list(dataset.faults))
    for batch in dataset.content(tuple(dict.fromkeys(("id", *hasher.needs)))):
        found.n_records += batch.size
        found.faults += batch.faults
        tell(batch.size)
        contents, _ = hasher.hashes(batch)
        ids = batch.texts("id")
        for row in range(batch.size):
            if is_meant(batch, row, ids[row], contents[row], targets):
                place = _place(batch, row, contents[row], targets, hasher)
                if place.is_by_id or not place.is_short:
                    found.places.append(place)
    return found


def is_meant(batch: Batch, row: int, name: str, content: str | None, targets: Targets) -> bool:
    """Whether a record may be one of those that are looked for."""
    if name in targets.ids or content in targets.hashes:
        return True
    return bool(targets.places) and not name and place_key(batch, row) in targets.places


def _place(batch: Batch, row: int, content: str | None, targets: Targets, hasher: Hasher) -> Place:
    name, key = own_id(batch, row), place_key(batch, row)
    return Place(
        file=batch.file or (batch.keys or [""])[row],
        at=batch.first + row if batch.keys is not None else batch.line_of(row),
        key=key,
        id=name,
        sha256=content,
        is_by_id=name in targets.ids or (not name and content is not None and targets.places.get(key) == content),
        is_short=is_short(batch, row, hasher),
        phash=_phash(batch, row, hasher.dataset),
    )


def own_id(batch: Batch, row: int) -> str:
    """Give the id that a record states; "" where it states none."""
    column = batch.column("id")
    return "" if column is None else as_stripped(python_values(column.slice(row, 1))[0])


def is_short(batch: Batch, row: int, hasher: Hasher) -> bool:
    """Whether the content of a record is a text so short that strangers may have the same."""
    if hasher.dataset.kind == "folder":
        return False
    image, text = batch.column("image"), batch.column("text")
    if image is not None and _has_picture(image[row].as_py()):
        return False
    return text is not None and len(words(str(text[row].as_py() or ""))) < MIN_WORDS


def _phash(batch: Batch, row: int, dataset: Dataset) -> str:
    """Hash a picture that the dataset has, so that its tombstone is known by a smaller copy or another format, too."""
    column = batch.column("image")
    value = None if column is None else column[row].as_py()
    content = value.get("bytes") if isinstance(value, dict) else value
    if content is None and dataset.kind == "folder" and batch.keys is not None:
        content = _small_file(dataset.folder / batch.keys[row])
    hashes = hashes_of(content, mirrored=False) if isinstance(content, bytes) else ()
    return hashes[0] if hashes else ""


def _small_file(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.stat().st_size <= MAX_PICTURE_BYTES else None
    except OSError:
        return None


def _has_picture(value: object) -> bool:
    return value is not None and (not isinstance(value, dict) or any(part is not None for part in value.values()))
