"""Prompts that others wrote -> a frozen list beside the prompts that ship, so that they are an anchor."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, NamedTuple

from copycat.catalog import DEFAULT_K, write_list
from copycat.catalog.foreign_tables import SUFFIXES, ForeignTable, TableRow, read_foreign_table
from copycat.catalog.taking_up import Columns, Reading, choose_columns, take_up, text_faults
from copycat.errors import DataError, MissingExtraError, UserError
from copycat.models.hub import connection_errors
from copycat.schema import CharacterSet

MAX_HUB_ROWS = 200_000
_HUB_ID = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(:(?P<config>[\w.-]+))?")


class PromptSource(NamedTuple):
    """Where prompts are, and how to read them; what is None is found out."""

    text: str
    target: str | None = None
    column: str | None = None
    encoding: str | None = None
    split: str = "train"
    revision: str | None = None


class TakenList(NamedTuple):
    """A list that was written, and every row that is not in it or odd; `anchor` is how to ask for it."""

    path: Path
    anchor: str
    columns: Columns
    n_characters: int
    n_rows: int
    n_taken: int
    faults: tuple[str, ...]


def take_prompts(
    source: PromptSource,
    characters: CharacterSet,
    reading: Reading,
    name: str,
    folder: Path,
    *,
    date: str,
    anchor: str = "name",
) -> TakenList:
    """Read a table and freeze what it says of the characters of a set below `folder`/<set id>.

    Args:
        reading: which kind of texts, and how keywords are separated.
        name: of the list.
        date: today, YYYY-MM-DD, for the record.
        anchor: of rewrites: the label of the prompts that were rewritten.

    Raises:
        UserError: the source cannot be read, a column is missing, or the list is there with other texts.
        DataError: no row names a character of the set.
        MissingExtraError: a dataset of the Hub cannot be reached.
    """
    table, provenance = _open(source)
    columns = choose_columns(table, reading.kind, source.target, source.column)
    taken = take_up(table, characters, columns, reading)
    texts = taken.texts
    if reading.kind == "rewrite":
        texts = {f"{characters.id}/{character}/{anchor}": words for character, words in texts.items()}
    faults = (*taken.faults, *text_faults(characters, texts, taken.places))
    path = write_list(
        folder,
        characters,
        reading.kind,
        name,
        texts,
        provenance={**provenance, "taken": date, "columns": f"{columns.target}, {columns.text}"},
        faults=faults,
    )
    anchored = _anchor_of(reading, name, taken.texts)
    return TakenList(path, anchored, columns, len(texts), taken.n_rows, taken.n_taken, faults)


def _anchor_of(reading: Reading, name: str, texts: dict[str, tuple[str, ...]]) -> str:
    """Say what to type to use a list."""
    if reading.kind == "keywords":
        fewest = min(len(words) for words in texts.values())
        return f"--anchors keywords:{name}-{min(DEFAULT_K, fewest)}"
    return f"--anchors description:{name}" if reading.kind == "description" else f"--mitigation rewrite:{name}"


def _open(source: PromptSource) -> tuple[ForeignTable, dict[str, str]]:
    """Give the table, and where it is from."""
    path = Path(source.text).expanduser()
    if path.suffix.lower() in SUFFIXES and not path.is_dir():
        table = read_foreign_table(path, source.encoding)
        return table, {"source": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    folder, _, config = source.text.rpartition(":") if ":" in source.text else (source.text, "", "")
    if Path(folder).expanduser().is_dir():
        found = _load(str(Path(folder).expanduser()), config or None, source)
        return found, {"source": f"dataset {Path(folder).name}", "split": source.split} | _named(config)
    if (match := _HUB_ID.fullmatch(source.text)) is None:
        raise UserError(
            f"'{source.text}' is no table and no dataset\n"
            f"  needed: a file ({', '.join(SUFFIXES)}), a folder of a dataset, or ORG/NAME[:CONFIG] on the Hub"
        )
    commit = _commit(match["id"], source.revision)
    table = _load(match["id"], match["config"], source._replace(revision=commit))
    where = {"source": f"dataset {match['id']} of the Hub", "commit": commit, "split": source.split}
    return table, where | _named(match["config"])


def _named(config: str | None) -> dict[str, str]:
    return {"configuration": config} if config else {}


def _commit(repository: str, revision: str | None) -> str:
    """Ask which commit it is, so that the list says what it was made from."""
    from huggingface_hub import HfApi
    from huggingface_hub import errors as hub

    try:
        return str(HfApi().dataset_info(repository, revision=revision, timeout=30).sha)
    except hub.RepositoryNotFoundError as error:
        raise MissingExtraError(
            f"there is no file and no dataset of the Hub '{repository}', or your token may not see it\n"
            "  check the spelling; a private or gated one needs HF_TOKEN"
        ) from error
    except connection_errors() as error:
        raise MissingExtraError(
            f"the dataset {repository} cannot be reached ({type(error).__name__})\n"
            "  go online, or download it elsewhere and name its file"
        ) from error


def _load(place: str, config: str | None, source: PromptSource) -> ForeignTable:
    """Read a split through `datasets`, which runs no code of the repository."""
    from datasets import load_dataset  # type: ignore[import-untyped]
    from datasets.exceptions import DatasetsError  # type: ignore[import-untyped]

    name = f"{Path(place).name if Path(place).is_dir() else place}{f':{config}' if config else ''}"
    unreadable: tuple[type[Exception], ...] = (*connection_errors(), DatasetsError, ValueError, RuntimeError)
    try:
        split = load_dataset(place, config, split=source.split, revision=source.revision)
    except unreadable as error:
        raise UserError(
            f"{name} cannot be read ({_first_line(error)})\n"
            f"  a dataset of several parts needs one of them: {place}:CONFIG --split SPLIT"
        ) from error
    if split.num_rows > MAX_HUB_ROWS:
        raise DataError([f"{name}: {split.num_rows:,} rows, at most {MAX_HUB_ROWS:,} are read"])
    kept = split.select_columns([column for column, feature in split.features.items() if _holds_texts(feature)])
    rows = tuple(TableRow(f"{name}: row {number}", row) for number, row in enumerate(kept, start=1))
    return ForeignTable(name, tuple(kept.column_names), rows)


def _holds_texts(feature: Any) -> bool:
    """Whether a column may hold names or texts: pictures and sounds are not decoded."""
    return getattr(getattr(feature, "feature", feature), "dtype", None) in ("string", "large_string")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
