"""Which samples count, and how the others are counted."""

from __future__ import annotations

import pytest

from copycat.metrics import join_outcomes


def test_a_sample_gets_the_judgement_of_its_key(sample_of, judgement_of):
    first, second = sample_of("red-fox"), sample_of("blue-owl")

    rows = join_outcomes([first, second], [judgement_of(second, "blue-owl"), judgement_of(first, None)]).rows

    assert [row.is_detected for row in rows] == [False, True]


def test_a_stale_judgement_leaves_the_sample_unjudged(sample_of, judgement_of):
    """The picture was made again; the old verdict is about another one."""
    sample = sample_of("red-fox")

    outcomes = join_outcomes([sample], [judgement_of(sample, "red-fox", image_sha256="0" * 64)])

    assert outcomes.rows[0].is_unjudged
    assert not outcomes.rows[0].is_answered
    assert outcomes.build_counts(1).unjudged == 1


def test_a_judge_without_an_answer_leaves_the_sample_unjudged(sample_of, judgement_of):
    sample = sample_of("red-fox")

    outcomes = join_outcomes([sample], [judgement_of(sample, None, reason="the judge timed out")])

    assert outcomes.rows[0].is_unjudged


def test_a_retried_judgement_replaces_the_failed_one(sample_of, judgement_of):
    sample = sample_of("red-fox")
    failed, retried = judgement_of(sample, None, reason="timed out"), judgement_of(sample, "red-fox")

    for judgements in ([failed, retried], [retried, failed], [retried, retried]):
        assert join_outcomes([sample], judgements).rows[0].is_detected


def test_two_verdicts_on_one_picture_are_refused(sample_of, judgement_of):
    sample = sample_of("red-fox")

    with pytest.raises(ValueError, match="'red-fox/name/0' has two different verdicts"):
        join_outcomes([sample], [judgement_of(sample, "red-fox"), judgement_of(sample, None)])


def test_a_key_that_occurs_twice_is_refused(sample_of):
    with pytest.raises(ValueError, match="1 keys occur more than once in samples, the first is 'red-fox/name/0'"):
        join_outcomes([sample_of("red-fox"), sample_of("red-fox")], [])


def test_a_forged_judgement_of_a_refusal_does_not_count(sample_of, judgement_of):
    sample = sample_of("red-fox", status="failed", sha256="abc")

    outcomes = join_outcomes([sample], [judgement_of(sample, None, image_sha256="abc")])

    assert outcomes.rows[0].judgement is None
    assert not outcomes.rows[0].is_answered


def test_refusals_and_blocks_are_answers_and_the_rest_is_missing(outcomes_of):
    outcomes = outcomes_of(
        ("a", "name", 0, True, None),
        ("b", "name", 0, "refused", None),
        ("c", "name", 0, "blocked", None),
        ("d", "name", 0, "invalid", None),
        ("e", "name", 0, "failed", None),
        ("f", "name", 0, "unjudged", None),
    )

    assert [row.is_answered for row in outcomes.rows] == [True, True, True, False, False, False]


def test_every_ending_is_counted_and_requests_without_a_sample_only_as_planned(outcomes_of):
    outcomes = outcomes_of(
        ("a", "name", 0, True, None),
        ("a", "name", 1, "unjudged", None),
        ("b", "name", 0, "refused", None),
        ("c", "name", 0, "blocked", None),
        ("d", "name", 0, "invalid", None),
        ("e", "name", 0, "failed", None),
    )

    counts = outcomes.build_counts(10)

    assert counts.model_dump() == {
        "planned": 10,
        "ok": 2,
        "refused": 1,
        "blocked": 1,
        "invalid": 1,
        "failed": 1,
        "unjudged": 1,
    }
    assert counts.coverage == pytest.approx(0.3)


def test_more_samples_than_planned_are_refused(outcomes_of):
    with pytest.raises(ValueError, match="1 samples for 0 planned requests"):
        outcomes_of(("a", "name", 0, True, None)).build_counts(0)


def test_all_gives_every_row_and_an_anchor_its_own(outcomes_of):
    outcomes = outcomes_of(("a", "name", 0, True, None), ("a", "description", 0, True, None))

    assert len(outcomes.of("all")) == 2
    assert [row.sample.anchor for row in outcomes.of("description")] == ["description"]
