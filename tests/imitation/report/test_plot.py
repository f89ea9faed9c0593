"""The drawing of a study: what lies where, on any scale, in a wide and a narrow frame."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import get_args
from xml.etree import ElementTree

import pytest
from studies import make_analysis, study_points

from copycat.imitation.records import Analysis, Answer, Bracket, Concept, Point, VerdictName
from copycat.imitation.report.build import build_plot
from copycat.imitation.report.cards import Tables
from copycat.imitation.report.plot import LETTER_PX, MANY, NARROW, WIDE, Frame, Plot, draw, position, tick_text
from copycat.imitation.report.reading import Study

EVIL = '</title><script>alert(1)</script>"&'


def with_points(*points: tuple[float, float], **changes: object) -> Analysis:
    found = tuple(Point(concept=f"c-{i}", count=count, score=score) for i, (count, score) in enumerate(points))
    plain = {"points": found, "answers": (), "band": None, "bracket": None, "placed": ()}
    return make_analysis().model_copy(update=plain | changes)


def pixels_of(plot: Plot) -> list[tuple[float, float]]:
    dots = [(dot.x, dot.y) for dot in plot.dots]
    lanes = [(x, lane.y) for lane in plot.lanes for x in (lane.low, lane.high) if lane.x is not None]
    return [*dots, *lanes, *((tick.at, plot.floor) for tick in plot.x_ticks)]


def test_a_count_lies_at_the_logarithm_of_one_more_so_that_none_has_a_place() -> None:
    assert [position(count) for count in (0, 9, 99)] == [0.0, 1.0, 2.0]
    assert position(-3) == 0.0


def test_a_concept_without_training_pictures_is_on_the_scale_under_its_name() -> None:
    plot = draw(with_points((0, 0.2), (50, 0.3), (900, 0.5)))

    first = min(plot.x_ticks)
    assert first.text == "0"
    assert plot.dots[0].x == pytest.approx(first.at)
    assert plot.dots[0].x < plot.dots[1].x < plot.dots[2].x


def test_intervals_of_two_prompts_leave_the_points_their_room_and_end_in_arrows() -> None:
    scores = [(0.4, -1.0, 0.45), (0.5, 0.45, 1.0), (0.6, 0.58, 0.6)]
    points = [Point(concept=f"c{n}", count=n, score=s, score_low=a, score_high=b) for n, (s, a, b) in enumerate(scores)]
    plot = draw(with_points().model_copy(update={"points": tuple(points)}))

    first, second, third = plot.dots
    assert first.y - third.y > 0.9 * (plot.floor - plot.top - 18)
    assert first.upright.endswith("l3 4l3 -4")
    assert second.upright.endswith("l3 -4l3 4")
    assert third.upright.count("M") == 1


def test_a_higher_score_lies_higher() -> None:
    low, high = draw(with_points((10, 0.2), (20, 0.4))).dots

    assert high.y < low.y


@pytest.mark.parametrize("frame", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("verdict", get_args(VerdictName))
@pytest.mark.parametrize("n", [1, 50, 400])
def test_everything_lies_within_the_frame(frame: Frame, verdict: VerdictName, n: int) -> None:
    plot = draw(make_analysis(verdict, n), frame=frame)

    assert len(plot.dots) == n
    assert all(frame.left <= x <= frame.width - frame.right and 0 <= y <= plot.floor for x, y in pixels_of(plot))
    assert all(plot.right < plot.text_x <= frame.width - LETTER_PX * len(lane.text) for lane in plot.lanes)


@pytest.mark.parametrize("frame", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("most", [4, 60, 2_000, 400_000, 3e9])
def test_names_on_the_scale_of_counts_never_touch(frame: Frame, most: float) -> None:
    plot = draw(with_points((0, 0.2), (most, 0.4)), frame=frame)

    named = [tick for tick in plot.x_ticks if tick.text]
    assert len(named) >= 2
    for before, after in pairwise(named):
        assert after.at - before.at >= 3.4 * (len(before.text) + len(after.text))


@pytest.mark.parametrize(
    "scores", [(0.2, 0.2), (-0.4, 3.1), (0.0, 0.0), (1e-6, 2e-6), (-250.0, 900.0)], ids=str
)  # fmt: skip
def test_any_range_of_scores_has_a_few_round_lines(scores: tuple[float, float]) -> None:
    plot = draw(with_points((10, scores[0]), (20, scores[1])))

    assert 2 <= len(plot.y_ticks) <= 11
    assert len({tick.text for tick in plot.y_ticks}) == len(plot.y_ticks)
    assert all(plot.top <= tick.at <= plot.floor for tick in plot.y_ticks)


def test_shares_are_named_in_per_cent() -> None:
    plot = draw(with_points((10, 0.0), (20, 1.0), metric="identified"))

    assert [tick.text for tick in plot.y_ticks] == ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]


@pytest.mark.parametrize("points", [(), ((0.0, 0.3),), ((7.0, 0.3), (7.0, 0.3))], ids=["none", "one", "equal"])
def test_too_little_to_draw_still_gives_a_drawing(points: tuple[tuple[float, float], ...]) -> None:
    plot = draw(with_points(*points))

    assert len(plot.dots) == len(points)
    assert all(math.isfinite(x) and math.isfinite(y) for x, y in pixels_of(plot))


def test_an_interval_that_goes_beyond_the_scale_ends_in_an_arrow() -> None:
    wide = Answer(estimator="logistic", count=200, low=0.5, high=math.inf)
    lane = draw(with_points((10, 0.2), (900, 0.4), answers=(wide,))).lanes[0]

    assert (lane.goes_left, lane.goes_right) == (True, True)


def test_a_long_name_of_an_estimator_is_cut_in_its_lane() -> None:
    analysis = with_points((10, 0.2), (90, 0.4), answers=(Answer(estimator="a-very-long-name-of-one", count=40),))

    assert [draw(analysis, frame=frame).lanes[0].name for frame in (WIDE, NARROW)] == ["a-very-long-…", "a-very-l…"]


def test_an_estimator_without_an_answer_keeps_its_lane_and_draws_no_line() -> None:
    lanes = draw(make_analysis("no_change")).lanes

    assert [lane.text for lane in lanes] == ["no answer"] * 5
    assert all(lane.x is None for lane in lanes)


@pytest.mark.parametrize("frame", [WIDE, NARROW], ids=["wide", "narrow"])
def test_figures_of_lanes_stand_under_each_other_right_of_the_plot_whatever_their_intervals(frame: Frame) -> None:
    wide = Answer(estimator="supf", count=13, low=5, high=500)
    bracket = Bracket(last_below=5, first_above=123_456, method="m")
    plot = draw(with_points((5, 0.2), (500, 0.4), answers=(wide,), bracket=bracket), frame=frame)

    assert max(lane.high for lane in plot.lanes) <= plot.right < plot.text_x
    assert [lane.text for lane in plot.lanes] == ["5 to 123,456", "13"]
    assert plot.text_x + LETTER_PX * len("5 to 123,456") <= frame.width


def test_the_smallest_count_has_a_name_on_the_scale() -> None:
    for smallest in (2, 8, 60):
        ticks = draw(with_points((smallest, 0.2), (2_000, 0.4))).x_ticks
        assert min(tick for tick in ticks if tick.text).text == str(smallest)


@pytest.mark.parametrize(
    ("scores", "first", "last"),
    [((0.05, 0.52), "0.1", "0.5"), ((0.02, 0.99), "0.0", "1.0"), ((0.31, 0.44), "0.32", "0.44")],
)
def test_an_end_near_a_line_of_the_grid_is_put_on_it(scores: tuple[float, float], first: str, last: str) -> None:
    ticks = draw(with_points((10, scores[0]), (20, scores[1]))).y_ticks

    assert (ticks[0].text, ticks[-1].text) == (first, last)
    assert 4 <= len(ticks) <= 10


@pytest.mark.parametrize("estimator", ["supf", "pelt", "isotonic", "published"])
def test_a_step_is_level_until_the_first_count_above_and_upright_there(estimator: str) -> None:
    found = Answer(estimator=estimator, count=60, curve=((5, 0.2), (20, 0.2), (60, 0.4), (500, 0.4)))
    plot = draw(with_points((5, 0.2), (20, 0.2), (60, 0.4), (500, 0.4), answers=(found,)))

    corners = [tuple(map(float, pair.split())) for pair in plot.curves[0].path[1:].split("L")]
    assert all(before[0] == after[0] or before[1] == after[1] for before, after in pairwise(corners))
    upright = {before[0] for before, after in pairwise(corners) if before[1] != after[1]}
    assert list(upright) == [pytest.approx(plot.dots[2].x, abs=0.1)]


def test_a_smooth_rise_is_drawn_as_a_slope() -> None:
    found = Answer(estimator="logistic", count=60, curve=((5, 0.2), (60, 0.3), (500, 0.4)))
    plot = draw(with_points((5, 0.2), (60, 0.3), (500, 0.4), answers=(found,)))

    assert len(plot.curves[0].path.split("L")) == 3


def test_a_bracket_of_one_count_can_still_be_seen() -> None:
    plot = draw(with_points((10, 0.2), (90, 0.4), bracket=Bracket(last_below=40, first_above=40, method="m")))

    assert plot.bracket is not None
    assert plot.bracket[1] - plot.bracket[0] == pytest.approx(2)


def test_a_sign_says_by_its_shape_where_a_concept_stands() -> None:
    analysis = make_analysis()
    sides = {placed.concept: placed.side for placed in analysis.placed}
    dots = draw(analysis).dots
    tree = ElementTree.fromstring(build_plot(Study(analysis, Tables(), {}, ())))  # noqa: S314 - our own text
    groups = tree.findall(".//*[@class='dots']/*")
    shapes = {(group.get("class"), group.find("./*[@class='sign']").tag.rpartition("}")[2]) for group in groups}

    assert {dot.concept: dot.side for dot in dots} == sides
    assert shapes == {("dot above", "circle"), ("dot below", "circle"), ("dot uncertain", "path")}


def test_a_title_says_who_it_is_with_count_score_and_side() -> None:
    point = study_points(1)[0]
    title = draw(make_analysis(n=1), {point.concept: "Zormi"}).dots[0].title

    assert title.startswith("Zormi: 60 training pictures [52, 68], score ")
    assert title.endswith("], uncertain")


def test_many_concepts_make_a_crowded_drawing() -> None:
    assert [draw(make_analysis(n=n)).is_crowded for n in (MANY, MANY + 1)] == [False, True]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (3, "3"), (3_000, "3,000"), (30_000, "30k"), (1e6, "1M"), (3e9, "3G")]
)
def test_ticks_have_short_names(count: float, text: str) -> None:
    assert tick_text(count) == text


def test_the_curve_alone_is_well_formed_and_runs_nothing_whatever_names_say() -> None:
    analysis = make_analysis(n=20)
    concepts = [Concept(id=point.concept, name=EVIL) for point in analysis.points]
    text = build_plot(Study(analysis, Tables(concepts=concepts), {}, ()))

    tree = ElementTree.fromstring(text)  # noqa: S314 - our own text
    titles = [title.text or "" for title in tree.iter("{http://www.w3.org/2000/svg}title")]
    assert sum(title.startswith(EVIL) for title in titles) == 20
    assert "<script" not in text
    assert "prefers-color-scheme: dark" in text
