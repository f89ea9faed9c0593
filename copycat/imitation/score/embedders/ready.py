"""Vectors of a user's own, in place of pictures.

    FILE.npy        (N, D) float, and beside it FILE.csv with a row for each vector
    FILE.npz        an array "vectors" (N, D) float, and arrays of N texts
    FILE.parquet    a column "vector" of lists of D numbers, and columns of texts; a null vector: rejected

Texts: `concept` (id or name); if you like `arm` ("named" where there is none), `prompt`, and `reason`: where it is not
empty the picture has no vector, for this reason, and lowers the coverage; its numbers are not looked at. References
have a `concept` alone. Nothing is unpickled.
"""

from __future__ import annotations

import csv
import hashlib
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from copycat.errors import DataError, UserError, first_faults
from copycat.imitation.records import ARMS
from copycat.imitation.score.scoring import Floats, norms_of
from copycat.paths import shown

if TYPE_CHECKING:
    import polars as pl

FORMS = (".npy", ".npz", ".parquet")
TEXTS = ("concept", "arm", "prompt", "reason")
FIX = "  needed: .npy with a .csv beside it, .npz or .parquet with vectors and concepts; see docs/imitation.md"


class VectorTable(NamedTuple):
    """Vectors with their texts. `vectors` is (N, D), of any length; rows with a reason are to be left alone."""

    vectors: Floats
    concept: list[str]
    arm: list[str]
    prompt: list[str]
    reason: list[str]


def read_vectors(path: Path) -> VectorTable:
    """Read a file of vectors; .npy is mapped into memory.

    Raises:
        UserError: there is no such file, or it has another form.
        DataError: rows without a concept, unknown arms, vectors that are zero or hold NaN or infinity; all at once.
    """
    if path.suffix not in FORMS or not path.is_file():
        what = "there is no file" if not path.exists() else "no file of vectors:"
        raise UserError(f"{what} {shown(path)}\n{FIX}")
    readers = {".npy": _read_npy, ".npz": _read_npz, ".parquet": _read_parquet}
    try:
        vectors, texts = readers[path.suffix](path)
    except DataError:
        raise
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, csv.Error) as error:
        raise DataError([f"{shown(path)}: cannot be read ({str(error)[:200]})"], FIX) from error
    if vectors.ndim != 2 or not np.issubdtype(vectors.dtype, np.floating):
        said = f"{vectors.dtype} of shape {vectors.shape}"
        raise DataError([f"{shown(path)}: holds {said}, and (N, D) float is needed"], FIX)
    table = _table(path, vectors, texts)
    if faults := _faults(path, table):
        raise DataError(first_faults(faults), FIX)
    return table


def digests_of(vectors: Floats) -> list[str]:
    """Give the sha256 of each vector as float32: what stands for that of a picture where there is none."""
    return [hashlib.sha256(np.asarray(row, "<f4").tobytes()).hexdigest() for row in vectors]


def _table(path: Path, vectors: Floats, texts: dict[str, list[str]]) -> VectorTable:
    if "concept" not in texts:
        raise DataError([f"{shown(path)}: has no column 'concept'"], FIX)
    for name, column in texts.items():
        if len(column) != len(vectors):
            raise DataError([f"{shown(path)}: {len(vectors):,} vectors and {len(column):,} of '{name}'"], FIX)
    n = len(vectors)
    arms = [arm or "named" for arm in texts.get("arm", [""] * n)]
    return VectorTable(vectors, texts["concept"], arms, texts.get("prompt", [""] * n), texts.get("reason", [""] * n))


