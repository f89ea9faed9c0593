"""WebDataset shards -> batches: members of a tar file that share a key are one record."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from copycat.provenance.dataset.batches import Batch, Fault
from copycat.provenance.dataset.card import load_plain_json
from copycat.provenance.dataset.tables import HEAVY_ROWS, arrays_of, wanted_columns
from copycat.provenance.records import Evidence

if TYPE_CHECKING:
    from copycat.provenance.dataset.opening import DataFile, Dataset

PICTURES = {"jpg", "jpeg", "png", "webp", "gif", "bmp", "tiff"}
TEXTS = {"txt", "caption", "text"}
MAX_MEMBER_BYTES = 256 << 20
MAX_TEXT_BYTES = 16 << 20


def webdataset_batches(dataset: Dataset, file: DataFile, needs: Sequence[str]) -> Iterator[Batch]:
    """Yield the records of one shard, in its order. Members are read as they come, so memory holds one batch."""
    records: list[dict[str, Any]] = []
    faults: list[Fault] = []
    first = 1
    for got in _records(file, "image" in needs):
        if isinstance(got, Fault):
            faults.append(got)
        else:
            records.append(got)
        if len(records) >= HEAVY_ROWS:
            yield _batch(file, wanted_columns(dataset, needs, records), records, faults, first)
            first, records, faults = first + len(records), [], []
    if records or faults:
        yield _batch(file, wanted_columns(dataset, needs, records), records, faults, first)


def _batch(
    file: DataFile, wanted: Mapping[str, str], records: list[dict[str, Any]], faults: list[Fault], first: int
) -> Batch:
    keys = [record["__key__"] for record in records]
    return Batch(file.name, first, len(records), arrays_of(records, wanted), file.split, tuple(faults), keys)


def _records(file: DataFile, with_pictures: bool) -> Iterator[dict[str, Any] | Fault]:
    record: dict[str, Any] = {}
    try:
        with tarfile.open(file.path, "r|*") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                key, _, ending = member.name.rpartition("/")[2].partition(".")
                key = f"{member.name.rpartition('/')[0]}/{key}".lstrip("/")
                if record and record["__key__"] != key:
                    yield record
                    record = {}
                record.setdefault("__key__", key)
                fault = _add(record, ending.lower(), archive, member, with_pictures)
                if fault:
                    yield Fault(Evidence(file=file.name, pointer=member.name), fault)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        yield Fault(Evidence(file=file.name), f"cannot be read on: {error}", loses_rest=True)
    if record:
        yield record


def _add(
    record: dict[str, Any], ending: str, archive: tarfile.TarFile, member: tarfile.TarInfo, with_pictures: bool
) -> str | None:
    """Take one member into its record; gives a fault."""
    is_picture = ending in PICTURES
    if is_picture and not with_pictures:
        record["image"] = None
        return None
    if ending not in TEXTS and ending != "json" and not is_picture:
        return None
    if member.size > (MAX_MEMBER_BYTES if is_picture else MAX_TEXT_BYTES):
        return f"has {member.size} bytes, too many to be read"
    stream = archive.extractfile(member)
    raw = b"" if stream is None else stream.read()
    if is_picture:
        record["image"] = {"bytes": raw, "path": member.name}
    elif ending == "json":
        try:
            facts = load_plain_json(raw)
        except ValueError as error:
            return f"is not JSON: {error}"
        if not isinstance(facts, dict):
            return "is not a JSON object"
        record.update({str(name): value for name, value in facts.items() if name != "__key__"})
    else:
        record["txt"] = raw.decode("utf-8", "replace")
    return None
