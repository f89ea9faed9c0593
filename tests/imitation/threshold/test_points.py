"""Counts and scores as points: an interval of a score ends where its metric does."""

from __future__ import annotations

import pytest

from copycat.imitation.records import ConceptCount, Score
from copycat.imitation.threshold.points import GivenScore, control_band, make_points

HIGH, LOW = (0.99, 0.86), (0.02, 0.14)


@pytest.mark.parametrize(
    ("metric", "values", "ends"),
    [
        ("raw", HIGH, (0.099, 1.0)),
        ("identified", HIGH, (0.099, 1.0)),
        ("matched", LOW, (0.0, 0.842)),
        ("raw", LOW, (-0.682, 0.842)),
        ("z", HIGH, (0.099, 1.751)),
        ("score", HIGH, (0.099, 1.751)),
    ],
)
def test_an_interval_ends_at_what_the_metric_can_reach(
    metric: str, values: tuple[float, float], ends: tuple[float, float]
) -> None:
    rows = [GivenScore(concept="zormi", prompt=str(n), **{metric: value}) for n, value in enumerate(values)]  # type: ignore[arg-type]
    points, _ = make_points([ConceptCount(concept="zormi", count=9)], rows, metric)

    assert (points[0].score_low, points[0].score_high) == pytest.approx(ends, abs=1e-3)


def test_the_control_band_ends_at_what_the_metric_can_reach() -> None:
    rows = [Score(concept=f"c-{n}", arm="zero", matched=value, n=4, planned=4) for n, value in enumerate((0.0, 0.1))]
    band = control_band(rows, "matched")

    assert band is not None
    assert (band.low, band.mean, round(band.high, 3)) == (0.0, 0.05, 0.948)  # 12.7 deviations, one degree of freedom
