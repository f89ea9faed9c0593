"""`--embedder` from end to end: a run of the fake model behind `intent:embedding`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from embedding_server import MODEL, EmbeddingServer, word_vector
from harness import Cli, Doubles
from image_server import always
from run_folders import folder_of, read, samples_of

EMBEDDER = ("--embedder", f"openai:{MODEL}")
DETECTOR = "intent:embedding,0.55+negprompt:name"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with EmbeddingServer() as started:
        monkeypatch.setenv("OPENAI_BASE_URL", started.url)
        yield started


def spec_of(mitigation: str) -> dict[str, Any]:
    spec: dict[str, Any] = read(folder_of(mitigation) / "run.json")["spec"]
    return spec


def negatives_of(folder: Path) -> dict[str, str | None]:
    return {sample["prompt"]: sample.get("negative_prompt") for sample in samples_of(folder)}


def test_whom_the_vectors_are_near_to_is_protected_and_nobody_else(run: Cli, server: EmbeddingServer) -> None:
    def vector(text: str) -> list[float]:  # bare names lie with a fourth thing, descriptions with their characters
        place = next((n for n, part in enumerate(("green hat", "red hoodie", "black beard")) if part in text), 3)
        return [1.0 if n == place else 0.3 for n in range(4)]

    server.vectors = vector
    done = run("--mitigation", DETECTOR, *EMBEDDER)
    assert done.code == 0, done.err
    # cos of two such vectors: (1 + 3 * 0.09) / 1.27 = 1 of the same place, (0.6 + 2 * 0.09) / 1.27 = 0.61 of others
    folder = folder_of("intent-embedding-0.55+negprompt-name")
    assert negatives_of(folder)["Max"] == "Goofy"  # 0.61 is enough here, and the first of equals is meant
    assert run("--mitigation", "intent:embedding+negprompt:name", *EMBEDDER).code == 0
    assert negatives_of(folder_of("intent-embedding-0.7+negprompt-name")) == {
        "Goofy": None,
        "Max": None,
        "Bluto": None,
        "A tall, clumsy dog in a green hat.": "Goofy",
        "A young dog in a red hoodie.": "Max",
        "A huge man with a black beard.": "Bluto",
    }


def test_each_text_is_paid_for_once_in_few_requests_and_never_again(
    run: Cli, server: EmbeddingServer, doubles: Doubles
) -> None:
    first = run("--mitigation", DETECTOR, *EMBEDDER)
    assert first.code == 0, first.err
    assert len(server.texts) == len(set(server.texts)) == 9  # six prompts, three characters
    assert len(server.entries) == 2
    drawn = len(doubles.generated)
    again = run("--mitigation", DETECTOR, *EMBEDDER)
    assert (again.out, len(server.entries), len(doubles.generated)) == (first.out, 2, drawn)
    assert run("--mitigation", "intent:embedding,0.9+negprompt:name", *EMBEDDER).code == 0
    assert len(server.entries) == 2  # another threshold costs nothing


def test_the_run_names_its_embedder_and_runs_without_one_do_not(run: Cli, server: EmbeddingServer) -> None:
    run("--mitigation", DETECTOR, "--mitigation", "negprompt:universal", *EMBEDDER)
    host = server.url.removeprefix("http://").removesuffix("/v1")
    assert spec_of("intent-embedding-0.55+negprompt-name")["embedder"] == f"openai:{MODEL}@{host}"
    assert spec_of("intent-embedding-0.55+negprompt-name")["mitigation"] == DETECTOR
    assert "embedder" not in spec_of("none") and "embedder" not in spec_of("negprompt:universal")


def test_a_limited_run_embeds_no_more_prompts_than_it_draws(run: Cli, server: EmbeddingServer) -> None:
    assert run("--mitigation", DETECTOR, *EMBEDDER, "--limit", 2).code in (0, 1)
    assert len(server.texts) == 2 + 3


def test_what_a_mitigation_in_front_sends_is_what_is_embedded(run: Cli, server: EmbeddingServer) -> None:
    assert run("--mitigation", "rewrite:rules+intent:embedding+negprompt:name", *EMBEDDER).code == 0
    folder = folder_of("rewrite-rules+intent-embedding-0.7+negprompt-name")
    sent = {sample["prompt_sent"] for sample in samples_of(folder)}
    assert sent <= set(server.texts)
    assert len(server.texts) == len(set(server.texts))


def test_benign_prompts_are_embedded_too(run: Cli, server: EmbeddingServer) -> None:
    server.vectors = lambda text: [1.0, 0.0] if "hedgehog" in text or ": " in text else [0.0, 1.0]
    content = json.loads(run("--mitigation", DETECTOR, *EMBEDDER, "--benign", "--seeds", 1, "--json").out)
    negatives = negatives_of(Path(content["benign"][1]["folder"]))
    assert {text for text, words in negatives.items() if words} == {"a hedgehog crossing a garden path at night"}


def test_a_text_without_a_vector_stops_before_anything_is_drawn(
    run: Cli, server: EmbeddingServer, doubles: Doubles
) -> None:
    server.vectors = lambda text: [float("nan")] * 4 if text == "Bluto" else [1.0, 2.0, 3.0, 4.0]
    failed = run("--mitigation", DETECTOR, *EMBEDDER)
    assert failed.code == 2 and "the vector of 'Bluto' holds values that are infinite or not numbers" in failed.err
    server.vectors = word_vector
    server.script = always("no_page")
    failed = run("--mitigation", DETECTOR, "--embedder", "openai:chat-model")
    assert failed.code == 2 and "has no embeddings of model 'chat-model' (404)" in failed.err
    assert doubles.generated == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--mitigation", DETECTOR), "'intent:embedding' needs a model that embeds texts\n  add --embedder"),
        (("--mitigation", "negprompt", *EMBEDDER), "--embedder is of no use here"),
        (("--mitigation", DETECTOR, "--embedder", "vectors"), "'vectors' names no model that embeds texts"),
        (("--mitigation", DETECTOR, *EMBEDDER, "--dry-run"), "--embedder and --dry-run do not go together"),
        (("--mitigation", DETECTOR, *EMBEDDER, "--shard", "1/2"), "--embedder and --shard do not go together"),
        (("--mitigation", "intent:embedding,7+negprompt", *EMBEDDER), "'7' is no threshold of intent:embedding"),
    ],
    ids=["no embedder", "no use", "a name", "dry run", "shard", "threshold"],
)
def test_what_could_not_be_embedded_is_refused_before_anything_is_drawn(
    run: Cli, server: EmbeddingServer, doubles: Doubles, options: tuple[str, ...], text: str
) -> None:
    refused = run(*options)
    assert (refused.code, text in refused.err) == (2, True), refused.err
    assert doubles.generated == [] and server.entries == []


def test_an_encoder_of_transformers_in_a_folder_embeds_too(run: Cli) -> None:
    from tiny_encoder import save_tiny_encoder

    save_tiny_encoder(Path("encoder"), ["a tall clumsy dog in a green hat", "goofy max bluto"])
    done = run("--mitigation", "intent:embedding,0.01+negprompt:name", "--embedder", "./encoder", "--limit", 4)
    assert done.code in (0, 1), done.err
    assert spec_of("intent-embedding-0.01+negprompt-name")["embedder"].startswith("folder:encoder@")
    assert any(negatives_of(folder_of("intent-embedding-0.01+negprompt-name")).values())
