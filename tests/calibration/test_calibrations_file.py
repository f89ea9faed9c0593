"""The file beside the run folders that the main job reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from plan_builders import SPEC

from copycat.errors import DataError
from copycat.runs.calibrations import calibration_path, read_calibration, write_calibration
from copycat.runs.folder import judgements_file
from copycat.schema import Calibration, CalibrationCell

CALIBRATION = Calibration(
    judge="open_clip:ViT-B-32/openai@0.3",
    judge_revision="ab" * 20,
    characters="copycat50",
    source="here",
    labels_sha256="c" * 64,
    n_labels=4,
    cells=(CalibrationCell(character="goofy", tp=1, fn=1, fp=1, tn=1),),
)


def path_of(calibration: Calibration, out: Path) -> Path:
    return calibration_path(out, calibration.judge, calibration.judge_revision, calibration.characters)


def test_it_is_named_as_the_verdicts_of_the_judge_are(tmp_path: Path) -> None:
    path = path_of(CALIBRATION, tmp_path)
    spec = SPEC.model_copy(update={"judge": CALIBRATION.judge, "judge_revision": CALIBRATION.judge_revision})
    assert path == tmp_path / "calibrations" / f"{Path(judgements_file(spec)).stem}+copycat50.json"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = path_of(CALIBRATION, tmp_path)
    assert read_calibration(path) is None
    write_calibration(path, CALIBRATION)
    assert read_calibration(path) == CALIBRATION
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_broken_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for text in ("{", "{}", '{"judge": 1}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=r"x.json: cannot be read as a calibration (.|\n)*make it again"):
            read_calibration(path)
