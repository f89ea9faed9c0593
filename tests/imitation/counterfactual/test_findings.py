"""The comparison on worlds whose dose-response is written down."""

from __future__ import annotations

import numpy as np
import pytest

from copycat.imitation.counterfactual.analysis import analyse_doses, series_of
from copycat.imitation.counterfactual.figure import draw_figure
from copycat.imitation.counterfactual.logistic import curve, fit_clusters, fit_points, fit_series
from copycat.imitation.counterfactual.plan import World, cast, plan
from copycat.imitation.counterfactual.scoring import Dose
from copycat.imitation.counterfactual.settings import REDUCED

TRUE_ED50 = 120.0


def true_share(dose: float, ed50: float = TRUE_ED50) -> float:
    """The law that the made-up worlds follow, written apart from the code under test."""
    return float(1 / (1 + np.exp(-6 * (np.log10(dose + 1) - np.log10(ed50 + 1)))))


def lines_of(world: World, ed50s: dict[str, float], n: int = 400) -> list[Dose]:
    found = []
    for who, dose in world.doses.items():
        share = true_share(dose, ed50s.get(who, TRUE_ED50))
        detected = round(n * share)
        found.append(
            Dose(
                world=world.id,
                kind=world.kind,
                seed=world.seed,
                steps=1,
                probe=world.probe or "",
                character=who,
                dose=dose,
                named=dose // 2,
                n=n,
                detected=detected,
                attributes=0.2 + 0.6 * share,
                similarity=0.3 + 0.5 * share,
                impostors=0.3,
                seconds=60.0,
            )
        )
    return found


def test_a_written_law_is_found_again() -> None:
    doses = np.array([0, 1, 3, 9, 25, 60, 100, 150, 300, 700, 1000], dtype=float)
    scores = np.array([0.1 + 0.7 * true_share(d) for d in doses])
    fit = fit_series(doses, scores, seed=0)
    assert fit.ed50 == pytest.approx(TRUE_ED50, rel=0.1)
    assert fit.lower == pytest.approx(0.1, abs=0.03)
    assert fit.upper == pytest.approx(0.8, abs=0.03)
    assert curve(doses, fit) == pytest.approx(scores, abs=0.03)


@pytest.mark.slow
def test_the_interval_of_a_series_is_as_wide_as_so_few_doses_ask() -> None:
    doses = np.array([0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], dtype=float)
    held = 0
    for seed in range(40):
        law = 0.15 + 0.6 / (1 + np.exp(-4 * (np.log10(doses + 1) - np.log10(TRUE_ED50 + 1))))
        fit = fit_series(doses, law + np.random.default_rng(seed).normal(0, 0.04, len(doses)), seed)
        assert fit.low is not None and fit.high is not None
        held += fit.low <= TRUE_ED50 <= fit.high

    assert held >= 36


def test_the_fit_does_not_depend_on_the_unit_of_the_score() -> None:
    doses = np.array([0, 2, 10, 50, 120, 300, 1000], dtype=float)
    scores = np.array([true_share(d) for d in doses])
    assert fit_points(doses, 100 * scores - 7, seed=1).ed50 == pytest.approx(fit_points(doses, scores, seed=1).ed50)


def test_no_rise_gives_no_ed50_and_says_why() -> None:
    doses = np.array([0, 1, 10, 100, 1000], dtype=float)
    for scores in (np.zeros(5), -np.log10(doses + 1)):
        fit = fit_points(doses, scores, seed=0)
        assert fit.ed50 is None
        assert "does not rise" in fit.reason
        with pytest.raises(ValueError, match="no curve"):
            curve(doses, fit)


def test_too_few_different_doses_are_told_as_such() -> None:
    fit = fit_points(np.array([0.0, 10, 1000, 1000]), np.array([0.0, 0.1, 0.9, 1.0]), seed=0)

    assert fit.ed50 is None
    assert fit.reason == "a curve needs 4 different doses, and there are 3"


def test_the_pooled_interval_is_wider_where_whole_characters_differ() -> None:
    doses = np.tile([0.0, 10, 100, 1000], 8)
    who = [f"c{i // 4}" for i in range(32)]
    alike = np.array([true_share(d) for d in doses])
    apart = np.array([true_share(d, 20 if int(name[1:]) % 2 else 500) for d, name in zip(doses, who, strict=True)])
    widths = [fit.high - fit.low for s in (alike, apart) if (fit := fit_clusters(doses, s, who, 0)).high and fit.low]
    assert widths[1] > 2 * widths[0]


