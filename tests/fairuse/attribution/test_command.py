"""`python -m copycat.fairuse attribute`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from copycat.commands.fairuse import app

if TYPE_CHECKING:
    from harness import Cli, CommandLine


@pytest.fixture
def cli(command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    Path("answer.txt").write_text(
        "He says: two vast and trunkless legs of stone stand in the desert.", encoding="utf-8"
    )
    return command_line(app, "copycat.fairuse")


def test_the_answer_names_work_and_place(cli: Cli) -> None:
    said = cli("attribute", "answer.txt", "--works", "public-domain")
    assert said.code == 0
    assert "ozymandias" in said.out
    assert '"two vast and trunkless legs of stone stand in the desert"' in said.out
    assert "not in the index, in %" in said.out


def test_an_index_is_kept_and_answers_without_the_works(cli: Cli) -> None:
    first = cli("attribute", "answer.txt", "--works", "public-domain", "--index", "kept", "--json")
    again = cli("attribute", "answer.txt", "--index", "kept", "--json")
    assert json.loads(first.out) == json.loads(again.out)
    assert json.loads(again.out)["outputs"][0]["works"][0]["work"] == "ozymandias"
    assert "making the index" in first.err


def test_an_index_of_other_works_is_made_again(cli: Cli) -> None:
    Path("own.txt").write_text("two vast and trunkless legs of stone are mine", encoding="utf-8")
    cli("attribute", "answer.txt", "--works", "public-domain", "--index", "kept")
    said = cli("attribute", "answer.txt", "--works", "own.txt", "--index", "kept", "--json")
    assert "the works are others now" in said.err
    assert json.loads(said.out)["outputs"][0]["works"][0]["work"] == "own"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing is named to look in"),
        (("--index", "nowhere"), "nowhere holds no index"),
        (("--infini-gram", "nowhere"), "nowhere holds no index of infini-gram"),
        (("--infini-gram", "a", "--index", "b"), "leave out one of them"),
        (("--works", "public-domian"), "did you mean 'public-domain'?"),
        (("--works", "sandbox", "--tokenizer", "bytes"), "--tokenizer is that of an index of infini-gram"),
        (("--works", "sandbox", "--index", "answer.txt"), "--index answer.txt is a file"),
        (("-", "-", "--works", "sandbox"), "standard input, which can be read once"),
    ],
)
def test_what_is_wrong_is_told(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    answer = cli("attribute", "answer.txt", *arguments)
    assert answer.code == 2
    assert said in answer.err


def test_an_index_that_is_cut_off_is_told_and_made_again_where_the_works_are_named(cli: Cli) -> None:
    Path("own.txt").write_text("two vast and trunkless legs of stone are mine", encoding="utf-8")
    cli("attribute", "answer.txt", "--works", "own.txt", "--index", "kept")
    file = Path("kept/letters.bin")
    file.write_bytes(file.read_bytes()[:-1])
    said = cli("attribute", "answer.txt", "--index", "kept")
    assert said.code == 2
    assert "make it again: --works FILE --index DIR" in said.err
    again = cli("attribute", "answer.txt", "--works", "own.txt", "--index", "kept")
    assert again.code == 0
    assert "making the index of 1 works" in again.err


def test_an_output_does_not_command_the_terminal_and_one_without_words_says_so(cli: Cli) -> None:
    Path("answer.txt").write_text("two vast and trunkless\x1b[2J legs of stone stand in the desert", encoding="utf-8")
    Path("empty.txt").touch()
    said = cli("attribute", "answer.txt", "empty.txt", "--works", "public-domain", "--min-words", "3")
    assert said.code == 0
    assert "\x1b" not in said.out
    assert "two vast and trunkless" in said.out
    assert "has no word" in said.out
