"""A run folder as it is calibrated: its samples, and the very characters that it was made with."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from copycat.catalog import characters_sha256, read_character_set
from copycat.errors import DataError, UnknownNameError, UserError
from copycat.paths import shown
from copycat.runs.folder import RunFile, RunFolder
from copycat.schema import BENIGN, CharacterSet, Sample


class OpenedRun(NamedTuple):
    """What is read of a run; nothing of it is changed."""

    folder: RunFolder
    run: RunFile
    samples: tuple[Sample, ...]
    characters: CharacterSet

    @property
    def pictures(self) -> dict[str, Sample]:
        """The samples that have a picture, by key."""
        return {sample.key: sample for sample in self.samples if sample.status == "ok"}


def open_run(path: Path, characters: str | None) -> OpenedRun:
    """Read a run folder.

    Args:
        characters: the set or file that the run was made with; None: the set that ships under the run's name.

    Raises:
        DataError: this is no run folder, or one without pictures.
        UserError: the characters are not those of the run.
    """
    if not (path / "run.json").is_file():
        raise DataError(
            [f"{shown(path)}: is no run folder, there is no run.json in it"],
            "  needed: the folder of one run, such as runs/sandbox+none+sandbox+b11801d6; "
            "make one: python -m copycat.eval --model sandbox",
        )
    folder = RunFolder(path)
    run, samples = folder.read_run(), tuple(folder.read_samples())
    if not any(sample.status == "ok" for sample in samples):
        raise DataError([f"{shown(path)}: holds no finished picture"], "  finish the run first: python -m copycat.eval")
    return OpenedRun(folder, run, samples, _characters_of(run, characters))


def _characters_of(run: RunFile, asked_for: str | None) -> CharacterSet:
    spec = run.spec
    if BENIGN in spec.anchors:
        raise UserError(
            "the pictures of this run are of benign prompts: nobody was asked for, there is nothing to label\n"
            "  needed: a run on the prompts of characters, made by the same command, with or without --benign"
        )
    needed = f"  needed: --characters FILE, the character set '{spec.characters}' that the run was made with"
    try:
        characters = read_character_set(asked_for or spec.characters)
    except UnknownNameError as error:
        if asked_for is not None:
            raise
        raise UserError(f"the characters of this run, '{spec.characters}', are no set that ships\n{needed}") from error
    if characters_sha256(characters) != spec.characters_sha256:
        whose = f"'{asked_for}'" if asked_for else f"the set '{spec.characters}' that ships now"
        raise UserError(f"the run was made with other characters than {whose}\n{needed}, unchanged")
    return characters
