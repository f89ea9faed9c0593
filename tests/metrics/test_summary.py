"""The result of a run, and the cells of its report."""

from __future__ import annotations

import json
import random
import time

import pytest

from copycat.metrics import per_character, summarise


@pytest.fixture
def world(sample_of, judgement_of):
    """Give 25 characters x 2 anchors x 3 repeats, every tenth request refused, with judgements."""
    rng = random.Random(0)
    samples = [
        sample_of(f"c{i:02d}", anchor, repeat, "refused" if (i + repeat) % 10 == 0 else "ok")
        for i in range(25)
        for anchor in ("name", "description")
        for repeat in range(3)
    ]
    judgements = [
        judgement_of(s, s.character if rng.random() < 0.5 else None, consistency=rng.random())
        for s in samples
        if s.status == "ok"
    ]
    return samples, judgements


def test_estimates_come_by_metric_then_by_anchor_with_the_pool_last(spec, world):
    result = summarise(spec, 150, *world, is_sandbox=True)

    assert [(e.metric, e.anchor) for e in result.estimates] == [
        (metric, anchor)
        for metric in ("detect", "any_character", "consistency")
        for anchor in ("name", "description", "all")
    ]


def test_a_result_carries_the_spec_and_the_counts(spec, world):
    result = summarise(spec, 160, *world, is_sandbox=True)

    assert (result.model, result.mitigation, result.judge, result.characters) == (
        "sandbox",
        "none",
        "clip-sandbox",
        "sandbox",
    )
    assert (result.is_partial, result.is_sandbox) == (False, True)
    assert (result.counts.planned, result.counts.ok, result.counts.refused) == (160, 136, 14)


def test_refusals_are_shown_and_counted_in_the_pool(spec, world):
    result = summarise(spec, 150, *world, is_sandbox=True)

    pooled = next(e for e in result.estimates if (e.metric, e.anchor) == ("detect", "all"))
    assert pooled.n == result.counts.ok + result.counts.refused == 150


def test_a_limited_run_is_partial(spec, world):
    limited = spec.model_copy(update={"limit": 150})

    assert summarise(limited, 150, *world, is_sandbox=True).is_partial


def test_the_same_samples_in_any_order_give_the_same_bytes(spec, world):
    samples, judgements = world
    rng = random.Random(1)

    shuffled = summarise(spec, 150, rng.sample(samples, 150), rng.sample(judgements, len(judgements)), is_sandbox=True)

    assert shuffled.model_dump_json() == summarise(spec, 150, *world, is_sandbox=True).model_dump_json()


def test_a_run_without_samples_gives_reasons_and_no_nan(spec):
    result = summarise(spec, 150, [], [], is_sandbox=True)

    json.dumps(result.model_dump(), allow_nan=False)
    assert {(e.value, e.n, e.reason) for e in result.estimates} == {(None, 0, "no samples")}
    assert result.counts.coverage == 0


def test_every_value_lies_in_its_interval(spec, world):
    for estimate in summarise(spec, 150, *world, is_sandbox=True).estimates:
        assert estimate.low is not None
        assert estimate.value is not None
        assert estimate.high is not None
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


def test_a_sample_of_an_anchor_that_was_not_asked_for_is_refused(spec, sample_of):
    with pytest.raises(ValueError, match="the anchor 'keywords:lm-5', which is not among: name, description"):
        summarise(spec, 1, [sample_of("a", "keywords:lm-5")], [], is_sandbox=True)


def test_an_anchor_called_all_is_refused(spec):
    with pytest.raises(ValueError, match="'all' is the name of the pooled figure"):
        summarise(spec.model_copy(update={"anchors": ("all",)}), 0, [], [], is_sandbox=True)


def test_an_anchor_that_is_asked_for_twice_is_refused(spec):
    with pytest.raises(ValueError, match="anchors must differ"):
        summarise(spec.model_copy(update={"anchors": ("name", "name")}), 0, [], [], is_sandbox=True)


def test_a_repeated_key_is_refused(spec, sample_of):
    with pytest.raises(ValueError, match="occur more than once"):
        summarise(spec, 2, [sample_of("a"), sample_of("a")], [], is_sandbox=True)


def test_500_samples_are_summarised_in_well_under_a_second(spec, sample_of, judgement_of):
    samples = [sample_of(f"c{i:02d}", a, r) for i in range(50) for a in ("name", "description") for r in range(5)]
    judgements = [judgement_of(s, s.character if i % 3 else None, consistency=i / 500) for i, s in enumerate(samples)]

    started = time.process_time()
    summarise(spec, 500, samples, judgements, is_sandbox=True)

    assert time.process_time() - started < 1


def test_a_cell_counts_one_character_under_one_anchor(outcomes_of):
    outcomes = outcomes_of(
        ("b", "name", 0, True, 0.5),
        ("b", "name", 1, "refused", None),
        ("b", "name", 2, "failed", None),
        ("a", "name", 0, False, 0.25),
        ("a", "name", 1, True, 0.75),
        ("a", "description", 0, "unjudged", None),
    )

    cells = per_character(("name", "description"), outcomes)

    assert [tuple(cell.model_dump().values()) for cell in cells] == [
        ("a", "name", 1, 2, 0.5, 2),
        ("a", "description", 0, 0, None, 0),
        ("b", "name", 1, 2, 0.5, 1),
    ]


def test_cells_refuse_an_anchor_that_is_not_listed(outcomes_of):
    with pytest.raises(ValueError, match="'name', which is not among: description"):
        per_character(("description",), outcomes_of(("a", "name", 0, True, None)))
