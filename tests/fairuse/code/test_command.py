"""`python -m copycat.fairuse code`, from the files to the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from copycat.commands.fairuse import app
from copycat.commands.fairuse_shown import short_names, short_path

from .conftest import QUEUE, TIDES, renamed

if TYPE_CHECKING:
    from harness import Cli, CommandLine


@pytest.fixture
def cli(command_line: CommandLine, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    (corpus / "tides" / "LICENSE").write_text("GNU GENERAL PUBLIC LICENSE\nVersion 2, June 1991", encoding="utf-8")
    Path("answer.py").write_text("# <b>mine</b>\n" + renamed(TIDES), encoding="utf-8")
    Path("own.py").write_text(QUEUE, encoding="utf-8")
    return command_line(app, "copycat.fairuse")


def test_the_table_names_file_lines_licence_and_duty(cli: Cli) -> None:
    said = cli("code", "answer.py", "own.py", "--against", "corpus")
    assert said.code == 0
    assert "tides/tides.py" in said.out
    assert "GPL-2.0-only, strong-copyleft" in said.out
    assert "no file" in said.out


def test_an_output_goes_by_as_much_of_its_path_as_tells_it_from_others(cli: Cli) -> None:
    assert short_names(["a/b/x.py", "a/c/y.py"]) == {"a/b/x.py": "x.py", "a/c/y.py": "y.py"}
    assert short_names(["a/b/x.py", "a/c/x.py", "x.py"]) == {"a/b/x.py": "b/x.py", "a/c/x.py": "c/x.py", "x.py": "x.py"}
    Path("of-a-model").mkdir()
    Path("answer.py").rename("of-a-model/answer.py")
    said = cli("code", "of-a-model/answer.py", "--against", "corpus")
    (row,) = [row for row in said.out.splitlines() if "100.0" in row]
    assert row.startswith("answer.py ")


@pytest.mark.parametrize(
    ("path", "letters", "shown"),
    [
        ("project/some/deep/folder/file.py", 40, "project/some/deep/folder/file.py"),
        ("project/some/deep/folder/file.py", 30, "project/.../folder/file.py"),
        ("project/some/deep/folder/file.py", 5, "project/.../file.py"),
        ("project/a-name-without-end.py", 5, "project/a-name-without-end.py"),
    ],
)
def test_a_long_path_loses_folders_in_its_middle(path: str, letters: int, shown: str) -> None:
    assert short_path(path, letters) == shown


def test_a_name_of_a_file_does_not_command_the_terminal(cli: Cli) -> None:
    Path("corpus/tides/tides.py").rename("corpus/tides/\x1b[2Jtides.py")
    Path("\x1b[31manswer.py").write_bytes(Path("answer.py").read_bytes())
    said = cli("code", "\x1b[31manswer.py", "--against", "corpus")
    assert said.code == 0
    assert "[2Jtides.py" in said.out
    assert "\x1b" not in said.out


def test_two_licences_to_choose_from_are_told_though_which_is_not_known(cli: Cli) -> None:
    Path("corpus/tides/LICENSE").rename("corpus/tides/LICENSE-GPL")
    Path("corpus/tides/LICENSE-APACHE").write_text("Apache License\nVersion 2.0, January 2004", encoding="utf-8")
    said = " ".join(cli("code", "answer.py", "--against", "corpus").out.split())
    assert "unknown" in said
    assert "LICENSE-APACHE" in said


def test_the_object_holds_every_span(cli: Cli) -> None:
    said = cli("code", "answer.py", "--against", "corpus", "--json")
    (output,) = json.loads(said.out)["outputs"]
    assert output["share"] == 1.0
    assert output["hits"][0]["licence"]["evidence"] == "tides/LICENSE, by its text"
    assert output["hits"][0]["spans"][0]["file_first_line"] == 3


def test_the_page_shows_both_sides_escaped_and_asks_for_nothing_from_elsewhere(cli: Cli) -> None:
    assert cli("code", "answer.py", "--against", "corpus", "--html", "pages/page.html").code == 0
    page = Path("pages/page.html").read_text(encoding="utf-8")
    assert "def turning_points(levels):" in page
    assert "<b>mine</b>" not in page
    assert "http:" not in page
    assert "https:" not in page


def test_the_licence_that_an_output_states_itself_is_told(cli: Cli) -> None:
    text = Path("answer.py").read_text(encoding="utf-8")
    Path("stating.py").write_text("# SPDX-License-Identifier: MIT\n" + text, encoding="utf-8")
    said = cli("code", "answer.py", "stating.py", "--against", "corpus", "--json", "--html", "page.html")
    silent, stating = json.loads(said.out)["outputs"]
    assert silent["stated"] is None
    assert (stating["stated"]["expression"], stating["hits"][0]["licence"]["expression"]) == ("MIT", "GPL-2.0-only")
    assert "It states a licence itself: MIT" in Path("page.html").read_text(encoding="utf-8")


def test_no_field_is_a_verdict() -> None:
    from copycat.fairuse.attribution.records import AttributionReport
    from copycat.fairuse.code.records import CodeReport
    from copycat.fairuse.image.records import ImageReport

    for record in (AttributionReport, CodeReport, ImageReport):
        schema = json.dumps(record.model_json_schema()).lower()
        assert not any(word in schema for word in ("infring", "violat", "guilty", "illegal", "safe", "plagiar"))


def test_a_gate_lets_a_span_through_up_to_its_length(cli: Cli) -> None:
    arguments = ("code", "answer.py", "--against", "corpus", "--json")
    longest = json.loads(cli(*arguments).out)["outputs"][0]["longest"]
    held, broken = cli(*arguments, "--gate", longest), cli(*arguments, "--gate", longest - 1)
    assert (held.code, broken.code) == (0, 1)
    assert held.err.endswith(f"gate (longest {longest}): held\n")
    told = f"gate (longest {longest - 1}): 1 output beyond; the longest span has {longest} tokens\n"
    assert broken.err.endswith(told)


def test_the_index_is_kept_where_it_is_asked_for(cli: Cli) -> None:
    first = cli("code", "answer.py", "--against", "corpus", "--index", "kept", "--json")
    assert Path("kept/index.json").is_file()
    assert cli("code", "answer.py", "--against", "corpus", "--index", "kept", "--json").out == first.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("answer.py", "--against", "nowhere"), "there is no folder nowhere"),
        (("nothing.py", "--against", "corpus"), "nothing.py is not there"),
        (("corpus", "--against", "corpus"), "corpus is a folder"),
        (("answer.py", "--against", "corpus", "--html", "corpus"), "--html corpus is no name of a page"),
        (("answer.py", "--against", "corpus", "--boilerplate", "nowhere"), "there is no file or folder nowhere"),
    ],
)
def test_what_is_not_there_is_told(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    answer = cli("code", *arguments)
    assert answer.code == 2
    assert said in answer.err
