"""`copycat.fairuse compare`: what it prints and writes, and how it takes what is wrong."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from harness import Cli, CommandLine

from copycat.fairuse.works import load_works

WORKS = {loaded.work.id: loaded.readable for loaded in load_works(["public-domain"])}
SONNET, ALICE = WORKS["sonnet-18"], WORKS["alice-opening"]


@pytest.fixture
def compare(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run `python -m copycat.fairuse compare ...` in an empty folder with an answer and a work."""
    from copycat.commands.fairuse import app

    monkeypatch.chdir(tmp_path)
    (tmp_path / "answer.txt").write_text(f"It goes: {ALICE[:700]} and so on.", encoding="utf-8")
    (tmp_path / "novel.txt").write_text(ALICE, encoding="utf-8")
    run = command_line(app, "copycat.fairuse")
    return lambda *arguments: run("compare", *arguments)


def withhold(command_line: CommandLine) -> None:
    from copycat.commands.fairuse import app

    assert command_line(app, "copycat.fairuse")("withhold", "novel.txt").code == 0


def test_a_comparison_says_how_much_is_shared_with_every_figure_raw_and_canonical(compare: Cli) -> None:
    answer = compare("answer.txt", "novel.txt")
    assert answer.code == 0
    assert answer.out.startswith("135 of 257 words of the work (52.5 %) stand in long spans of the output")
    assert "near-verbatim recall" in answer.out
    assert "runs, discounted" in answer.out
    assert "1 shared stretch of answer.txt" in answer.out
    assert "135 words, long span: Alice was" in answer.out
    assert "Alice was beginning to get very tired" in answer.out


def test_the_json_of_a_comparison_is_one_object_with_both_forms_spans_and_page(compare: Cli, tmp_path: Path) -> None:
    said = json.loads(compare("answer.txt", "novel.txt", "--json", "--out", "page.html").out)
    assert said["canonical"]["near_verbatim_recall"] == said["raw"]["near_verbatim_recall"] > 0.5
    assert said["evasion_gain"] == 0
    assert said["page"] == "page.html"
    assert len(said["spans"]) == 1
    assert {(cell["max_gap"], cell["min_span"]) for cell in said["grid"]} >= {(5, 50), (0, 100)}
    assert (
        next(cell["recall"] for cell in said["grid"] if (cell["max_gap"], cell["min_span"]) == (5, 50))
        == (said["canonical"]["near_verbatim_recall"])
    )
    assert (tmp_path / "page.html").is_file()
    assert said["work"]["id"] == "novel"


def test_the_page_holds_both_texts_asks_nothing_of_others_and_is_the_same_each_time(
    compare: Cli, tmp_path: Path
) -> None:
    answer = compare("answer.txt", "novel.txt", "--out", "page.html")
    first = (tmp_path / "page.html").read_text(encoding="utf-8")
    compare("answer.txt", "novel.txt", "--out", "page.html")

    assert answer.out.splitlines()[-1] == "page.html"
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == first
    assert "http" not in first.replace("http-equiv", "")
    assert 'id="o1"' in first
    assert 'href="#r1"' in first
    assert "waistcoat-pocket" in first


