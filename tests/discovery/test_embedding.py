"""EmbeddingSim: each vector against one computed text by text from the saved weights, without our code."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pictures import save_cascade
from tiny_families import save_tiny_family
from transformers import (
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    T5EncoderModel,
    T5Tokenizer,
)

from copycat.catalog.character_sets import read_character_set
from copycat.discovery.embedding import EmbeddingSettings, TextEncoder, similarities
from copycat.errors import DataError, UnsupportedError, UserError
from copycat.models import MODELS
from copycat.models.resolve import resolve_model

TEXTS = ("ab cat", "a red hat and a blue scarf", "dog")
LONG, READ = " ".join("z" * 300), " ".join("z" * 75)
"""A text too long for CLIP, and what it reads of it: each letter is a token."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    @cache
    def save(family: str) -> Path:
        return save_tiny_family(family, tmp_path_factory.mktemp("families") / family)

    return save


def load(folder: Path, encoder: str = "text_encoder", pooling: str = "words") -> TextEncoder:
    settings = EmbeddingSettings.model_validate({"encoder": encoder, "pooling": pooling})
    return TextEncoder.load(resolve_model(str(folder)), settings, "cpu")


def states(model: Any, tokenizer: Any, text: str) -> np.ndarray[Any, Any]:
    """The last hidden states of one text alone, (T, D)."""
    with torch.inference_mode():
        return model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].double().numpy()


def clip_states(folder: Path, text: str, number: str = "", kind: Any = CLIPTextModel) -> np.ndarray[Any, Any]:
    tokenizer = CLIPTokenizer.from_pretrained(folder / f"tokenizer{number}")
    return states(kind.from_pretrained(folder / f"text_encoder{number}").eval(), tokenizer, text)


def t5_states(folder: Path, text: str) -> np.ndarray[Any, Any]:
    tokenizer = T5Tokenizer.from_pretrained(folder / "tokenizer_2")
    return states(T5EncoderModel.from_pretrained(folder / "text_encoder_2").eval(), tokenizer, text)


def cosine(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    return float(np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b)))


def test_the_words_of_clip_are_what_lies_between_its_two_markers(folder: Callable[[str], Path]) -> None:
    found = load(folder("sdxl")).embed(TEXTS)
    assert found.dtype == np.float32
    for text, vector in zip(TEXTS, found, strict=True):
        np.testing.assert_allclose(vector, clip_states(folder("sdxl"), text)[1:-1].mean(axis=0), atol=1e-5)


def test_all_of_clip_counts_the_markers_and_no_padding(folder: Callable[[str], Path]) -> None:
    found = load(folder("sdxl"), pooling="all").embed(TEXTS)
    for text, vector in zip(TEXTS, found, strict=True):
        np.testing.assert_allclose(vector, clip_states(folder("sdxl"), text).mean(axis=0), atol=1e-5)


def test_the_pooled_vector_of_clip_is_its_end_marker(folder: Callable[[str], Path]) -> None:
    found = load(folder("sdxl"), pooling="pooled").embed(TEXTS)
    for text, vector in zip(TEXTS, found, strict=True):
        np.testing.assert_allclose(vector, clip_states(folder("sdxl"), text)[-1], atol=1e-5)


