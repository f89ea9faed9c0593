"""Diversity: hand-worked distances, and groups of one prompt."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from statistics import fmean

import pytest
from tiny_judge import sandbox_render

from copycat.measures import Measure
from copycat.measures.diversity import ALONE, mean_distances
from copycat.schema import Sample


def test_a_picture_has_its_mean_cosine_distance_to_the_others() -> None:
    vectors = [(1.0, 0.0), (0.0, 1.0), (0.6, 0.8)]
    # cosines: 0, 0.6 and 0.8
    assert mean_distances(vectors) == pytest.approx([(1 + 0.4) / 2, (1 + 0.2) / 2, (0.4 + 0.2) / 2])


def test_the_mean_over_the_pictures_is_the_mean_over_the_pairs() -> None:
    vectors = [(1.0, 0.0), (0.0, 1.0), (0.6, 0.8), (-1.0, 0.0)]
    pairs = [1 - sum(x * y for x, y in zip(a, b, strict=True)) for a, b in combinations(vectors, 2)]
    assert fmean(d for d in mean_distances(vectors) if d is not None) == pytest.approx(fmean(pairs))


def test_equal_pictures_have_no_diversity_and_opposite_ones_the_most() -> None:
    assert mean_distances([(1.0, 0.0)] * 3) == [0.0, 0.0, 0.0]
    assert mean_distances([(1.0, 0.0), (-1.0, 0.0)]) == [2.0, 2.0]


def test_pictures_are_compared_within_their_prompt_and_one_alone_has_a_reason(
    build: Callable[..., Measure], samples: Callable[..., Sample]
) -> None:
    asked = [samples("a", "one", 0), samples("a", "one", 1), samples("a", "two", 2), samples("a", "two", 3)]
    asked.append(samples("a", "three", 4))
    same, other = sandbox_render(0, 1), sandbox_render(9, 1)

    found = build("diversity").measure([same, same, same, other, other], asked)

    assert [m.key for m in found] == [s.key for s in asked]
    assert [m.value for m in found[:2]] == pytest.approx([0, 0], abs=1e-5)
    assert found[2].value == found[3].value > 0.1
    assert (found[4].value, found[4].reason) == (None, ALONE)
