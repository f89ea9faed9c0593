"""Vectors of texts: asked for once, kept, and checked, by a service on this computer that answers as real ones do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from embedding_server import MODEL, EmbeddingServer, word_vector
from image_server import Script, always

from copycat.errors import MissingExtraError, UserError
from copycat.llm.embedding import Embedder, build_embedder
from copycat.llm.openai_embeddings import OpenAIEmbeddings
from copycat.services.memory import AnswerMemory

KEY = "sk-test-0123456789abcdef"
NAN, INFINITE = float("nan"), float("inf")

Start = Callable[..., tuple[Embedder, EmbeddingServer]]


class Given:
    """A source that gives what it is told to, and counts what it was asked."""

    def __init__(self, answer: Callable[[str], Any]) -> None:
        self.answer = answer
        self.batches: list[list[str]] = []

    def identify(self) -> str:
        return "given"

    def vectors(self, texts: Sequence[str]) -> list[Any]:
        self.batches.append(list(texts))
        return [self.answer(text) for text in texts]

    def release(self) -> None:
        self.batches.clear()


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a server, and an embedder that asks it without long waits."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as stack:

        def begin(script: Script | list[str] = (), memory: AnswerMemory | None = None) -> Any:  # type: ignore[assignment]
            server = stack.enter_context(EmbeddingServer(script=script))
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            source = OpenAIEmbeddings(MODEL)
            source.policy = replace(source.policy, base_seconds=0.001, cap_seconds=0.002, max_seconds=5)
            stack.callback(lambda: "client" in vars(source.service) and source.service.client.close())
            return Embedder(source, memory), server

        yield begin


# ------------------------------------------------------------------------------------- what is asked


def test_texts_are_sent_together_and_nothing_but_model_and_texts(start: Start) -> None:
    embedder, server = start()
    found = embedder.embed(["a cat", "a dog"])
    assert [list(vector) for vector in found] == [word_vector("a cat"), word_vector("a dog")]
    assert [entry.body for entry in server.entries] == [{"model": MODEL, "input": ["a cat", "a dog"]}]


def test_the_identity_is_model_and_host(start: Start) -> None:
    embedder, server = start()
    assert embedder.identify() == f"openai:{MODEL}@{server.url.removeprefix('http://').removesuffix('/v1')}"


def test_a_text_is_sent_once_however_often_it_is_asked_for(start: Start) -> None:
    embedder, server = start()
    first = embedder.embed(["a cat", "a dog", "a cat"])
    assert first[0] == first[2] != first[1]
    assert embedder.embed(["a dog", "a bird"])[0] == first[1]
    assert server.texts == ["a cat", "a dog", "a bird"]


def test_vectors_are_kept_for_the_next_command_to_the_last_digit(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "vectors.sqlite"
    first, server = start(memory=AnswerMemory(path))
    found = first.embed(["a cat", "a dog"])
    again = Embedder(first.source, AnswerMemory(path))
    assert again.embed(["a dog", "a cat"]) == found[::-1]
    assert len(server.entries) == 1


def test_what_is_kept_of_one_model_is_not_given_for_another(tmp_path: Path) -> None:
    memory = AnswerMemory(tmp_path / "vectors.sqlite")
    Embedder(Given(lambda _: [1, 2]), memory).embed(["a"])
    other = Given(lambda _: [3, 4])
    other.identify = lambda: "another"  # type: ignore[method-assign]
    assert Embedder(other, memory).embed(["a"]) == [(3.0, 4.0)]


def test_many_texts_are_asked_for_in_parts_and_each_step_is_told() -> None:
    source, steps = Given(lambda text: [float(text), 1.0]), []
    texts = [str(number) for number in range(70)]
    embedder = Embedder(source)
    embedder.embed(texts[:3])
    found = embedder.embed([*texts, "5"], steps.append)
    assert found == [*((float(text), 1.0) for text in texts), (5.0, 1.0)]
    assert [len(batch) for batch in source.batches] == [3, 32, 32, 3]
    assert steps == [4, 32, 32, 3]


def test_nothing_is_asked_where_there_is_no_text() -> None:
    source = Given(lambda _: [1.0])
    assert Embedder(source).embed([]) == [] and source.batches == []


def test_threads_that_want_the_same_text_pay_for_it_once() -> None:
    source = Given(lambda _: [1.0])
    embedder = Embedder(source)
    threads = [Thread(target=embedder.embed, args=(["a"],)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert source.batches == [["a"]]


@pytest.mark.parametrize("behaviour", ["backwards", "no_index"])
def test_vectors_belong_to_their_texts_in_whatever_order_they_come(start: Start, behaviour: str) -> None:
    embedder, _ = start(always(behaviour))
    assert [list(vector) for vector in embedder.embed(["a", "b", "c"])] == [word_vector(text) for text in "abc"]


def test_a_service_that_is_busy_for_a_moment_is_asked_again(start: Start) -> None:
    embedder, server = start(["rate_limit", "server_error", "no_json", "no_data"])
    assert list(embedder.embed(["a cat"])[0]) == word_vector("a cat")
    assert len(server.entries) == 5


# ----------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(("behaviour", "status"), [("no_page", 404), ("no_method", 405), ("unknown_model", 404)])
def test_a_service_without_embeddings_is_told_at_once(start: Start, behaviour: str, status: int) -> None:
    embedder, server = start(always(behaviour))
    with pytest.raises(UserError, match=rf"has no embeddings of model '{MODEL}' \({status}\): .*\n  needed: a service"):
        embedder.embed(["a"])
    assert len(server.entries) == 1


@pytest.mark.parametrize(
    ("behaviour", "text"),
    [
        ("no_data", "the answer holds no embeddings"),
        ("no_vector", "the answer holds no embeddings"),
        ("same_index", "does not say which embedding belongs to which text"),
        ("one_less", "1 vectors came for 2 texts"),
        ("bad_request", r"rejected the request \(400\)"),
        ("refusal", "refused by the service"),
    ],
)
def test_an_answer_of_no_use_stops_and_says_so(start: Start, behaviour: str, text: str) -> None:
    embedder, _ = start(always(behaviour))
    with pytest.raises(UserError, match=rf"embedder openai:{MODEL}@.*{text}"):
        embedder.embed(["a", "b"])


def test_a_wrong_key_is_told_and_not_shown(start: Start) -> None:
    embedder, _ = start(always("bad_key"))
    with pytest.raises(UserError, match="does not accept the key in OPENAI_API_KEY") as told:
        embedder.embed(["a"])
    assert KEY not in str(told.value)


def test_a_missing_key_is_told(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://embeddings.example.com/v1")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(MissingExtraError, match="OPENAI_API_KEY is not set"):
        build_embedder("openai:m", None).embed(["a"])


@pytest.mark.parametrize(
    ("vector", "text"),
    [
        ([1.0, NAN], r"the vector of 'b' holds values that are infinite or not numbers \(NaN\)"),
        ([1.0, INFINITE], "the vector of 'b' holds values that are infinite"),
        ([0.0, 0.0], "the vector of 'b' is zero everywhere"),
        ([1.0, None], "the vector of 'b' is no list of numbers"),
        ([True, False], "the vector of 'b' is no list of numbers"),
        ([], "the vector of 'b' is no list of numbers"),
        ("AACAPw==", "the vector of 'b' is no list of numbers"),
        ([1.0, 2.0, 3.0], "the vector of 'b' has 3 numbers, those of other texts have 2"),
    ],
    ids=["nan", "infinite", "zero", "null", "booleans", "empty", "base64", "longer"],
)
def test_a_vector_that_no_cosine_can_be_made_of_is_told_with_its_text(
    start: Start, tmp_path: Path, vector: Any, text: str
) -> None:
    memory = AnswerMemory(tmp_path / "vectors.sqlite")
    embedder, server = start(memory=memory)
    server.vectors = lambda asked: vector if asked == "b" else [1.0, 2.0]
    with pytest.raises(UserError, match=text):
        embedder.embed(["a", "b"])
    asked = len(server.texts)
    server.vectors = lambda _: [1.0, 2.0]
    Embedder(embedder.source, memory).embed(["a", "b"])
    assert server.texts[asked:] == ["b"]  # the good one was kept, the other was not


def test_vectors_of_another_length_than_the_kept_ones_are_told(tmp_path: Path) -> None:
    memory = AnswerMemory(tmp_path / "vectors.sqlite")
    Embedder(Given(lambda _: [1.0, 2.0]), memory).embed(["a"])
    with pytest.raises(UserError, match=r"has 3 numbers, .* have 2; those kept in .*vectors\.sqlite count, too"):
        Embedder(Given(lambda _: [1.0, 2.0, 3.0]), memory).embed(["a", "b"])


@pytest.mark.parametrize("name", ["gpt", "openai:", "a/b/c", "hub:org/name", ""])
def test_a_name_of_another_form_is_told(name: str) -> None:
    with pytest.raises(UserError, match="names no model that embeds texts\n  needed: openai:MODEL"):
        build_embedder(name, None)
