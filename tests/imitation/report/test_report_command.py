"""`copycat.imitation report`: what it writes and says, and how it takes what is missing or wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness import Cli, CommandLine
from studies import make_analysis, write_study


@pytest.fixture
def report(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run `python -m copycat.imitation report ...` in an empty folder."""
    from copycat.commands.imitation import app

    monkeypatch.chdir(tmp_path)
    run = command_line(app, "copycat.imitation")
    return lambda *arguments: run("report", *arguments)


def test_a_report_says_the_bracket_and_where_the_page_is(report: Cli, tmp_path: Path) -> None:
    write_study(tmp_path / "study", make_analysis())

    answer = report("--out", "study")

    assert answer.code == 0
    assert "Imitation starts between 62 and 171 training pictures" in answer.out
    assert "The estimators agree" in answer.out
    assert "WARNING: two scores are missing" in answer.err
    assert "50 concepts, 1 left out" in answer.out
    assert answer.out.splitlines()[-1] == "study/report.html"
    assert (tmp_path / "study" / "report.html").is_file()


def test_the_first_ten_warnings_are_printed_with_the_file_that_holds_the_others(report: Cli, tmp_path: Path) -> None:
    warnings = tuple(f"warning {n}" for n in range(12))
    write_study(tmp_path / "study", make_analysis().model_copy(update={"warnings": warnings}), is_whole=False)

    said = report("--out", "study").err.splitlines()

    assert said == [*(f"WARNING: warning {n}" for n in range(10)), "and 2 more in study/report.json"]


def test_the_json_of_a_report_is_one_object_with_verdict_and_paths(report: Cli, tmp_path: Path) -> None:
    write_study(tmp_path / "study", make_analysis())

    said = json.loads(report("--out", "study", "--json").out)

    assert said["verdict"] == "threshold"
    assert said["bracket"] == {"first_above": 171, "last_below": 62, "method": said["bracket"]["method"]}
    assert (said["concepts"], said["left_out"], said["page"]) == (50, 1, "study/report.html")


def test_no_change_is_a_result_and_names_no_number_of_pictures(report: Cli, tmp_path: Path) -> None:
    write_study(tmp_path / "study", make_analysis("no_change"))

    answer = report("--out", "study", "--json")
    said = json.loads(answer.out)

    assert answer.code == 0
    assert (said["verdict"], said["bracket"]) == ("no_change", None)
    assert said["headline"] == "No imitation threshold is found in these counts"


def test_counts_that_changed_after_the_analysis_are_warned_of_with_what_to_type(report: Cli, tmp_path: Path) -> None:
    counts = write_study(tmp_path / "study", make_analysis()) / "counts.csv"
    counts.write_text("".join(f"{line}\n" for line in counts.read_text().splitlines()[:-1]))

    answer = report("--out", "study")

    assert answer.code == 0
    assert "WARNING: analysis.json was made from other figures" in answer.err
    assert "the count of 1 concept (" in answer.err
    assert "python -m copycat.imitation threshold --out study" in answer.err


def test_one_concept_is_told_in_the_singular(report: Cli, tmp_path: Path) -> None:
    write_study(tmp_path / "study", make_analysis("underpowered", 1))

    assert "\n1 concept, 1 left out\n" in report("--out", "study").out


def test_an_analysis_alone_is_enough(report: Cli, tmp_path: Path) -> None:
    write_study(tmp_path / "study", make_analysis(), is_whole=False)

    assert report("--out", "study").code == 0


def test_the_same_study_gives_the_same_bytes(report: Cli, tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        write_study(tmp_path / name, make_analysis())
        report("--out", name, "--plot", f"{name}.svg")
        files = (tmp_path / name / "report.html", tmp_path / name / "report.json", tmp_path / f"{name}.svg")
        found.append([path.read_bytes() for path in files])

    assert found[0] == found[1]


def test_the_curve_alone_is_written_where_it_is_asked_for(report: Cli, tmp_path: Path) -> None:
    write_study(tmp_path / "study", make_analysis())

    answer = report("--out", "study", "--plot", "images/curve.svg")

    assert (tmp_path / "images" / "curve.svg").read_text().startswith("<svg xmlns=")
    assert "images/curve.svg" in answer.out


def test_a_curve_under_another_ending_is_refused_before_anything_is_written(report: Cli, tmp_path: Path) -> None:
    write_study(tmp_path / "study", make_analysis())

    answer = report("--out", "study", "--plot", "curve.png")

    assert answer.code == 2
    assert "needed: a name that ends in .svg" in answer.err
    assert not (tmp_path / "study" / "report.html").exists()


def test_a_folder_without_an_analysis_says_what_to_run(report: Cli) -> None:
    answer = report("--out", "study")

    assert answer.code == 2
    assert "study holds no analysis.json" in answer.err
    assert "python -m copycat.imitation threshold --out study" in answer.err


def test_an_analysis_of_another_shape_is_refused_with_its_faults(report: Cli, tmp_path: Path) -> None:
    analysis = make_analysis().model_dump(mode="json")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "analysis.json").write_text(json.dumps(analysis | {"verdict": "maybe", "seed": "x"}))

    answer = report("--out", "study")

    assert answer.code == 2
    assert "study/analysis.json: verdict" in answer.err
    assert "study/analysis.json: seed" in answer.err


def test_facts_that_are_no_json_are_refused_by_their_name(report: Cli, tmp_path: Path) -> None:
    write_study(tmp_path / "study", make_analysis())
    (tmp_path / "study" / "counts.json").write_text("{")

    answer = report("--out", "study")

    assert answer.code == 2
    assert "study/counts.json: no JSON" in answer.err
