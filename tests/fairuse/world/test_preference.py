"""Preference training: the loss on hand-worked numbers, and that it moves the right way."""

from __future__ import annotations

import math
from typing import Any

import pytest

from copycat.fairuse.world.mitigations.preference import PreferenceSettings, dpo_loss, pairs, prefer
from copycat.fairuse.world.planted import copies_of, planted_works
from copycat.fairuse.world.writing import Writer


@pytest.mark.parametrize(("gain_chosen", "gain_rejected"), [(0.0, 0.0), (2.0, -1.0), (-3.0, 0.5)])
def test_the_loss_is_the_one_of_the_paper(gain_chosen: float, gain_rejected: float) -> None:
    import torch

    reference = torch.tensor([[-10.0, -20.0]])
    policy = reference + torch.tensor([[gain_chosen, gain_rejected]])
    wanted = math.log(1 + math.exp(-0.1 * (gain_chosen - gain_rejected)))
    assert float(dpo_loss(policy, reference, 0.1)) == pytest.approx(wanted, rel=1e-5)


def test_pairs_share_a_beginning_and_part_into_paraphrase_and_work() -> None:
    texts = {work.readable for work in planted_works()}
    made = pairs(2)
    assert len(made) == len(planted_works()) * 2 * 4
    assert all(pair.prompt + pair.rejected in texts for pair in made)
    assert all(pair.prompt + pair.chosen not in texts for pair in made)
    assert all(copies_of(work.work.id) for work in planted_works())


@pytest.mark.slow
def test_training_prefers_the_paraphrase(tiny_model: Any, tiny_tokenizer: Any) -> None:
    def margin() -> float:
        writer = Writer(tiny_model.eval(), tiny_tokenizer)
        chosen = [writer.log_p(pair.prompt + pair.chosen) for pair in pairs(1)[:12]]
        rejected = [writer.log_p(pair.prompt + pair.rejected) for pair in pairs(1)[:12]]
        return sum(chosen) - sum(rejected)

    before = margin()
    settings = PreferenceSettings(steps=12, batch=4, lr=3e-3, paraphrases=1)
    prefer(tiny_model, tiny_tokenizer, settings, lambda step, loss: None)
    assert margin() > before
