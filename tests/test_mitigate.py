"""`python -m copycat.mitigate rewrite`: each prompt rewritten once, frozen, and drawn by `rewrite:NAME`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import Cli, CommandLine, Doubles
from image_server import always
from run_folders import folder_of, samples_of
from text_server import MODEL, TextServer

from copycat.catalog import benign_prompts, read_character_set
from copycat.llm.instructions import read_instruction

LLM = ("--llm", f"openai:{MODEL}")
MINE = ("--characters", "mine.yaml")
LIST = Path("lists/my-set/rewrite-llm.json")


def answer(instruction: str, text: str, body: dict[str, Any]) -> str:
    """Leave a keyword in what was a name, and a name in the description of Bluto."""
    del instruction
    if "huge man" in text:
        return "A huge man, not Bluto."
    return f'"Create an image of a hound in a green hat, {len(text)}, take {body["seed"]}."'


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[TextServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with TextServer(answer) as started:
        monkeypatch.setenv("OPENAI_BASE_URL", started.url)
        yield started


@pytest.fixture
def mitigate(cli: Cli, command_line: CommandLine, characters_file: Path) -> Cli:
    """Run the command in this process, in the folder in which `cli` runs the main job."""
    from copycat.commands.mitigate import app

    del cli, characters_file  # one changed to an empty folder, the other wrote mine.yaml there

    return command_line(app, "copycat.mitigate")


def frozen(path: Path = LIST) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_rewrites_are_frozen_with_where_they_come_from(mitigate: Cli, server: TextServer) -> None:
    told = mitigate("rewrite", *MINE, *LLM)
    assert told.code == 0, told.err
    content, instruction = frozen(), read_instruction("rewrite-v1")
    assert list(content["texts"]) == [
        f"my-set/{who}/{anchor}" for anchor in ("name", "description") for who in ("goofy", "max", "bluto")
    ]
    assert content["texts"]["my-set/goofy/name"] == ["A hound in a green hat, 5, take 0."]
    provenance = content["provenance"]
    assert provenance["language model"].startswith(f"openai:{MODEL}@127.0.0.1:")
    assert provenance["instruction sha256"] == instruction.sha256
    assert (provenance["instruction"], provenance["temperature"]) == ("rewrite-v1", "0.7")
    assert provenance["model answered"] == "words-1-2026-04-21" and len(provenance["date"]) == 10
    assert [entry.body["messages"][0]["content"] for entry in server.entries] == [instruction.text] * 6


def test_what_is_left_of_the_characters_is_told_and_kept(mitigate: Cli, server: TextServer) -> None:
    told = mitigate("rewrite", *MINE, *LLM)
    assert "still name the character, its franchise or a brand: 1 of 6\n  my-set/bluto/description: Bluto\n" in told.out
    assert "still there: 7 %" in told.out  # 'green hat' twice, of 6 texts with 5 keywords each
    assert frozen()["faults"] == ["my-set/bluto/description: names Bluto"]


def test_frozen_rewrites_are_drawn_and_ask_nobody(mitigate: Cli, run: Cli, server: TextServer) -> None:
    mitigate("rewrite", *MINE, *LLM, "--per-seed", 2)
    assert len(server.entries) == 12
    drawn = run("--mitigation", "rewrite:llm", "--mitigation", "rewrite:llm+negprompt:name")
    assert drawn.code == 0, drawn.err
    sent = [s["prompt_sent"] for s in samples_of(folder_of("rewrite:llm")) if s["prompt"] == "Max"]
    assert sent == ["A hound in a green hat, 3, take 0.", "A hound in a green hat, 3, take 1."]
    assert len(server.entries) == 12


def test_benign_prompts_are_rewritten_too_where_that_is_asked_for(mitigate: Cli, run: Cli, server: TextServer) -> None:
    count = len(benign_prompts(read_character_set("mine.yaml"))[1])
    told = mitigate("rewrite", *MINE, *LLM, "--benign")
    assert f"{6 + count} rewrites of {6 + count} prompts" in told.out and "a brand: 1 of 6" in told.out
    assert len(server.entries) == 6 + count
    drawn = run("--mitigation", "rewrite:llm", "--benign")
    assert drawn.code == 0, drawn.err
    assert len(server.entries) == 6 + count


def test_an_anchor_that_was_not_rewritten_is_told_with_the_way_out(
    mitigate: Cli, run: Cli, server: TextServer, doubles: Doubles
) -> None:
    mitigate("rewrite", *MINE, *LLM, "--anchors", "name")
    told = run("--mitigation", "rewrite:llm")
    assert told.code == 2 and "have no text for prompt 'my-set/goofy/description'" in told.err
    assert "python -m copycat.mitigate rewrite" in told.err
    assert doubles.generated == [] and len(server.entries) == 3


def test_the_same_command_asks_nobody_again_and_leaves_the_list_as_it_is(mitigate: Cli, server: TextServer) -> None:
    mitigate("rewrite", *MINE, *LLM)
    before = LIST.read_bytes()
    again = mitigate("rewrite", *MINE, *LLM)
    assert again.code == 0 and "they were there already" in again.out
    assert (LIST.read_bytes(), len(server.entries)) == (before, 6)


def test_a_prompt_without_a_rewrite_is_told_nothing_is_written_and_the_same_command_goes_on(
    mitigate: Cli, server: TextServer
) -> None:
    server.script = lambda _, body: "refusal_text" if body["messages"][1]["content"] == "Max" else "ok"
    failed = mitigate("rewrite", *MINE, *LLM)
    assert failed.code == 2
    assert "no usable answer to 1 of 6 questions\n  my-set/max/name: the language model declined" in failed.err
    assert not LIST.exists()
    server.script = always("ok")
    asked = len(server.entries)
    assert mitigate("rewrite", *MINE, *LLM).code == 0
    assert len(server.entries) == asked + 1 and len(frozen()["texts"]) == 6


def test_an_opener_without_a_prompt_is_no_rewrite_and_asked_for_again(mitigate: Cli, server: TextServer) -> None:
    good = server.answer
    server.answer = lambda *_: 'Sure, here it is: "..."'
    failed = mitigate("rewrite", *MINE, *LLM, "--anchors", "name")
    assert failed.code == 2 and "gave no prompt" in failed.err
    server.answer = good
    assert mitigate("rewrite", *MINE, *LLM, "--anchors", "name").code == 0
    assert len(server.entries) == 6


@pytest.mark.parametrize("behaviour", ["empty", "truncated", "only_thinking"])
def test_half_an_answer_or_none_is_no_rewrite(mitigate: Cli, server: TextServer, behaviour: str) -> None:
    server.script = always(behaviour)
    assert mitigate("rewrite", *MINE, *LLM, "--anchors", "name").code == 2
    assert not LIST.exists()


@pytest.mark.parametrize(
    "other",
    [("--per-seed", 2), ("--anchors", "name"), ("--llm", "openai:another")],
    ids=["number", "prompts", "model"],
)
def test_a_list_of_other_rewrites_is_not_overwritten_and_nobody_is_asked(
    mitigate: Cli, server: TextServer, other: tuple[object, ...]
) -> None:
    mitigate("rewrite", *MINE, *LLM)
    before = LIST.read_bytes()
    refused = mitigate("rewrite", *MINE, *LLM, *other)
    assert refused.code == 2 and "choose another --name" in refused.err
    assert (LIST.read_bytes(), len(server.entries)) == (before, 6)
    assert mitigate("rewrite", *MINE, *LLM, *other, "--name", "second").code == 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--name", "rules"), "rewrite:rules is something else"),
        (("--name", "Big One"), "cannot name a list"),
        (("--anchors", " "), "no anchor given"),
        (("--llm", "gpt"), "names no language model"),
        (("--characters", "nobody"), "nobody"),
    ],
)
def test_what_cannot_be_is_told(mitigate: Cli, server: TextServer, options: tuple[str, ...], text: str) -> None:
    refused = mitigate("rewrite", *MINE, *LLM, *options)
    assert refused.code == 2 and text in refused.err, refused.err


def test_as_json_it_says_the_same(mitigate: Cli, server: TextServer) -> None:
    told = json.loads(mitigate("rewrite", *MINE, *LLM, "--json").out)
    assert Path(told["path"]) == LIST
    assert (told["n_texts"], told["is_new"], told["naming"][0]["names"]) == (6, True, ["Bluto"])
    assert told["keyword_share"] == pytest.approx(2 / 30)


def test_help_says_how_it_goes_on(mitigate: Cli) -> None:
    told = mitigate("rewrite", "--help")
    assert told.code == 0 and "copycat.eval --mitigation rewrite:NAME" in " ".join(told.out.split())
