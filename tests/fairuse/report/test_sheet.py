"""The evidence sheet: facts by factor, statements as stated, the same bytes, and nothing withheld."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from manuscript import MANUSCRIPT

if TYPE_CHECKING:
    from harness import Answer, Cli, CommandLine

QUOTED = MANUSCRIPT[: MANUSCRIPT.index(" On the last evening")]
MARKUP = "</mark><script>alert(1)</script>"


@pytest.fixture
def fairuse(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    from copycat.commands.fairuse import app

    monkeypatch.chdir(tmp_path)
    (tmp_path / "manuscript.txt").write_text(MANUSCRIPT, encoding="utf-8")
    rows = [{"work": "manuscript", "text": f"{QUOTED} {MARKUP}"}, {"work": "manuscript", "draw": 1, "text": "No idea."}]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return command_line(app, "copycat.fairuse")


def extracted(fairuse: Cli, *options: object) -> Path:
    answer = fairuse("extract", "--model", "answers:answers.jsonl", "--works", "manuscript.txt", *options, "--json")
    assert answer.code == 0, answer.err
    return Path(json.loads(answer.out)["path"]).parent


def sheet_of(answer: Answer) -> Any:
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_the_facts_stand_under_their_factors(fairuse: Cli) -> None:
    sheet = sheet_of(fairuse("report", extracted(fairuse), "--json"))
    work = next(one for one in sheet["works"] if one["role"] == "work")
    share = len(QUOTED) / len(MANUSCRIPT)
    assert work["nature"]["words"] == len(MANUSCRIPT.split())
    assert work["nature"]["status"] == "unknown"
    assert work["amount"]["longest_run"] == pytest.approx(len(QUOTED.split()), abs=1)
    assert work["amount"]["share_in_stretches"] == pytest.approx(share, abs=0.01)
    assert work["amount"]["answers_with_long_stretch"] == 1
    assert work["market"]["answers"] == 2
    assert work["market"]["largest_share_of_work"] == pytest.approx(share, abs=0.01)
    assert sheet["asked"] == {"title": 2}
    assert len(sheet["limits"]) >= 5
    assert all(len(value) == 64 for value in sheet["files"].values())


def test_a_title_commands_neither_the_terminal_nor_the_page(fairuse: Cli, tmp_path: Path) -> None:
    row = {"id": "manuscript", "title": "Red \x1b[31m\u202e<b>tide</b>", "author": "A\u202eB", "file": "manuscript.txt"}
    (tmp_path / "works.yaml").write_text(json.dumps({"works": [row]}), encoding="utf-8")
    options = ("--model", "answers:answers.jsonl", "--works", "works.yaml", "--gate", "longest=20")
    (folder,) = [fairuse("extract", *options), *(tmp_path / "runs").iterdir()][1:]
    told = fairuse("report", folder).out
    assert "Red [31m <b>tide</b>: longest stretch" in told
    for text in (told, *((folder / name).read_text(encoding="utf-8") for name in ("report.html", "sheet.html"))):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "&lt;b&gt;tide&lt;/b&gt;" in (folder / "sheet.html").read_text(encoding="utf-8")


def test_statements_are_shown_as_they_were_stated(fairuse: Cli, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("stated_by: a tester\npurpose: To see <b>what</b> comes.\n", encoding="utf-8")
    folder = extracted(fairuse)
    sheet = sheet_of(fairuse("report", folder, "--statements", "s.yaml", "--json"))
    assert sheet["statements"]["purpose"] == "To see <b>what</b> comes."
    page = (folder / "sheet.html").read_text(encoding="utf-8")
    assert "As stated by a tester" in page
    assert "&lt;b&gt;what&lt;/b&gt;" in page


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("purposes: x", "did you mean 'purpose'"),
        ("use: yes", "True is no text"),
        ("- a\n- b", "holds no statements"),
        ("a: [", "s.yaml"),
        (f"use: {'x' * 5000}", "5,000 letters"),
    ],
)
def test_a_wrong_file_of_statements_is_told(fairuse: Cli, tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "s.yaml").write_text(content, encoding="utf-8")
    answer = fairuse("report", extracted(fairuse), "--statements", "s.yaml")
    assert answer.code == 2
    assert said in answer.err


def test_the_page_holds_answer_and_work_side_by_side_and_runs_nothing(fairuse: Cli) -> None:
    folder = extracted(fairuse)
    fairuse("report", folder)
    for name in ("report.html", "sheet.html"):
        page = (folder / name).read_text(encoding="utf-8")
        assert page.count("recited the names of drowned villages") == 2
        assert "<script" not in page
        assert "&lt;script&gt;" in page
        assert "src=" not in page
        assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_the_same_run_gives_the_same_bytes(fairuse: Cli) -> None:
    folder = extracted(fairuse)
    fairuse("report", folder)
    before = [(folder / name).read_bytes() for name in ("sheet.html", "sheet.json")]
    fairuse("report", folder)
    assert [(folder / name).read_bytes() for name in ("sheet.html", "sheet.json")] == before


def test_the_sheet_of_a_withheld_run_holds_nothing_readable(fairuse: Cli) -> None:
    """U10 for the sheet."""
    folder = extracted(fairuse, "--withhold")
    answer = fairuse("report", folder)
    assert "longest stretch" in answer.out
    for name in ("sheet.html", "sheet.json", "report.html"):
        content = (folder / name).read_text(encoding="utf-8")
        assert "drowned" not in content
        assert "Marigold" not in content


def test_the_page_goes_where_it_is_wanted_with_its_json_beside_it(fairuse: Cli, tmp_path: Path) -> None:
    folder = extracted(fairuse)
    answer = fairuse("report", folder, "--out", "given/away.html")
    assert answer.code == 0
    assert (tmp_path / "given" / "away.html").is_file()
    assert json.loads((tmp_path / "given" / "away.json").read_text(encoding="utf-8"))["run"] == folder.name
    assert "ends in .html" in fairuse("report", folder, "--out", "away.pdf").err


def test_a_folder_that_is_no_run_is_told(fairuse: Cli, tmp_path: Path) -> None:
    answer = fairuse("report", tmp_path)
    assert answer.code == 2
    assert "is no finished run of an extraction" in answer.err


def test_the_share_of_a_work_stands_beside_that_of_controls(fairuse: Cli, tmp_path: Path) -> None:
    """The control's answer holds a third of the control; the sheet says so under the headline and in the table."""
    diary = " ".join(f"word{number}" for number in range(90))
    (tmp_path / "diary.txt").write_text(diary, encoding="utf-8")
    rows = [
        {"work": "manuscript", "text": QUOTED},
        {"work": "diary", "text": diary[: len(diary) // 3]},
        {"work": "diary", "draw": 1, "text": "Nothing."},
    ]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    folder = extracted(fairuse, "--controls", "diary.txt")
    answer = fairuse("report", folder)
    reach = max(
        work["covered"]
        for work in json.loads((folder / "measures.json").read_text(encoding="utf-8"))["works"]
        if work["role"] == "own-control"
    )
    assert 0.3 < reach < 0.34
    assert f"controls reach {reach:.1%} of a work in stretches" in answer.out
    page = (folder / "sheet.html").read_text(encoding="utf-8")
    assert f"in the stretches of all answers; controls reach {100 * reach:.1f}&#8239;%" in page
    for name in ("sheet.html", "report.html"):
        row = re.search(
            r"<th scope=\"row\">control: works of yours</th>.*", (folder / name).read_text(encoding="utf-8")
        )
        assert row is not None
        assert row[0].count(f"{100 * reach:.1f}&#8239;%") == 2  # the mean and the highest, of one work


def test_the_path_that_extract_prints_is_the_run(fairuse: Cli) -> None:
    folder = extracted(fairuse)
    by_folder = fairuse("report", folder, "--json")
    for name in ("report.html", "measures.json"):
        assert sheet_of(fairuse("report", folder / name, "--json")) == sheet_of(by_folder)
    assert not list(folder.glob("*/sheet.html"))
