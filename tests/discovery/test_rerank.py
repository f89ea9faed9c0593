from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from copycat_doubles import FakeModel, draw
from harness import Doubles

from copycat.discovery.rerank import REPORT, RerankJob, clopper_pearson, compare_prompts, rank_one, rerank_by_generator
from copycat.discovery.triggers import TriggerJob, find_triggers
from copycat.errors import DataError, UnknownNameError, UserError
from copycat.models import Picture
from copycat.schema import ImageRequest, Sampling

JobMaker = Callable[..., RerankJob]
TRIGGER, DUD = "skateboard", "big fists"


@pytest.fixture
def fixed(doubles: Doubles, characters_file: Path, tmp_path: Path) -> dict[str, Any]:
    del doubles
    return {
        "model": "fake",
        "judge": "fake-judge",
        "device": "cpu",
        "characters": str(characters_file),
        "lists": tmp_path / "lists",
        "out": tmp_path / "out",
    }


@pytest.fixture
def job(fixed: dict[str, Any], tmp_path: Path) -> JobMaker:
    """Rerank the prompts that are given, for Max; with the trigger, he shows in nine of ten pictures."""
    path = tmp_path / "prompts.txt"

    def make(*prompts: str, **changes: Any) -> RerankJob:
        path.write_text("\n".join(prompts), encoding="utf-8")
        return RerankJob(**{**fixed, "only": ("max",), "sources": (str(path),), **changes})

    return make


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fake model show nobody unless the prompt holds the trigger."""

    def generate(self: FakeModel, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        self.batches.append(tuple(request.key for request in requests))
        shown = [request.character if TRIGGER in request.prompt_sent else "nobody" for request in requests]
        return [
            Picture("ok", draw(request.model_copy(update={"character": who}), sampling, request.seed))
            for request, who in zip(requests, shown, strict=True)
        ]

    monkeypatch.setattr(FakeModel, "generate", generate)


# ------------------------------------------------------------------------------- the statistics


@pytest.mark.parametrize(
    ("k", "n", "alpha"), [(0, 20, 0.05), (20, 20, 0.01), (7, 20, 0.05), (3, 9, 0.005), (1, 1, 0.05)]
)
def test_the_exact_interval_is_that_of_statsmodels(k: int, n: int, alpha: float) -> None:
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(k, n, alpha=alpha, method="beta")
    found = clopper_pearson(k, n, alpha)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-10)


def test_nothing_judged_says_nothing() -> None:
    assert clopper_pearson(0, 0, 0.05)[:2] == (0.0, 1.0)


def test_intervals_of_many_prompts_hold_together_in_95_of_100_cases() -> None:
    rng, rates, n, held = random.Random(1), [0.05, 0.3, 0.5, 0.7, 0.9, 0.95], 20, 0
    for _ in range(400):
        hits = [tuple(rng.random() < rate for _ in range(n)) for rate in rates]
        found = compare_prompts([str(rate) for rate in rates], hits)
        held += all(i.low <= rate <= i.high for i, rate in zip(found.intervals, rates, strict=True))
    assert held >= 0.95 * 400


def test_of_equal_prompts_one_is_called_worse_in_at_most_5_of_100_cases() -> None:
    rng, wrong = random.Random(2), 0
    for _ in range(400):
        hits = [tuple(rng.random() < 0.6 for _ in range(20)) for _ in range(8)]
        wrong += len(compare_prompts([str(i) for i in range(8)], hits).not_worse) < 8
    assert wrong <= 0.05 * 400


def test_a_prompt_that_never_hits_is_told_from_one_that_always_does() -> None:
    always, never = (True,) * 12, (False,) * 12
    found = compare_prompts(["a", "b", "c"], [never, always, always])
    assert found.best == 1
    assert found.not_worse == [1, 2]
    # Three pairs, two of them with 12 discordant pictures, all one way: p = 2 / 2^12, times three.
    assert found.p_holm == [pytest.approx(3 * 2 / 2**12), None, 1.0]


def test_only_pictures_of_which_both_have_a_verdict_are_pairs() -> None:
    first, second = (True,) * 10 + (None,) * 10, (None,) * 10 + (False,) * 10
    assert compare_prompts(["a", "b"], [first, second]).p_holm == [None, 1.0]


def test_of_equal_prompts_the_shorter_one_is_the_best() -> None:
    ranking = rank_one("max", ["a long one", "short"], [(True,) * 5] * 2, 0.5, [None, None])
    assert [row.prompt for row in ranking.prompts] == ["short", "a long one"]
    assert [row.is_best for row in ranking.prompts] == [True, False]


@pytest.mark.parametrize(("hits", "answer"), [(20, "yes"), (0, "no"), (12, "open")])
def test_a_prompt_triggers_where_its_whole_interval_lies_from_the_target_up(hits: int, answer: str) -> None:
    ranking = rank_one("max", ["a"], [(True,) * hits + (False,) * (20 - hits)], 0.5, [None])
    assert ranking.prompts[0].triggers == answer


def test_a_prompt_without_a_verdict_has_a_reason_and_no_figure() -> None:
    (row,) = rank_one("max", ["a"], [(None, None)], 0.5, [None]).prompts
    assert row.detect.value is None
    assert row.detect.reason == "no picture was judged"
    assert row.triggers == "open"


# ------------------------------------------------------------------------------- on a model


@pytest.mark.usefixtures("world")
def test_what_triggers_comes_first_and_what_does_not_is_told_apart(job: JobMaker) -> None:
    (ranking,) = rerank_by_generator(job(DUD, TRIGGER, f"{TRIGGER} park", seeds=24)).rankings
    assert [(row.prompt, row.triggers) for row in ranking.prompts] == [
        (TRIGGER, "yes"),
        (f"{TRIGGER} park", "yes"),
        (DUD, "no"),
    ]
    assert ranking.not_worse == (TRIGGER, f"{TRIGGER} park")
    assert ranking.prompts[2].p_holm is not None
    assert ranking.prompts[2].p_holm < 0.001


@pytest.mark.usefixtures("world")
def test_prompts_are_drawn_from_the_same_seeds_in_full_batches(job: JobMaker, fixed: dict[str, Any]) -> None:
    rerank_by_generator(job("a", "b", seeds=6))
    rows = [json.loads(line) for line in (fixed["out"] / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    seeds = {prompt: {row["seed"] for row in rows if row["prompt"] == prompt} for prompt in ("a", "b")}
    assert len(seeds["a"]) == 6
    assert seeds["a"] == seeds["b"]


def test_a_prompt_that_tells_who_is_meant_is_ranked_and_marked(job: JobMaker) -> None:
    (ranking,) = rerank_by_generator(job("Max", "hoodie", seeds=4)).rankings
    tells = {row.prompt: row.tells for row in ranking.prompts}
    assert tells == {"Max": "names the character ('Max')", "hoodie": None}


def test_anchors_lists_and_reports_of_a_search_are_sources(
    job: JobMaker, fixed: dict[str, Any], tmp_path: Path
) -> None:
    found = find_triggers(TriggerJob(**{**fixed, "out": tmp_path / "search", "only": ("max",), "budget": 40})).found[0]
    report = str(tmp_path / "search" / "triggers.json")
    (ranking,) = rerank_by_generator(job(sources=("name", "keywords:authored-3", report), seeds=2)).rankings
    prompts = {row.prompt for row in ranking.prompts}
    assert {"Max", "red hoodie, skateboard, teenager", str(found.prompt)} <= prompts


def test_the_report_is_written_and_the_same_call_draws_nothing(job: JobMaker, doubles: Doubles) -> None:
    wanted = job("a", "b", "a", seeds=5)
    report = rerank_by_generator(wanted)
    assert json.loads((wanted.out / REPORT).read_text(encoding="utf-8")) == report.model_dump(mode="json")
    assert len(doubles.generated) == 10
    assert rerank_by_generator(wanted) == report
    assert len(doubles.generated) == 10


@pytest.mark.parametrize(
    ("sources", "error", "text"),
    [
        ((), UserError, "no prompts"),
        (("nothing.json",), DataError, "is no triggers.json"),
        (("keywords:laion-5",), UnknownNameError, "laion"),
        (("missing.csv",), UserError, "no file of candidates"),
    ],
)
def test_what_holds_no_prompts_is_refused_before_anything_is_drawn(
    job: JobMaker, doubles: Doubles, sources: tuple[str, ...], error: type[UserError], text: str
) -> None:
    with pytest.raises(error, match=text):
        rerank_by_generator(job(sources=sources))
    assert doubles.generated == []
