"""Ready answers from a file: matched, missing, unknown, and damaged rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from manuscript import MANUSCRIPT

from copycat.fairuse.works import withhold
from copycat.fairuse.works.loading import work_of_text

if TYPE_CHECKING:
    from harness import Cli


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_rows_with_a_work_and_a_text_are_enough(extract: Cli, manuscript: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "answers.jsonl", [{"work": "manuscript", "text": MANUSCRIPT[:500], "asked_on": "Monday"}])
    answer = extract("--model", f"answers:{file}", "--works", manuscript, "--json")
    assert answer.code == 0, answer.err
    (work, *_) = [w for w in json.loads(answer.out)["measures"]["works"] if w["role"] == "work"]
    assert work["best"]["longest"] > 80


def test_rows_say_how_they_were_asked(extract: Cli, manuscript: Path, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"work": "manuscript", "prompt": "prefix", "prefix": 25, "text": "nothing like it"},
        {"work": "manuscript", "prompt": "title", "evasion": "caps", "draw": 1, "text": MANUSCRIPT[:400].upper()},
    ]
    file = write(tmp_path / "answers.jsonl", rows)
    found = json.loads(extract("--model", f"answers:{file}", "--works", manuscript, "--json").out)
    assert found["measures"]["counts"]["answered"] == 2
    assert found["unknown_rows"] == 0
    recall = {g["value"]: g["figures"]["recall"]["mean"] for g in found["measures"]["groups"] if g["axis"] == "prompt"}
    assert recall["prefix"] == 0.0
    assert recall["title"] > 0.3


def test_a_single_answer_is_measured_against_another_work_too(extract: Cli, manuscript: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "answers.jsonl", [{"work": "manuscript", "text": MANUSCRIPT}])
    answer = extract("--model", f"answers:{file}", "--works", manuscript)
    assert "control: another work" in answer.out
    assert "no control works" in answer.out
    assert "1 work and 0 controls" in answer.out


def test_controls_of_ones_own_stand_beside_the_works(extract: Cli, manuscript: Path, tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("Nobody has read it but me. " + MANUSCRIPT[::-1], encoding="utf-8")
    rows = [{"work": "manuscript", "text": MANUSCRIPT}, {"work": "diary", "text": MANUSCRIPT}]
    file = write(tmp_path / "answers.jsonl", rows)
    options = ("--model", f"answers:{file}", "--works", manuscript, "--controls", tmp_path / "diary.txt")
    found = json.loads(extract(*options, "--json").out)
    lifts = {lift["control"]: lift for lift in found["measures"]["lifts"] if lift["figure"] == "recall"}
    assert lifts["own-control"]["difference"] == 1.0
    doubled = extract("--model", f"answers:{file}", "--works", manuscript, "--controls", manuscript)
    assert doubled.code == 2
    assert "is a work and a control" in doubled.err


def test_what_is_missing_and_what_is_unknown_is_counted(extract: Cli, manuscript: Path, tmp_path: Path) -> None:
    rows = [
        {"work": "manuscript", "prompt": "title", "text": MANUSCRIPT},
        {"work": "another", "prompt": "title", "text": "x"},
        {"work": "manuscript", "prompt": "title", "text": "a second answer to the same"},
    ]
    file = write(tmp_path / "answers.jsonl", rows)
    options = ("--model", f"answers:{file}", "--works", manuscript, "--controls", "none", "--prompts", "title,prefix")
    answer = extract(*options, "--json")
    assert answer.code == 1
    found = json.loads(answer.out)
    assert found["measures"]["counts"] == {
        "answered": 1, "refused": 0, "empty": 0, "failed": 0, "missing": 3, "planned": 4,
    }  # fmt: skip
    assert found["unknown_rows"] == 2


def test_requests_can_be_written_answered_elsewhere_and_measured(
    extract: Cli, manuscript: Path, tmp_path: Path
) -> None:
    some = write(tmp_path / "some.jsonl", [{"work": "manuscript", "text": "-"}])
    axes = ("--works", manuscript, "--controls", "none", "--prompts", "prefix,title", "--prefix", "25,50")
    answer = extract("--model", f"answers:{some}", *axes, "--requests", "requests.jsonl")
    assert answer.code == 0, answer.err
    rows = [json.loads(line) for line in (tmp_path / "requests.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 3
    assert rows[0]["request"].endswith(" ".join(MANUSCRIPT.split()[:25]))
    for row in rows:
        row["text"] = MANUSCRIPT
    done = extract("--model", f"answers:{write(tmp_path / 'done.jsonl', rows)}", *axes, "--json")
    assert done.code == 0
    assert json.loads(done.out)["measures"]["counts"]["answered"] == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no answer"),
        (b"\n\n", "holds no answer"),
        (b"{not json}\n", "answers.jsonl:1"),
        (b'{"work": "manuscript"}\n', "answers.jsonl:1: text"),
        (b'{"work": "manuscript", "text": "a"}\n{"work": "manuscript", "text": 3}\n', "answers.jsonl:2: text"),
        (b'{"work": "manuscript", "text": "a", "prompt": "beg"}\n', "answers.jsonl:1: prompt"),
        (b'{"work": "somebody-elses", "text": "a"}\n', "no row belongs to a work"),
        (b"\xff\xfe\x00rubbish\n", "answers.jsonl:1"),
    ],
)
def test_a_damaged_file_is_told_with_its_lines(
    extract: Cli, manuscript: Path, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_bytes(content)
    answer = extract("--model", f"answers:{file}", "--works", manuscript)
    assert answer.code == 2
    assert said in answer.err


def test_a_work_that_is_withheld_as_hashes_cannot_be_shown_to_a_model(
    extract: Cli, writer: Path, manuscript: Path, tmp_path: Path
) -> None:
    from copycat.fairuse.works import withhold
    from copycat.fairuse.works.loading import work_of_text

    withhold(work_of_text(manuscript, MANUSCRIPT), MANUSCRIPT, tmp_path / "m.withheld")
    options = ("--model", writer, "--works", tmp_path / "m.withheld", "--length", "40")
    refused = extract(*options, "--prompts", "prefix")
    assert refused.code == 2
    assert "need the text of a withheld work" in refused.err
    assert "--prompts title,position" in refused.err
    assert extract(*options, "--prompts", "title").code == 0


def test_a_work_that_is_withheld_as_hashes_is_measured_without_its_text(
    extract: Cli, manuscript: Path, tmp_path: Path
) -> None:
    from copycat.fairuse.works import withhold
    from copycat.fairuse.works.loading import work_of_text

    withhold(work_of_text(manuscript, MANUSCRIPT), MANUSCRIPT, tmp_path / "m.withheld")
    file = write(tmp_path / "answers.jsonl", [{"work": "manuscript", "text": f"Well: {MANUSCRIPT[200:700]}"}])
    answer = extract("--model", f"answers:{file}", "--works", tmp_path / "m.withheld", "--controls", "none", "--json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert found["measures"]["works"][0]["best"]["longest"] > 70
    folder = tmp_path / "runs" / found["id"]
    for path in folder.iterdir():
        assert "Marigold" not in path.read_text(encoding="utf-8")
        assert "drowned villages" not in path.read_text(encoding="utf-8")


def hashed(tmp_path: Path) -> Path:
    path = tmp_path / "novel.txt"
    path.write_text(MANUSCRIPT, encoding="utf-8")
    withhold(work_of_text(path, MANUSCRIPT), MANUSCRIPT, tmp_path / "novel.withheld")
    return tmp_path / "novel.withheld"


def test_a_withheld_work_that_nothing_was_asked_about_is_told_with_advice(
    extract: Cli, manuscript: Path, tmp_path: Path
) -> None:
    """Hashes have no prefix to show."""
    novel = hashed(tmp_path)
    file = write(tmp_path / "answers.jsonl", [{"work": "manuscript", "prompt": "prefix", "prefix": 25, "text": "x"}])
    options = ("--model", f"answers:{file}", "--prompts", "prefix", "--prefix", "25", "--controls", "none")
    alone = extract(*options, "--works", novel)
    assert alone.code == 2
    assert "can be asked for by title or position: --prompts title,position" in alone.err
    both = extract(*options, "--works", novel, "--works", manuscript)
    said = "nothing was asked about novel: a withheld work can be asked for by title or position"
    assert said in both.out
    assert "as a share of the window;" in both.out
    folder = (tmp_path / both.out.splitlines()[-1]).parent
    assert said in (folder / "report.html").read_text(encoding="utf-8")


def test_the_footnote_says_what_recall_is_a_share_of(extract: Cli, manuscript: Path, tmp_path: Path) -> None:
    novel = hashed(tmp_path)
    rows = [{"work": "novel", "text": MANUSCRIPT}, {"work": "manuscript", "text": MANUSCRIPT}]
    options = ("--model", f"answers:{write(tmp_path / 'answers.jsonl', rows)}", "--works", novel)
    assert "as a share of the whole work, of which hashes alone are known;" in extract(*options).out
    mixed = extract(*options, "--works", manuscript).out
    assert "as a share of the window (of the whole work, where it is withheld as hashes);" in mixed
