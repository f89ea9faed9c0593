"""An independent implementation of winnowing says the same of which files are copies (copydetect, MIT)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from copycat.fairuse.code.records import CodeOutput

from .conftest import QUEUE, TIDES, recommented, reformatted, renamed, reordered


@pytest.mark.parametrize(
    ("change", "is_copy"),
    [(renamed, True), (recommented, True), (reformatted, True), (reordered, True), (lambda _: QUEUE, False)],
    ids=["renamed", "other comments", "reformatted", "reordered", "another program"],
)
@pytest.mark.slow
def test_both_put_copies_above_the_threshold_and_another_program_below(
    against: Callable[[str], CodeOutput], corpus: Path, tmp_path: Path, change: Callable[[str], str], is_copy: bool
) -> None:
    import matplotlib

    matplotlib.use("Agg")  # copydetect draws, and needs no screen for it
    from copydetect import CodeFingerprint, compare_files

    answer = tmp_path / "answer.py"
    answer.write_text(change(TIDES), encoding="utf-8")
    first, second = (CodeFingerprint(str(path), 25, 1) for path in (answer, corpus / "tides" / "tides.py"))
    _, (theirs, _), _ = compare_files(first, second)
    assert bool(theirs >= 0.33) is is_copy
    assert (against(change(TIDES)).share >= 0.33) is is_copy
