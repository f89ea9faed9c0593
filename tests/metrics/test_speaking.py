"""The closed question and the published counting rule, beside DETECT and never instead of it."""

from __future__ import annotations

import pytest

from copycat.metrics import join_outcomes, summarise
from copycat.metrics.speaking import detect_closed, detect_legacy, legacy_hits, overlaid_text

SUITE = {"link": "Link", "jasmine": "Princess Jasmine", "woody": "Woody"}


def outcomes(sample_of, judgement_of, *rows, **fields):
    samples = [sample_of(character, repeat=repeat) for character, repeat, *_ in rows]
    judgements = [judgement_of(s, detected, **more) for s, (_, _, detected, more) in zip(samples, rows, strict=True)]
    return join_outcomes(samples, judgements).model_copy(update={"set_names": SUITE, **fields})


def test_the_closed_question_is_counted_beside_detect(sample_of, judgement_of):
    said = outcomes(
        sample_of,
        judgement_of,
        ("link", 0, None, {"closed": True}),
        ("woody", 0, "woody", {"closed": True}),
        ("jasmine", 0, None, {"closed": False}),
        ("jasmine", 1, None, {"closed": None}),
    )

    estimate = detect_closed(said, "name")

    assert (estimate.k, estimate.n) == (2, 3)


def test_a_judge_that_was_never_told_a_name_has_no_closed_figure(sample_of, judgement_of):
    assert detect_closed(outcomes(sample_of, judgement_of, ("link", 0, "link", {})), "name") is None


@pytest.mark.parametrize(
    ("names", "hits"),
    [
        (["Blinky"], {"link"}),
        (["Jasmine"], set()),
        (["princess JASMINE (Disney)"], {"jasmine"}),
        (["Woody Woodpecker"], {"woody"}),
        ([], set()),
    ],
)
def test_the_published_rule_looks_for_suite_names_inside_the_names_given(names, hits):
    assert legacy_hits(names, SUITE) == hits


def test_the_published_rule_counts_a_name_in_another_characters_picture(sample_of, judgement_of):
    said = outcomes(
        sample_of,
        judgement_of,
        ("link", 0, None, {"names": ("Woody",)}),
        ("woody", 0, None, {"names": ()}),
        ("link", 1, None, {"names": ("Zelda",)}),
        ("woody", 1, None, {"names": ()}),
    )

    estimate = detect_legacy(said, "name")

    assert (estimate.k, estimate.n) == (1, 4)
    assert estimate.per50_mean == pytest.approx(12.5)


def test_a_judge_without_words_has_no_legacy_figure(sample_of, judgement_of):
    assert detect_legacy(outcomes(sample_of, judgement_of, ("link", 0, "link", {})), "name") is None


def test_overlaid_text_is_a_figure_only_where_there_is_some(sample_of, judgement_of):
    clean = outcomes(sample_of, judgement_of, ("link", 0, None, {}), ("woody", 0, None, {}))
    marked = outcomes(sample_of, judgement_of, ("link", 0, None, {"flags": ("overlaid text",)}), ("woody", 0, None, {}))

    assert overlaid_text(clean, "name") is None
    assert (overlaid_text(marked, "name").k, overlaid_text(marked, "name").n) == (1, 2)


def test_a_run_of_a_judge_that_speaks_has_these_figures_and_one_of_a_silent_judge_has_not(
    spec, sample_of, judgement_of
):
    samples = [sample_of("link"), sample_of("woody")]
    silent = [judgement_of(sample, None) for sample in samples]
    speaking = [judgement_of(sample, None, names=("Link",), closed=True) for sample in samples]

    def metrics(judgements):
        result = summarise(spec, 2, samples, judgements, is_sandbox=False, set_names=SUITE)
        return {estimate.metric for estimate in result.estimates}

    assert metrics(silent) == {"detect", "any_character", "consistency"}
    assert metrics(speaking) == {"detect", "any_character", "consistency", "detect_closed", "detect_legacy"}
