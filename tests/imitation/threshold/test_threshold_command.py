"""`copycat.imitation threshold`: a study's files or a user's own, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from curves import make_points, smooth_points, step_points
from harness import Cli, CommandLine

from copycat.imitation.records import Analysis, Point


@pytest.fixture
def threshold(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run `python -m copycat.imitation threshold ...` in an empty folder."""
    from copycat.commands.imitation import app

    monkeypatch.chdir(tmp_path)
    run = command_line(app, "copycat.imitation")
    return lambda *arguments: run("threshold", *arguments)


def write(points: list[Point], extra: str = "") -> None:
    Path("study").mkdir(exist_ok=True)
    counts = "".join(f"{p.concept},{p.count:.0f},{number % 7}\n" for number, p in enumerate(points))
    Path("study/counts.csv").write_text("concept,count,people\n" + counts)
    Path("study/scores.csv").write_text("concept,score\n" + "".join(f"{p.concept},{p.score}\n" for p in points) + extra)


def read() -> Analysis:
    return Analysis.model_validate_json(Path("study/analysis.json").read_text())


def test_two_columns_each_are_enough(threshold: Cli) -> None:
    write(step_points(0, n=100))

    said = threshold("--out", "study")

    assert said.code == 0
    assert "threshold: Imitation starts between" in said.out
    assert said.out.splitlines()[-1] == "study/analysis.json"
    assert read().verdict == "threshold"
    assert "partial:people" in {one.name for one in read().covariates}


def test_no_change_is_a_result(threshold: Cli) -> None:
    write(step_points(1, n=100, rise=0.0))

    said = threshold("--out", "study", "--json")

    assert said.code == 0
    assert json.loads(said.out)["verdict"] == "no_change"


def test_what_has_no_score_or_no_count_is_left_out_with_its_reason(threshold: Cli) -> None:
    write([*step_points(0, n=50)], extra="stranger,0.5\n")
    with Path("study/counts.csv").open("a") as file:
        file.write("silent,12,1\nuncounted,,1\n")
    with Path("study/scores.csv").open("a") as file:
        file.write("uncounted,0.4\nsilent,NaN\n")

    answer = threshold("--out", "study")
    assert answer.code == 0
    assert "2 rows are passed over: uncounted: its count is empty (study/counts.csv:53), silent: its" in answer.err
    assert read().left_out == {
        "silent": "its score is not a number (study/scores.csv:54)",
        "stranger": "it has a score and no count",
        "uncounted": "its count is empty (study/counts.csv:53)",
    }


def test_one_concept_is_too_few_and_no_fault(threshold: Cli) -> None:
    write(step_points(0, n=1))

    said = threshold("--out", "study")

    assert said.code == 0
    assert "underpowered: One concept has no curve" in said.out
    assert said.out.count("1 concept is too few") == 1
    assert said.out.startswith("1 concept, score: score\n")
    assert "note" in said.out
    assert "│ -" not in said.out
    assert read().verdict == "underpowered"


def test_control_arms_make_the_band_and_low_coverage_is_left_out(threshold: Cli) -> None:
    points = step_points(0, n=50)
    write(points)
    rows = ["concept,arm,raw,n,planned"]
    rows += [f"{p.concept},named,{p.score},{2 if p is points[0] else 8},8" for p in points]
    rows += [f"{p.concept},zero,{0.01 * number},8,8" for number, p in enumerate(points[:5])]
    Path("study/scores.csv").write_text("\n".join(rows) + "\n")

    assert threshold("--out", "study").code == 0

    band = read().band
    assert band is not None
    assert (band.arms, band.n, band.mean) == (("zero",), 5, pytest.approx(0.02))
    assert read().left_out == {points[0].concept: "only 2 of 8 pictures could be scored"}


def test_files_that_share_no_concept_are_refused(threshold: Cli) -> None:
    write(step_points(0, n=20))
    Path("own.csv").write_text("concept,score\nelse,0.3\n")

    said = threshold("--out", "study", "--scores", "own.csv")

    assert said.code == 2
    assert "no concept has both a count" in said.err
    assert "the same concepts" in said.err


def test_a_metric_that_is_not_there_is_refused_with_what_is_there(threshold: Cli) -> None:
    write(step_points(0, n=20))

    said = threshold("--out", "study", "--metric", "z")

    assert said.code == 2
    assert "no row of study/scores.csv has a figure in column z" in said.err
    assert "needed: figures in column z; it has them in: score" in said.err


def test_a_missing_file_is_told(threshold: Cli) -> None:
    said = threshold("--out", "study")

    assert said.code == 2
    assert "there is no file study/counts.csv" in said.err


def test_the_report_reads_files_of_a_users_own_and_concepts_without_a_count(
    threshold: Cli, command_line: CommandLine
) -> None:
    from copycat.commands.imitation import app

    write(step_points(0, n=50))
    with Path("study/counts.csv").open("a") as file:
        file.write("uncounted,,1\n")

    assert threshold("--out", "study").code == 0
    assert command_line(app, "copycat.imitation")("report", "--out", "study").code == 0


def test_a_score_of_a_users_own_is_not_called_a_cosine(threshold: Cli) -> None:
    write(step_points(0, n=50))

    said = threshold("--out", "study")

    assert read().metric == "score"
    assert "50 concepts, score: score" in said.out
    assert "cosine" not in said.out


def test_a_file_with_both_is_read_by_its_raw_scores(threshold: Cli) -> None:
    points = step_points(0, n=50)
    write(points)
    rows = [f"{p.concept},{p.score},{number}" for number, p in enumerate(points)]
    Path("study/scores.csv").write_text("\n".join(["concept,raw,score", *rows]) + "\n")

    assert threshold("--out", "study").code == 0
    assert (read().metric, max(p.score for p in read().points)) == ("raw", max(p.score for p in points))

    assert threshold("--out", "study", "--metric", "score").code == 0
    assert (read().metric, max(p.score for p in read().points)) == ("score", 49)