@pytest.mark.slow
def test_exchangeable_characters_leave_nothing_to_the_character() -> None:
    doses = [line for world in plan(REDUCED, seed=0) for line in lines_of(world, {})]
    findings = analyse_doses(doses)
    detected = findings.metrics[0]
    assert detected.truth_pooled.ed50 == pytest.approx(TRUE_ED50, rel=0.15)
    assert detected.truth_series is not None
    assert detected.truth_series.ed50 == pytest.approx(TRUE_ED50, rel=0.15)
    assert detected.spread is not None
    assert detected.spread.dose > 0.95
    assert detected.spread.character < 0.01
    assert findings.seconds == 60.0 * findings.worlds


@pytest.mark.slow
def test_characters_that_differ_show_as_variance_between_characters_of_one_dose() -> None:
    hard = {who.id: 3000.0 for who in cast(REDUCED)[::2]}
    easy = {who.id: 20.0 for who in cast(REDUCED)[1::2]}
    doses = [line for world in plan(REDUCED, seed=0) for line in lines_of(world, hard | easy)]
    spread = analyse_doses(doses).metrics[0].spread
    assert spread is not None
    assert spread.character > 0.1
    assert spread.p_character < 0.01
    assert spread.same_dose is not None
    assert spread.same_dose > 0.2
    assert spread.same_character == pytest.approx(0.0, abs=1e-9)


def test_the_first_permuted_world_is_the_end_of_the_series() -> None:
    doses = [line for world in plan(REDUCED, seed=0) for line in lines_of(world, {})]
    assert [line.dose for line in series_of(doses)] == [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
    assert series_of(doses)[-1].kind == "permuted"


def test_one_permuted_world_alone_is_analysed_and_drawn() -> None:
    doses = lines_of(plan(REDUCED, seed=0)[0], {})
    findings = analyse_doses(doses)
    assert findings.metrics[0].spread is None
    assert findings.metrics[0].truth_series is None
    picture = draw_figure(doses, findings, "detected")
    assert picture.startswith("<svg")
    assert picture.count("<circle") >= len(doses)


def test_no_permuted_world_is_refused() -> None:
    with pytest.raises(ValueError, match="permuted"):
        analyse_doses([])


@pytest.mark.slow
def test_a_count_that_follows_the_dose_goes_with_the_score_as_the_dose_does() -> None:
    permuted = [world for world in plan(REDUCED, seed=0) if world.probe is None]
    doses = [line for world in permuted for line in lines_of(world, {})]

    exact = analyse_doses(doses).metrics[1]
    blind = analyse_doses([line.model_copy(update={"named": 7}) for line in doses]).metrics[1]
    turned = analyse_doses([line.model_copy(update={"named": 1000 - line.dose}) for line in doses]).metrics[1]

    assert exact.correlation_dose == pytest.approx(1)
    assert exact.correlation_named == pytest.approx(1, abs=0.02)  # half of 1 and of 0 is 0
    assert blind.correlation_named is None
    assert turned.correlation_named == pytest.approx(-1)


@pytest.mark.slow
def test_others_that_are_crowded_out_by_the_probe_are_told_apart_from_others_that_are_left_alone() -> None:
    def crowded(world: World) -> dict[str, float]:
        if world.probe is None:
            return {}
        return {who: TRUE_ED50 * (1 + world.doses[world.probe] / 100) for who in world.doses if who != world.probe}

    worlds = plan(REDUCED, seed=0)

    alone, fewer = (
        analyse_doses([line for world in worlds for line in lines_of(world, ed50s(world))]).metrics[1]
        for ed50s in (lambda _: {}, crowded)
    )

    assert alone.others_and_probe is None
    assert fewer.others_and_probe == pytest.approx(-1)


@pytest.mark.slow
def test_a_world_that_gave_most_pictures_to_those_that_need_fewest_is_told_by_its_luck() -> None:
    permuted = [world for world in plan(REDUCED, seed=0) if world.probe is None]
    easy = {who: 20.0 if dose >= 60 else 1500.0 for who, dose in permuted[0].doses.items()}

    lucky = analyse_doses([line for world in permuted for line in lines_of(world, easy)]).metrics[0].observed[0]
    plain = analyse_doses([line for world in permuted for line in lines_of(world, {})]).metrics[0].observed[0]

    assert lucky.luck is not None
    assert lucky.luck > 0.6
    assert (lucky.covers, plain.covers) == (False, True)


@pytest.mark.slow
def test_the_threshold_stage_is_asked_about_each_world_alone() -> None:
    permuted = [world for world in plan(REDUCED, seed=0) if world.probe is None]

    found = analyse_doses([line for world in permuted for line in lines_of(world, {})])

    for metric in found.metrics:
        assert [each.world for each in metric.observed] == [world.id for world in permuted]
        assert {(each.verdict, each.bracket) for each in metric.observed} == {("gradual", None)}
        assert all("fits better than a step" in each.why for each in metric.observed)
