"""Further measures of a run's pictures: taken once, and again only where a picture has changed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from copycat_doubles import FakeModel
from PIL.Image import Image
from plan_builders import plan_of, run_file
from run_folders import lines_of

from copycat.measures import MEASURES
from copycat.runs import runner
from copycat.runs.executors import LocalExecutor
from copycat.runs.folder import RunFolder
from copycat.runs.measuring import measure_pictures, measurements_path, read_measured
from copycat.schema import CharacterSet, Measurement, Sample

ROW = MEASURES.get("clipscore")


class Brightness:
    """Measures a colour of the first pixel, and remembers whose pictures it was shown."""

    def __init__(self, revision: str = "abcdef0123") -> None:
        self.groups: list[tuple[str, ...]] = []
        self._revision = revision

    def revision(self) -> str:
        return self._revision

    def measure(self, pictures: Sequence[Image], samples: Sequence[Sample]) -> list[Measurement]:
        self.groups.append(tuple(f"{sample.character}/{sample.anchor}" for sample in samples))
        return [
            Measurement(key=s.key, image_sha256=s.sha256 or "", value=p.getpixel((0, 0))[0] / 255)  # type: ignore[index]
            for p, s in zip(pictures, samples, strict=True)
        ]


@pytest.fixture
def folder(tmp_path, doubles) -> RunFolder:
    return RunFolder(tmp_path / "run")


@pytest.fixture
def samples(folder: RunFolder, characters: CharacterSet) -> list[Sample]:
    folder.open(run_file())
    executor = LocalExecutor(FakeModel(), overlaps=False)
    return runner.generate(plan_of(characters), folder, executor, lambda count: None)


def measure(folder: RunFolder, samples: Sequence[Sample], by: Brightness) -> list[Measurement]:
    return measure_pictures(folder, samples, ROW, by, lambda count: None)


def test_pictures_of_one_character_and_anchor_come_in_one_call(folder: RunFolder, samples: list[Sample]) -> None:
    by = Brightness()
    found = measure(folder, samples, by)
    assert [m.key for m in found] == [s.key for s in samples]
    assert {len(set(group)) for group in by.groups} == {1}
    assert len(by.groups) == len({s.character for s in samples}) * 2


def test_what_is_measured_is_not_measured_again(folder: RunFolder, samples: list[Sample]) -> None:
    first = measure(folder, samples, Brightness())
    again = Brightness()
    assert measure(folder, samples, again) == first
    assert again.groups == []


def test_a_run_that_was_cut_off_measures_only_the_groups_that_are_not_whole(
    folder: RunFolder, samples: list[Sample]
) -> None:
    whole = measure(folder, samples, Brightness())
    path = measurements_path(folder, ROW, Brightness().revision())
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:9]) + lines[9][:20])
    again = Brightness()
    assert measure(folder, samples, again) == whole
    assert len(again.groups) == 3
    assert len(lines_of(path)) == len(samples)


def test_another_revision_has_a_file_of_its_own(folder: RunFolder, samples: list[Sample]) -> None:
    measure(folder, samples, Brightness())
    other = Brightness("0123456789")
    measure(folder, samples, other)
    assert other.groups
    assert len(list((folder.path / "measures").iterdir())) == 2


def test_a_picture_that_cannot_be_read_has_a_reason_and_takes_no_other_with_it(
    folder: RunFolder, samples: list[Sample]
) -> None:
    (folder.path / (samples[0].image or "")).unlink()
    found = measure(folder, samples, Brightness())
    assert found[0].value is None
    assert "cannot be read" in (found[0].reason or "")
    assert all(m.value is not None for m in found[1:])


def test_figures_are_made_of_the_measures_that_the_run_file_names(folder: RunFolder, samples: list[Sample]) -> None:
    measure(folder, samples, Brightness())
    assert read_measured(folder) == []
    run = folder.read_run().model_copy(update={"measures": {"clipscore": Brightness().revision()}})
    folder.write_run(run)
    (measured,) = read_measured(folder)
    assert measured.scale == ROW.scale
    assert len(measured.measurements) == len(samples)
