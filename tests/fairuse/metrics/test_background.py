"""The discount for common phrases."""

from __future__ import annotations

import math

import pytest

from copycat.fairuse.metrics import Background, compare_texts, scores, shipped_background
from copycat.fairuse.metrics.background import UNSEEN

STORY = "once upon a time there was a keeper who wound the tide clock"
RARE = "lanterns of moss hum beneath the brass otter bell"


def test_the_weights_of_words_are_those_worked_out_by_hand() -> None:
    background = Background.of_texts(["the bell the bell the clock"])
    weights = background.weights(["the", "bell", "moss", "clock"])

    def weight(chance: float) -> float:
        return math.log(chance) / math.log(UNSEEN)

    # the: 3 of 6 words. bell: 2 of 3 times behind "the". moss: never. clock: none of its phrases, alone 1 of 6, with a
    # back-off of 0.4 for each of the three words before it.
    assert weights == pytest.approx([weight(3 / 6), weight(2 / 3), 1.0, weight(0.4**3 / 6)])


def test_once_upon_a_time_is_hardly_a_hit_and_rare_words_are_one_each() -> None:
    background = shipped_background()
    common, rare = (scores(text, text, background) for text in ("once upon a time there was a", RARE))

    assert common.discounted_runs is not None
    assert rare.discounted_runs is not None
    assert common.discounted_runs < 0.3 * common.acs_3
    assert rare.discounted_runs > 0.75 * rare.acs_3


def test_a_background_of_ones_own_discounts_its_own_phrases() -> None:
    own = Background.of_texts([STORY] * 3)
    found = compare_texts(STORY, STORY, own)
    assert found.canonical.discounted_runs is not None
    assert found.canonical.discounted_runs < 0.2 * found.canonical.acs_3
    assert compare_texts(RARE, RARE, own).canonical.discounted_runs == pytest.approx(9, abs=1)


def test_without_a_background_there_is_no_discounted_figure() -> None:
    assert scores(STORY, STORY).discounted_runs is None


def test_texts_that_share_nothing_have_nothing_to_discount() -> None:
    assert scores(STORY, RARE, shipped_background()).discounted_runs == 0
    assert Background.of_texts([""]).weights(["bell"]) == [1.0]
