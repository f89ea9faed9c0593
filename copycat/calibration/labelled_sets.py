"""Labelled pictures from elsewhere: a data set of the Hugging Face Hub, a Parquet, CSV or JSON Lines file, a folder.

Rows are streamed: of a large data set no more is read than is asked for. Pictures are never fetched from addresses
that a row names.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from copycat.calibration.columns import Columns, choose_columns
from copycat.calibration.labels import separator_of
from copycat.errors import DataError, MissingExtraError, UserError
from copycat.models.hub import connection_errors
from copycat.paths import shown

HUB = "hf:"
PRESETS = {"copychars": "hf:winteryetta/COPYCHARS"}
"""Data sets with a short name."""

READERS = {".parquet": "parquet", ".csv": "csv", ".jsonl": "json"}
MAX_FILE_BYTES = 64_000_000
"""Of one picture; the pixels are bounded when it is decoded."""


class OpenedSet(NamedTuple):
    """A labelled data set that is ready to be read.

    `source` says in words what it is; `label_names` are what the numbers in the label column stand for, where the data
    set says so; `base` is the folder that paths of pictures are relative to, a local one or an address on the Hub;
    `n_rows` is 0 where that is not known before they are read.
    """

    source: str
    columns: Columns
    rows: Iterable[Mapping[str, Any]]
    label_names: tuple[str, ...] | None
    base: str
    n_rows: int = 0

    def read_picture(self, row: Mapping[str, Any]) -> bytes:
        """Give the bytes of a row's picture.

        Raises:
            ValueError: there are none, or they lie outside the data set.
        """
        return _content(row[self.columns.image], self.base)


def is_labelled_set(text: str) -> bool:
    """Whether the text names labelled pictures, and not a file of labels of a run."""
    return text in PRESETS or text.startswith(HUB)


def open_set(text: str, asked_columns: Mapping[str, str]) -> OpenedSet:
    """Open labelled pictures; reads no more than the first row.

    Args:
        text: 'hf:org/name[/config][@revision]', 'copychars', a .parquet, .csv or .jsonl file, or a folder with those.
        asked_columns: role -> column, for what the usual names do not tell.

    Raises:
        MissingExtraError: the data set cannot be reached.
        DataError: there are no such files, or a column cannot be found.
    """
    text = PRESETS.get(text, text)
    return (
        _open_hub(text.removeprefix(HUB), asked_columns) if text.startswith(HUB) else _open_local(text, asked_columns)
    )


def _open_local(text: str, asked: Mapping[str, str]) -> OpenedSet:
    from datasets import load_dataset  # type: ignore[import-untyped]

    files = _files_of(Path(text))
    reader = READERS[files[0].suffix.lower()]
    options = {"sep": separator_of(files[0])} if reader == "csv" else {}
    names = [str(path) for path in files]
    parts = [load_dataset(reader, data_files=names, split="train", streaming=True, **options)]
    opened = _opened(parts, asked, shown(Path(text)), str(files[0].parent.resolve()))
    return opened._replace(n_rows=_count(files))


def _files_of(path: Path) -> list[Path]:
    """Give the tables: the file itself, or all files of one kind in the folder."""
    if path.is_file() and path.suffix.lower() in READERS:
        return [path]
    if path.is_dir():
        for suffix in READERS:
            found = sorted(path.rglob(f"*{suffix}") if suffix == ".parquet" else path.glob(f"*{suffix}"))
            if found:
                return found
    what = "holds no" if path.is_dir() else "is no" if path.exists() else "is not there; needed: a"
    raise DataError(
        [f"{shown(path)}: {what} {', '.join(READERS)} file with labelled pictures"],
        "  needed: a table with a picture (or its path), a character and a label in each row, such as a labels.csv "
        "beside the pictures",
    )


def _count(files: Sequence[Path]) -> int:
    """Count rows without reading them."""
    if files[0].suffix.lower() != ".parquet":
        return 0
    from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]

    return sum(ParquetFile(path).metadata.num_rows for path in files)


def _open_hub(text: str, asked: Mapping[str, str]) -> OpenedSet:
    from datasets import load_dataset  # type: ignore[import-untyped]

    place, _, revision = text.partition("@")
    repository, config = "/".join(place.split("/")[:2]), "/".join(place.split("/")[2:]) or None
    commit = _commit_of(repository, revision or None)
    try:
        splits = load_dataset(repository, config, revision=commit, streaming=True)
    except connection_errors() as error:
        raise MissingExtraError(_unreachable(repository, error)) from error
    except (ValueError, RuntimeError) as error:  # no configuration chosen, or a layout that is not read
        raise DataError(
            [f"data set {repository}: cannot be opened ({str(error).splitlines()[0][:300]})"],
            "  a data set with several parts needs one of them: --labels hf:org/name/PART",
        ) from error
    parts = list(splits.values())
    opened = _opened(parts, asked, f"{repository} at commit {commit[:12]}", f"hf://datasets/{repository}@{commit}")
    counts = getattr(parts[0].info, "splits", None) or {}
    return opened._replace(n_rows=sum(split.num_examples or 0 for split in counts.values()))


def _commit_of(repository: str, revision: str | None) -> str:
    from huggingface_hub import HfApi
    from huggingface_hub import errors as hub

    try:
        return str(HfApi().dataset_info(repository, revision=revision, timeout=10).sha)
    except hub.RevisionNotFoundError as error:
        raise MissingExtraError(
            f"data set {repository} has no revision '{revision}'\n  needed: a branch or commit"
        ) from error
    except hub.RepositoryNotFoundError as error:
        raise MissingExtraError(
            f"the Hub has no data set {repository}, or your token may not see it\n"
            f"  check the spelling at https://huggingface.co/datasets/{repository}; a gated one needs HF_TOKEN"
        ) from error
    except connection_errors() as error:
        raise MissingExtraError(_unreachable(repository, error)) from error
    except ValueError as error:  # the Hub's own rule for names
        raise UserError(f"'{repository}' is no name of a data set\n  needed: --labels hf:ORG/NAME") from error


def _unreachable(repository: str, error: BaseException) -> str:
    return (
        f"the data set {repository} cannot be reached ({type(error).__name__})\n"
        f"  go online, or download it elsewhere and give its folder: --labels ./FOLDER"
    )


def _opened(parts: Sequence[Any], asked: Mapping[str, str], source: str, base: str) -> OpenedSet:
    """Choose the columns, and have pictures left as the bytes that they are."""
    from datasets import Image  # type: ignore[import-untyped]

    features = dict(parts[0].features or {}) if parts else {}
    there = list(features) or list(next(iter(parts[0]), {})) if parts else []
    if not there:
        raise DataError([f"{source}: holds no rows"])
    if {"key", "label", "rater"} <= set(there):
        raise DataError(
            [f"{source}: holds labels of a run, not pictures"],
            "  needed: python -m copycat.calibrate RUN --labels FILE",
        )
    columns = choose_columns(there, asked, source)
    if isinstance(features.get(columns.image), Image):
        parts = [part.cast_column(columns.image, Image(decode=False)) for part in parts]
    names = getattr(features.get(columns.label), "names", None)
    return OpenedSet(source, columns, _rows(parts), tuple(names) if names else None, base)


def _rows(parts: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    for part in parts:
        yield from part


def _content(value: Any, base: str) -> bytes:
    if isinstance(value, Mapping):
        inner = value.get("bytes")
        return _content(inner if inner is not None else value.get("path"), base)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str) and value:
        return _read_file(value, base)
    if hasattr(value, "save") and hasattr(value, "convert"):
        written = io.BytesIO()
        value.convert("RGB").save(written, "PNG")
        return written.getvalue()
    raise ValueError("holds no picture")


def _read_file(path: str, base: str) -> bytes:
    """Read a picture of the data set itself, wherever that lies."""
    if base.startswith("hf://"):
        import fsspec  # type: ignore[import-untyped]

        address = path if "://" in path else f"{base}/{path}"
        if base.partition("@")[0] not in address or not address.startswith(("hf://", "zip://")) or ".." in address:
            raise ValueError(f"names a picture outside the data set: {path[:80]}")
        with fsspec.open(address, "rb") as file:
            return bytes(file.read(MAX_FILE_BYTES))
    place = (Path(base) / path).resolve()
    if "://" in path or PurePosixPath(path).is_absolute() or not place.is_relative_to(base):
        raise ValueError(f"names a picture outside the data set: {path[:80]}")
    try:
        return place.read_bytes()
    except OSError as error:
        raise ValueError(f"the picture {path[:80]} cannot be read ({error.strerror})") from error
