"""Which frames of a clip are looked at, and the sheet that holds them."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from PIL import Image

from copycat.models.frames import build_sheet, columns_of, cut_sheet, spread_frames


def noise(seed: int, size: tuple[int, int] = (7, 5)) -> Image.Image:
    return Image.frombytes("RGB", size, random.Random(seed).randbytes(size[0] * size[1] * 3))


def test_eight_of_sixteen_frames_are_those_of_the_docstring() -> None:
    assert spread_frames(16, 8) == spread_frames(16) == (0, 2, 4, 6, 9, 11, 13, 15)


@pytest.mark.parametrize(
    ("frames", "kept", "positions"),
    [(9, 3, (0, 4, 8)), (10, 3, (0, 5, 9)), (5, 2, (0, 4)), (49, 8, (0, 7, 14, 21, 27, 34, 41, 48))],
)
def test_halves_are_rounded_up(frames: int, kept: int, positions: tuple[int, ...]) -> None:
    assert spread_frames(frames, kept) == positions


@pytest.mark.parametrize("frames", range(1, 130))
def test_positions_rise_from_the_first_frame_to_the_last_in_steps_that_differ_by_one_at_most(frames: int) -> None:
    positions = spread_frames(frames)
    steps = {later - earlier for earlier, later in pairwise(positions)}
    assert len(positions) == min(frames, 8)
    assert (positions[0], positions[-1]) == (0, frames - 1)
    assert all(step >= 1 for step in steps)
    assert len(steps) <= 1 or max(steps) - min(steps) == 1


@pytest.mark.parametrize("frames", [1, 2, 7, 8])
def test_a_short_clip_is_kept_whole(frames: int) -> None:
    assert spread_frames(frames) == tuple(range(frames))


@pytest.mark.parametrize("count", range(1, 10))
def test_a_sheet_gives_back_every_frame_exactly(count: int) -> None:
    frames = [noise(seed) for seed in range(count)]
    sheet = build_sheet(frames)
    assert [frame.tobytes() for frame in cut_sheet(sheet, count)] == [frame.tobytes() for frame in frames]
    assert [frame.size for frame in cut_sheet(sheet, count)] == [(7, 5)] * count


@pytest.mark.parametrize(
    ("count", "size"), [(1, (7, 5)), (3, (21, 5)), (4, (28, 5)), (5, (28, 10)), (8, (28, 10)), (9, (28, 15))]
)
def test_a_sheet_is_four_frames_wide_at_most_and_as_high_as_it_must_be(count: int, size: tuple[int, int]) -> None:
    assert build_sheet([noise(seed) for seed in range(count)]).size == size
    assert columns_of(count) == size[0] // 7


def test_a_frame_in_another_mode_is_laid_out_in_rgb() -> None:
    (frame,) = cut_sheet(build_sheet([noise(1).convert("L")]), 1)
    assert (frame.mode, frame.tobytes()) == ("RGB", noise(1).convert("L").convert("RGB").tobytes())
