"""A folder in which each file is a record -> batches; facts come from metadata.jsonl, or from x.json beside x.png."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copycat.provenance.dataset.archives import MAX_MEMBER_BYTES, MAX_TEXT_BYTES, PICTURES
from copycat.provenance.dataset.batches import BATCH_ROWS, Batch, Fault
from copycat.provenance.dataset.card import load_plain_json
from copycat.provenance.dataset.tables import HEAVY_ROWS, arrays_of, wanted_columns
from copycat.provenance.records import Evidence

if TYPE_CHECKING:
    from copycat.provenance.dataset.opening import DataFile, Dataset

TEXT_SUFFIXES = {".txt", ".md"}
METADATA = ("metadata.jsonl", "metadata.csv")


def folder_batches(dataset: Dataset, needs: Sequence[str]) -> Iterator[Batch]:
    """Yield the files of a folder as records, by name. Files with facts (x.json beside x.png) are no records."""
    facts, faults = _metadata(dataset)
    by_name = {file.name: file for file in dataset.files}
    beside = {name for name in by_name if name.endswith(".json") and _partners(name, by_name)}
    files = [file for file in dataset.files if file.name not in beside]
    size = HEAVY_ROWS if {"image", "text"} & set(needs) else BATCH_ROWS
    for first in range(0, max(len(files), 1), size):
        part = files[first : first + size]
        rows = []
        for file in part:
            row, said = _record(file, by_name, facts, needs)
            rows.append(row)
            faults += said
        columns = arrays_of(rows, wanted_columns(dataset, needs, rows))
        yield Batch("", first + 1, len(part), columns, "", tuple(faults), [file.name for file in part])
        faults = []


def _record(
    file: DataFile, by_name: dict[str, DataFile], facts: dict[str, dict[str, Any]], needs: Sequence[str]
) -> tuple[dict[str, Any], list[Fault]]:
    faults: list[Fault] = []
    row: dict[str, Any] = {"split": file.split or None, **facts.get(file.name, {}), "file": file.name}
    row.setdefault("id", file.name)
    beside = next((by_name[name] for name in _facts_names(file.name) if name in by_name and name != file.name), None)
    if beside is not None:
        try:
            said = load_plain_json(_read(beside.path, MAX_TEXT_BYTES))
            row = {**row, **said} if isinstance(said, dict) else row
        except (ValueError, OSError) as error:
            faults.append(Fault(Evidence(file=beside.name), f"is not JSON: {error}"))
    try:
        suffix = file.path.suffix.lower()
        if "image" in needs and suffix.lstrip(".") in PICTURES:
            row["image"] = {"bytes": _read(file.path, MAX_MEMBER_BYTES), "path": file.name}
        elif "text" in needs and suffix in TEXT_SUFFIXES:
            row["text"] = _read(file.path, MAX_TEXT_BYTES).decode("utf-8", "replace")
    except (ValueError, OSError) as error:
        faults.append(Fault(Evidence(file=file.name), f"cannot be read: {error}"))
    return row, faults


def _partners(name: str, by_name: dict[str, DataFile]) -> bool:
    """Whether another file is described by this JSON file: x.png or x.txt for x.json, x.png for x.png.json."""
    stem = name.removesuffix(".json")
    endings = [f".{ending}" for ending in (*sorted(PICTURES), "txt", "md")]
    return stem in by_name or any(f"{stem}{ending}" in by_name for ending in endings)


def _facts_names(name: str) -> tuple[str, str]:
    return f"{name}.json", str(Path(name).with_suffix(".json"))


def _read(path: Path, limit: int) -> bytes:
    if path.stat().st_size > limit:
        raise ValueError(f"has more than {limit} bytes")
    return path.read_bytes()


def _metadata(dataset: Dataset) -> tuple[dict[str, dict[str, Any]], list[Fault]]:
    """Read metadata.jsonl or metadata.csv of the folder and its subfolders: file -> facts."""
    from copycat.provenance.dataset.opening import DataFile
    from copycat.provenance.dataset.tables import csv_rows, json_rows

    facts: dict[str, dict[str, Any]] = {}
    faults: list[Fault] = []
    root = dataset.folder
    for path in sorted(path for name in METADATA for path in root.rglob(name)):
        where = path.parent.relative_to(root).as_posix()
        prefix = "" if where == "." else f"{where}/"
        file = DataFile(path, f"{prefix}{path.name}", 0, "jsonl")
        for line, row in json_rows(file) if path.suffix == ".jsonl" else csv_rows(file):
            name = row.get("file_name") if isinstance(row, dict) else None
            if isinstance(row, Fault):
                faults.append(row)
            elif isinstance(name, str) and name:
                facts[f"{prefix}{name}"] = {str(key): value for key, value in row.items() if key != "file_name"}
            else:
                faults.append(Fault(Evidence(file=file.name, line=line), "has no file_name"))
    return facts, faults
