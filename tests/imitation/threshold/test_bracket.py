"""The bracket covers a true step, also where prompts differ and counts are intervals."""

from __future__ import annotations

import numpy as np
from curves import make_points, step_points

from copycat.imitation.records import Bracket, Point
from copycat.imitation.threshold.bracket import draw_studies, find_bracket, place_concepts
from copycat.imitation.threshold.steps import make_curve


def bracket_of(points: list[Point], seed: int = 0) -> Bracket:
    curve = make_curve(points)
    found = find_bracket(curve, draw_studies(curve, 300, seed))
    assert found is not None
    return found


def test_a_true_step_is_covered_in_nearly_every_study() -> None:
    found = [bracket_of(step_points(seed, n=100), seed) for seed in range(60)]

    assert np.mean([one.last_below < 300 <= one.first_above for one in found]) >= 0.93


def test_the_bracket_is_narrower_with_more_concepts() -> None:
    few, many = (bracket_of(step_points(0, n=n)) for n in (50, 400))

    assert many.first_above / many.last_below < few.first_above / few.last_below


def test_unsure_counts_widen_the_bracket_and_are_named() -> None:
    points = step_points(1)
    unsure = [p.model_copy(update={"count_low": p.count / 3, "count_high": p.count * 3}) for p in points]

    sure, wide = bracket_of(points), bracket_of(unsure)

    assert wide.first_above / wide.last_below > sure.first_above / sure.last_below
    assert "counts" in wide.method
    assert "counts" not in sure.method


def test_the_same_seed_draws_the_same_studies() -> None:
    curve = make_curve([p.model_copy(update={"prompts": (p.score, p.score + 0.1)}) for p in step_points(2, n=50)])

    one, again, other = (draw_studies(curve, 20, seed) for seed in (0, 0, 1))

    assert (one.y == again.y).all()
    assert (one.y != other.y).any()
    assert (np.diff(one.x, axis=1) >= 0).all()


def test_a_concept_whose_interval_reaches_into_the_bracket_is_uncertain() -> None:
    points = make_points(np.array([10.0, 100.0, 1000.0, 2000.0]), np.zeros(4))
    points[3] = points[3].model_copy(update={"count_low": 150.0, "count_high": 9000.0})

    placed = place_concepts(make_curve(points), Bracket(last_below=50, first_above=200, method="m"))

    assert [one.side for one in placed] == ["below", "uncertain", "above", "uncertain"]
