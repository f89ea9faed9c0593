"""Pictures on the cards: a reference, and two generations by name, small and drawn anew.

Each is taken by the sha256 that was scored: a file that is another by now is not shown. What is not there is absent.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import ValidationError

from copycat.errors import CopycatError
from copycat.imitation.generate.pictures import Generation, Generations, read_generations
from copycat.imitation.records import REFERENCES_FILE
from copycat.imitation.report.reading import Study
from copycat.imitation.score.embedding import (
    ABOUT,
    EMBEDDINGS,
    INDEX,
    NUMBER_BYTES,
    VECTORS,
    EmbeddedPicture,
    EmbedderFile,
)
from copycat.imitation.score.references import Reference
from copycat.imitation.tables import read_table
from copycat.runs.folder import read_journal
from copycat.runs.report_pictures import thumbnail_data_uri

SIDE_PX = 96

Vectors = Mapping[str, np.ndarray[tuple[int], np.dtype[np.float32]]]
"""The vector of a picture, (D,) of length 1, by the sha256 of its file."""


class CardPicture(NamedTuple):
    """One picture: what it is, its file as a data URI, and its mean cosine to the references; None for one of them."""

    kind: str
    src: str
    likeness: float | None = None


class _Found(NamedTuple):
    """A file that was scored, before it is drawn."""

    kind: str
    path: Path
    sha256: str
    likeness: float | None = None


def find_pictures(folder: Path, study: Study) -> dict[str, tuple[CardPicture, ...]]:
    """Give the pictures of each concept on the curve, as far as the folders that were scored are still there.

    They are its first reference, and of its generations by name the one in the middle of them by likeness to the
    references (the lower of two), and the most alike.
    """
    references = _references(folder)
    where = _folder_of(study.facts.get("scores.references", ""), folder)
    try:
        vectors = _read_vectors(folder, study.facts)
    except (CopycatError, ValidationError):
        vectors = {}
    generations = _read_generations(folder, study)
    named: dict[str, list[Generation]] = defaultdict(list)
    for row in generations.rows:
        if row.arm == "named" and row.sha256 in vectors and row.status == "ok":
            named[row.concept].append(row)
    pictures = {}
    for point in study.analysis.points:
        chosen = references.get(point.concept, [])
        found = [_Found("reference", where / each.picture, each.sha256) for each in chosen[:1] if where is not None]
        for kind, row, likeness in _middle_and_best(named[point.concept], chosen, vectors):
            found.append(_Found(kind, generations.path_of(row), row.sha256 or "", likeness))
        pictures[point.concept] = tuple(_drawn(found))
    return pictures


def _read_generations(folder: Path, study: Study) -> Generations:
    """Read the generations of a study, or those of the folder that was scored; none where they are gone."""
    where = _folder_of(study.facts.get("scores.generations.folder", ""), folder) or folder
    try:
        return read_generations(where, study.tables.concepts)
    except CopycatError:
        return Generations(where, ())


def _references(folder: Path) -> dict[str, list[Reference]]:
    path, found = folder / REFERENCES_FILE, defaultdict(list)
    for each in read_table(path, Reference, ("concept", "picture")) if path.is_file() else ():
        found[each.concept].append(each)
    return found


def _folder_of(fact: str, study: Path) -> Path | None:
    """Find the folder that a fact names, from where the command runs or from the study; None if it is gone."""
    name = fact.partition(" (sha256")[0]
    places = (Path(name), study / name, study.parent / name) if name else ()
    return next((place for place in places if place.is_dir()), None)


def _read_vectors(folder: Path, facts: Mapping[str, str]) -> Vectors:
    """Read the vectors of the embedder that scored; empty where there are none."""
    for about in sorted((folder / EMBEDDINGS).glob(f"*/{ABOUT}")):
        embedder = EmbedderFile.model_validate_json(about.read_bytes())
        if (embedder.name, embedder.revision) != (facts.get("scores.embedder"), facts.get("scores.embedder.revision")):
            continue
        path, row_bytes = about.parent / VECTORS, embedder.dimensions * NUMBER_BYTES
        n_rows = path.stat().st_size // row_bytes if path.is_file() else 0
        if not n_rows:
            continue
        rows = np.memmap(path, np.float32, "r", shape=(n_rows, embedder.dimensions))
        lines = read_journal(about.parent / INDEX, EmbeddedPicture)
        return {line.sha256: rows[line.row] for line in lines if line.row is not None and line.row < n_rows}
    return {}


def _middle_and_best(
    rows: Sequence[Generation], references: Sequence[Reference], vectors: Vectors
) -> Iterator[tuple[str, Generation, float]]:
    known = [vectors[each.sha256] for each in references if each.sha256 in vectors]
    if not known or not rows:
        return
    mean = np.mean(known, axis=0)
    ordered = sorted((float(vectors[row.sha256 or ""] @ mean), row.sha256 or "", row.path or "", row) for row in rows)
    likeness, *_, row = ordered[(len(ordered) - 1) // 2]
    yield "median", row, likeness
    if len(ordered) > 1:
        likeness, *_, row = ordered[-1]
        yield "closest", row, likeness


def _drawn(found: Sequence[_Found]) -> Iterator[CardPicture]:
    for each in found:
        try:
            content = each.path.read_bytes()
        except OSError:
            continue
        src = thumbnail_data_uri(content, SIDE_PX) if hashlib.sha256(content).hexdigest() == each.sha256 else None
        if src is not None:
            yield CardPicture(each.kind, src, each.likeness)