def test_a_column_of_words_is_told_to_be_passed_over(threshold: Cli) -> None:
    points = step_points(0, n=20)
    write(points)
    rows = [f"{p.concept},{p.count},wood,{'?' if number == 3 else number}" for number, p in enumerate(points)]
    Path("study/counts.csv").write_text("\n".join(["concept,count,kind,year", *rows]) + "\n")

    said = threshold("--out", "study")

    assert "WARNING: column kind of study/counts.csv is passed over: only columns of numbers" in said.err
    assert "WARNING: 1 cell of column year of study/counts.csv passed over" in said.err
    assert "partial:kind" not in {one.name for one in read().covariates}


def test_infinite_counts_and_scores_are_called_so(threshold: Cli) -> None:
    points = step_points(0, n=20)
    write([*points[2:], points[0].model_copy(update={"count": float("inf")})], extra="endless,-inf\n")
    with Path("study/counts.csv").open("a") as file:
        file.write("endless,12,1\n")

    assert threshold("--out", "study").code == 0
    assert read().left_out == {points[0].concept: "its count is infinite", "endless": "its score is infinite"}


def test_a_gradual_rise_is_printed_with_its_ends_and_what_lies_outside_of_the_counts(threshold: Cli) -> None:
    rng = np.random.default_rng(0)
    x = np.unique(np.round(np.geomspace(2, 2000, 60)))
    write(make_points(x, 0.1 * np.log10(x) + rng.normal(0, 0.01, len(x))))

    said = threshold("--out", "study")
    rows = {row.split()[1]: row for row in said.out.splitlines() if len(row.split()) > 1}

    assert read().verdict == "gradual"
    assert "below the smallest count, 2" in rows["ED10"]
    assert "above the largest count, 2,000" in rows["ED90"]
    assert " to " in rows["logistic"]


def test_no_share_of_a_rise_that_goes_on_beyond_the_counts_is_placed(threshold: Cli) -> None:
    x = np.arange(1.0, 15.0) ** 2
    write(make_points(x, 0.1 + x / 1000))

    said = threshold("--out", "study").out
    logistic = next(one for one in read().answers if one.estimator == "logistic")

    assert read().verdict == "gradual"
    assert "The rise has not levelled off at 196, the largest count: half of it cannot be placed." in said
    assert "ED10" not in said
    assert "of the rise lies" not in said
    assert "upper" not in logistic.statistics


def test_ends_within_the_counts_are_figures_and_a_step_has_none(threshold: Cli) -> None:
    write(smooth_points(0))
    gradual = threshold("--out", "study").out
    found = next(one for one in read().answers if one.estimator == "logistic").statistics

    write(step_points(0))
    step = threshold("--out", "study").out

    assert f"ED10    │ {found['ed10']:.0f} " in gradual
    assert f"ED90    │ {found['ed90']:,.0f} " in gradual
    assert "ED10" not in step


def test_a_table_without_rows_and_one_without_a_figure_are_refused(threshold: Cli) -> None:
    write(step_points(0, n=20))
    Path("none.csv").write_text("concept,count\n")
    Path("words.csv").write_text("concept,value\nc0001,3\n")

    assert "none.csv has a header and no rows" in threshold("--out", "study", "--counts", "none.csv").err
    said = threshold("--out", "study", "--scores", "words.csv")
    assert "words.csv has no column raw or z or identified or matched or score; it has: concept, value" in said.err
    assert said.code == 2


def test_one_concept_is_told_in_the_singular(threshold: Cli) -> None:
    write(step_points(0, n=1))

    said = threshold("--out", "study")

    assert "1 concept, score: score" in said.out
    assert "1 concepts" not in said.out


def test_concepts_may_be_called_by_name_and_the_report_knows_them(threshold: Cli, command_line: CommandLine) -> None:
    from copycat.commands.imitation import app

    points = step_points(0, n=50)
    write(points)
    who = [{"id": p.concept, "name": f"Name {p.concept}", "aliases": [f"Al {p.concept}"]} for p in points]
    Path("study/concepts.json").write_text(json.dumps({"concepts": who}))
    rows = [f"Name {p.concept},{p.count:.0f},{number % 7}" for number, p in enumerate(points)]
    Path("study/counts.csv").write_text("\n".join(["concept,count,people", *rows]) + "\n")
    rows = [f"al {p.concept},{p.score}" for p in points]
    Path("study/scores.csv").write_text("\n".join(["concept,score", *rows]) + "\n")

    said = threshold("--out", "study")

    assert {p.concept for p in read().points} == {p.concept for p in points}
    assert (
        "study/counts.csv has names in place of ids: 'Name c0000' is read as the id c0000, and so on for 49 more"
        in said.err
    )
    assert next(one.n for one in read().covariates if one.name == "partial:people") == 50
    report = command_line(app, "copycat.imitation")("report", "--out", "study")
    assert report.code == 0
    assert "changed" not in report.out


def test_names_are_spelt_as_ids_where_no_concepts_are_known(threshold: Cli) -> None:
    points = step_points(0, n=20)
    write(points)
    for file in ("counts", "scores"):
        path = Path(f"study/{file}.csv")
        path.write_text(path.read_text().replace("c00", "Sir C-"))

    said = threshold("--out", "study")

    assert said.code == 0
    assert "'Sir C-00' is read as the id sir-c-00" in said.err
    assert read().points[0].concept.startswith("sir-c-")
