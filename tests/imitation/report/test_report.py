"""What a report says: words, rounded figures, cards, and what it takes from the folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from studies import FLOOR, make_analysis, study_points, write_study

from copycat.imitation.records import (
    Analysis,
    Answer,
    Bracket,
    Concept,
    ConceptCount,
    Covariate,
    Placed,
    Point,
    Score,
    VerdictName,
)
from copycat.imitation.report.build import build_report
from copycat.imitation.report.cards import Tables, build_cards, summarise_counts
from copycat.imitation.report.reading import Study, read_study
from copycat.imitation.report.wording import (
    check_of,
    differences_text,
    figures_of,
    intervals_text,
    terms_of,
    why_no_band,
    without_place,
)
from copycat.imitation.tables import write_table
from copycat.imitation.threshold.headline import (
    METRIC_WORDS,
    agreement_of,
    count_text,
    headline_of,
    overall_agreement,
    p_text,
    score_text,
    statistic_text,
    tile_of,
)
from copycat.imitation.threshold.points import GivenScore
from copycat.runs.folder import write_json


def with_answers(*answers: Answer, bracket: tuple[float, float] | None = (60, 170)) -> Analysis:
    found = Bracket(last_below=bracket[0], first_above=bracket[1], method="m") if bracket else None
    return make_analysis().model_copy(update={"answers": answers, "bracket": found})


def answer(estimator: str, count: float | None, low: float | None = None, high: float | None = None) -> Answer:
    return Answer(estimator=estimator, count=count, low=low, high=high)


# ---------------------------------------------------------------------------------------------- headline


@pytest.mark.parametrize(
    ("verdict", "title"),
    [
        ("threshold", "Imitation starts between 62 and 171 training pictures"),
        ("gradual", "Imitation grows gradually; half of it is reached at 135 training pictures"),
        ("no_change", "No imitation threshold is found in these counts"),
        ("out_of_range", "The change lies at the edge of these counts, so its place is not known"),
        ("underpowered", "Too little data to say where imitation starts"),
    ],
)
def test_each_verdict_is_said_in_plain_words(verdict: VerdictName, title: str) -> None:
    assert headline_of(make_analysis(verdict)).title == title


@pytest.mark.parametrize("verdict", ["threshold", "gradual"])
def test_a_verdict_without_its_figures_names_no_number(verdict: VerdictName) -> None:
    bare = make_analysis(verdict).model_copy(update={"bracket": None, "answers": ()})

    assert not any(letter.isdigit() for letter in headline_of(bare).title)


def test_it_is_said_how_sure_the_verdict_is_and_what_would_have_been_missed() -> None:
    interval, chance, smallest = headline_of(make_analysis()).sure

    assert "95 % confidence" in interval
    assert "62 and 171" in interval
    assert "in fewer than 0.1 % of such studies" in chance
    assert "80 of 100 such studies: 0.071" in smallest


def test_a_chance_that_some_shuffle_reached_is_told_as_it_is() -> None:
    chance = headline_of(make_analysis().model_copy(update={"permutations": 9_999})).sure[1]

    assert "turn up in 0.1 % of such studies" in chance


def test_a_gradual_rise_has_the_interval_of_its_middle() -> None:
    assert any("between 108 and 169" in sentence for sentence in headline_of(make_analysis("gradual")).sure)


@pytest.mark.parametrize(
    ("ed10", "ed90", "said"),
    [
        (58, 314, "The rise goes from 10 % to 90 % between 58 and 314 training pictures."),
        (0.016, 72, "10 % of the rise lies below the smallest count, 3; 90 % is reached at 72 training pictures."),
        (
            8,
            3221,
            "90 % of the rise lies above the largest count, 900: the curve still rises there, so its beginning is not "
            "known.",
        ),
        (0.016, None, "10 % of the rise lies below the smallest count, 3; 90 % lies above the largest count, 900."),
    ],
)
def test_a_gradual_rise_says_where_it_begins_and_ends_and_names_no_count_that_was_not_observed(
    ed10: float, ed90: float | None, said: str
) -> None:
    points = tuple(Point(concept=f"c-{count}", count=count, score=0.3) for count in (3, 40, 900))
    found = Answer(estimator="logistic", count=100, statistics={"ed10": ed10, "ed90": ed90})
    analysis = make_analysis("gradual").model_copy(update={"points": points, "answers": (found,)})

    assert said in headline_of(analysis).sure
    assert all(figure.text in said for figure in figures_of(found, analysis))


def test_a_level_that_the_counts_do_not_reach_is_told_to_be_extrapolated() -> None:
    texts = []
    for ed90 in (314, None):
        found = Answer(estimator="logistic", count=100, statistics={"upper": 0.4, "ed90": ed90})
        texts.append(figures_of(found, make_analysis("gradual"))[0].text)

    assert texts == ["0.400", "0.400, extrapolated"]


@pytest.mark.parametrize(
    ("low", "high", "end"),
    [
        (30, 80, "."),
        (3, 80, "smallest count, and may go on beyond."),
        (3, 900, "smallest and the largest count, and may go on beyond."),
    ],
)
def test_an_interval_that_ends_where_the_counts_do_is_said_to(low: float, high: float, end: str) -> None:
    points = tuple(Point(concept=f"c-{count}", count=count, score=0.3) for count in (3, 40, 900))
    found = (answer("logistic", 50, low, high),)
    analysis = make_analysis("gradual").model_copy(update={"points": points, "answers": found})

    first = headline_of(analysis).sure[0]
    assert first.endswith(end)
    assert ("may go on beyond" in first) == (end != ".")


def test_a_rise_in_one_picture_is_not_said_in_the_plural() -> None:
    analysis = make_analysis("gradual").model_copy(update={"answers": (answer("logistic", 1.0),)})

    assert headline_of(analysis).title.endswith("at 1 training picture")


@pytest.mark.parametrize(
    ("verdict", "tile"),
    [
        ("threshold", ("bracket, 95 %", "62 \N{EN DASH} 171")),
        ("gradual", ("half of the rise (ED50)", "135")),
        ("no_change", ("bracket, 95 %", "none")),
        ("out_of_range", ("bracket, 95 %", "none")),
        ("underpowered", ("bracket, 95 %", "none")),
    ],
)
def test_a_bracket_is_shown_of_a_step_and_ed50_with_its_interval_of_a_gradual_rise(
    verdict: VerdictName, tile: tuple[str, str]
) -> None:
    found = tile_of(make_analysis(verdict))

    assert (found.term, found.figure) == tile
    assert ("a bracket is given for a step only" in found.meaning) == (verdict != "threshold")
    assert ("95 % between 108 and 169" in found.meaning) == (verdict == "gradual")


def test_a_gradual_rise_whose_half_is_nowhere_has_no_figure_in_its_place() -> None:
    nowhere = make_analysis("gradual").model_copy(update={"answers": (answer("logistic", None),)})

    assert tile_of(nowhere).figure == "not known"


@pytest.mark.parametrize(
    ("metric", "axis", "unit"),
    [
        ("raw", "mean cosine to the references", "0.071 (mean cosine to the references)"),
        ("score", "score", "0.071 (in the unit of the scores given)"),
        ("z", "likeness, in standard deviations of impostors", "0.07 (standard deviations of impostors)"),
        ("identified", "share identified, %", "7.1 (percentage points of the share identified)"),
        ("matched", "share matched, %", "7.1 (percentage points of the share matched)"),
    ],
)
def test_each_metric_has_words_of_its_own(metric: str, axis: str, unit: str) -> None:
    analysis = make_analysis().model_copy(update={"metric": metric})

    assert METRIC_WORDS[metric].axis == axis
    assert any(unit in sentence for sentence in headline_of(analysis).sure)


# ---------------------------------------------------------------------------------------------- plain words


def test_figures_of_estimators_have_plain_labels_and_the_unit_of_the_score() -> None:
    statistics = {"bic": -241.31, "f": 212.7, "p": 0.001, "rise": 0.3012, "own-figure": 7.0, "noise": None}
    analysis = make_analysis().model_copy(update={"metric": "matched"})
    shown = figures_of(Answer(estimator="supf", count=100, statistics=statistics), analysis)

    assert [(figure.label, figure.text) for figure in shown] == [
        ("clearness of the step (F)", "212.7"),
        ("chance (p)", "≤ 0.001"),
        ("height of the step", "30.1 %"),
        ("misfit (BIC)", "−241.3"),
        ("noise", "none"),
        ("own-figure", "7"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "label", "text"),
    [
        ("neighbours", 0.0459, "neighbours in count", "0.046"),
        ("partial:year", -0.4312, "score against year, counts held fixed", "−0.43"),
        ("without-bin-3", 158.6, "step without the third fifth", "159"),
        ("without-bin-9", 12.0, "without-bin-9", "12"),
        ("partial:age", None, "score against age, counts held fixed", "none"),
    ],
)
def test_checks_have_plain_names(name: str, value: float | None, label: str, text: str) -> None:
    shown = check_of(Covariate(name=name, value=value, n=40, meaning="m"), "raw")

    assert (shown.label, shown.text, shown.meaning) == (label, text, "m")


def test_each_figure_that_is_shown_is_explained_once() -> None:
    analysis = make_analysis()
    shown = {figure.label for answer in analysis.answers for figure in figures_of(answer, analysis)}
    terms = terms_of(make_analysis())

    assert [label for label, _ in terms] == list(dict.fromkeys(label for label, _ in terms))
    assert {label for label, meaning in terms if meaning} == shown


@pytest.mark.parametrize(
    ("numbers", "said", "is_warned"),
    [((5, 5), "over the means of its 5 prompts.", False), ((2, 2), "its 2 prompts; over 2", True),
     ((2, 5), "its prompts (2 to 5); over 2", True), ((0,), "", False)],
)  # fmt: skip
def test_it_is_said_what_an_interval_rests_on(numbers: tuple[int, ...], said: str, is_warned: bool) -> None:
    points = [
        Point(concept=f"c-{i}", count=1, score=0.3, score_low=0.2 if n else None, prompts=(0.3,) * n)
        for i, n in enumerate(numbers)
    ]

    assert said in intervals_text(points)
    assert ("little more than a hint" in intervals_text(points)) == is_warned


def test_the_true_reason_is_given_why_there_is_no_control_band(tmp_path: Path) -> None:
    analysis = make_analysis(n=1)
    cards = build_cards(analysis, read_study(write_study(tmp_path, analysis)).tables)

    assert why_no_band(cards, has_scores=True).startswith("a control arm was scored for 1 concept, and a band needs")
    assert why_no_band((), has_scores=True) == "no control arm was scored"
    assert why_no_band((), has_scores=False) == "a band needs the control arms of 2 concepts"


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        ("/home/me/my study/refs (sha256 6f50)", "refs (sha256 6f50)"),
        ("/home/me/pics", "pics"),
        ("refs (sha256 6f50)", "refs (sha256 6f50)"),
        ("1 of 2, a/b", "1 of 2, a/b"),
    ],
)
def test_no_home_folder_stands_in_a_report(fact: str, text: str) -> None:
    assert without_place(fact) == text


# ---------------------------------------------------------------------------------------------- agreement


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer("supf", 100), "agrees"),
        (answer("supf", 60), "agrees"),
        (answer("supf", 30), "disagrees"),
        (answer("supf", 30, 20, 61), "agrees"),
        (answer("supf", 400, 171, 900), "disagrees"),
        (answer("supf", None), ""),
    ],
)
def test_an_answer_agrees_if_it_or_its_interval_reaches_into_the_bracket(given: Answer, expected: str) -> None:
    assert agreement_of(given, with_answers(given)) == expected


def test_who_disagrees_is_named_and_the_published_setting_is_not_asked() -> None:
    analysis = with_answers(answer("supf", 100), answer("pelt", 30), answer("published", 900))

    said = overall_agreement(analysis)

    assert said == "The estimators disagree: PELT outside of the bracket; answers go from 30 (PELT) to 100 (sup-F)."


def test_answers_that_are_all_one_count_are_no_range() -> None:
    analysis = with_answers(answer("supf", 100), answer("pelt", 100))

    assert overall_agreement(analysis) == "The estimators agree: each reaches into the bracket; answers are all 100."


def test_one_answer_alone_is_no_agreement() -> None:
    assert overall_agreement(with_answers(answer("supf", 100), answer("published", 90))) == ""


@pytest.mark.parametrize(
    ("verdict", "why"),
    [("threshold", "No change could be bounded"), ("gradual", "A bracket is given for a step only")],
)
def test_without_a_bracket_answers_are_only_told(verdict: VerdictName, why: str) -> None:
    analysis = with_answers(answer("supf", 100), answer("pelt", 30), bracket=None)

    said = overall_agreement(analysis.model_copy(update={"verdict": verdict}))

    assert said == f"{why}, so the answers are held against none; they go from 30 (PELT) to 100 (sup-F)."


# ---------------------------------------------------------------------------------------------- rounded figures


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (0.4, "0.4"), (3, "3"), (9.96, "10"), (0.03, "0"), (12.4, "12"), (1204.4, "1,204"), (float("inf"), "∞")],
)
def test_counts_are_whole_where_they_are_large(count: float, text: str) -> None:
    assert count_text(count) == text


@pytest.mark.parametrize(
    ("score", "metric", "text"),
    [
        (0.41236, "raw", "0.412"),
        (-0.0312, "raw", "−0.031"),
        (-0.0001, "raw", "0.000"),
        (2.345, "z", "2.35"),
        (0.4567, "identified", "45.7"),
        (1234.5, "score", "1234.50"),
    ],
)
def test_scores_are_given_in_the_unit_of_their_metric(score: float, metric: str, text: str) -> None:
    assert score_text(score, metric) == text


@pytest.mark.parametrize(("p", "text"), [(0.001, "0.1 %"), (0.0123, "1.2 %"), (0.41, "41 %"), (1, "100 %")])
def test_chances_are_given_in_per_cent(p: float, text: str) -> None:
    assert p_text(p) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "none"), (0.0, "0"), (-241.31, "−241.3"), (12345.6, "12,346"), (3e-7, "3.00e-07")]
)
def test_statistics_have_four_digits(value: float | None, text: str) -> None:
    assert statistic_text(value) == text


# ---------------------------------------------------------------------------------------------- cards


def test_cards_come_by_count_with_name_count_score_control_and_side() -> None:
    points = study_points(50)
    last = points[-1]
    tables = Tables(
        concepts=[Concept(id=last.concept, name="Zormi", stratum="Lanterns")],
        counts=[ConceptCount(concept=last.concept, count=2000, raw=3100, exact=2400, near=2000)],
        scores=[
            Score(concept=last.concept, arm="named", raw=0.9, n=8, planned=8),
            Score(concept=last.concept, arm="zero", prompt="a", raw=0.20, n=8, planned=8),
            Score(concept=last.concept, arm="zero", prompt="b", raw=0.24, n=8, planned=8),
            Score(concept=last.concept, arm="unnamed", raw=0.26, n=8, planned=8),
            Score(concept=last.concept, arm="shuffled", raw=None, n=0, planned=8, reason="no pictures"),
        ],
    )

    cards = build_cards(make_analysis(), tables)

    assert [card.count for card in cards] == sorted((point.count for point in points), reverse=True)
    first = cards[0]
    assert (first.name, first.stratum, first.count, first.raw, first.exact, first.near, first.side) == (
        "Zormi", "Lanterns", 2000, 3100, 2400, 2000, "above",
    )  # fmt: skip
    assert first.control_arms == ("unnamed", "zero")
    assert first.control == pytest.approx(0.24)  # the mean of 0.26 and of the mean of 0.20 and 0.24
    assert cards[1].control is None
    assert cards[1].name == cards[1].concept


def test_the_control_is_in_the_metric_of_the_analysis() -> None:
    analysis = make_analysis(n=1).model_copy(update={"metric": "z"})
    score = Score(concept=analysis.points[0].concept, arm="zero", raw=0.3, z=-0.1, n=8, planned=8)

    assert build_cards(analysis, Tables(scores=[score]))[0].control == -0.1


def test_ways_of_counting_are_summed_up_and_unknown_ones_left_out() -> None:
    analysis = make_analysis(n=3)
    counts = [
        ConceptCount(concept=point.concept, count=1, raw=raw)
        for point, raw in zip(analysis.points, (0, 5, 10), strict=True)
    ]

    rows = summarise_counts(build_cards(analysis, Tables(counts=counts)))

    assert [row.kind for row in rows] == ["raw", "count"]
    assert (rows[0].n, rows[0].zeros, rows[0].total, rows[0].median, rows[0].most) == (3, 1, 15, 5, 10)


def test_a_score_of_a_users_own_has_controls_of_its_own() -> None:
    analysis = make_analysis(n=1).model_copy(update={"metric": "score"})
    who = analysis.points[0].concept
    given = GivenScore(concept=who, arm="zero", raw=0.3, score=0.7)
    ready = Score(concept=who, arm="zero", raw=0.3, n=8, planned=8)

    assert build_cards(analysis, Tables(scores=[given]))[0].control == 0.7
    assert build_cards(analysis, Tables(scores=[ready]))[0].control == 0.3


# ---------------------------------------------------------------------------------------------- staleness


def changed_after(folder: Path, **edits: Callable[[Any], Any]) -> tuple[str, ...]:
    """Write a whole study, change rows of its tables, and say what the report finds changed."""
    write_study(folder, make_analysis())
    tables = read_study(folder).tables
    for name, kind in (("counts", ConceptCount), ("scores", Score)):
        if name in edits:
            write_table(folder / f"{name}.csv", edits[name](list(getattr(tables, name))), kind)
    return read_study(folder).changed


FIRST = "zorzorzor-0"


def test_an_analysis_of_these_counts_and_scores_is_not_stale(tmp_path: Path) -> None:
    assert changed_after(tmp_path, counts=lambda rows: rows[::-1], scores=lambda rows: rows[::-1]) == ()


def test_counts_and_scores_that_changed_since_are_told_with_their_concepts(tmp_path: Path) -> None:
    def other_counts(rows: list[ConceptCount]) -> list[ConceptCount]:
        return [row.model_copy(update={"count": row.count + 1}) if row.concept == FIRST else row for row in rows]

    def other_scores(rows: list[Score]) -> list[Score]:
        return [row.model_copy(update={"raw": 0.9}) if row.arm == "named" else row for row in rows]

    counts, scores = changed_after(tmp_path, counts=other_counts, scores=other_scores)

    assert counts == f"the count of 1 concept ({FIRST}) changed"
    assert scores.startswith(f"the score of 50 concepts ({FIRST}, ")


def test_control_arms_that_changed_since_are_told(tmp_path: Path) -> None:
    changed = changed_after(tmp_path, scores=lambda rows: [row for row in rows if row.arm != "zero"])

    assert changed == ("the control arms changed",)


def test_concepts_that_came_or_went_since_are_told(tmp_path: Path) -> None:
    came, went = Score(concept="new", raw=0.9, n=1, planned=1), ConceptCount(concept="new", count=4)

    assert changed_after(
        tmp_path,
        counts=lambda rows: [went, *rows],
        scores=lambda rows: [came, *(row for row in rows if row.concept != FIRST or row.arm != "named")],
    ) == (f"the score of 1 concept ({FIRST}) changed", "1 concept (new) is new")


def test_a_concept_left_out_for_its_coverage_is_no_news(tmp_path: Path) -> None:
    rows = [Score(concept="orphan", raw=0.9, n=1, planned=8)]

    assert (
        changed_after(
            tmp_path,
            counts=lambda counts: [ConceptCount(concept="orphan", count=4), *counts],
            scores=lambda scores: [*rows, *scores],
        )
        == ()
    )


def test_a_concept_whose_pictures_can_no_longer_be_scored_changed_its_score(tmp_path: Path) -> None:
    def lost(rows: list[Score]) -> list[Score]:
        return [row.model_copy(update={"n": 1}) if row.concept == FIRST else row for row in rows]

    assert changed_after(tmp_path, scores=lost) == (f"the score of 1 concept ({FIRST}) changed",)


def test_tables_that_call_concepts_by_name_are_compared_by_id(tmp_path: Path) -> None:
    folder = write_study(tmp_path, make_analysis())
    counts = folder / "counts.csv"
    counts.write_text(counts.read_text().replace(f"{FIRST},", "Zorzorzor,"))

    study = read_study(folder)

    assert study.changed == ()
    assert FIRST in {row.concept for row in study.tables.counts}


def test_an_analysis_alone_is_compared_with_nothing(tmp_path: Path) -> None:
    assert read_study(write_study(tmp_path, make_analysis(), is_whole=False)).changed == ()


# ---------------------------------------------------------------------------------------------- how it was counted


@pytest.mark.parametrize(
    ("facts", "start", "end"),
    [
        ({"count": "raw"}, "A training picture is counted for each caption", "are missed."),
        ({"count": "exact"}, "Counted are different pictures whose caption", "are missed."),
        ({"count": "near", "verified": "9 of 10"}, "Counted are pictures whose caption", "was looked at."),
        ({"count": "raw", "scaled_to": "laion"}, "A training picture is counted", "another corpus."),
        ({}, "", ""),
    ],
)
def test_it_is_said_what_a_count_is_a_number_of(tmp_path: Path, facts: dict[str, str], start: str, end: str) -> None:
    write_json(write_study(tmp_path, make_analysis()) / "counts.json", {"facts": facts})

    said = build_report(read_study(tmp_path)).counted

    assert said.startswith(start)
    assert said.endswith(end)
    assert bool(said) == bool(start)


@pytest.mark.parametrize(
    ("verdict", "counted_by", "said"),
    [
        ("threshold", "near", "near duplicates are counted once; the change is given as a bracket"),
        ("gradual", "raw", "equal pictures are counted each; a smooth rise is given by the count at which half of it"),
        ("no_change", "exact", "scores stand beside those of control arms; exact duplicates are counted once"),
        ("underpowered", "", "scores stand beside those of control arms"),
    ],
)
def test_what_differs_from_the_published_method_follows_the_study(
    verdict: VerdictName, counted_by: str, said: str
) -> None:
    text = differences_text(make_analysis(verdict), counted_by)

    assert said in text
    assert ("bracket" in text) == (verdict == "threshold")
    assert ("duplicates" in text) == (counted_by in {"exact", "near"})
    assert "control arms" not in differences_text(make_analysis(verdict, has_band=False), counted_by)


def test_counts_that_are_all_captions_are_told_as_captions_without_facts() -> None:
    analysis = make_analysis(n=2)
    counts = [ConceptCount(concept=p.concept, count=p.count, raw=round(p.count)) for p in analysis.points]

    assert "each caption that names" in build_report(Study(analysis, Tables(counts=counts), {}, ())).counted


# ---------------------------------------------------------------------------------------------- the folder


def test_facts_and_warnings_of_the_stages_are_gathered_once_each(tmp_path: Path) -> None:
    analysis = make_analysis().model_copy(update={"warnings": ("two scores are missing",)})
    study = read_study(write_study(tmp_path, analysis))

    assert study.facts == {"counts.corpus": "captions.parquet", "counts.captions": "9,411", "scores.embedder": "dino"}
    assert study.warnings == ("two scores are missing",)


def test_facts_of_another_shape_are_taken_by_their_dotted_names(tmp_path: Path) -> None:
    write_study(tmp_path, make_analysis())
    arms = {"zero": {"planned": 40, "names": {"zormi": "Velka"}, "pairs": {}}}
    content = {"model": "sandbox", "sampling": {"steps": 20, "guidance": None}, "concepts": ["zormi"], "arms": arms}
    (tmp_path / "generations.json").write_text(json.dumps(content | {"warnings": ["two pictures were refused"]}))

    study = read_study(tmp_path)

    assert {name: value for name, value in study.facts.items() if name.startswith("generations.")} == {
        "generations.model": "sandbox",
        "generations.sampling.steps": "20",
        "generations.sampling.guidance": "not set",
        "generations.arms.zero.planned": "40",
    }
    assert "two pictures were refused" in study.warnings


def test_a_report_for_programs_holds_the_cards_the_answers_and_no_curve(tmp_path: Path) -> None:
    report = build_report(read_study(write_study(tmp_path, make_analysis())))
    content = report.model_dump(mode="json")

    assert len(content["cards"]) == 50
    assert [one["agreement"] for one in content["answers"]] == ["agrees"] * 4 + ["disagrees"]
    assert "curve" not in content["answers"][0]
    assert content["cards"][0]["control"] == pytest.approx(FLOOR + 0.01)


def test_scores_under_names_that_no_point_has_change_nothing(tmp_path: Path) -> None:
    write_study(tmp_path, make_analysis(n=5))
    before = build_report(read_study(tmp_path))
    rows = [Score(concept="stranger", raw=0.9, n=1, planned=1), *read_study(tmp_path).tables.scores]
    write_table(tmp_path / "scores.csv", rows, Score)

    assert build_report(read_study(tmp_path)).cards == before.cards


def test_a_side_that_the_analysis_does_not_give_is_none() -> None:
    analysis = make_analysis(n=2)
    analysis = analysis.model_copy(update={"placed": (Placed(concept=analysis.points[0].concept, side="below"),)})

    assert {card.concept: card.side for card in build_cards(analysis, Tables())} == {
        analysis.points[0].concept: "below",
        analysis.points[1].concept: None,
    }
