"""A text encoder on this machine: a real one of transformers, with random weights."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest
import torch
from tiny_encoder import LENGTH, MOST_TOKENS, save_tiny_encoder
from transformers import AutoModel, AutoTokenizer

from copycat.errors import DataError, MissingExtraError, UserError
from copycat.llm.embedding import build_embedder
from copycat.llm.local_encoder import LocalTextEncoder
from copycat.services.memory import AnswerMemory

TEXTS = ("a tall clumsy dog in a green hat", "a dog", "a huge man with a black beard")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny", TEXTS)


def test_a_vector_is_the_mean_of_the_last_states_of_the_text_alone(folder: Path) -> None:
    found = LocalTextEncoder(folder, "cpu").vectors(TEXTS)
    tokenizer, network = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    for text, vector in zip(TEXTS, found, strict=True):
        with torch.inference_mode():
            states = network(torch.tensor([tokenizer(text)["input_ids"]])).last_hidden_state[0].double()
        assert len(states) == len(text.split()) + 2  # its words and two markers
        assert vector == pytest.approx(states.mean(dim=0).tolist(), abs=1e-5)
    assert len({round(vector[0], 3) for vector in found}) == 3 and len(found[0]) == LENGTH


def test_of_a_text_that_is_too_long_the_beginning_is_read_and_that_is_told(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = LocalTextEncoder(folder, "cpu")
    with caplog.at_level(logging.WARNING):
        cut, whole = encoder.vectors(["dog " * 40 + "beard", "dog " * (MOST_TOKENS - 2)])
    assert cut == pytest.approx(whole, abs=1e-5)
    assert f"reads {MOST_TOKENS} tokens of a text, the longest here has 43" in caplog.text


def test_it_is_an_embedder_by_the_name_of_its_folder_and_what_is_kept_loads_nothing(
    folder: Path, tmp_path: Path
) -> None:
    memory = AnswerMemory(tmp_path / "vectors.sqlite")
    first = build_embedder(str(folder), memory)
    found = first.embed(TEXTS)
    assert first.identify().startswith("folder:tiny@")
    again = build_embedder(str(folder), memory)
    assert again.embed(TEXTS) == found
    assert "_network" not in vars(again.source)
    first.release()
    assert "_network" not in vars(first.source)
    assert list(first.embed(["a man"])[0]) == LocalTextEncoder(folder, "cpu").vectors(["a man"])[0]


@pytest.mark.parametrize(("pooling", "is_taken"), [("mean_tokens", True), ("cls_token", False)])
def test_a_model_that_was_trained_for_another_pooling_is_refused(tmp_path: Path, pooling: str, is_taken: bool) -> None:
    encoder = LocalTextEncoder(save_tiny_encoder(tmp_path / "m", TEXTS, pooling), "cpu")
    if is_taken:
        assert len(encoder.vectors(["a dog"])) == 1
        return
    with pytest.raises(DataError, match="trained for another pooling: pooling_mode_cls_token\n  needed: an encoder"):
        encoder.vectors(["a dog"])


def test_a_file_about_pooling_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    folder = save_tiny_encoder(tmp_path / "m", TEXTS, "mean_tokens")
    (folder / "1_Pooling" / "config.json").write_text("[1")
    with pytest.raises(DataError, match=r"1_Pooling/config\.json cannot be read"):
        LocalTextEncoder(folder, "cpu").vectors(["a dog"])


def test_weights_that_are_missing_are_told_but_for_those_that_are_not_used(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copied = Path(shutil.copytree(folder, tmp_path / "m"))
    weights = load_file(copied / "model.safetensors")
    unused = [name for name in weights if name.startswith("pooler.")]
    assert unused
    for name in unused:
        del weights[name]
    save_file(weights, copied / "model.safetensors", {"format": "pt"})
    expected = LocalTextEncoder(folder, "cpu").vectors(["a dog"])
    assert LocalTextEncoder(copied, "cpu").vectors(["a dog"]) == expected
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, copied / "model.safetensors", {"format": "pt"})
    with pytest.raises(DataError, match="1 of its weights are missing, encoder"):
        LocalTextEncoder(copied, "cpu").vectors(["a dog"])


def test_damaged_weights_are_told(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copied = Path(shutil.copytree(folder, tmp_path / "m"))
    weights = load_file(copied / "model.safetensors")
    weights["encoder.layer.1.output.LayerNorm.bias"][0] = float("nan")
    save_file(weights, copied / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"embedder folder:m@.*the vector of 'a dog' holds values that are infinite or"):
        build_embedder(str(copied), None).embed(["a dog"])


def test_a_folder_without_a_model_and_a_repository_that_cannot_be_had_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"text encoder .*there is no config\.json"):
        build_embedder(str(tmp_path), None).identify()
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingExtraError, match=r"text encoder 'org/not-there' cannot be had.*\n.*\n  or --embedder"):
        build_embedder("org/not-there", None).identify()


def test_a_language_model_without_a_padding_token_is_refused(tmp_path: Path) -> None:
    from tiny_llm import save_tiny_llm

    folder = save_tiny_llm(tmp_path / "m", TEXTS)
    assert json.loads((folder / "config.json").read_text())["model_type"] == "llama"
    with pytest.raises(DataError, match="has no padding token"):
        LocalTextEncoder(folder, "cpu").vectors(["a dog"])
