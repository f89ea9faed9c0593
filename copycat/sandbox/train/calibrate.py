"""Fix the judge's threshold on a validation split, and write it beside the weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from copycat.judges import JudgeRow, Verdict
from copycat.judges.open_clip_judge import SETTINGS_FILE, OpenClipJudge
from copycat.sandbox.corpus import Pixels
from copycat.sandbox.export import build_character_set
from copycat.sandbox.train.judge import CHARACTER_TEMPLATE, NOBODY, THING_TEMPLATE, Example

TARGET = "copycat.judges.open_clip_judge:OpenClipJudge"


def calibrate(folder: Path, validation: Sequence[Example], pixels: Pixels) -> float:
    """Choose the threshold that gives the best F1 on the validation split, and write judge.json.

    Args:
        pixels: the pictures of `validation`, (N, 64, 64, 3) uint8.

    Returns: the threshold, a probability in [0, 1].
    """
    _write_settings(folder, threshold=0.0, calibration="none yet")
    verdicts = judge_pixels(folder, pixels)
    candidates = np.round(np.arange(0.3, 0.991, 0.01), 2)
    scores = [f1_at(float(t), verdicts, validation) for t in candidates]
    best = float(np.median(candidates[np.isclose(scores, max(scores))]))
    _write_settings(
        folder,
        threshold=round(best, 3),
        calibration=f"best F1 ({max(scores):.4f}) on {len(validation)} validation renders, seed 'judge-validation', "
        "every other one through the autoencoder with noise",
    )
    return best


def judge_pixels(folder: Path, pixels: Pixels) -> list[Verdict]:
    """Judge renders with the judge in a folder, as the main job would."""
    row = JudgeRow(name="sandbox", target=TARGET, source=str(folder.resolve()), summary="", is_calibrated=False)
    judge, characters = OpenClipJudge(row, "cpu"), build_character_set()
    anybody = characters.characters[0].id
    verdicts: list[Verdict] = []
    for start in range(0, len(pixels), 128):
        pictures = [Image.fromarray(p) for p in pixels[start : start + 128]]
        verdicts += judge.judge(pictures, [anybody] * len(pictures), characters)
    return verdicts


def f1_at(threshold: float, verdicts: Sequence[Verdict], examples: Sequence[Example]) -> float:
    """Give the F1 of naming the right character: a wrong name is a false alarm and a miss at once."""
    precision, recall = precision_and_recall(threshold, verdicts, examples)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def precision_and_recall(
    threshold: float, verdicts: Sequence[Verdict], examples: Sequence[Example]
) -> tuple[float, float]:
    """Give precision and recall of naming the right character at a threshold."""
    named = [
        (v.detected if (v.confidence or 0.0) >= threshold else None, e.character)
        for v, e in zip(verdicts, examples, strict=True)
    ]
    right = sum(said is not None and said == truth for said, truth in named)
    said = sum(name is not None for name, _ in named)
    shown = sum(truth is not None for _, truth in named)
    return right / max(1, said), right / max(1, shown)


def _write_settings(folder: Path, threshold: float, calibration: str) -> None:
    settings = {
        "character_template": CHARACTER_TEMPLATE,
        "thing_template": THING_TEMPLATE,
        "none_texts": [CHARACTER_TEMPLATE.format(NOBODY)],
        "threshold": threshold,
        "calibration": calibration,
    }
    (folder / SETTINGS_FILE).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
