"""Figures over works: bests and means, intervals by work, controls, copies."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from copycat.fairuse.extract.records import (
    AnswerMeasures,
    Ask,
    AskedWork,
    Figures,
    Measured,
    Measures,
    Probability,
    Role,
    Status,
)
from copycat.fairuse.extract.summary import build_measures
from copycat.fairuse.extract.telling import chance_text, controls_reach
from copycat.fairuse.records import Shared, Work


def work(name: str, role: Role = "work", copies: int | None = None) -> AskedWork:
    record = Work(id=name, title=name, sha256="0" * 64, file=f"{name}.txt")
    return AskedWork(work=record, role=role, words=100, letters=500, copies=copies)


def answer(
    name: str,
    recall: float,
    number: int = 0,
    *,
    role: Role = "work",
    status: Status = "answered",
    chance: float = 0.0,
    places: Sequence[tuple[int, int]] = (),
    probability: Probability | None = None,
) -> AnswerMeasures:
    ask = Ask(key=f"{name}-{number}", work=name, role=role, prompt="prefix", prefix=10 * (number + 1))
    stretches = tuple(
        Shared(output_start=0, output_end=b - a, reference_start=a, reference_end=b, words=10, matched=10)
        for a, b in places
    )
    figures = Figures(longest=round(100 * recall), longest_near=round(100 * recall), recall=recall)
    measured = Measured(
        words=50,
        letters=250,
        repeats=False,
        figures=figures,
        stretches=stretches,
        against_other=Figures(recall=chance),
    )
    return AnswerMeasures(
        ask=ask, status=status, ended="stop", detail="", pieces=1, probability=probability, measured=measured
    )


def measures(works: Sequence[AskedWork], answers: Sequence[AnswerMeasures], planned: int | None = None) -> Measures:
    return build_measures(works, answers, planned or len(answers), 0)


def group(found: Measures, axis: str, value: str) -> Mapping[str, object]:
    return next(one.figures for one in found.groups if (one.axis, one.value) == (axis, value))


def test_a_single_full_copy_is_not_hidden_by_the_mean() -> None:
    works = [work(f"w{n}") for n in range(20)]
    answers = [answer(f"w{n}", 1.0 if n == 7 and k == 2 else 0.0, k) for n in range(20) for k in range(3)]
    found = measures(works, answers)
    recall = next(one for one in found.groups if one.axis == "all").figures["recall"]
    assert recall.mean == pytest.approx(1 / 60)
    assert (recall.highest, recall.highest_work) == (1.0, "w7")
    assert found.works[7].best["recall"] == 1.0
    assert found.works[7].mean["recall"] == pytest.approx(1 / 3)
    assert found.works[7].best_key == "w7-2"


def test_many_prompts_of_few_works_make_no_narrow_interval() -> None:
    """By work, not by prompt: 100 answers about each of six works are six facts, and no interval comes of four."""
    rng = random.Random(3)
    level = {f"w{n}": rng.random() for n in range(6)}
    answers = [answer(name, recall, k) for name, recall in level.items() for k in range(100)]
    recall = next(one for one in measures([work(name) for name in level], answers).groups if one.axis == "all").figures[
        "recall"
    ]
    assert recall.low is not None
    assert recall.high is not None
    assert recall.high - recall.low > 0.2
    four = [one for one in answers if one.ask.work in {"w0", "w1", "w2", "w3"}]
    few = measures([work(f"w{n}") for n in range(4)], four).groups[0].figures["recall"]
    assert few.low is None
    assert "needs 5 works" in few.reason


def test_lift_is_the_difference_of_bests_beyond_each_control() -> None:
    works = [work(f"w{n}") for n in range(8)] + [work(f"h{n}", "held-out") for n in range(8)]
    answers = [answer(f"w{n}", 0.5 + 0.05 * n, chance=0.1) for n in range(8)]
    answers += [answer(f"h{n}", 0.02 * n, role="held-out") for n in range(8)]
    lifts = {lift.control: lift for lift in measures(works, answers).lifts if lift.figure == "recall"}
    assert lifts["held-out"].difference == pytest.approx((0.5 + 0.05 * 3.5) - 0.02 * 3.5)
    assert lifts["held-out"].low is not None
    assert lifts["held-out"].high is not None
    assert 0 < lifts["held-out"].low < lifts["held-out"].difference < lifts["held-out"].high
    assert lifts["shuffled"].controls == pytest.approx(0.1)
    assert "own-control" not in lifts


def test_answers_are_drawn_together_with_what_they_are_compared_with() -> None:
    """Every work lies 0.2 above its own chance: however works are drawn, so does their mean."""
    levels = {f"w{n}": 0.1 * n for n in range(8)}
    found = measures(
        [work(name) for name in levels], [answer(name, level + 0.2, chance=level) for name, level in levels.items()]
    )
    lift = next(lift for lift in found.lifts if (lift.figure, lift.control) == ("recall", "shuffled"))
    assert (lift.low, lift.high) == (pytest.approx(0.2), pytest.approx(0.2))


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    """As scipy.stats.spearmanr does; here by counting pairs, and with Pearson's correlation of numpy."""

    def ranks(values: Sequence[float]) -> list[float]:
        return [
            sum(other < value for other in values) + sum(other == value for other in values) / 2 for value in values
        ]

    rng = random.Random(5)
    for _ in range(6):
        pairs = [(2 ** rng.randint(0, 3), rng.randint(0, 4) / 4) for _ in range(12)]
        works = [work(f"w{n}", copies=copies) for n, (copies, _) in enumerate(pairs)]
        found = measures(works, [answer(f"w{n}", recall) for n, (_, recall) in enumerate(pairs)])
        sides = [ranks(side) for side in zip(*pairs, strict=True)]
        assert found.spearman == pytest.approx(np.corrcoef(*sides)[0, 1])