def test_a_second_encoder_has_its_own_weights_and_projects_its_pooled_vector(folder: Callable[[str], Path]) -> None:
    words = load(folder("sdxl"), "text_encoder_2").embed(TEXTS)
    pooled = load(folder("sdxl"), "text_encoder_2", "pooled").embed(TEXTS)
    model = CLIPTextModelWithProjection.from_pretrained(folder("sdxl") / "text_encoder_2")
    projection = model.text_projection.weight.detach().double().numpy()
    for text, mean, vector in zip(TEXTS, words, pooled, strict=True):
        rows = clip_states(folder("sdxl"), text, "_2", CLIPTextModelWithProjection)
        np.testing.assert_allclose(mean, rows[1:-1].mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(vector, projection @ rows[-1], atol=1e-5)


def test_t5_has_an_end_marker_alone_and_padding_changes_nothing(folder: Callable[[str], Path]) -> None:
    words = load(folder("flux"), "text_encoder_2").embed(TEXTS)
    everything = load(folder("flux"), "text_encoder_2", "all").embed(TEXTS)
    for text, mean, whole in zip(TEXTS, words, everything, strict=True):
        rows = t5_states(folder("flux"), text)
        np.testing.assert_allclose(mean, rows[:-1].mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(whole, rows.mean(axis=0), atol=1e-5)


def test_a_language_model_as_encoder_is_read_after_its_last_norm(folder: Callable[[str], Path]) -> None:
    whole = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder("qwen") / "text_encoder").eval()
    tokenizer = Qwen2Tokenizer.from_pretrained(folder("qwen") / "tokenizer")
    expected = states(whole.model, tokenizer, "ab cat").mean(axis=0)
    np.testing.assert_allclose(load(folder("qwen")).embed(["dog is long", "ab cat"])[1], expected, atol=1e-5)


def test_similarities_are_cosines_in_the_order_of_the_candidates(folder: Callable[[str], Path]) -> None:
    vectors = {text: clip_states(folder("sdxl"), text)[1:-1].mean(axis=0) for text in ("Goofy", *TEXTS)}
    found = similarities(load(folder("sdxl")), "Goofy", TEXTS)
    assert found == pytest.approx([cosine(vectors["Goofy"], vectors[text]) for text in TEXTS], abs=1e-5)
    assert similarities(load(folder("sdxl")), "Goofy", TEXTS[::-1]) == pytest.approx(found[::-1], abs=1e-6)


def test_a_text_is_as_near_to_itself_as_can_be(folder: Callable[[str], Path]) -> None:
    assert similarities(load(folder("sdxl")), "ab cat", ["ab cat"]) == [pytest.approx(1.0, abs=1e-6)]


def test_no_candidates_have_no_similarities(folder: Callable[[str], Path]) -> None:
    assert similarities(load(folder("sdxl")), "Goofy", []) == []


def test_no_texts_have_no_vectors(folder: Callable[[str], Path]) -> None:
    assert load(folder("sdxl")).embed([]).shape[0] == 0


def test_of_a_cascade_the_first_stage_reads(tmp_path: Path) -> None:
    whole = save_cascade(tmp_path / "if")
    tokenizer = T5Tokenizer.from_pretrained(whole / "stage_1" / "tokenizer")
    model = T5EncoderModel.from_pretrained(whole / "stage_1" / "text_encoder").eval()
    encoder = load(whole)
    np.testing.assert_allclose(encoder.embed(["dog"])[0], states(model, tokenizer, "dog")[:-1].mean(axis=0), atol=1e-5)
    assert encoder.identity.startswith("folder:if@")


def test_more_texts_than_a_batch_come_back_in_order(folder: Callable[[str], Path]) -> None:
    encoder = load(folder("sdxl"))
    texts = [f"word {number}" for number in range(130)]
    found = encoder.embed(texts)
    assert found.shape == (130, 32)
    np.testing.assert_allclose(found[[0, 64, 129]], encoder.embed([texts[0], texts[64], texts[129]]), atol=1e-5)


def test_a_text_that_is_too_long_is_named_and_cut_where_the_model_cuts_it(folder: Callable[[str], Path]) -> None:
    encoder = load(folder("sdxl"))
    found = encoder.embed(["dog", LONG])
    encoder.embed([LONG])
    assert encoder.warnings == [f"text_encoder read 77 tokens of 302: {LONG}"]
    np.testing.assert_allclose(found[1], clip_states(folder("sdxl"), READ)[1:-1].mean(axis=0), atol=1e-5)


def test_each_encoder_has_its_own_limit(folder: Callable[[str], Path]) -> None:
    """T5 reads on where CLIP stops, so that the model as a whole cuts nothing off."""
    long = "z" * 300
    t5 = load(folder("flux"), "text_encoder_2")
    np.testing.assert_allclose(t5.embed([long])[0], t5_states(folder("flux"), long)[:-1].mean(axis=0), atol=1e-5)
    clip = load(folder("flux"), "text_encoder")
    clip.embed([long])
    assert (t5.warnings, len(clip.warnings)) == ([], 1)


def test_an_unknown_encoder_is_refused_with_the_ones_there_are(folder: Callable[[str], Path]) -> None:
    with pytest.raises(UserError, match="no text encoder 'text_encoder_3'") as caught:
        load(folder("sdxl"), "text_encoder_3")
    assert "text_encoder (CLIPTextModel), text_encoder_2 (CLIPTextModelWithProjection)" in str(caught.value)


def test_what_is_no_text_encoder_is_refused(folder: Callable[[str], Path]) -> None:
    with pytest.raises(UserError, match="no text encoder 'unet'"):
        load(folder("sdxl"), "unet")


def test_t5_has_no_pooled_vector(folder: Callable[[str], Path]) -> None:
    with pytest.raises(UnsupportedError, match="gives no one vector"):
        load(folder("flux"), "text_encoder_2", "pooled")


def test_a_service_has_no_text_encoder_here() -> None:
    with pytest.raises(UnsupportedError, match="no text encoder on this machine"):
        TextEncoder.load(resolve_model("openai:some-model"), EmbeddingSettings(), "cpu")


@pytest.mark.parametrize("text", ["", "  "])
def test_a_text_without_words_is_refused(folder: Callable[[str], Path], text: str) -> None:
    with pytest.raises(UserError, match="no words"):
        load(folder("sdxl")).embed(["dog", text])


def test_damaged_weights_give_no_ranking(folder: Callable[[str], Path]) -> None:
    encoder = load(folder("sdxl"))
    with torch.no_grad():
        encoder._encoder.get_input_embeddings().weight.fill_(float("nan"))
    with pytest.raises(DataError, match="embeddings are zero, infinite or not numbers"):
        similarities(encoder, "Goofy", ["dog"])


def test_only_the_chosen_encoder_is_loaded(folder: Callable[[str], Path]) -> None:
    encoder = load(folder("flux"), "text_encoder_2")
    parts = encoder._pipeline.components
    assert {name for name, part in parts.items() if part is not None} >= {"text_encoder_2", "tokenizer_2"}
    assert all(parts[name] is None for name in ("text_encoder", "tokenizer", "transformer", "vae"))


def test_identity_tells_the_files_the_encoder_and_the_pooling(folder: Callable[[str], Path]) -> None:
    first, second = load(folder("sdxl")), load(folder("sdxl"), "text_encoder_2", "all")
    files, _, settings = first.identity.partition(":text_encoder:")
    assert (files.split("@")[0], settings) == ("folder:sdxl", "words")
    assert second.identity == f"{files}:text_encoder_2:all"


@pytest.mark.parametrize("pooling", ["words", "all"])
def test_the_encoder_of_the_sandbox_holds_names_near_what_they_name(pooling: str) -> None:
    """By chance, 5 of its 50 characters would be nearest to their own one of its 10 species."""
    settings = EmbeddingSettings.model_validate({"pooling": pooling})
    encoder = TextEncoder.load(MODELS.get("sandbox"), settings, "cpu")
    characters = read_character_set("sandbox").characters
    species = sorted({character.key_characteristic for character in characters})
    nearest = [species[int(np.argmax(similarities(encoder, c.name, species)))] for c in characters]
    assert len(species) == 10
    assert sum(c.key_characteristic == found for c, found in zip(characters, nearest, strict=True)) >= 30
