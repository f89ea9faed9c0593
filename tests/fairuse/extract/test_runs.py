"""A run from the command line against a model on this machine: figures, resume, bytes, and what is not written."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from manuscript import MANUSCRIPT

from copycat.fairuse.extract.records import Answered
from copycat.runs.folder import read_journal

if TYPE_CHECKING:
    from harness import Cli

SMALL = ("--works", "public-domain", "--controls", "none", "--prefix", "10", "--length", "40")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the run of SMALL is kept once it is made."""
    return tmp_path_factory.mktemp("finished") / "runs"


@pytest.fixture
def small(extract: Cli, writer: Path, finished: Path, tmp_path: Path) -> Path:
    """Give `runs` with the finished run of SMALL, which is asked once for all tests."""
    if not finished.exists():
        assert extract("--model", writer, *SMALL, "--out", finished).code == 0
    return Path(shutil.copytree(finished, tmp_path / "runs"))


def folder_of(tmp_path: Path) -> Path:
    (folder,) = (tmp_path / "runs").iterdir()
    return folder


def measures_of(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder_of(tmp_path) / "measures.json").read_text(encoding="utf-8"))
    return found


def test_poems_that_a_model_knows_come_back_and_others_do_not(extract: Cli, writer: Path, tmp_path: Path) -> None:
    answer = extract("--model", writer, *SMALL, "--prompts", "prefix,title")
    assert answer.code == 0, answer.err
    best = {work["work"]: work["best"] for work in measures_of(tmp_path)["works"]}
    assert best["sonnet-18"]["recall"] > 0.9
    assert best["ozymandias"]["recall"] > 0.9
    assert max(best[name]["longest"] for name in ("jabberwocky", "gettysburg-address")) < 6
    assert "6 works and 0 controls" in answer.out
    assert "report.html" in answer.out


def test_controls_and_shuffled_pairs_are_always_there(extract: Cli, writer: Path, tmp_path: Path) -> None:
    assert extract("--model", writer, "--works", "public-domain", "--prefix", "10", "--length", "32").code == 0
    measures = measures_of(tmp_path)
    controls = {group["value"]: group for group in measures["groups"] if group["axis"] == "control"}
    assert set(controls) == {"held-out", "shuffled"}
    assert controls["held-out"]["figures"]["recall"]["highest"] == 0.0
    lifts = {lift["control"]: lift for lift in measures["lifts"] if lift["figure"] == "recall"}
    assert lifts["held-out"]["difference"] > 0.3


@pytest.mark.usefixtures("small")
def test_what_a_model_knows_by_heart_is_likely_under_teacher_forcing(tmp_path: Path) -> None:
    likely = {work["work"]: work["log_p_per_letter"] for work in measures_of(tmp_path)["works"]}
    assert likely["sonnet-18"] > -0.1
    assert likely["jabberwocky"] < -1.0