def _faults(path: Path, table: VectorTable) -> list[str]:
    faults = [f"{shown(path)}: row {n + 1}: has no concept" for n, who in enumerate(table.concept) if not who]
    strange = Counter(arm for arm in table.arm if arm not in ARMS)
    faults += [
        f"{shown(path)}: {n} rows of an unknown arm '{arm}'; one of {', '.join(ARMS)}" for arm, n in strange.items()
    ]
    norms = norms_of(table.vectors)
    for n in np.flatnonzero(~(np.isfinite(norms) & (norms > 0))):
        if not table.reason[n]:
            what = "a vector of zeros" if norms[n] == 0 else "a vector with NaN or infinity"
            told = "; a picture without a vector has a reason instead"
            faults.append(f"{shown(path)}: row {n + 1} ('{table.concept[n]}'): {what}{told}")
    return faults


def _read_npy(path: Path) -> tuple[Floats, dict[str, list[str]]]:
    import polars as pl

    beside = path.with_suffix(".csv")
    if not beside.is_file():
        raise DataError([f"{shown(path)}: there is no {shown(beside)} to tell whose the vectors are"], FIX)
    vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    try:
        rows = pl.read_csv(beside, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise DataError([f"{shown(beside)}: cannot be read ({str(error).splitlines()[0]})"], FIX) from error
    return vectors, _texts(rows)


def _read_npz(path: Path) -> tuple[Floats, dict[str, list[str]]]:
    with np.load(path, allow_pickle=False) as arrays:
        if "vectors" not in arrays:
            raise DataError([f"{shown(path)}: has no array 'vectors'"], FIX)
        texts = {name: [str(value) for value in arrays[name].ravel()] for name in TEXTS if name in arrays}
        return arrays["vectors"], texts


def _read_parquet(path: Path) -> tuple[Floats, dict[str, list[str]]]:
    import polars as pl

    try:
        rows = pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise DataError([f"{shown(path)}: cannot be read ({str(error).splitlines()[0]})"], FIX) from error
    if "vector" not in rows.columns or not isinstance(rows.schema["vector"], pl.List | pl.Array):
        raise DataError([f"{shown(path)}: has no column 'vector' of lists of numbers"], FIX)
    texts = _texts(rows)
    vectors, is_there = _stacked(path, rows["vector"])
    if not is_there.all():
        reasons = texts.get("reason", [""] * len(rows))
        texts["reason"] = [why or ("" if there else "no vector") for why, there in zip(reasons, is_there, strict=True)]
    return vectors, texts


def _stacked(path: Path, column: pl.Series) -> tuple[Floats, np.typing.NDArray[np.bool_]]:
    """Give (N, D), and which rows are there; those that are not are zeros."""
    import polars as pl

    is_there = column.is_not_null().to_numpy()
    present = (
        column.drop_nulls().cast(pl.List(pl.Float32)) if isinstance(column.dtype, pl.Array) else column.drop_nulls()
    )
    lengths = present.list.len().to_numpy()
    if not len(present):
        return np.zeros((len(column), 1), np.float32), is_there
    dimensions = int(np.bincount(lengths).argmax())
    if (wrong := np.flatnonzero(lengths != dimensions)).size or not dimensions:
        faults = [
            f"{shown(path)}: row {row + 1}: {n} numbers, and {dimensions} in most"
            for row, n in zip(np.flatnonzero(is_there)[wrong], lengths[wrong], strict=True)
        ]
        raise DataError(first_faults(faults) or [f"{shown(path)}: its vectors are empty"], FIX)
    flat = present.explode().cast(pl.Float32, strict=False).to_numpy().reshape(-1, dimensions)
    if is_there.all():
        return flat, is_there
    whole = np.zeros((len(column), dimensions), np.float32)
    whole[is_there] = flat
    return whole, is_there


def _texts(rows: pl.DataFrame) -> dict[str, list[str]]:
    import polars as pl

    return {name: rows[name].cast(pl.String).fill_null("").to_list() for name in TEXTS if name in rows.columns}


def rows_by(table: VectorTable) -> dict[tuple[str, str, str], Sequence[int]]:
    """Group the rows by concept, arm and prompt, in the order of the file."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for row, key in enumerate(zip(table.concept, table.arm, table.prompt, strict=True)):
        found.setdefault(key, []).append(row)
    return dict(found)
