"""What mitigations ask a language model, and `--llm` from end to end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import Answer, Cli, Doubles
from image_server import always
from run_folders import folder_of, read, samples_of
from text_server import MODEL, TextServer

from copycat.errors import UserError
from copycat.llm import Failure, asking
from copycat.llm.asking import Asker, require_answers
from copycat.llm.instructions import Instruction, read_instruction
from copycat.llm.openai import OpenAILanguageModel
from copycat.mitigations import Question

LLM = ("--llm", f"openai:{MODEL}")


def answer(instruction: str, text: str, body: dict[str, Any]) -> str:
    """Say whom a prompt names, else rewrite it."""
    if instruction == read_instruction("intent-v1").text:
        return "Goofy" if "Goofy" in text.partition("\n")[0] else "none"
    return f'"Create an image of a hound like {len(text)}, take {body.get("seed")}."'


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[TextServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with TextServer(answer) as started:
        monkeypatch.setenv("OPENAI_BASE_URL", started.url)
        yield started


def spec_of(mitigation: str) -> dict[str, Any]:
    spec: dict[str, Any] = read(folder_of(mitigation) / "run.json")["spec"]
    return spec


def test_a_question_is_sent_as_its_instruction_says(server: TextServer) -> None:
    asker = Asker(OpenAILanguageModel(MODEL))
    asker.ask(Question("rewrite-v1", "Goofy", 2))
    sent = server.entries[0].body
    assert sent["messages"][0]["content"] == read_instruction("rewrite-v1").text
    assert (sent["messages"][1]["content"], sent["temperature"], sent["seed"]) == ("Goofy", 0.7, 2)
    assert asker.described().endswith(f", rewrite-v1@{read_instruction('rewrite-v1').sha256[:12]}")


def test_each_repeat_of_each_prompt_is_rewritten_once_and_kept(run: Cli, server: TextServer, doubles: Doubles) -> None:
    first = run("--mitigation", "rewrite:fresh", *LLM)
    assert first.code == 0, first.err
    assert len(server.entries) == 12  # three characters, two anchors, two repeats
    sent = [sample["prompt_sent"] for sample in samples_of(folder_of("rewrite:fresh"))]
    assert all(text.startswith("A hound like ") for text in sent)
    assert sum(text.endswith("take 1.") for text in sent) == 6
    drawn = len(doubles.generated)
    again = run("--mitigation", "rewrite:fresh", *LLM)
    assert (again.out, len(server.entries), len(doubles.generated)) == (first.out, 12, drawn)


def test_the_language_model_and_its_instructions_are_part_of_the_run(run: Cli, server: TextServer) -> None:
    run(
        *(f"--mitigation={name}" for name in ("rewrite:fresh", "negprompt:universal", "intent:llm+negprompt:name")),
        *LLM,
    )
    host = server.url.removeprefix("http://").removesuffix("/v1")
    told = {name: read_instruction(name).sha256[:12] for name in ("rewrite-v1", "intent-v1")}
    assert spec_of("rewrite-fresh")["language_model"] == f"openai:{MODEL}@{host}, rewrite-v1@{told['rewrite-v1']}"
    assert (
        spec_of("intent-llm+negprompt-name")["language_model"]
        == f"openai:{MODEL}@{host}, intent-v1@{told['intent-v1']}"
    )
    assert "language_model" not in spec_of("none") and "language_model" not in spec_of("negprompt:universal")


def test_whom_the_language_model_names_is_protected_and_nobody_else(run: Cli, server: TextServer) -> None:
    assert run("--mitigation", "intent:llm+negprompt:name", *LLM).code == 0
    assert len(server.entries) == 6  # once for each prompt
    negatives = {
        sample["prompt"]: sample.get("negative_prompt") for sample in samples_of(folder_of("intent-llm+negprompt-name"))
    }
    assert {prompt for prompt, negative in negatives.items() if negative} == {"Goofy"}
    assert negatives["Goofy"] == "Goofy"


def test_a_limited_run_asks_for_no_more_than_it_draws(run: Cli, server: TextServer) -> None:
    run("--mitigation", "rewrite:fresh", *LLM, "--limit", 3)
    assert len(server.entries) == 3


def test_a_question_without_an_answer_stops_before_anything_is_drawn(
    run: Cli, server: TextServer, doubles: Doubles
) -> None:
    server.script = lambda number, _: "refusal_text" if number == 4 else "ok"
    failed = run("--mitigation", "rewrite:fresh", *LLM)
    assert failed.code == 2
    assert "no usable answer to 1 of 12 questions" in failed.err and "declined" in failed.err
    assert doubles.generated == []
    server.script = always("ok")
    assert run("--mitigation", "rewrite:fresh", *LLM).code == 0
    assert len(server.entries) == 13


def test_an_answer_that_names_two_is_told_and_asked_for_again(run: Cli, server: TextServer, doubles: Doubles) -> None:
    good = server.answer
    server.answer = lambda told, text, body: "Goofy or Max" if "Prompt: Max" in text else good(told, text, body)
    failed = run("--mitigation", "intent:llm+negprompt:name", *LLM)
    assert failed.code == 2 and "my-set/max/name: asked whom a prompt is after" in failed.err
    assert "said 'Goofy or Max'" in failed.err and doubles.generated == []
    asked = len(server.entries)
    server.answer = good
    assert run("--mitigation", "intent:llm+negprompt:name", *LLM).code == 0
    assert len(server.entries) == asked + 1


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--mitigation", "rewrite:fresh"), "'rewrite:fresh' needs a language model\n  add --llm"),
        (("--mitigation", "intent:llm+negprompt"), "'intent:llm' needs a language model\n  add --llm"),
        (("--mitigation", "negprompt", *LLM), "--llm is of no use here"),
        (("--mitigation", "rewrite:fresh", "--llm", "gpt"), "'gpt' names no language model"),
        (("--mitigation", "rewrite:fresh", *LLM, "--dry-run"), "--llm and --dry-run do not go together"),
        (("--mitigation", "rewrite:fresh", *LLM, "--shard", "1/2"), "--llm and --shard do not go together"),
    ],
    ids=["rewriting", "intent", "no use", "a name", "dry run", "shard"],
)
def test_what_could_not_be_asked_is_refused_before_anything_is_drawn(
    run: Cli, server: TextServer, doubles: Doubles, options: tuple[str, ...], text: str
) -> None:
    refused: Answer = run(*options)
    assert (refused.code, text in refused.err) == (2, True), refused.err
    assert doubles.generated == [] and server.entries == []


def test_a_model_of_transformers_in_a_folder_answers_too(
    run: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tiny_llm import save_tiny_llm

    short = Instruction("rewrite-v1", "Rewrite it.", "0" * 64, 0.0, 40)
    monkeypatch.setattr(asking, "read_instruction", lambda _: short)
    save_tiny_llm(tmp_path / "words", lessons=[(short.text, "Goofy", "A hound.")])
    found = run("--mitigation", "rewrite:fresh", "--llm", "./words", "--limit", 1)
    assert found.code == 0, found.err
    assert samples_of(folder_of("rewrite:fresh"))[0]["prompt_sent"] == "A hound."
    assert spec_of("rewrite:fresh")["language_model"].startswith("folder:words@")


def test_of_many_failures_the_first_are_listed() -> None:
    with pytest.raises(UserError) as told:
        require_answers([Failure(f"reason {number}") for number in range(9)], 10)
    lines = str(told.value).splitlines()
    assert lines[0].endswith("9 of 10 questions")
    assert lines[1:7] == [*(f"  reason {number}" for number in range(5)), "  and 4 more"]
