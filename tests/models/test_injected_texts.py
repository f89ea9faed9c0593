"""Attacks put tokens into prompts, and the picture is the one of a prompt that has those tokens as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pictures import difference, quick, request, resolved
from safetensors.torch import save_file

from copycat.errors import DataError, UnsupportedError
from copycat.live import LivePipeline
from copycat.models.attacked_texts import prompt_key
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.loading import load_pipeline
from copycat.models.texts import TextStore, recipe_of, truncated_of, truncated_tokens
from copycat.paths import file_sha256
from copycat.schema import ImageRequest
from copycat.schema.edits import Attack


def attacked(prompt: str, **attack: Any) -> ImageRequest:
    return request(prompt).model_copy(update={"attack": Attack(method="test", **attack)})


def loaded(model: DiffusersModel, sampling: Any) -> Any:
    return load_pipeline(model.source, model.row, sampling, "cpu", "all")


def store_of(model: DiffusersModel) -> TextStore:
    recipe = recipe_of(model.row.pipeline)
    assert recipe is not None
    return TextStore(recipe)


def save_learned(path: Path, pipeline: Any, text: str) -> str:
    """Write the vocabulary's own embeddings of a text as learned ones."""
    live = LivePipeline(pipeline, "tiny")
    parts = zip(live.encoder_names, live.token_ids(text), live.vocabulary(), strict=True)
    save_file({name: table[ids].detach().clone() for name, ids, table in parts}, path)
    return file_sha256(path)


@pytest.fixture(params=["sd", "sdxl"])
def model(request: pytest.FixtureRequest, family_folder: Callable[[str], Path]) -> DiffusersModel:
    return DiffusersModel(resolved(family_folder(request.param)), "cpu")


def family_of(model: DiffusersModel) -> str:
    return model.row.name.rpartition("/")[2]


def test_a_prefix_draws_what_its_tokens_draw_as_text(model: DiffusersModel) -> None:
    sampling = quick(model.row, family_of(model))
    pipeline = loaded(model, sampling)
    prefix = tuple(LivePipeline(pipeline, "tiny").token_ids("q z")[0])
    requests = [attacked("ab cat", prefix=prefix), request("q z ab cat"), request("ab cat")]
    model.check(requests, sampling)
    under, as_text, plain = (model.generate([one], sampling)[0] for one in requests)
    assert difference(under, as_text) == 0
    assert difference(under, plain) > 0
    store = store_of(model)
    store.encode(pipeline, store.missing(requests))
    for name, row in store.rows[prompt_key(requests[0])].items():
        assert torch.equal(row, store.rows["q z ab cat", False][name])


def test_learned_embeddings_stand_where_the_prompt_says(model: DiffusersModel, tmp_path: Path) -> None:
    sampling = quick(model.row, family_of(model))
    path = tmp_path / "learned.safetensors"
    learned = save_learned(path, loaded(model, sampling), "q z")
    model.row = model.row.model_copy(update={"files": {learned: str(path)}})
    requests = [attacked("ab <learned> cat", learned=learned), request("ab q z cat")]
    model.check(requests, sampling)
    under, as_text = (model.generate([one], sampling)[0] for one in requests)
    assert difference(under, as_text) == 0


def test_the_side_without_a_prompt_stays_as_it_is(model: DiffusersModel) -> None:
    sampling = quick(model.row, family_of(model))
    store, pipeline = store_of(model), loaded(model, sampling)
    both = [attacked("ab cat", prefix=(5, 6)), request("ab cat")]
    store.encode(pipeline, store.missing(both))
    sides = [store.arguments(pipeline, [one], "cpu", guided=True) for one in both]
    assert torch.equal(sides[0]["negative_prompt_embeds"], sides[1]["negative_prompt_embeds"])
    assert not torch.equal(sides[0]["prompt_embeds"], sides[1]["prompt_embeds"])


def test_tokens_that_a_prefix_pushes_out_are_counted(model: DiffusersModel) -> None:
    sampling = quick(model.row, family_of(model))
    pipeline = loaded(model, sampling)
    prompt = "c" + " d" * 73
    assert truncated_tokens(pipeline, prompt) == 0
    long = attacked(prompt, prefix=(5, 6, 7))
    assert truncated_of(pipeline, long, {}) == 2
    assert model.generate([long], sampling)[0].truncated_tokens == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"long_prompts": True}, "prompts in pieces"),
        ({}, "has no place for learned embeddings"),
    ],
)
def test_what_cannot_be_put_in_is_refused(model: DiffusersModel, changes: dict[str, Any], message: str) -> None:
    sampling = quick(model.row, family_of(model)).model_copy(update=changes)
    with pytest.raises(UnsupportedError, match=message):
        model.check([attacked("ab cat", learned="0" * 64)], sampling)


def test_learned_embeddings_that_are_nowhere_are_refused(model: DiffusersModel) -> None:
    with pytest.raises(DataError, match="no file of learned embeddings with the hash 0000"):
        model.check([attacked("<learned>", learned="0" * 64)], quick(model.row, family_of(model)))


def test_a_prefix_of_another_vocabulary_is_refused(model: DiffusersModel) -> None:
    with pytest.raises(UnsupportedError, match="its vocabulary has no token 40000; the prefix was searched on a model"):
        model.generate([attacked("ab cat", prefix=(5, 40_000))], quick(model.row, family_of(model)))


def test_embeddings_of_another_width_are_refused(model: DiffusersModel, tmp_path: Path) -> None:
    path = tmp_path / "learned.safetensors"
    save_file({"text_encoder": torch.zeros(1, 5)}, path)
    learned = file_sha256(path)
    model.row = model.row.model_copy(update={"files": {learned: str(path)}})
    with pytest.raises(DataError, match=r"text_encoder \(1, 5\) are no embeddings for text_encoder \(k, "):
        model.generate([attacked("<learned>", learned=learned)], quick(model.row, family_of(model)))


def test_a_pipeline_of_another_family_is_refused(family_folder: Callable[[str], Path]) -> None:
    row = resolved(family_folder("pixart"))
    with pytest.raises(UnsupportedError, match="cannot put the tokens of the attack 'test' into a prompt"):
        DiffusersModel(row, "cpu").check([attacked("ab", prefix=(5,))], quick(row, "pixart"))
