"""Files of all figures, and the drawing of the headline."""

from __future__ import annotations

import csv
import io
import itertools
import json

import pytest
from board_rows import make_row, stand, without_figures

from copycat.leaderboard.exports import as_cell, as_tex, build_csv, build_json, build_tex
from copycat.leaderboard.scatter import BOTTOM, HEIGHT, LEFT, LETTER_PX, MANY, RIGHT, TOP, WIDTH, draw
from copycat.leaderboard.site.board_table import build_columns, row_html


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_taken_for_a_formula(text):
    assert as_cell(text) == f"'{text}"


def test_numbers_and_other_texts_stay_as_they_are():
    assert [as_cell(value) for value in (-0.5, True, None, "a-b", 7)] == ["-0.5", "true", "", "a-b", "7"]


def test_latex_prints_every_letter():
    assert as_tex("50 % of a_b & {c} $x^2$ #1 \\ ~") == (
        r"50 \% of a\_b \& \{c\} \$x\textasciicircum{}2\$ \#1 \textbackslash{} \textasciitilde{}"
    )


def test_the_table_of_all_rows_has_every_figure_with_its_interval():
    standings = stand(make_row("a", 0.2), make_row("b", 0.8), make_row("s", section="sandbox"))

    rows = list(csv.DictReader(io.StringIO(build_csv(standings))))

    assert [(row["model"], row["section"]) for row in rows] == [
        ("a", "self-reported"),
        ("b", "self-reported"),
        ("s", "sandbox"),
    ]
    best = standings[0].rows[0]
    assert float(rows[0]["detect_name_value"]) == best.detect["name"].value
    assert float(rows[0]["consistency_all_high"]) == best.consistency["all"].high
    assert (rows[0]["rank_all_best"], rows[2]["rank_all_best"]) == ("1", "")


def test_json_holds_all_rows_without_what_is_not_a_number():
    standings = stand(make_row("a", 0.2), without_figures(make_row("b")))

    content = json.loads(build_json(standings, ()))

    assert [row["model"] for row in content["rows"]] == ["a", "b"]
    assert content["rows"][1]["detect"]["all"] == {"value": None, "n": 0, "reason": "no answer"}


def test_latex_has_a_table_for_each_group_and_escapes_names():
    text = build_tex(stand(make_row("a_b & c"), make_row("s", section="sandbox", characters="sandbox")))

    assert text.count(r"\begin{tabular}") == text.count(r"\bottomrule") == 2
    assert r"a\_b \& c" in text
    real, sandbox = text.split(r"\end{table}")[:2]
    assert "sandbox" not in real
    assert "never comparable with real models" not in real
    assert "never comparable with real models" in sandbox


# ----------------------------------------------------------------------------------------- the scatter


def test_less_detect_is_further_left_and_more_cons_further_up():
    rows = [make_row("a", 0.1, 0.9), make_row("b", 0.8, 0.6)]

    good, bad = draw(rows, "all").points

    assert good.x < bad.x
    assert good.y < bad.y
    assert (good.is_front, bad.is_front) == (True, False)


def test_every_point_and_interval_lies_inside_the_drawing():
    rows = [make_row(f"m{i}", i / 10, i / 10) for i in range(11)]

    for point in draw(rows, "name").points:
        assert LEFT <= point.x <= WIDTH - RIGHT
        assert TOP <= point.y <= HEIGHT - BOTTOM


def test_a_row_without_figures_has_no_point_and_keeps_the_places_of_others():
    rows = [make_row("a"), without_figures(make_row("b")), make_row("c")]

    points = draw(rows, "all").points

    assert [point is None for point in points] == [False, True, False]
    assert draw(rows[1:2], "all") is None


def test_baselines_are_drawn_but_bound_neither_the_scale_nor_the_front():
    rows = [make_row("a", 0.3, 0.9), make_row("blank", 0.0, 0.02, is_baseline_model=True)]

    drawing = draw(rows, "all")

    assert [row.model for row in drawing.front] == ["a"]
    assert drawing.y.low >= 0.7
    assert [point.is_off for point in drawing.points] == [False, True]
    cons = 100 * rows[1].consistency["all"].value
    assert drawing.points[1].label.text == f"blank, CONS {cons:.1f} ↓"


def test_names_do_not_cover_each_other():
    rows = [make_row(f"model-{i}", 0.3 + i / 300, 0.8, mitigation="negprompt:name") for i in range(30)]

    def box(label):
        width = len(label.text) * LETTER_PX
        left = label.x - {"start": 0, "middle": width / 2, "end": width}[label.anchor]
        return left, label.y - 11, left + width, label.y

    boxes = [box(point.label) for point in draw(rows, "all").points if point.label]
    assert boxes
    for one, other in itertools.combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_each_of_few_rows_of_one_model_has_its_mitigation_for_a_name():
    mitigations = ("none", "negprompt:name", "safree", "rewrite:describe", "negprompt:name,embedding-5", "erase")
    rows = [make_row("model", 0.3 + i / 60, 0.8 + i / 200, i, mitigation=name) for i, name in enumerate(mitigations)]

    labels = [point.label.text for point in draw(rows, "all").points]

    assert labels == ["model", *mitigations[1:]]


def test_of_free_places_for_a_name_the_one_with_the_fewest_lines_is_taken():
    (point,) = draw([make_row("model")], "all").points

    left, top, right, bottom = point.label.box
    assert not top < point.y < bottom
    assert not left < point.x < right


def test_of_many_rows_only_what_stands_out_is_a_link():
    rows = [make_row(f"m{i}", 0.1 + i / 200, 0.6 + i / 500) for i in range(MANY + 1)]

    points = draw(rows, "all").points

    assert all(point.is_link == point.is_front for point in points)
    assert 0 < sum(point.is_link for point in points) < MANY


def test_the_corrected_rate_stands_below_the_raw_one_and_only_where_there_is_one():
    row = make_row("a", 0.4)
    corrected = row.model_copy(
        update={"detect_corrected": {"all": row.detect["all"].model_copy(update={"value": 0.111, "low": 0.05})}}
    )
    (standings,) = stand(row, make_row("b"))

    columns = build_columns(standings)

    assert "corr." not in row_html(row, columns)
    assert row_html(corrected, columns).count("<small>corr. 11.1 <i>[5.0, ") == 1
