"""`copycat.provenance lookup` from the command line, and its page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from planted_worlds import DAY, SECRETS, make_manifest, rows, write_jsonl

from copycat.commands.provenance_lookup import LOOKUP_EPILOG, lookup

if TYPE_CHECKING:
    from harness import Cli, CommandLine


@pytest.fixture
def ask(command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    import typer

    app = typer.Typer(add_completion=False)
    app.command(epilog=LOOKUP_EPILOG)(lookup)
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "toy", rows())
    return command_line(app, "copycat.provenance")


def test_the_table_says_what_was_found_and_whom_to_ask(ask: Cli) -> None:
    answer = ask("toy", "--name", "Zoravi Meklun", "--as-of", "2026-11-01")

    assert answer.code == 0
    assert "name 'Zoravi Meklun' in toy: 6 of 12 records" in answer.out
    assert "r003" in answer.out
    assert "train.jsonl:4" in answer.out
    assert "removals@example.org" in answer.out
    assert not [secret for secret in SECRETS if secret in answer.out + answer.err]


def test_finding_nothing_is_an_answer_too(ask: Cli) -> None:
    answer = ask("toy", "--name", "Tabriko")

    assert answer.code == 0
    assert "nothing found now" in answer.out


def test_json_is_one_object_with_the_receipt(ask: Cli) -> None:
    found = json.loads(ask("toy", "--domain", "example.org", "--json", "--as-of", "2026-11-01").out)

    assert (found["n_found"], found["as_of"], found["dataset"]) == (6, "2026-11-01", "toy")
    assert set(found["hits"][0]) == {
        "id", "place", "found_by", "licence", "answers", "version_added", "version_removed", "is_in_files",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "nothing is given"),
        (("--name", "Zoravi Meklun", "--id", "3"), "--name and --id is given"),
        (("--name", "A"), "too broad"),
        (("--domain", "com"), "too broad"),
        (("--picture", "none.png"), "cannot be read"),
        (("--picture", "/dev/zero"), "is no file"),
        (("--picture", "toy"), "is no file"),
        (("--name", "Zoravi", "--distance", "3"), "--distance says nothing of --name"),
        (("--name", "Zoravi Meklun", "--page", "x.txt"), "no name of a page"),
    ],
)
def test_a_question_that_cannot_be_asked_is_told_what_to_type(ask: Cli, options: tuple[str, ...], said: str) -> None:
    answer = ask("toy", *options)

    assert answer.code == 2
    assert said in answer.err
    assert "needed:" in answer.err


def test_the_page_says_it_in_plain_words_and_leads_nowhere_else(ask: Cli, tmp_path: Path) -> None:
    assert ask("toy", "--name", "Zoravi Meklun", "--page", "answer.html").code == 0
    page = (tmp_path / "answer.html").read_text()

    assert "Yes." in page
    assert "mailto:removals@example.org" in page
    assert "Receipt" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert not [word for word in ("infring", "violat", "illegal", "guilty") if word in page.lower()]


def test_a_page_of_nothing_found_says_what_that_does_not_cover(ask: Cli, tmp_path: Path) -> None:
    ask("toy", "--name", "Tabriko", "--page", "answer.html")
    page = (tmp_path / "answer.html").read_text()

    assert "Nothing found." in page
    assert "may still be there without" in page
    assert "How to ask for removal" not in page


def test_what_a_dataset_says_is_escaped_on_the_page(ask: Cli, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    write_jsonl(tmp_path / "evil", [{"id": f"{evil}\x1b[2J", "author": "Zoravi Meklun"}])
    (tmp_path / "evil" / "README.md").write_text(f"---\ncontact: 'javascript:alert(1) {evil}'\n---\n")

    answer = ask("evil", "--name", "Zoravi Meklun", "--page", "answer.html")
    page = (tmp_path / "answer.html").read_text()

    assert answer.code == 0
    assert "\x1b" not in answer.out + page
    assert "<script" not in page
    assert 'href="javascript' not in page


def test_a_text_may_come_from_a_file(ask: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("a plain wooden chair beside a very tall green lamp")

    assert "8 of 12 records" in ask("toy", "--text-file", "mine.txt").out


def test_a_column_of_another_name_is_looked_in_when_it_is_named(ask: Cli, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "own", [{"id": "1", "painter": "Zoravi Meklun"}])

    assert "nothing found" in ask("own", "--name", "Zoravi Meklun").out
    assert "1 of 1 records" in ask("own", "--name", "Zoravi Meklun", "--column", "author=painter").out
    assert ask("own", "--name", "Zoravi Meklun", "--column", "painter").code == 2
    assert ask("own", "--name", "Zoravi Meklun", "--column", "autor=painter").code == 2


def test_what_was_removed_is_not_said_to_have_been_nothing(ask: Cli, tmp_path: Path) -> None:
    from copycat.provenance.dataset import open_dataset
    from copycat.provenance.removal import Options, remove

    make_manifest(tmp_path / "toy")
    (tmp_path / "toy" / "provenance" / "models.yaml").write_text("- {name: m, version: '1'}\n")
    named = [f"r{i:03d}" for i in range(12) if i % 3 == 0 or i % 4 == 1]
    remove(open_dataset(tmp_path / "toy"), named, "x", DAY, Options(rewrite=True))

    answer = ask("toy", "--name", "Zoravi Meklun", "--page", "answer.html")
    page = (tmp_path / "answer.html").read_text()

    assert "by version: at least 0 in version 1, 0 in version 2" in answer.out
    assert "6 records of version 1 were removed or changed since and cannot be searched by name" in answer.out
    assert "model m was trained on version 1: how many of them it held is not known any more" in answer.out
    assert page.count("<b>not known any more</b>") == 1
    assert "no match" not in page
    found = json.loads(ask("toy", "--name", "Zoravi Meklun", "--json").out)
    assert found["unsearched"] == {"1": 6}
    assert found["models"][0]["is_at_least"]