def test_answers_to_controls_are_no_answers_to_works() -> None:
    works = [work("w"), work("h", "held-out")]
    found = measures(works, [answer("w", 0.25), answer("h", 1.0, role="held-out")])
    assert next(one for one in found.groups if one.axis == "all").figures["recall"].highest == 0.25


def test_refusals_count_with_what_they_hold_and_failures_are_missing() -> None:
    answers = [
        answer("w", 0.8, 0),
        answer("w", 0.0, 1, status="refused"),
        answer("w", 0.0, 2, status="failed"),
        answer("w", 0.0, 3, status="missing"),
    ]
    found = measures([work("w")], answers, planned=5)
    assert found.counts == {"answered": 1, "refused": 1, "empty": 0, "failed": 1, "missing": 1, "planned": 5}
    assert found.coverage == pytest.approx(0.4)
    assert found.works[0].mean["recall"] == pytest.approx(0.4)


def test_stretches_that_overlap_cover_a_work_once() -> None:
    answers = [answer("w", 0.5, 0, places=[(0, 100), (200, 300)]), answer("w", 0.5, 1, places=[(50, 150)])]
    assert measures([work("w")], answers).works[0].covered == pytest.approx(250 / 500)


def test_spearman_of_copies_agrees_with_ranks_by_hand() -> None:
    works = [work(f"w{n}", copies=2**n) for n in range(5)]
    rising = [answer(f"w{n}", value) for n, value in enumerate((0.0, 0.1, 0.5, 0.4, 1.0))]
    # one neighbouring pair of ranks is exchanged: 1 - 6 * (1 + 1) / (5 * 24)
    assert measures(works, rising).spearman == pytest.approx(1 - 12 / 120)
    assert measures([work(f"w{n}") for n in range(5)], rising).spearman is None


def test_the_likeliest_continuation_tells_the_chance_of_a_hundred_draws() -> None:
    known = Probability(log_p=math.log(0.01), tokens=50, letters=200)
    other = Probability(log_p=-300.0, tokens=50, letters=200)
    found = measures([work("w")], [answer("w", 0.0, 0, probability=other), answer("w", 0.0, 1, probability=known)])
    assert found.works[0].chance_in_100_draws == pytest.approx(1 - 0.99**100)
    assert found.works[0].log_p_per_letter == pytest.approx(math.log(0.01) / 200)


def test_the_order_of_answers_moves_no_figure() -> None:
    """U1: best-of does not depend on the order."""
    works = [work(f"w{n}") for n in range(6)]
    answers = [answer(f"w{n}", (n * 7 % 5) / 5, k) for n in range(6) for k in range(3)]
    shuffled = random.Random(1).sample(answers, len(answers))
    first, second = measures(works, answers), measures(works, shuffled)
    assert first.works == second.works
    assert first.groups == second.groups
    assert first.lifts == second.lifts


def test_controls_have_the_share_of_a_work_in_the_stretches_of_all_answers() -> None:
    works = [work("w"), work("x"), work("h", "held-out"), work("i", "held-out"), work("unasked", "held-out")]
    answers = [answer("w", 0.5, 0, places=[(0, 100)]), answer("w", 0.5, 1, places=[(50, 150)]), answer("x", 0.0)]
    answers += [answer("h", 0.0, role="held-out", places=[(0, 60)]), answer("i", 0.0, role="held-out")]
    by_chance = {"other": "x", "stretches_in_other": answers[0].measured.stretches}
    more = {"other": "x", "stretches_in_other": answers[1].measured.stretches}
    for number, update in enumerate((by_chance, more)):
        one = answers[number]
        answers[number] = one.model_copy(update={"measured": one.measured.model_copy(update=update)})
    found = measures(works, answers)
    groups = {one.value: one.figures["covered"] for one in found.groups if one.axis in {"all", "control"}}
    assert (groups["works"].mean, groups["works"].highest) == (pytest.approx(0.15), pytest.approx(0.3))
    assert (groups["held-out"].mean, groups["held-out"].highest) == (pytest.approx(0.06), pytest.approx(0.12))
    assert groups["shuffled"].highest == pytest.approx(150 / 500)
    assert controls_reach(found.groups) == pytest.approx(0.3)
    assert controls_reach([one for one in found.groups if one.axis != "control"]) is None


def test_a_chance_of_practically_nothing_has_no_digits() -> None:
    assert [chance_text(chance) for chance in (0.0, 2.58e-172, 0.00123, 1.0)] == ["0", "< 1e-6", "0.00123", "1"]