def test_what_a_text_says_is_shown_and_never_run(compare: Cli, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)> " + ALICE[:500]
    (tmp_path / "evil<b>.txt").write_text(evil, encoding="utf-8")
    compare("evil<b>.txt", "novel.txt", "--out", "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in page
    assert "<img" not in page
    assert "evil&lt;b&gt;" in page


def test_of_several_answers_each_figure_is_the_highest_whatever_their_order(compare: Cli, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("I cannot recite it.", encoding="utf-8")
    one = json.loads(compare("answer.txt", "other.txt", "novel.txt", "--json").out)
    two = json.loads(compare("other.txt", "answer.txt", "novel.txt", "--json").out)
    assert one["canonical"] == two["canonical"]
    assert one["shown"] == two["shown"] == "answer.txt"
    assert "the highest figure of 2 outputs" in compare("answer.txt", "other.txt", "novel.txt").out


def test_a_shipped_work_is_named_by_its_id_and_a_text_may_be_piped_in(
    compare: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped = io.TextIOWrapper(io.BytesIO(SONNET.upper().encode()))
    monkeypatch.setattr(sys, "stdin", piped)
    said = json.loads(compare("-", "public-domain:sonnet-18", "--json").out)
    assert said["work"]["title"] == "Sonnet 18"
    assert (said["canonical"]["near_verbatim_recall"], said["raw"]["near_verbatim_recall"]) == (1.0, 0.0)
    assert said["outputs"] == ["standard input"]


def test_against_a_withheld_work_letters_and_places_are_told(
    compare: Cli, command_line: CommandLine, tmp_path: Path
) -> None:
    withhold(command_line)
    (tmp_path / "novel.txt").unlink()

    said = json.loads(compare("answer.txt", "novel.withheld", "--json", "--out", "page.html").out)
    printed = compare("answer.txt", "novel.withheld")

    place = said["places"][0]
    assert (tmp_path / "answer.txt").read_text(encoding="utf-8")[place["output_start"] :].startswith("Alice was")
    assert said["share_of_work"] == pytest.approx(0.53, abs=0.02)
    assert said["found_letters"] == said["longest_letters"] == place["letters"]
    assert "letters of 'novel'" in printed.out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "waistcoat" not in page  # what the answer does not have is not on the page
    assert 'id="o1"' in page


def test_an_answer_that_repeats_a_withheld_passage_does_not_count_its_letters_twice(
    compare: Cli, command_line: CommandLine, tmp_path: Path
) -> None:
    withhold(command_line)
    (tmp_path / "twice.txt").write_text(f"{ALICE[:300]} and again: {ALICE[:300]}", encoding="utf-8")
    said = json.loads(compare("twice.txt", "novel.withheld", "--json").out)
    assert len(said["places"]) == 2
    assert said["found_letters"] * 2 == pytest.approx(said["matched_letters"], abs=2)


def test_what_an_output_says_does_not_command_the_terminal(compare: Cli, tmp_path: Path) -> None:
    (tmp_path / "colour.txt").write_text(ALICE[:20] + "\x1b[31m\u202e\x07" + ALICE[20:900], encoding="utf-8")
    said = compare("colour.txt", "novel.txt").out
    assert "[31m" in said
    assert not {"\x1b", "\u202e", "\x07"} & set(said)


def test_a_background_has_no_use_with_a_withheld_work_and_is_not_ignored(
    compare: Cli, command_line: CommandLine
) -> None:
    withhold(command_line)
    answer = compare("answer.txt", "novel.withheld", "--background", "none")
    assert answer.code == 2
    assert "of a withheld work only letters are known" in answer.err


@pytest.mark.parametrize("content", ["", " \n\t", "\u200b\u200b", "...!"])
def test_an_output_without_a_word_is_an_outcome_and_no_error(compare: Cli, tmp_path: Path, content: str) -> None:
    (tmp_path / "empty.txt").write_text(content, encoding="utf-8")
    answer = compare("empty.txt", "novel.txt", "--out", "page.html")
    assert answer.code == 0
    assert answer.out.startswith("Nothing is shared: the output has no word.")
    assert compare("answer.txt", "empty.txt").out.startswith("Nothing is shared: the work has no word.")


def test_a_background_of_ones_own_changes_the_discounted_figure_and_none_leaves_it_out(compare: Cli) -> None:
    shipped, own, none = (
        json.loads(compare("answer.txt", "novel.txt", "--json", "--background", name).out)["canonical"]
        for name in ("english", "novel.txt", "none")
    )
    assert own["discounted_runs"] < shipped["discounted_runs"]
    assert none["discounted_runs"] is None
    assert "runs, discounted" not in compare("answer.txt", "novel.txt", "--background", "none").out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["answer.txt"], "a comparison needs two texts"),
        (["missing.txt", "novel.txt"], "there is no file missing.txt"),
        (["answer.txt", "missing.txt"], "missing.txt"),
        (["answer.txt", "public-domain"], "holds 6 works"),
        (["answer.txt", "public-domain:sonet-18"], "did you mean 'sonnet-18'"),
        (["answer.txt", "novel.txt", "--out", "page.pdf"], "ends in .html"),
        (["answer.txt", "novel.txt", "--out", "folder.html"], "it is a folder"),
        (["answer.txt", "novel.txt", "--out", "novel.txt/page.html"], "is a file"),
        (["hashes", "novel.txt"], "name it last"),
        (["half.txt", "novel.txt"], "begins as UTF-16 and is not"),
        (["-", "-"], "can be read once"),
        (["binary.txt", "novel.txt"], "is no text"),
        (["latin.txt", "novel.txt"], "is not in UTF-8"),
        (["answer.txt", "novel.txt", "--background", "missing.txt"], "there is no file missing.txt"),
    ],
)
def test_a_mistake_is_told_with_what_would_be_right(
    compare: Cli, tmp_path: Path, arguments: list[str], told: str
) -> None:
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "hashes").mkdir()
    (tmp_path / "hashes" / "work.json").write_text("{}", encoding="utf-8")
    (tmp_path / "half.txt").write_bytes(b"\xff\xfea")
    (tmp_path / "binary.txt").write_bytes(b"\x7fELF\x00\x00\x00moss")
    (tmp_path / "latin.txt").write_bytes("Schöne Grüße".encode("latin-1"))
    answer = compare(*arguments)
    assert answer.code == 2
    assert told in answer.err
    assert "Traceback" not in answer.err


def test_texts_that_are_too_long_are_refused_before_anything_is_compared(
    compare: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    from copycat.fairuse.compare import inputs

    monkeypatch.setattr(inputs, "MOST_LETTERS", 1_000)
    answer = compare("answer.txt", "novel.txt")
    assert answer.code == 2
    assert "answer.txt and the work have 2," in answer.err
    assert "1,000 can be compared" in answer.err
