"""WebDataset shards -> batches: members of a tar file that share a key are one record."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from copycat.provenance.dataset.batches import BATCH_BYTES, BATCH_ROWS, Batch, Fault
from copycat.provenance.dataset.card import load_plain_json
from copycat.provenance.dataset.tables import UNREADABLE, arrays_of, one_line, wanted_columns
from copycat.provenance.records import Evidence, printable

if TYPE_CHECKING:
    from copycat.provenance.dataset.files import DataFile
    from copycat.provenance.dataset.opening import Dataset

PICTURES = {"jpg", "jpeg", "png", "webp", "gif", "bmp", "tiff", "tif", "avif", "jxl", "heic"}
TEXTS = {"txt", "caption", "text"}
MAX_MEMBER_BYTES = 256 << 20
MAX_TEXT_BYTES = 16 << 20
MAX_HEADER_BYTES = 1 << 20


class _Member(tarfile.TarInfo):
    """A member whose header must be sound: tarfile itself takes a damaged one for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Member:
        """Read one header."""
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # the end mark; typeshed lacks it
            raise
        except tarfile.HeaderError as error:
            said = "it ends without the mark of an archive's end" if not buf else f"a header is damaged ({error})"
            raise tarfile.ReadError(said) from error
        if not member.isreg() and not member.isdir() and member.size > MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header has {member.size} bytes")
        return member


def webdataset_batches(dataset: Dataset, file: DataFile, needs: Sequence[str]) -> Iterator[Batch]:
    """Yield the records of one shard, in its order. Members are read as they come, so memory holds one batch."""
    records: list[dict[str, Any]] = []
    faults: list[Fault] = []
    first, size = 1, 0

    def batch() -> Batch:
        named = wanted_columns(dataset, needs, records)
        keys = [record["__key__"] for record in records]
        arrays = arrays_of(records, named)
        return Batch(file.name, first, len(records), arrays, file.split, tuple(faults), keys, named=named)

    for got, n_bytes in _records(file, "image" in needs):
        size += n_bytes
        if isinstance(got, Fault):
            faults.append(got)
        else:
            records.append(got)
        if len(records) + len(faults) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield batch()
            first, size, records, faults = first + len(records), 0, [], []
    if records or faults:
        yield batch()


def _records(file: DataFile, with_pictures: bool) -> Iterator[tuple[dict[str, Any] | Fault, int]]:
    record: dict[str, Any] = {}
    endings: set[str] = set()
    size = 0
    try:
        with tarfile.open(file.path, "r|*", tarinfo=_Member) as archive:
            for member in archive:
                name = printable(member.name)
                if fault := _not_taken(member, name):
                    yield Fault(Evidence(file=file.name, pointer=name), fault), 0
                if not member.isfile():
                    continue
                folder, _, base = name.rpartition("/")
                stem, _, ending = base.partition(".")
                ending = ending.lower()
                key = f"{folder}/{stem}".lstrip("/")
                if record and record["__key__"] != key:
                    yield record, size
                    record, endings, size = {}, set(), 0
                record.setdefault("__key__", key)
                is_second = ending in endings
                said = "is there twice" if is_second else _add(record, ending, archive, member, with_pictures)
                endings.add(ending)
                size += min(member.size, MAX_MEMBER_BYTES) + len(name)
                if said:
                    yield Fault(Evidence(file=file.name, pointer=name), said), 0
    except (tarfile.TarError, ValueError, *UNREADABLE) as error:
        yield Fault(Evidence(file=file.name), f"cannot be read on: {one_line(error)}", loses_rest=True), 0
    if record:
        yield record, size


def _not_taken(member: tarfile.TarInfo, name: str) -> str | None:
    """Say what is wrong with a member, whatever it holds."""
    if name.startswith("/") or ".." in name.split("/"):
        return "has a name that leads out of the folder it is unpacked in"
    if member.isfile() or member.isdir():
        return None
    return "is a link, which is not followed" if member.issym() or member.islnk() else "is no file"


def _add(
    record: dict[str, Any], ending: str, archive: tarfile.TarFile, member: tarfile.TarInfo, with_pictures: bool
) -> str | None:
    """Take one member into its record; gives a fault."""
    is_picture = ending in PICTURES
    if is_picture and not with_pictures:
        record.setdefault("image", None)
    if (is_picture and not with_pictures) or not (is_picture or ending == "json" or ending in TEXTS):
        return None
    if member.size > (MAX_MEMBER_BYTES if is_picture else MAX_TEXT_BYTES):
        return f"has {member.size} bytes, too many to be read"
    stream = archive.extractfile(member)
    raw = b"" if stream is None else stream.read()
    if is_picture:
        record["image"] = {"bytes": raw, "path": printable(member.name)}
    elif ending == "json":
        return _add_facts(record, raw)
    else:
        return _add_text(record, raw)
    return None


def _add_facts(record: dict[str, Any], raw: bytes) -> str | None:
    try:
        facts = load_plain_json(raw)
    except ValueError as error:
        return f"is not JSON: {one_line(error)}"
    if not isinstance(facts, dict):
        return "is not a JSON object"
    record.update({name: value for name, value in facts.items() if name not in ("__key__", "image", "txt")})
    return None


def _add_text(record: dict[str, Any], raw: bytes) -> str | None:
    try:
        record["txt"] = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        record["txt"] = raw.decode("utf-8", "replace")
        return f"is not UTF-8 from byte {error.start + 1} on; what is not is replaced"
    return None
