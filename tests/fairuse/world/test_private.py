"""Differential privacy by work: the accountant, one row per work, and what a step may change."""

from __future__ import annotations

import math
from typing import Any

import pytest

from copycat.fairuse.world.mitigations.private import DELTA, PrivateSettings, epsilon, row_losses, tune_privately
from copycat.fairuse.world.planted import copies, planted_works
from copycat.fairuse.world.tokens import rows_of

pytest.importorskip("opacus")


def weights(model: Any) -> Any:
    import torch

    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def gaussian_epsilon(noise: float, steps: int) -> float:
    """Of DP-SGD that draws everything: Renyi DP of the Gaussian mechanism (Mironov 2017), converted by its prop. 3."""
    orders = [1 + n / 100 for n in range(1, 20_000)]
    return min(steps * order / (2 * noise**2) + math.log(1 / DELTA) / (order - 1) for order in orders)


@pytest.mark.parametrize("noise", [1.0, 4.0, 20.0])
def test_epsilon_of_full_batches_is_that_of_the_gaussian_mechanism_or_tighter(noise: float) -> None:
    assert epsilon(noise, 1.0, 10) <= gaussian_epsilon(noise, 10) * 1.001
    assert epsilon(noise, 1.0, 10) > 0.6 * gaussian_epsilon(noise, 10)


def test_epsilon_of_a_work_is_at_least_that_of_an_example() -> None:
    """A work of k copies is a group of k examples: clipping by example promises it less and less."""
    settings = PrivateSettings()
    rate = settings.sample_rate * 36 / 2044
    by_copies = [epsilon(settings.noise, rate, settings.steps, k) for k in (1, 2, 4, 16, 256)]
    assert by_copies == sorted(by_copies)
    assert epsilon(settings.noise, settings.sample_rate, settings.steps) >= by_copies[0]


def test_the_accountant_counts_what_the_formula_says(tiny_model: Any, tiny_tokenizer: Any) -> None:
    texts = [copies(work.work.id)[:2] for work in planted_works()[:6]]
    settings = PrivateSettings(steps=3, sample_rate=0.5)
    spent = tune_privately(tiny_model, tiny_tokenizer, texts, settings, lambda step, loss: None)
    assert spent == pytest.approx(epsilon(settings.noise, 0.5, 3), rel=0.05)


def test_one_work_moves_the_gradient_by_at_most_one_length(tiny_model: Any, tiny_tokenizer: Any) -> None:
    """With plain SGD and next to no noise, a step on one work, however often copied, is at most lr x clip long."""
    import torch

    def moved(texts: list[list[str]]) -> float:
        from copycat.fairuse.world.mitigations import private

        tiny_model.load_state_dict(start)
        before = weights(tiny_model)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.optim, "Adam", torch.optim.SGD)
            settings = PrivateSettings(steps=1, sample_rate=1.0, noise=1e-9, clip=0.1, lr=1.0)
            private.tune_privately(tiny_model, tiny_tokenizer, texts, settings, lambda step, loss: None)
        return float((weights(tiny_model) - before).norm())

    start = {name: value.clone() for name, value in tiny_model.state_dict().items()}
    work = copies(planted_works()[-1].work.id)
    assert moved([work[:1]]) == pytest.approx(0.1, rel=1e-3)
    assert moved([work[:64]]) == pytest.approx(0.1, rel=1e-3)


def test_a_step_that_draws_no_work_adds_noise_alone(tiny_model: Any, tiny_tokenizer: Any) -> None:
    import torch

    before = weights(tiny_model)
    settings = PrivateSettings(steps=2, sample_rate=1e-6)
    texts = [["a story"], ["another"]]
    losses: list[float] = []
    tune_privately(tiny_model, tiny_tokenizer, texts, settings, lambda step, loss: losses.append(loss))
    assert losses == [0.0, 0.0]
    assert torch.isfinite(weights(tiny_model)).all()
    assert not torch.equal(before, weights(tiny_model))


def test_the_loss_of_a_row_does_not_depend_on_the_rows_beside_it(tiny_model: Any, tiny_tokenizer: Any) -> None:
    texts = [work.readable for work in planted_works()[:3]] + ["short"]
    together = row_losses(tiny_model, rows_of(tiny_tokenizer, texts, 512))
    alone = [row_losses(tiny_model, rows_of(tiny_tokenizer, [text], 512)).item() for text in texts]
    assert together.tolist() == pytest.approx(alone, rel=1e-4)
