"""The versions of a dataset, which of them a record was part of, and which models were trained on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from copycat.errors import DataError
from copycat.names import words
from copycat.paths import shown
from copycat.provenance.dataset import Dataset
from copycat.provenance.dataset.card import load_plain_json, load_plain_yaml
from copycat.provenance.lookup.records import ModelUse
from copycat.provenance.manifest.reading import AGAIN
from copycat.provenance.records import MANIFEST_FILE

MODELS_FILE = "models.yaml"
"""In the sidecar's folder: a list of {name, version, date}, the models that are known to be trained on a version."""

EXPOSURE_FILE = "exposure.json"
"""In the sidecar's folder: concept -> name, how its pictures were counted, and version -> pictures: `counts` of whole
versions, `at_least` of what was left of a version."""

MODELS_HINT = "  needed: a list such as\n    - {name: my-model, version: '3', date: 2026-03-01}"


class History(NamedTuple):
    """Versions in their order, the Merkle root of the newest, and the models that were trained on them."""

    versions: tuple[str, ...] = ()
    root: str | None = None
    models: tuple[ModelUse, ...] = ()

    def versions_of(self, added: str | None, removed: str | None) -> Sequence[str]:
        """Give the versions that a record was part of: from `added` up to, not including, `removed`."""
        if not self.versions or added not in self.versions:
            return ()
        end = self.versions.index(removed) if removed in self.versions else len(self.versions)
        return self.versions[self.versions.index(added) : end]

    def models_with(self, by_version: Mapping[str, int], at_least: Collection[str] = ()) -> tuple[ModelUse, ...]:
        """Give the models, each with how many records its version holds; at least, for the versions `at_least`."""
        return tuple(
            each.model_copy(
                update={"n_records": by_version.get(each.version, 0), "is_at_least": each.version in at_least}
            )
            for each in self.models
            if each.version in self.versions
        )


def history_of(dataset: Dataset) -> History:
    """Read the versions of the manifest and the models beside it; an empty history where there is no manifest."""
    path = dataset.sidecar / MANIFEST_FILE
    rows: Any = []
    if path.is_file():
        try:
            rows = load_plain_json(path.read_bytes())["versions"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            fault = f"{shown(path)}: cannot be read, or names no versions"
            raise DataError([fault], AGAIN) from error
    versions = [row for row in rows if isinstance(row, Mapping) and row.get("version")]
    names = tuple(str(row["version"]) for row in versions)
    root = versions[-1].get("root") if versions else None
    return History(names, root if isinstance(root, str) else None, read_models(dataset.sidecar / MODELS_FILE))


def counted_of(sidecar: Path, name_words: Sequence[str]) -> tuple[dict[str, float | None], dict[str, float]]:
    """Give the pictures of each version that were counted of this name, and the least of those of further versions.

    Raises:
        DataError: the file is not what was written.
    """
    for row in read_exposure(sidecar).values():
        if name_words and words(str(row.get("name"))) == list(name_words):
            return dict(row["counts"]), {each: n for each, n in row["at_least"].items() if each not in row["counts"]}
    return {}, {}


def read_exposure(sidecar: Path) -> dict[str, Any]:
    """Read what was counted around removals; {} where nothing was.

    Raises:
        DataError: the file is not what was written.
    """
    path = sidecar / EXPOSURE_FILE
    if not path.is_file():
        return {}
    try:
        found = load_plain_json(path.read_bytes())["concepts"]
        return {
            name: {**row, "counts": dict(row["counts"]), "at_least": dict(row.get("at_least") or {})}
            for name, row in found.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fault = f"{shown(path)}: holds no counts ({type(error).__name__})"
        raise DataError([fault], "  restore it, or delete it") from error


def read_models(path: Path) -> tuple[ModelUse, ...]:
    """Read which models were trained on which version; nothing where there is no such file.

    Raises:
        DataError: the file is no list of mappings with name and version.
    """
    if not path.is_file():
        return ()
    try:
        rows = load_plain_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError([f"{shown(path)}: cannot be read: {error}"], MODELS_HINT) from error
    models: list[ModelUse] = []
    for row in rows if isinstance(rows, list) else [rows]:
        if not (isinstance(row, Mapping) and row.get("name") and row.get("version") is not None):
            raise DataError([f"{shown(path)}: an entry has no name or no version"], MODELS_HINT)
        day = row.get("date")
        models.append(
            ModelUse(model=str(row["name"]), version=str(row["version"]), date=None if day is None else str(day))
        )
    return tuple(models)
