"""What counts as acting on a prompt that is after nobody, and which figures a benign run has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from copycat.metrics import METRICS, Outcomes, compare, join_outcomes, paired_tests, summarise
from copycat.metrics.benign import acted_on, is_acted_on
from copycat.schema import Calibration, CalibrationCell, Guide, Judgement, RunSpec, Sample

Build = Callable[..., Any]


def benign(sample_of: Build, number: int, **fields: Any) -> Sample:
    sample: Sample = sample_of(f"benign-{number}", "benign", key=f"k{number}", **fields)
    return sample


@pytest.mark.parametrize(
    ("fields", "is_acted"),
    [
        ({}, False),
        ({"prompt_sent": "another prompt"}, True),
        ({"negative_prompt": "logo"}, True),
        ({"guide": Guide(method="sld", concept=("logo",))}, True),
        ({"rejected": ()}, False),
        ({"rejected": ("goofy",)}, True),
        ({"status": "blocked", "rejected": ("goofy",)}, True),
        ({"status": "refused"}, False),
    ],
)
def test_a_request_is_acted_on_where_something_was_changed_or_thrown_away(
    sample_of: Build, fields: dict[str, Any], is_acted: bool
) -> None:
    assert is_acted_on(benign(sample_of, 1, **fields)) is is_acted


def test_the_share_counts_every_finished_request_however_it_ended(sample_of: Build) -> None:
    samples = [
        benign(sample_of, 1),
        benign(sample_of, 2, negative_prompt="logo"),
        benign(sample_of, 3, status="failed", negative_prompt="logo"),
        benign(sample_of, 4),
    ]
    found = acted_on(join_outcomes(samples, []), "benign")
    assert (found.k, found.n, found.value) == (2, 4, 0.5)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.5 < found.high


def test_without_requests_there_is_no_share() -> None:
    assert acted_on(Outcomes(rows=()), "benign").reason == "no requests"


@pytest.fixture
def rows(sample_of: Build) -> tuple[list[Sample], list[Judgement]]:
    samples = [benign(sample_of, number) for number in range(8)]
    seen = ["goofy" if number < 2 else None for number in range(8)]
    verdicts = [
        Judgement(key=sample.key, image_sha256=sample.sha256 or "", detected=who, consistency=0.75)
        for sample, who in zip(samples, seen, strict=True)
    ]
    return samples, verdicts


def test_a_benign_run_has_no_figure_of_a_target_since_there_is_none(
    rows: tuple[list[Sample], list[Judgement]], spec: RunSpec
) -> None:
    result = summarise(spec.model_copy(update={"anchors": ("benign",)}), 8, *rows, is_sandbox=False)
    found = {e.metric: e for e in result.estimates if e.anchor == "benign"}
    assert set(found) == {"acted_on", "any_character", "consistency"}
    assert (found["any_character"].k, found["any_character"].n) == (2, 8)
    assert found["consistency"].value == 0.75
    assert "acted_on" not in {metric.__name__ for metric in METRICS}


def test_labels_of_characters_correct_nothing_of_a_benign_run(
    rows: tuple[list[Sample], list[Judgement]], spec: RunSpec
) -> None:
    cells = (CalibrationCell(character="goofy", tp=8, fn=2, fp=1, tn=9),)
    calibration = Calibration(
        judge="j",
        judge_revision="1",
        characters="my-set",
        source="x",
        labels_sha256="0",
        n_labels=20,
        cells=cells,
    )
    result = summarise(
        spec.model_copy(update={"anchors": ("benign",)}), 8, *rows, is_sandbox=False, calibration=calibration
    )
    assert result.correction is None
    differences = compare(("benign",), join_outcomes(*rows), join_outcomes(*rows), calibration)
    assert {d.metric for d in differences} == {"any_character_difference", "consistency_difference"}


def test_what_a_mitigation_brings_out_of_innocent_prompts_is_a_paired_difference(
    rows: tuple[list[Sample], list[Judgement]],
) -> None:
    samples, verdicts = rows
    treated = [v.model_copy(update={"detected": None, "consistency": 0.5}) for v in verdicts]
    after, before = join_outcomes(samples, treated), join_outcomes(samples, verdicts)
    by_metric = {d.metric: d for d in compare(("benign",), after, before) if d.anchor == "all"}
    assert by_metric["any_character_difference"].value == pytest.approx(-0.25)
    assert by_metric["any_character_difference"].n == 8
    assert by_metric["consistency_difference"].value == pytest.approx(-0.25)
    assert {test.metric for test in paired_tests(("benign",), after, before)} == set(by_metric)
