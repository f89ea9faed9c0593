"""Values of measures added up: means with intervals over characters, on each measure's own scale."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean
from typing import Any

import pytest
from pydantic import ValidationError

from copycat.metrics import mean_interval, rate_interval
from copycat.metrics.measures import Scale, summarise_measurements
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


def test_the_figure_is_the_mean_and_its_interval_is_clustered_on_the_scale_of_the_measure(measured: Any) -> None:
    values = [0.1 * i for i in range(24)]
    found = summarise_measurements(SCORE, *measured(*values), "name")
    interval = mean_interval([v / 2.5 for v in values], [f"c{i // 3}" for i in range(24)])
    assert found.value == pytest.approx(fmean(values))
    assert (found.low, found.high) == pytest.approx((2.5 * interval.low, 2.5 * interval.high))
    assert found.low < found.value < found.high
    assert (found.metric, found.n, found.k, found.unit, found.better) == ("clipscore", 24, None, "score", "higher")
    assert found.method == "cluster-bootstrap"


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
