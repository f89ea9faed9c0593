from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from harness import Cli, CommandLine, Doubles

from copycat.commands.discover_triggers import rerank, triggers

MINE = ("--model", "fake", "--judge", "fake-judge", "--device", "cpu", "--characters", "mine.yaml", "--only", "max")


@pytest.fixture
def discover(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, doubles: Doubles, characters_file: Path
) -> Cli:
    """Run both commands in this process, in a folder with the characters of a user."""
    del doubles, characters_file
    monkeypatch.chdir(tmp_path)
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(triggers)
    app.command()(rerank)
    return command_line(app, "copycat.discover")


def test_the_table_shows_the_trigger_with_its_fresh_figure_and_the_file(discover: Cli) -> None:
    answer = discover("triggers", *MINE, "--budget", 60, "--fresh-seeds", 8)
    assert answer.code == 0
    report = json.loads(Path("triggers/fake+mine.yaml/triggers.json").read_text(encoding="utf-8"))
    (found,) = report["found"]
    (row,) = (line for line in answer.out.splitlines() if line.startswith("max"))
    assert found["prompt"] in row
    assert f"{found['fresh']['k']}/8" in row
    assert row.endswith(str(found["search_pictures"]))
    assert "triggers/fake+mine.yaml/triggers.json" in answer.out
    assert (
        f"max: '{found['prompt']}' {found['hits']} of {found['n']}, {found['search_pictures']} pictures" in answer.err
    )


def test_json_is_the_report_itself(discover: Cli) -> None:
    answer = discover("triggers", *MINE, "--budget", 20, "--fresh-seeds", 2, "--out", "here", "--json")
    assert json.loads(answer.out) == json.loads(Path("here/triggers.json").read_text(encoding="utf-8"))


def test_prompts_are_ranked_and_what_cannot_be_told_apart_is_said(discover: Cli) -> None:
    Path("prompts.txt").write_text("skateboard\nhoodie\nMax\n", encoding="utf-8")
    answer = discover("rerank", *MINE, "--from", "prompts.txt", "--seeds", 6)
    assert answer.code == 0
    rows = [line for line in answer.out.splitlines() if "[" in line]
    assert len(rows) == 3
    assert rows[0].startswith("max")
    assert "best" in rows[0]
    assert sum("alike" in row for row in rows) == 2
    assert "names the character" in next(row for row in rows if "Max" in row)


def test_settings_that_are_typed_reach_the_model(discover: Cli) -> None:
    answer = discover("triggers", *MINE, "--budget", 4, "--fresh-seeds", 1, "--steps", 7, "--batch-size", 2, "--json")
    lab = json.loads(answer.out)["lab"]
    assert (lab["sampling"]["steps"], lab["batch_size"]) == (7, 2)


def test_words_of_everybody_without_some_are_tried(discover: Cli) -> None:
    typed = ("--pool", "all", "--without", "sailor", "--budget", 40, "--fresh-seeds", 1, "--out", "all", "--json")
    removed = json.loads(discover("triggers", *MINE, *typed).out)["found"][0]["removed"]
    assert any("sailor" in one for one in removed)
    journal = Path("all/journal.jsonl").read_text(encoding="utf-8")
    assert "green hat" in journal
    assert "sailor" not in journal


@pytest.mark.parametrize("command", ["triggers", "rerank"])
def test_a_command_without_a_model_says_what_to_type(discover: Cli, command: str) -> None:
    answer = discover(command)
    assert answer.code == 2
    assert "no model given" in answer.err
    assert "--model sandbox" in answer.err


def test_an_unknown_character_gets_a_suggestion(discover: Cli) -> None:
    answer = discover("triggers", *MINE[:-1], "goffy")
    assert answer.code == 2
    assert "did you mean 'goofy'" in answer.err
