"""What is said below the tables where nobody of the set was erased."""

from __future__ import annotations

from pathlib import Path

from erasures import save_erasure
from harness import Cli, Doubles

from copycat.models.resolve import resolve_model


def test_an_erasure_of_nobody_of_the_set_says_why_no_table_is_on_it(
    run: Cli, doubles: Doubles, tmp_path: Path, characters_file: Path, tiny_pipeline: Path
) -> None:
    del doubles, characters_file
    row = resolve_model("fake")
    changes = {"source": row.source, "revision": "1"}
    for name, concepts in (("stranger", ("Meklum", "a [b]")), ("known", ("Goofy",))):
        save_erasure(tiny_pipeline, tmp_path / name, **changes, concepts=concepts, noise=len(name))

    stranger = run("--erased", "stranger", "--seeds", 1).out
    assert "no table on what esd erased: 'Meklum', 'a [b]' are no characters of 'my-set'" in stranger
    assert stranger.count("no table on what") == 1
    assert "on what was erased:" not in stranger
    assert "no table on what" not in run("--erased", "known", "--seeds", 1).out
