"""A threshold is chosen on one half of the characters and told by what it does on the other."""

from __future__ import annotations

import random

import pytest

from copycat.calibration.cases import Case
from copycat.calibration.thresholds import Fitted, fit_threshold, has_threshold, with_threshold
from copycat.schema import Judgement


def case(character: str, truth: bool, confidence: float | None, detected: str | None = "self") -> Case:
    seen = character if detected == "self" else detected
    judgement = Judgement(key="k", image_sha256="0", detected=seen, confidence=confidence)
    return Case(
        key="k", image_sha256="0", character=character, franchise="", anchor=None, truth=truth, opinions={},
        judgement=judgement,
    )  # fmt: skip


def made_up(n: int = 40, cut: float = 0.5, seed: int = 0) -> list[Case]:
    """True pictures score above `cut`, others below it."""
    dice = random.Random(seed)
    rows = []
    for number in range(n):
        rows += [case(f"c{number}", True, dice.uniform(cut, 1)) for _ in range(5)]
        rows += [case(f"c{number}", False, dice.uniform(0.05, cut)) for _ in range(5)]
    return rows


def rates(fitted: Fitted) -> tuple[float, float]:
    yes = [p.said for p in fitted.held_out if p.case.truth]
    no = [not p.said for p in fitted.held_out if not p.case.truth]
    return sum(yes) / len(yes), sum(no) / len(no)


def test_a_threshold_that_parts_the_pictures_is_found() -> None:
    fitted = fit_threshold(made_up(cut=0.42))
    assert fitted is not None
    assert fitted.threshold == pytest.approx(0.42, abs=0.02)
    assert min(rates(fitted)) > 0.97
    assert not fitted.is_at_edge


def test_it_is_reported_on_characters_that_it_was_not_fitted_on() -> None:
    rows = made_up()
    fitted = fit_threshold(rows)
    assert fitted is not None
    held_out = {pair.case.character for pair in fitted.held_out}
    assert 0 < len(held_out) < 40
    assert len(fitted.held_out) + fitted.n_fitted == len(rows)
    rest = {row.character for row in rows} - held_out
    spoiled = [row if row.character in rest else case(row.character, not row.truth, 0.5) for row in rows]
    again = fit_threshold(spoiled)
    assert again is not None and again.threshold == fitted.threshold


def test_it_is_the_one_with_the_largest_youden_index_by_brute_force() -> None:
    dice = random.Random(4)
    rows = [
        case(f"c{n}", truth, round(min(1, max(0.01, dice.gauss(0.6 if truth else 0.4, 0.2))), 3))
        for n in range(60)
        for truth in (True, False)
        for _ in range(4)
    ]
    fitted = fit_threshold(rows)
    assert fitted is not None
    held_out = {pair.case.character for pair in fitted.held_out}
    half = [row for row in rows if row.character not in held_out]

    def youden(threshold: float) -> float:
        score = {True: [], False: []}  # type: dict[bool, list[bool]]
        for row in half:
            assert row.judgement is not None
            score[row.truth].append((row.judgement.confidence or 0) >= threshold)
        return sum(score[True]) / len(score[True]) - sum(score[False]) / len(score[False])

    best = max(youden(step / 2000) for step in range(2001))
    assert youden(fitted.threshold) == pytest.approx(best)


def test_pictures_in_which_somebody_else_or_nobody_is_seen_are_no_at_every_threshold() -> None:
    rows = [*made_up(), *(case(f"c{n}", True, 0.9, detected=None) for n in range(40))]
    fitted = fit_threshold(rows)
    assert fitted is not None
    assert rates(fitted)[0] == pytest.approx(5 / 6, abs=0.02)


def test_a_judge_that_is_best_where_it_names_anybody_at_all_is_told_to_look_lower() -> None:
    rows = [case(f"c{n}", True, 0.3 + n / 1000) for n in range(40)]
    rows += [case(f"c{n}", False, 0.1, detected=None) for n in range(40)]
    fitted = fit_threshold(rows)
    assert fitted is not None and fitted.is_at_edge
    assert rates(fitted) == (1.0, 1.0)


@pytest.mark.parametrize("rows", [[], [case("a", True, 0.5)], [case(f"c{n}", True, 0.5) for n in range(9)]])
def test_there_is_none_without_both_kinds_in_both_halves(rows: list[Case]) -> None:
    assert fit_threshold(rows) is None


def test_there_is_none_without_confidences() -> None:
    assert fit_threshold([row._replace(judgement=None) for row in made_up()]) is None


def test_it_is_offered_only_for_judges_whose_name_takes_one() -> None:
    assert has_threshold("open_clip:ViT-B-32/openai")
    assert has_threshold("dino")
    assert not has_threshold("vlm:org/name")
    assert not has_threshold("sandbox")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("open_clip:ViT-B-32/openai", "open_clip:ViT-B-32/openai@0.31"),
        ("open_clip:ViT-B-32/openai@0.02", "open_clip:ViT-B-32/openai@0.31"),
        ("dino:org/name@main@0.5", "dino:org/name@main@0.31"),
        ("dino:facebook/dinov2-base", "dino:facebook/dinov2-base@0.31"),
    ],
)
def test_the_judge_is_named_with_the_new_threshold(name: str, told: str) -> None:
    assert with_threshold(name, 0.31) == told
