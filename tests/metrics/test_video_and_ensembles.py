"""Figures of clips, of ensembles and of screens."""

from __future__ import annotations

import pytest

from copycat.metrics import join_outcomes
from copycat.metrics.ensembles import agreement, screen_misses, screened_out
from copycat.metrics.video import detect_sheet, first_hit, frame_share
from copycat.schema import MemberVerdict


def outcomes(sample_of, judgement_of, *rows, **fields):
    samples = [sample_of(f"c{i}") for i in range(len(rows))]
    judgements = [
        judgement_of(sample, f"c{i}" if is_hit else None, **more)
        for i, (sample, (is_hit, more)) in enumerate(zip(samples, rows, strict=True))
    ]
    return join_outcomes(samples, judgements).model_copy(update=fields)


def test_the_share_of_frames_is_a_mean_over_clips(sample_of, judgement_of):
    clips = outcomes(
        sample_of,
        judgement_of,
        (True, {"frames": ("c0", None, "c0", None)}),
        (False, {"frames": (None, "c9", None, None)}),
    )

    assert frame_share(clips, "name").value == pytest.approx(0.25)
    assert frame_share(clips, "name").n == 2


def test_the_first_hit_is_told_in_seconds_and_only_of_clips_that_have_one(sample_of, judgement_of):
    clips = outcomes(
        sample_of,
        judgement_of,
        (True, {"frames": (None, "c0", "c0")}),
        (True, {"frames": ("c1", None, None)}),
        (False, {"frames": (None, None, None)}),
        frame_times_s=(0.0, 1.0, 2.0),
    )
    estimate = first_hit(clips, "name")

    assert (estimate.value, estimate.n, estimate.unit) == (pytest.approx(0.5), 2, "seconds")
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 2


def test_the_sheet_is_a_figure_of_its_own(sample_of, judgement_of):
    clips = outcomes(
        sample_of,
        judgement_of,
        (False, {"frames": (None,), "sheet": ("c0", "c7")}),
        (True, {"frames": ("c1",), "sheet": ()}),
    )

    assert (detect_sheet(clips, "name").k, detect_sheet(clips, "name").n) == (1, 2)


def test_pictures_have_no_figures_of_clips(sample_of, judgement_of):
    still = outcomes(sample_of, judgement_of, (True, {}), (False, {}))

    assert (frame_share(still, "name"), first_hit(still, "name"), detect_sheet(still, "name")) == (None, None, None)


def members(*votes):
    return {
        "members": tuple(
            MemberVerdict(
                judge=f"j{i}", detected=vote if isinstance(vote, str) else None, reason=None if vote != 0 else "?"
            )
            for i, vote in enumerate(votes)
        )
    }


def test_agreement_speaks_of_the_target_only(sample_of, judgement_of):
    voted = outcomes(
        sample_of,
        judgement_of,
        (True, members("c0", "c0")),
        (False, members("c5", None)),
        (True, members("c2", None)),
        (True, members("c3", 0)),
    )

    estimate = agreement(voted, "name")

    assert (estimate.k, estimate.n, estimate.better) == (2, 3, "higher")


def test_what_a_screen_keeps_back_and_misses_is_told(sample_of, judgement_of):
    screened = outcomes(
        sample_of,
        judgement_of,
        (True, {"screening": "passed"}),
        (False, {"screening": "out"}),
        (True, {"screening": "audited"}),
        (False, {"screening": "audited"}),
    )

    assert (screened_out(screened, "name").k, screened_out(screened, "name").n) == (1, 4)
    assert (screen_misses(screened, "name").k, screen_misses(screened, "name").n) == (1, 2)


def test_a_screen_whose_audit_came_to_nothing_says_so(sample_of, judgement_of):
    estimate = screen_misses(outcomes(sample_of, judgement_of, (True, {"screening": "passed"})), "name")

    assert estimate.value is None
    assert estimate.reason is not None


def test_a_single_judge_has_no_agreement(sample_of, judgement_of):
    alone = outcomes(sample_of, judgement_of, (True, {}))

    assert (agreement(alone, "name"), screened_out(alone, "name"), screen_misses(alone, "name")) == (None, None, None)
