"""A language model behind an address: the real client against one on this computer that answers as real ones do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from image_server import Script, always, storm
from text_server import MODEL, TextServer

from copycat.errors import BackendError, MissingExtraError, UserError
from copycat.llm import Failure, build_language_model, complete_all
from copycat.llm.openai import OpenAILanguageModel
from copycat.services import RefusedError, ServiceDownError
from copycat.services.memory import AnswerMemory

KEY = "sk-test-0123456789abcdef"

Start = Callable[..., tuple[OpenAILanguageModel, TextServer]]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a server that says what it was asked, and a model that asks it without long waits."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as stack:

        def begin(
            script: Script | list[str] = (),  # type: ignore[assignment]
            memory: AnswerMemory | None = None,
            **options: Any,
        ) -> tuple[OpenAILanguageModel, TextServer]:
            server = stack.enter_context(TextServer(lambda told, text, body: f"{told} | {text}", script, **options))
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            llm = OpenAILanguageModel(MODEL, memory)
            llm.chat.policy = replace(llm.chat.policy, base_seconds=0.001, cap_seconds=0.002, max_seconds=5)
            stack.callback(lambda: "client" in vars(llm.chat.service) and llm.chat.service.client.close())
            return llm, server

        yield begin


def test_instruction_text_and_sampling_are_sent_and_nothing_else(start: Start) -> None:
    llm, server = start()
    assert llm.complete("Rewrite it.", "A cat.", temperature=0.7, seed=3, max_tokens=60) == "Rewrite it. | A cat."
    assert server.entries[0].body == {
        "model": MODEL,
        "messages": [{"role": "system", "content": "Rewrite it."}, {"role": "user", "content": "A cat."}],
        "max_tokens": 60,
        "temperature": 0.7,
        "seed": 3,
    }


def test_the_likeliest_answer_is_asked_for_without_a_seed(start: Start) -> None:
    llm, server = start()
    llm.complete("Say.", "it", seed=3)
    assert server.entries[0].body["temperature"] == 0 and "seed" not in server.entries[0].body


def test_the_same_question_is_paid_for_once(start: Start, tmp_path: Path) -> None:
    llm, server = start(memory=AnswerMemory(tmp_path / "a.sqlite"))
    for _ in range(2):
        assert llm.complete("Say.", "it", temperature=0.7) == "Say. | it"
    assert len(server.entries) == 1
    other: list[dict[str, Any]] = [
        {"temperature": 0.7, "seed": 1},
        {"temperature": 0.8},
        {"temperature": 0.7, "max_tokens": 9},
    ]
    for options in other:
        llm.complete("Say.", "it", **options)
    llm.complete("Say", ".it", temperature=0.7)
    assert len(server.entries) == 5


@pytest.mark.parametrize(
    ("behaviour", "error", "why"),
    [
        ("refusal_text", RefusedError, "declined: 'I'm sorry"),
        ("refusal_field", RefusedError, "can't help"),
        ("content_filter", RefusedError, "content filter"),
        ("refusal", RefusedError, "filtered by content policy"),
        ("empty", BackendError, "empty answer"),
        ("null", BackendError, "empty answer"),
        ("truncated", BackendError, "cut off"),
        ("no_choices", BackendError, "gave up after 3 attempts"),
    ],
)
def test_what_is_no_answer_is_told_and_not_kept(
    behaviour: str, error: type[BackendError], why: str, start: Start, tmp_path: Path
) -> None:
    llm, server = start(always(behaviour), AnswerMemory(tmp_path / "a.sqlite"))
    with pytest.raises(error, match=why):
        llm.complete("Say.", "it")
    before = len(server.entries)
    server.script = always("ok")
    assert llm.complete("Say.", "it") == "Say. | it"
    assert len(server.entries) == before + 1


def test_a_model_that_takes_no_temperature_answers_and_it_is_told(start: Start) -> None:
    llm, server = start(rejects=["temperature", "max_tokens"])
    assert llm.complete("Say.", "it", temperature=0.7) == "Say. | it"
    assert "temperature" not in server.entries[-1].body and "max_completion_tokens" in server.entries[-1].body
    assert llm.facts()["temperature taken"] == "no: the service has its own"


def test_reasoning_is_no_part_of_the_answer(start: Start) -> None:
    llm, _ = start(["thinking"])
    assert llm.complete("Say.", "it") == "Say. | it"


def test_many_texts_are_answered_in_their_order_through_a_storm(start: Start) -> None:
    llm, _ = start(storm(3))
    texts = [f"text {number}" for number in range(80)]
    steps: list[int] = []
    assert complete_all(llm, "Say.", texts, advance=steps.append) == [f"Say. | {text}" for text in texts]
    assert sum(steps) == 80


def test_one_that_is_declined_does_not_harm_the_others(start: Start) -> None:
    llm, _ = start(lambda _, body: "refusal_text" if body["messages"][1]["content"] == "b" else "ok")
    first, second, third = complete_all(llm, "Say.", ["a", "b", "c"])
    assert (first, third) == ("Say. | a", "Say. | c")
    assert isinstance(second, Failure) and "declined" in second.reason


def test_a_service_that_answers_nobody_stops_it_and_what_was_answered_is_kept(start: Start, tmp_path: Path) -> None:
    memory = AnswerMemory(tmp_path / "a.sqlite")
    llm, server = start(lambda number, _: "ok" if number < 5 else "bad_request", memory)
    with pytest.raises(ServiceDownError):
        complete_all(llm, "Say.", [f"text {number}" for number in range(80)])
    server.script = always("ok")
    answered = server.charged
    server.entries.clear()
    again = OpenAILanguageModel(MODEL, memory)
    assert complete_all(again, "Say.", answered) == [f"Say. | {text}" for text in answered]
    assert len(answered) == 5 and server.entries == []


def test_the_identity_is_model_and_host_and_asks_nobody(start: Start) -> None:
    llm, server = start()
    host = server.url.removeprefix("http://").removesuffix("/v1")
    assert llm.identify() == f"openai:{MODEL}@{host}"
    assert server.entries == []


def test_what_a_service_says_of_itself_is_known_after_an_answer(start: Start) -> None:
    llm, _ = start()
    assert llm.facts() == {}
    llm.complete("Say.", "it")
    assert llm.facts() == {"model answered": "words-1-2026-04-21", "system_fingerprint answered": "fp_0123456789"}


def test_a_missing_key_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", "https://example.com/v1")
    with pytest.raises(MissingExtraError, match="OPENAI_API_KEY is not set"):
        build_language_model("openai:m", None).complete("Say.", "it")


@pytest.mark.parametrize("name", ["", "gpt-5", "openai:", "anthropic:claude", "a/b/c", "org/"])
def test_a_name_of_another_form_is_told(name: str) -> None:
    with pytest.raises(UserError, match="names no language model\n  needed: openai:MODEL, org/repo"):
        build_language_model(name, None)
