"""A folder in which each file is a record -> batches; facts come from metadata.jsonl, or from x.json beside x.png."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copycat.provenance.dataset.archives import MAX_MEMBER_BYTES, MAX_TEXT_BYTES, PICTURES
from copycat.provenance.dataset.batches import BATCH_BYTES, BATCH_ROWS, Batch, Fault
from copycat.provenance.dataset.card import load_plain_json
from copycat.provenance.dataset.tables import arrays_of, csv_rows, json_rows, one_line, wanted_columns
from copycat.provenance.records import Evidence

if TYPE_CHECKING:
    from copycat.provenance.dataset.files import DataFile
    from copycat.provenance.dataset.opening import Dataset

TEXT_SUFFIXES = {".txt", ".md"}
METADATA = ("metadata.jsonl", "metadata.csv")
ENDINGS = tuple(f".{ending}" for ending in (*sorted(PICTURES), "txt", "md"))
"""Of files that a file of facts speaks of."""


def folder_batches(dataset: Dataset, needs: Sequence[str]) -> Iterator[Batch]:
    """Yield the files of a folder as records, by name. Files with facts (x.json beside x.png) are no records.

    The facts of metadata.jsonl are held in memory, as the list of files is.
    """
    by_name = {file.name: file for file in dataset.files}
    facts, faults = _metadata(dataset, by_name)
    files = [file for file in dataset.files if not _is_facts(file.name, by_name)]
    is_heavy = bool({"image", "text"} & set(needs))
    for first, part in _parts(files, is_heavy):
        rows = []
        for file in part:
            row, said = _record(file, by_name, facts.get(file.name, {}), needs)
            rows.append(row)
            faults += said
        named = wanted_columns(dataset, needs, rows)
        keys = [file.name for file in part]
        yield Batch("", first, len(part), arrays_of(rows, named), "", tuple(faults), keys, named=named)
        faults = []
    if faults:
        yield Batch("", 1, 0, {}, "", tuple(faults))


def _parts(files: Sequence[DataFile], is_heavy: bool) -> Iterator[tuple[int, list[DataFile]]]:
    first, size = 1, 0
    part: list[DataFile] = []
    for file in files:
        part.append(file)
        size += file.size if is_heavy else 0
        if len(part) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield first, part
            first, part, size = first + len(part), [], 0
    if part:
        yield first, part


def _record(
    file: DataFile, by_name: Mapping[str, DataFile], facts: Mapping[str, Any], needs: Sequence[str]
) -> tuple[dict[str, Any], list[Fault]]:
    faults: list[Fault] = []
    row: dict[str, Any] = {"id": file.name, "split": file.split or None, **facts}
    beside = next((by_name[name] for name in _facts_names(file.name) if name in by_name and name != file.name), None)
    if beside is not None:
        try:
            said = load_plain_json(_read(beside.path, MAX_TEXT_BYTES))
            if not isinstance(said, dict):
                raise ValueError("it is no object")
            row |= said
        except (ValueError, OSError) as error:
            faults.append(Fault(Evidence(file=beside.name), f"is not JSON with facts: {one_line(error)}"))
    row["file"] = file.name
    try:
        suffix = file.path.suffix.lower()
        if "image" in needs and suffix.lstrip(".") in PICTURES:
            row["image"] = {"bytes": _read(file.path, MAX_MEMBER_BYTES), "path": file.name}
        elif "text" in needs and suffix in TEXT_SUFFIXES:
            raw = _read(file.path, MAX_TEXT_BYTES)
            row["text"] = raw.decode("utf-8-sig", "replace")
            raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        faults.append(Fault(Evidence(file=file.name), f"is not UTF-8 from byte {error.start + 1} on"))
    except (ValueError, OSError) as error:
        faults.append(Fault(Evidence(file=file.name), f"cannot be read: {one_line(error)}"))
    return row, faults


def _is_facts(name: str, by_name: Mapping[str, DataFile]) -> bool:
    """Whether it is a JSON file that speaks of another one: x.json of x.png or x.txt, x.png.json of x.png."""
    if not name.endswith(".json"):
        return False
    stem = name.removesuffix(".json")
    return stem in by_name or any(f"{stem}{ending}" in by_name for ending in ENDINGS)


def _facts_names(name: str) -> tuple[str, ...]:
    if name.endswith(".json"):
        return ()
    folder, _, base = name.rpartition("/")
    stem = base.rpartition(".")[0] or base
    return f"{name}.json", f"{folder}/{stem}.json" if folder else f"{stem}.json"


def _read(path: Path, limit: int) -> bytes:
    if path.stat().st_size > limit:
        raise ValueError(f"has more than {limit} bytes")
    return path.read_bytes()


def _metadata(dataset: Dataset, by_name: Mapping[str, DataFile]) -> tuple[dict[str, dict[str, Any]], list[Fault]]:
    """Read metadata.jsonl or metadata.csv of the folder and its subfolders: file -> facts."""
    facts: dict[str, dict[str, Any]] = {}
    faults: list[Fault] = []
    for file in dataset.metadata:
        folder = posixpath.dirname(file.name)
        for line, row, _ in json_rows(file) if file.name.endswith(".jsonl") else csv_rows(file):
            where = Evidence(file=file.name, line=line, pointer="file_name")
            if isinstance(row, Fault):
                faults.append(row)
                continue
            named = files_named(row, folder)
            if not named:
                faults.append(Fault(where, "has no file_name"))
            for given, name in named.items():
                if name not in by_name:
                    faults.append(Fault(where, f"names a file that is not there: {one_line(given)}"))
                elif name in facts:
                    faults.append(Fault(where, f"names a file a second time: {one_line(given)}"))
                else:
                    facts[name] = {str(key): value for key, value in row.items() if key != "file_name"}
    return facts, faults


def files_named(row: Any, folder: str) -> dict[str, str]:
    """Give the files that a line of metadata speaks of: as it writes them, and relative to the dataset.

    They stand under `file_name`, or `x_file_name`; lists of them under `file_names`, or `x_file_names`. Source:
    "ImageFolder" in the documentation of Hugging Face's datasets.

    Args:
        row: anything; what is no object names no file.
        folder: that of the metadata file, relative to the dataset, "" for the dataset itself.
    """
    given: list[Any] = []
    for key, value in row.items() if isinstance(row, Mapping) else ():
        if str(key) == "file_name" or str(key).endswith("_file_name"):
            given.append(value)
        elif (str(key) == "file_names" or str(key).endswith("_file_names")) and isinstance(value, list):
            given += value
    return {name: posixpath.normpath(posixpath.join(folder, name)) for name in given if isinstance(name, str) and name}
