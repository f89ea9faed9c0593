"""A run as a Hub dataset, or as an ImageFolder."""

from __future__ import annotations

import json
from pathlib import Path

from copycat.errors import DataError
from copycat.runs.folder import write_bytes, write_json
from copycat.sharing.croissant import build_croissant
from copycat.sharing.folders import new_folder
from copycat.sharing.opened_run import OpenedRun, local_name, picture_bytes, shared_spec
from copycat.sharing.parquet import ONLY_SPLIT, WrittenTable, write_table
from copycat.sharing.run_card import OTHER_LICENCE, about_run, run_card
from copycat.sharing.run_tables import estimate_rows, estimate_schema, sample_rows, sample_schema


def export_run(
    opened: OpenedRun, out: Path, *, licence: str = OTHER_LICENCE, has_pictures: bool = True, date: str | None = None
) -> list[WrittenTable]:
    """Write samples with verdicts and pictures, and estimates, as a folder that is a Hub dataset.

    Args:
        licence: of the pictures and verdicts, as the Hub calls it; the user's to choose.
        has_pictures: whether the bytes of the pictures go with them.
        date: when the data set is published, YYYY-MM-DD.

    Raises:
        UserError: something else lies at `out`.
        DataError: pictures that are missing or changed.
    """
    with new_folder(out) as folder:
        samples = sample_rows(opened, has_pictures)
        tables = [write_table(folder, "samples", ONLY_SPLIT, sample_schema(has_pictures), samples)]
        tables += [write_table(folder, "estimates", ONLY_SPLIT, estimate_schema(), estimate_rows(opened))]
        result = opened.result.model_dump(mode="json") | {"model": local_name(opened.result.model)}
        write_json(folder / "metrics.json", result)
        write_json(folder / "settings.json", shared_spec(opened))
        write_json(folder / "croissant.json", build_croissant(about_run(opened, licence, has_pictures, date), tables))
        write_bytes(folder / "README.md", run_card(opened, tables, licence, has_pictures).encode())
    return tables


def export_image_folder(opened: OpenedRun, out: Path) -> int:
    """Write the pictures with a metadata.jsonl, as `load_dataset("imagefolder", data_dir=...)` reads them.

    Requests without a picture are not in it.

    Returns: the number of pictures.

    Raises:
        UserError: something else lies at `out`.
        DataError: pictures that are missing or changed, or none at all.
    """
    lines, columns = [], sample_schema(has_pictures=False).names
    faults: list[str] = []
    with new_folder(out) as folder:
        for sample, row in zip(opened.samples, sample_rows(opened, has_pictures=False), strict=True):
            content = picture_bytes(opened, sample, faults)
            if content is None:
                continue
            name = f"{sample.key}{Path(sample.image or '').suffix}"
            write_bytes(folder / name, content)
            whole = {column: row.get(column) for column in columns}
            lines.append(json.dumps({"file_name": name, **whole}, ensure_ascii=False, allow_nan=False))
        if faults or not lines:
            raise DataError(faults or [f"{opened.run.id}: has no picture"])
        write_bytes(folder / "metadata.jsonl", ("\n".join(lines) + "\n").encode())
    return len(lines)
