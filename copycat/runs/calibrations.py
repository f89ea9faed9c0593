"""Calibrations beside the run folders: OUT/calibrations/<judge>-<revision>+<characters>.json.

`python -m copycat.calibrate` writes them; the main job reads the one of its judge, in its revision, and corrects
the rates.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from copycat.errors import DataError
from copycat.paths import shown
from copycat.runs.folder import RunFolder, judge_stem, write_json
from copycat.schema import Calibration, RunSpec

CALIBRATIONS = "calibrations"
"""The folder, beside the run folders."""


def calibration_path(out: Path, judge: str, judge_revision: str, characters: str) -> Path:
    """Give the file of a judge's calibration on one character set.

    The name holds eight digits of the revision; whoever reads the file compares all of them.

    Args:
        out: the folder of run folders.
        characters: id of the character set.
    """
    return out / CALIBRATIONS / f"{judge_stem(judge, judge_revision)}+{characters}.json"


def read_calibration(path: Path) -> Calibration | None:
    """Read a calibration; None if there is none.

    Raises:
        DataError: the file is there and holds no calibration.
    """
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
        raise DataError(
            [f"{shown(path)}: cannot be read as a calibration ({why})"],
            "  make it again: python -m copycat.calibrate RUN --labels labels.csv, or move it away",
        ) from error


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration in one step; the one before is replaced."""
    write_json(path, calibration.model_dump(mode="json"))


def take_up_calibration(out: Path, folder: RunFolder, spec: RunSpec) -> Calibration | None:
    """Put the calibration of a run's judge into its folder, so that its figures can be made again from there alone.

    Returns: the calibration; None if the judge, in this revision, was never compared with labels.
    """
    found = read_calibration(calibration_path(out, spec.judge, spec.judge_revision, spec.characters))
    if found is not None and found.judge_revision == spec.judge_revision and found != own_calibration(folder, spec):
        write_calibration(_own_path(folder, spec), found)
    return own_calibration(folder, spec)


def own_calibration(folder: RunFolder, spec: RunSpec) -> Calibration | None:
    """Give the calibration that lies in a run folder for the spec's judge."""
    found = read_calibration(_own_path(folder, spec))
    return found if found is not None and found.judge_revision == spec.judge_revision else None


def _own_path(folder: RunFolder, spec: RunSpec) -> Path:
    return folder.judgements_path(spec).with_suffix(".calibration.json")