def test_a_second_run_asks_nothing_and_writes_the_same_bytes(
    extract: Cli, writer: Path, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from copycat.fairuse.extract.backends.local import LocalTextModel

    assert small.is_dir()
    names = ("answers.jsonl", "measures.json", "evidence.json", "report.html", "run.json")
    before = {name: (folder_of(tmp_path) / name).read_bytes() for name in names}
    (folder_of(tmp_path) / "measures.json").unlink()
    monkeypatch.setattr(LocalTextModel, "answer", None)
    assert extract("--model", writer, *SMALL).code == 0
    assert {name: (folder_of(tmp_path) / name).read_bytes() for name in names} == before


def test_a_torn_last_line_is_asked_again_and_what_is_drawn_stays_the_same(
    extract: Cli, writer: Path, tmp_path: Path
) -> None:
    options = ("--model", writer, *SMALL, "--decoding", "t1x2", "--limit", 6)
    extract(*options)
    journal = folder_of(tmp_path) / "answers.jsonl"
    rows = {row.ask.key: row for row in read_journal(journal, Answered)}
    content = journal.read_bytes()
    journal.write_bytes(content[: len(content) * 2 // 3])
    assert extract(*options).code == 0
    assert {row.ask.key: row for row in read_journal(journal, Answered)} == rows
    assert len({row.text for row in rows.values()}) > len(rows) // 2


@pytest.mark.usefixtures("small")
def test_another_folder_of_the_same_name_is_not_taken_up(extract: Cli, writer: Path, tmp_path: Path) -> None:
    run = folder_of(tmp_path) / "run.json"
    run.write_text(run.read_text(encoding="utf-8").replace('"length": 40', '"length": 47'), encoding="utf-8")
    answer = extract("--model", writer, *SMALL)
    assert answer.code == 2
    assert "belongs to another run" in answer.err
    assert extract("--model", writer, *SMALL, "--fresh").code == 0


def test_going_on_gives_more_of_a_poem_than_one_answer(extract: Cli, writer: Path, tmp_path: Path) -> None:
    short = ("--works", "public-domain", "--controls", "none", "--prefix", "10", "--length", "24", "--rounds", "3")
    assert extract("--model", writer, *short, "--prompts", "prefix,continue").code == 0
    rows = read_journal(folder_of(tmp_path) / "answers.jsonl", Answered)
    pieces = {row.ask.work: row for row in rows if row.ask.prompt == "continue"}
    once = {row.ask.work: row for row in rows if row.ask.prompt == "prefix"}
    assert pieces["sonnet-18"].pieces > 1
    assert len(pieces["sonnet-18"].text or "") > 2 * len(once["sonnet-18"].text or "")
    assert pieces["jabberwocky"].ended in {"diverged", "loop"}
    assert pieces["jabberwocky"].pieces == 1


def test_nothing_readable_of_works_or_answers_is_written_when_they_are_withheld(
    extract: Cli, writer: Path, tmp_path: Path, manuscript: Path
) -> None:
    """U10 for runs: no four words in a row of work or answer stand in any file."""
    options = ("--model", writer, "--works", manuscript, "--works", "public-domain", "--controls", "none")
    options += ("--prefix", "10", "--length", "40", "--rounds", "2", "--prompts", "prefix,continue", "--withhold")
    assert extract(*options).code == 0
    written = "\n".join(
        path.read_text(encoding="utf-8") for path in folder_of(tmp_path).rglob("*") if path.is_file()
    ).lower()
    for text in (MANUSCRIPT, "Shall I compare thee to a summer's day? Thou art more lovely and more temperate"):
        words = re.findall(r"[a-z']+", text.lower())
        assert not [i for i in range(len(words) - 3) if " ".join(words[i : i + 4]) in written]
    best = {work["work"]: work["best"] for work in measures_of(tmp_path)["works"]}
    assert best["sonnet-18"]["longest"] > 10
    assert not (folder_of(tmp_path) / "evidence.json").exists()


def test_a_withheld_run_has_the_figures_of_a_plain_one(extract: Cli, writer: Path, small: Path, tmp_path: Path) -> None:
    extract("--model", writer, *SMALL, "--out", tmp_path / "hidden", "--withhold")
    plain, hidden = (
        json.loads(next(folder.rglob("measures.json")).read_text(encoding="utf-8"))
        for folder in (small, tmp_path / "hidden")
    )
    assert plain["groups"] == hidden["groups"]
    assert plain["works"] == hidden["works"]
    assert (plain["same_as_another"], hidden["same_as_another"]) == (0, None)


def test_a_base_model_is_not_asked_what_it_cannot_act_on(extract: Cli, writer: Path) -> None:
    answer = extract("--model", writer, *SMALL, "--prompts", "prefix,position")
    assert answer.code == 2
    assert "takes no requests" in answer.err
    answer = extract("--model", writer, *SMALL, "--evasions", "none,caps")
    assert answer.code == 2
    assert "--evasions none" in answer.err


def test_a_dry_run_counts_and_writes_nothing(extract: Cli, writer: Path, tmp_path: Path) -> None:
    answer = extract("--model", writer, *SMALL, "--dry-run", "--json")
    told = json.loads(answer.out)
    assert (told["requests"], told["done"], told["works"]) == (6, 0, 6)
    assert not (tmp_path / "runs").exists()


def test_a_limit_meets_works_and_controls_alike(extract: Cli, writer: Path) -> None:
    options = ("--model", writer, "--works", "public-domain", "--prefix", "5,10", "--limit", 18, "--dry-run", "--json")
    told = json.loads(extract(*options).out)
    assert told["requests"] == 18
    assert told["left_out"] == {"beyond --limit 18": 6}


def test_works_shorter_than_the_prefix_are_counted_and_nothing_to_ask_is_an_error(
    extract: Cli, writer: Path, tmp_path: Path
) -> None:
    short = tmp_path / "short.txt"
    short.write_text("Only seven words stand in this text.", encoding="utf-8")
    answer = extract("--model", writer, "--works", short, "--controls", "none", "--prefix", "50")
    assert answer.code == 2
    assert "shorter than the prefix" in answer.err
    answer = extract("--model", writer, "--works", short, "--works", "public-domain", "--prefix", "50", "--dry-run")
    assert "left out: 1 request of works shorter than the prefix" in answer.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model", "no-such-model"), "names no language model"),
        (("--model", "./nowhere"), "there is no such folder"),
        (("--works", "no-such-work"), "unknown works 'no-such-work'"),
        (("--max-cost", "1"), "--price IN/OUT"),
        (("--price", "cheap"), "is no price"),
        (("--gate", "verbatim=3"), "unknown figure of --gate"),
        (("--gate", "longest=many"), "is no limit"),
        (("--baseline", "nowhere"), "is no finished run"),
        (("--withhold", "--requests", "r.jsonl"), "--withhold writes none"),
    ],
)
def test_a_mistake_is_told_in_words(extract: Cli, writer: Path, options: tuple[str, ...], said: str) -> None:
    given = options if "--model" in options else ("--model", str(writer), *options)
    answer = extract(*given)
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_a_binary_or_empty_work_is_an_error(extract: Cli, writer: Path, tmp_path: Path) -> None:
    (tmp_path / "binary.txt").write_bytes(b"\0\1\2" * 100)
    (tmp_path / "empty.txt").write_bytes(b"")
    assert "no text" in extract("--model", writer, "--works", tmp_path / "binary.txt").err
    assert "holds no word" in extract("--model", writer, "--works", tmp_path / "empty.txt").err


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_and_comes_to_the_same(writer: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "copycat.fairuse", "extract", "--model", str(writer), "--works", "public-domain"]
    command += ["--prefix", "5,10", "--decoding", "greedy,t0.5x4", "--length", "96"]
    root = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*command, "--out", str(whole)], check=True, env=environment, capture_output=True)
    process = subprocess.Popen([*command, "--out", str(killed)], env=environment, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not list(killed.rglob("answers.jsonl")) and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (journal,) = killed.rglob("answers.jsonl")
    n_before = len(read_journal(journal, Answered))
    subprocess.run([*command, "--out", str(killed)], check=True, env=environment, capture_output=True)
    (expected,) = whole.rglob("measures.json")
    (found,) = killed.rglob("measures.json")
    assert 0 < n_before < len(read_journal(journal, Answered))
    assert found.read_bytes() == expected.read_bytes()
