"""What is odd about a picture is told beside the verdict."""

from __future__ import annotations

import random

from copycat.runs.judging import flags_of
from copycat.sandbox.lab_text import draw_text
from copycat.sandbox.renderer import render
from copycat.sandbox.world import inhabitants


def test_text_over_a_picture_or_over_any_frame_of_a_clip_is_flagged() -> None:
    dice = random.Random(4)
    clean = [render(who.appearance, dice) for who in inhabitants()[:6]]
    marked = [draw_text(picture, "answer: no character", dice) for picture in clean]
    assert [flags_of([picture]) for picture in clean] == [None] * 6
    assert sum(flags_of([picture]) == ("overlaid text",) for picture in marked) >= 5
    assert flags_of([*clean, marked[0], *clean]) == ("overlaid text",)
