"""The attacker inside AdvUnlearn: where its free embeddings stand, and each step of its search by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from tiny_families import save_tiny_family
from tiny_pipeline import save_tiny_pipeline

from copycat.erasure.advunlearn_settings import AdvUnlearnSettings
from copycat.erasure.prefix_attack import AttackedPrompt, search
from copycat.errors import UserError
from copycat.live import LivePipeline, step_generator


def load(folder: Any) -> LivePipeline:
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return LivePipeline(pipeline, "tiny")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> LivePipeline:
    return load(save_tiny_pipeline(tmp_path_factory.mktemp("tiny") / "pipeline"))


def prompt(live: LivePipeline, name: str = "abc", **settings: Any) -> AttackedPrompt:
    return AttackedPrompt(live, name, AdvUnlearnSettings(**settings))


def embeddings_of(live: LivePipeline, text: str) -> list[Any]:
    return [table[ids].clone() for table, ids in zip(live.vocabulary(), live.token_ids(text), strict=True)]


def places(laid: AttackedPrompt) -> list[tuple[int, int]]:
    return [(row.place, row.free) for row in laid.rows]


def test_a_prefix_stands_before_all_tokens_of_the_concept(live: LivePipeline) -> None:
    laid = prompt(live, prefix_tokens=2)
    assert places(laid) == [(1, 2)]
    found = laid.encode(embeddings_of(live, "xy"))
    ids = [*live.token_ids("xy")[0], *live.token_ids("abc")[0]]
    expected = live.encoders[0](row_of(live, ids))[0]
    torch.testing.assert_close(found.states, expected)


def test_an_attacked_prompt_is_encoded_in_the_precision_of_every_other_prompt(live: LivePipeline) -> None:
    live.autocast = torch.bfloat16
    try:
        found = prompt(live, prefix_tokens=1).encode(embeddings_of(live, "x")).states
        assert torch.equal(found, live.encode(["x abc"]).states)
    finally:
        live.autocast = None
    assert not torch.equal(found, live.encode(["x abc"]).states)


def test_words_instead_of_tokens_cut_the_name_and_the_slots_behind_it(live: LivePipeline) -> None:
    """In the published code 'nudity', of two tokens, is trained as its first alone."""
    ids = live.token_ids("abcde")[0]
    found = prompt(live, "abcde", bpe_aware=False).encode(embeddings_of(live, "x"))
    expected = live.encoders[0](row_of(live, [*live.token_ids("x")[0], ids[0], *ids[2:]]))[0]
    torch.testing.assert_close(found.states, expected)


def test_replacing_with_the_concepts_own_tokens_is_the_concept(live: LivePipeline) -> None:
    laid = prompt(live, form="replace")
    torch.testing.assert_close(laid.encode(embeddings_of(live, "abc")).states, live.encode(["abc"]).states)


def test_adding_nothing_is_the_concept_and_adding_changes_it(live: LivePipeline) -> None:
    laid = prompt(live, form="add")
    nothing = laid.start(step_generator(0, "start"))
    torch.testing.assert_close(laid.encode(nothing).states, live.encode(["abc"]).states)
    assert not torch.allclose(laid.encode([nothing[0] + 1]).states, live.encode(["abc"]).states)


def test_sdxl_has_a_prefix_for_each_encoder(tmp_path: Any) -> None:
    live = load(save_tiny_family("sdxl", tmp_path / "xl"))
    laid = prompt(live, prefix_tokens=2)
    free = [vectors.requires_grad_() for vectors in laid.start(step_generator(0, "start"))]
    assert [v.shape for v in free] == [(2, table.shape[1]) for table in live.vocabulary()]
    gradients = torch.autograd.grad(laid.encode(free).states.square().sum(), free)
    assert all(gradient.abs().sum() > 0 for gradient in gradients)


def test_a_search_begins_with_tokens_of_the_vocabulary(live: LivePipeline) -> None:
    (start,) = prompt(live, prefix_tokens=3).start(step_generator(1, "start"))
    assert all((live.vocabulary()[0] == vector).all(dim=1).any() for vector in start)


def test_a_concept_without_tokens_is_refused(live: LivePipeline) -> None:
    with pytest.raises(UserError, match="' ' has no tokens that could be erased"):
        prompt(live, " ")


def test_a_concept_that_no_prefix_fits_before_is_refused(live: LivePipeline) -> None:
    with pytest.raises(UserError, match="75 tokens with 3 free ones is longer than the 75"):
        prompt(live, "a" * 75, prefix_tokens=3)


# ------------------------------------------------------------------------------------ the search


GOAL = np.array([[1.0, -2.0, 0.5]])


def distance(free: Sequence[Any], _number: int) -> Any:
    """The gradient is 2 (v - goal)."""
    return (free[0].double() - torch.tensor(GOAL)).square().sum()


def found(start: Any = None, **settings: Any) -> Any:
    begun = torch.zeros(1, 3) if start is None else start
    rules = AdvUnlearnSettings(**{"attack_lr": 0.1, **settings})
    return search([begun], distance, rules, step_generator(0, "search"))[0].numpy()


def by_hand(steps: int, lr: float = 0.1, *, accumulates: bool = False, by_sign: bool = False) -> list[Any]:
    """Adam as its paper writes it (Kingma and Ba, algorithm 1); the values before, and after each step."""
    value, gradient, first, second = np.zeros((1, 3)), np.zeros((1, 3)), 0.0, 0.0
    values = [value]
    for t in range(1, steps + 1):
        gradient = 2 * (value - GOAL) + (gradient if accumulates else 0)
        gradient = np.sign(gradient) if by_sign else gradient
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        value = value - lr * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
        values.append(value)
    return values


def test_the_search_is_so_many_steps_of_adam() -> None:
    np.testing.assert_allclose(found(attack_steps=5), by_hand(5)[-1], atol=1e-6)


def test_published_gradients_pile_up_and_the_last_update_is_lost() -> None:
    values = by_hand(5, accumulates=True)
    np.testing.assert_allclose(found(attack_steps=5, clear_gradients=False), values[-1], atol=1e-6)
    lost = found(attack_steps=5, clear_gradients=False, keep_last_update=False)
    np.testing.assert_allclose(lost, values[-2], atol=1e-6)
    assert not np.allclose(values[-1], by_hand(5)[-1], atol=1e-4)


def test_a_fast_search_is_one_step_of_the_sign_from_a_random_start() -> None:
    drawn = torch.rand((1, 3), generator=step_generator(0, "search")).numpy()
    begun = 0.1 * (2 * drawn - 1)
    np.testing.assert_allclose(found(fast=True), begun - 0.1 * np.sign(2 * (begun - GOAL)), atol=1e-6)


def test_the_published_fast_search_is_as_many_steps_of_adam_on_signs() -> None:
    published = found(fast=True, one_step_fast=False, clear_gradients=False, attack_steps=4)
    np.testing.assert_allclose(published, by_hand(4, accumulates=True, by_sign=True)[-1], atol=1e-6)


def test_steps_of_the_sign_are_brought_back_to_the_budget() -> None:
    start = torch.tensor([[0.5, 0.0, 0.5]])
    free = found(start, attack_optimiser="sign", attack_steps=3)
    np.testing.assert_allclose(free, [[0.8, -0.3, 0.5]], atol=0.11)  # the last coordinate is there already
    held = found(start, attack_optimiser="sign", attack_steps=30, budget=0.25)
    np.testing.assert_allclose(held[0, :2], [0.75, -0.25], atol=1e-6)
    assert np.abs(held - start.numpy()).max() <= 0.25 + 1e-6


def row_of(live: LivePipeline, ids: Sequence[int]) -> Any:
    tokenizer = live.tokenizers[0]
    whole = [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id]
    return torch.tensor([whole + [tokenizer.pad_token_id] * (tokenizer.model_max_length - len(whole))])
