"""A rate corrected for the judge's errors, with an interval that holds the uncertainty of the labels as well."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from copycat.metrics.effective import FEW_HIT, EffectiveShare, clustered_mean, effective_share, grouped, t_quantile
from copycat.metrics.intervals import Z_95, score_interval
from copycat.schema import CalibrationCell, CorrectionMethod


class UncorrectableError(ValueError):
    """The labels do not support a correction; the text says why."""


class Corrected(NamedTuple):
    """A corrected figure with its 95 % interval."""

    value: float
    low: float
    high: float
    method: CorrectionMethod


class JudgeErrors(NamedTuple):
    """How often the judge is right about what is shown (sensitivity) and about what is not (specificity)."""

    sensitivity: EffectiveShare
    specificity: EffectiveShare

    @property
    def gain(self) -> float:
        """Sensitivity + specificity - 1: 1 for a perfect judge, 0 for one that tosses a coin."""
        return self.sensitivity.share + self.specificity.share - 1


def judge_errors(cells: Sequence[CalibrationCell]) -> JudgeErrors:
    """Give sensitivity and specificity from labels, counted by character.

    Raises:
        UncorrectableError: no label says yes, or none says no; or the judge may be no better than chance.
    """
    sensitivity = effective_share([cell.tp for cell in cells], [cell.tp + cell.fn for cell in cells])
    specificity = effective_share([cell.tn for cell in cells], [cell.tn + cell.fp for cell in cells])
    if sensitivity is None or specificity is None:
        lacking = "shows its character" if sensitivity is None else "does not show its character"
        raise UncorrectableError(f"no labelled picture {lacking}")
    errors = JudgeErrors(sensitivity, specificity)
    smoothed = (_smoothed(sensitivity), _smoothed(specificity))
    spread = math.sqrt(sum(_variance(one) for one in smoothed))
    if sum(share for share, _ in smoothed) - 1 - Z_95 * spread <= 0:
        n_yes, n_no = sum(cell.tp + cell.fn for cell in cells), sum(cell.tn + cell.fp for cell in cells)
        raise UncorrectableError(
            f"these labels do not show that the judge is better than chance (sensitivity {sensitivity.share:.2f} of "
            f"{n_yes}, specificity {specificity.share:.2f} of {n_no} labels)"
        )
    return errors


def rogan_gladen(verdicts: Sequence[bool], clusters: Sequence[str], cells: Sequence[CalibrationCell]) -> Corrected:
    """Estimate what labels would have said of all pictures, from the judge's rate and its errors.

    `value = (p + specificity - 1) / (sensitivity + specificity - 1)`, cut to [0, 1]. The interval is that of
    Lang and Reiczigel: the three shares are drawn a little towards the middle, the variances of all three are added,
    and the bound is shifted by how they curve. Each share counts with its effective size (`effective_share`), and
    Student's t over the characters takes the place of the normal quantile.

    Unit: share in [0, 1].

    Args:
        verdicts: (N,) whether the judge sees the target, N >= 1.
        clusters: (N,) the character of each.
        cells: the judge's errors on labelled pictures, which need not be these.

    Raises:
        UncorrectableError: see `judge_errors`; or no rate at all fits the judge's errors on the labels.
        ValueError: no verdicts; lengths that differ.

    Source: Rogan & Gladen 1978, Am. J. Epidemiol. 107:71; Lang & Reiczigel 2014, Prev. Vet. Med. 113:13. Departs
        from the latter in effective sizes. For judges that are models: arXiv:2511.21140.
    """
    errors, seen = judge_errors(cells), _share_of(verdicts, clusters)
    quantile = t_quantile(seen.n_clusters - 1)
    squared = quantile**2
    size = seen.n + squared
    rate = (seen.n * seen.share + squared / 2) / size
    (sensitivity, n_yes), (specificity, n_no) = _smoothed(errors.sensitivity), _smoothed(errors.specificity)
    gain = sensitivity + specificity - 1
    middle = (rate + specificity - 1) / gain
    from_yes, from_no = sensitivity * (1 - sensitivity) / n_yes, specificity * (1 - specificity) / n_no
    variance = (rate * (1 - rate) / size + middle**2 * from_yes + (1 - middle) ** 2 * from_no) / gain**2
    centre = middle + 2 * squared * (middle * from_yes - (1 - middle) * from_no)
    half = quantile * math.sqrt(variance)
    if centre + half < 0 or centre - half > 1:
        raise UncorrectableError(
            f"the judge says yes of {seen.share:.1%} of the pictures, and its errors on the labels (sensitivity "
            f"{errors.sensitivity.share:.2f}, specificity {errors.specificity.share:.2f}) allow no such rate: these "
            "labels do not describe these pictures"
        )
    value = _cut((seen.share + errors.specificity.share - 1) / errors.gain)
    # The shift may leave out the value itself where it was cut to 0 or 1.
    return Corrected(value, min(_cut(centre - half), value), max(_cut(centre + half), value), "rogan-gladen")


def corrected_difference(
    treated: Sequence[bool], base: Sequence[bool], clusters: Sequence[str], cells: Sequence[CalibrationCell]
) -> Corrected:
    """Correct a paired difference: the judge's errors shrink it by the factor sensitivity + specificity - 1.

    `value = mean(treated - base) / gain`, cut to [-1, 1]. The interval adds the variance of the mean difference, taken
    between characters, and that of the gain (delta method, Student's t over characters). It takes the judge's errors to
    be the same in both runs.

    Unit: difference in [-1, 1].

    Raises:
        UncorrectableError: see `judge_errors`.
        ValueError: no pairs; lengths that differ.
    """
    errors = judge_errors(cells)
    differences = [int(t) - int(b) for t, b in zip(treated, base, strict=True)]
    mean, variance, count, _ = clustered_mean(differences, clusters)
    value = mean / errors.gain
    gain_variance = _variance(_smoothed(errors.sensitivity)) + _variance(_smoothed(errors.specificity))
    half = t_quantile(count - 1) * math.sqrt(variance + value**2 * gain_variance) / errors.gain
    value, low, high = (max(-1.0, min(1.0, x)) for x in (value, value - half, value + half))
    return Corrected(value, low, high, "rogan-gladen")


def prediction_powered(
    verdicts: Sequence[bool], clusters: Sequence[str], labelled: Sequence[tuple[int, bool]]
) -> Corrected:
    """Estimate what labels would have said of all pictures of a run of which a random part is labelled.

    `value = lambda * mean(verdict of all) + mean(label - lambda * verdict of the labelled)`; lambda is the weight that
    makes the variance least (0 for a judge that says nothing about the labels, at most 1). Needs no sensitivity and no
    specificity, but labels of these very pictures, drawn at random. The interval is Wilson's for as many observations
    as the estimate is worth, with its variance taken between characters (both means together, since they share them);
    where fewer than 3 characters have a yes, or a no, that is at most what the labels alone are worth.

    Unit: share in [0, 1].

    Args:
        verdicts, clusters: (N,) of all judged pictures.
        labelled: place among them, and what the label says.

    Raises:
        UncorrectableError: fewer than two labelled characters.

    Source: Angelopoulos et al. 2023, Science 382:669 (arXiv:2301.09633); the weight: arXiv:2311.01453, section 6.
        Departs from both in clusters and in Wilson's interval.
    """
    n_all, n_labelled = len(verdicts), len(labelled)
    said = [float(verdicts[place]) for place, _ in labelled]
    truth = [float(label) for _, label in labelled]
    of_labelled = [clusters[place] for place, _ in labelled]
    if len(set(of_labelled)) < 2:
        raise UncorrectableError("labels of at least two characters are needed")
    weight = _weight(said, truth, n_all)
    rest = [t - weight * s for t, s in zip(truth, said, strict=True)]
    mean, shift = math.fsum(map(float, verdicts)) / n_all, math.fsum(rest) / n_labelled
    value = _cut(weight * mean + shift)
    pull: dict[str, float] = defaultdict(float)
    for verdict, cluster in zip(verdicts, clusters, strict=True):
        pull[cluster] += weight * (float(verdict) - mean) / n_all
    for residual, cluster in zip(rest, of_labelled, strict=True):
        pull[cluster] += (residual - shift) / n_labelled
    count = len(pull)
    variance = math.fsum(pull[name] ** 2 for name in sorted(pull)) * count / (count - 1)
    size = value * (1 - value) / variance if variance > 0 and 0 < value < 1 else math.inf
    groups = grouped(truth, of_labelled)
    alone = effective_share([int(sum(group)) for group in groups], [len(group) for group in groups])
    assert alone is not None  # noqa: S101  # grouped refuses empty input
    if min(sum(any(group) for group in groups), sum(not all(group) for group in groups)) < FEW_HIT:
        size = min(size, alone.n)
    interval = score_interval(value * min(size, n_all), min(size, n_all), t_quantile(alone.n_clusters - 1), "")
    return Corrected(value, interval.low, interval.high, "prediction-powered")


def _weight(said: Sequence[float], truth: Sequence[float], n_all: int) -> float:
    """Covariance of label and verdict over the verdict's variance, a little less for few unlabelled pictures."""
    n = len(said)
    mean_said, mean_truth = sum(said) / n, sum(truth) / n
    covariance = sum((s - mean_said) * (t - mean_truth) for s, t in zip(said, truth, strict=True))
    variance = sum((s - mean_said) ** 2 for s in said)
    return 0.0 if variance == 0 else min(1.0, max(0.0, covariance / variance / (1 + n / n_all)))


def _share_of(verdicts: Sequence[bool], clusters: Sequence[str]) -> EffectiveShare:
    groups = grouped([float(verdict) for verdict in verdicts], clusters)
    found = effective_share([int(sum(group)) for group in groups], [len(group) for group in groups])
    assert found is not None  # noqa: S101  # grouped refuses empty input
    return found


def _smoothed(share: EffectiveShare) -> tuple[float, float]:
    """One success and one failure more, so that a judge without a seen error is not taken for one without errors."""
    return (share.n * share.share + 1) / (share.n + 2), share.n + 2


def _variance(smoothed: tuple[float, float]) -> float:
    share, size = smoothed
    return share * (1 - share) / size


def _cut(value: float) -> float:
    return min(1.0, max(0.0, value))
