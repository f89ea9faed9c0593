"""Values of measures added up: means with intervals over characters, on each measure's own scale."""

from __future__ import annotations

import random
from collections.abc import Callable
from statistics import fmean
from typing import Any

import pytest
from pydantic import ValidationError
from scipy import stats

from copycat.metrics import rate_interval
from copycat.metrics.measures import Scale, mean_on_scale, summarise_measurements
from copycat.schema import Measurement, Sample

SCORE = Scale(metric="clipscore", top=2.5, unit="score", better="higher")
SHARE = Scale(metric="near_copy", top=1.0, unit="share", better="lower")


@pytest.fixture
def measured(sample_of: Callable[..., Sample]) -> Callable[..., tuple[list[Sample], list[Measurement]]]:
    """Give samples of several characters with their values, three each; None is a picture without one."""

    def build(*values: float | None) -> tuple[list[Sample], list[Measurement]]:
        samples = [sample_of(f"c{i // 3}", repeat=i % 3) for i in range(len(values))]
        reasons = [None if value is not None else "none" for value in values]
        return samples, [
            Measurement(key=s.key, image_sha256=s.sha256 or "", value=v, reason=r)
            for s, v, r in zip(samples, values, reasons, strict=True)
        ]

    return build


def test_the_figure_is_the_mean_and_its_interval_is_students_over_the_means_of_characters(measured: Any) -> None:
    values = [0.7, 0.8, 0.9, 0.6, 0.5, 0.7, 1.0, 0.9, 0.8, 0.4, 0.5, 0.3, 0.6, 0.6, 0.9, 0.5, 0.2, 0.2]
    found = summarise_measurements(SCORE, *measured(*values), "name")
    means = [fmean(values[i : i + 3]) for i in range(0, 18, 3)]
    low, high = stats.t.interval(0.95, 5, loc=fmean(means), scale=stats.sem(means))
    assert found.value == pytest.approx(fmean(values))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert (found.metric, found.n, found.k, found.unit, found.better) == ("clipscore", 18, None, "score", "higher")
    assert found.method == "t-over-characters"


def test_the_interval_stays_on_the_scale(measured: Any) -> None:
    near_the_top = summarise_measurements(SCORE, *measured(*[2.5, 2.5, 2.5] * 2, 2.4, 2.4, 2.4, 1.0, 1.0, 1.0), "name")
    near_zero = summarise_measurements(SCORE, *measured(0.0, 0.0, 0.0, 0.1, 0.1, 0.1, 2.0, 2.0, 2.0), "name")
    assert near_the_top.high <= 2.5
    assert near_zero.low >= 0


def test_equal_values_and_a_single_character_have_a_width_all_the_same(measured: Any) -> None:
    equal = summarise_measurements(SCORE, *measured(*[0.0] * 30), "name")
    single = summarise_measurements(SCORE, *measured(0.7, 0.8, 0.9), "name")
    assert (equal.value, equal.low) == (0, 0)
    assert equal.high > 0.1
    assert single.high - single.low > 0.5


def test_the_interval_of_close_scores_covers_as_often_as_it_says() -> None:
    dice = random.Random(7)
    inside = 0
    for _ in range(400):
        centres = [min(2.5, max(0.0, dice.gauss(0.7, 0.1))) for _ in range(20)]
        values = [min(2.5, max(0.0, dice.gauss(centre, 0.05))) for centre in centres for _ in range(4)]
        found = mean_on_scale(values, [str(i // 4) for i in range(80)], 2.5)
        inside += found.low <= 0.7 <= found.high
    assert 0.925 <= inside / 400 <= 0.975


def test_a_share_counts_its_ones(measured: Any) -> None:
    values = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]
    found = summarise_measurements(SHARE, *measured(*values), "name")
    assert (found.value, found.k, found.n) == (0.5, 3, 6)
    assert (found.low, found.high) == rate_interval(values, ["c0"] * 3 + ["c1"] * 3)[:2]


def test_pictures_without_a_value_are_left_out(measured: Any) -> None:
    found = summarise_measurements(SCORE, *measured(1.0, None, 2.0), "name")
    assert (found.value, found.n) == (1.5, 2)


def test_all_pools_the_anchors(sample_of: Callable[..., Sample]) -> None:
    samples = [sample_of("a", "name"), sample_of("a", "description")]
    found = [
        Measurement(key=s.key, image_sha256=s.sha256 or "", value=v) for s, v in zip(samples, (1.0, 2.0), strict=True)
    ]
    values = [summarise_measurements(SCORE, samples, found, anchor).value for anchor in ("name", "description", "all")]
    assert values == [1.0, 2.0, 1.5]


def test_a_value_of_another_picture_does_not_count(measured: Any) -> None:
    samples, found = measured(1.0, 2.0)
    stale = found[1].model_copy(update={"image_sha256": "0" * 64})
    assert summarise_measurements(SCORE, samples, [found[0], stale], "name").value == 1.0


@pytest.mark.parametrize(("values", "reason"), [((), "no pictures"), ((None, None), "none of 2 pictures has a value")])
def test_without_a_value_there_is_a_reason(measured: Any, values: tuple[None, ...], reason: str) -> None:
    found = summarise_measurements(SCORE, *measured(*values), "name")
    assert (found.value, found.low, found.n, found.reason, found.unit) == (None, None, 0, reason, "score")


def test_a_value_outside_of_the_scale_is_a_bug(measured: Any) -> None:
    with pytest.raises(ValueError, match="values must lie in"):
        summarise_measurements(SCORE, *measured(2.6), "name")
    with pytest.raises(ValueError, match="zeros and ones"):
        summarise_measurements(SHARE, *measured(0.5), "name")


@pytest.mark.parametrize("fields", [{}, {"value": 1.0, "reason": "none"}], ids=["neither", "both"])
def test_a_measurement_has_a_value_or_a_reason(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="a measurement has a value, or the reason"):
        Measurement(key="k", image_sha256="s", **fields)
