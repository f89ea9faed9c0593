"""Concept inversion: what is learned, that it goes on where it was, and that nothing else moves."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from copycat.errors import BackendError
from copycat.live import LivePipeline, step_generator
from copycat.whitebox.cce import TEMPLATES, CceSettings, Inversion, learn
from copycat.whitebox.unlearndiffatk import diffusion_loss

QUICK = CceSettings(tokens=2, pictures=2, batch=2, steps=6, lr=0.05)


@pytest.fixture
def live(tiny_pipeline: Path) -> LivePipeline:
    from diffusers import DiffusionPipeline

    return LivePipeline(DiffusionPipeline.from_pretrained(tiny_pipeline), "tiny")


def inversion(live: LivePipeline, settings: CceSettings = QUICK) -> Inversion:
    return Inversion(live, live.noise(2, step_generator(0, "pictures")), settings, seed=4)


def test_a_step_is_adamw_on_the_gradient_of_the_diffusion_loss(live: LivePipeline) -> None:
    one = inversion(live)
    start = one.vectors[0].detach().clone().requires_grad_()
    torch.testing.assert_close(start.detach(), live.vocabulary()[0].mean(dim=0).expand(2, -1))
    generator = step_generator(4, "cce", 0)
    places = torch.randint(2, (2,), generator=generator)
    timesteps = torch.randint(1000, (2,), generator=generator)
    noise = torch.randn((2, 4, 8, 8), generator=generator)
    template = TEMPLATES[int(torch.randint(len(TEMPLATES), (1,), generator=generator))]
    texts = live.encode([template], inserts=[start], free=2, placeholder="<learned>")
    latents = live.noise(2, step_generator(0, "pictures"))[places]
    loss = diffusion_loss(live, texts, latents, timesteps, noise)
    loss.backward()
    assert one.step(0) == pytest.approx(float(loss.detach()))
    # AdamW's first step by hand: shrink by lr * decay, then move lr against the gradient's sign
    assert start.grad is not None
    moved = 0.05 * start.grad / (start.grad.abs() + 1e-8)
    expected = start.detach() * (1 - 0.05 * 0.01) - moved
    torch.testing.assert_close(one.vectors[0].detach(), expected, atol=1e-5, rtol=1e-4)


def test_learning_goes_on_where_it_was_broken_off(live: LivePipeline) -> None:
    whole, first, second = (inversion(live) for _ in range(3))
    learn(whole, range(6), lambda _: None, lambda _: None, 100)
    kept: list[int] = []
    learn(first, range(4), kept.append, lambda _: None, 2)
    assert kept == [2, 4]
    second.load_state(first.state())
    learn(second, range(4, 6), lambda _: None, lambda _: None, 100)
    assert torch.equal(whole.learned()["text_encoder"], second.learned()["text_encoder"])


def test_only_the_embeddings_move(live: LivePipeline) -> None:
    before = {name: value.clone() for name, value in live.encoders[0].state_dict().items()}
    one = inversion(live)
    start = one.learned()["text_encoder"]
    one.step(0)
    assert not torch.equal(start, one.learned()["text_encoder"])
    assert one.learned()["text_encoder"].shape == (2, 32)
    assert all(torch.equal(before[name], value) for name, value in live.encoders[0].state_dict().items())


@pytest.mark.parametrize("at_once", [1, 2])
def test_how_many_pictures_go_through_together_changes_nothing(live: LivePipeline, at_once: int) -> None:
    settings = CceSettings(tokens=2, batch=3, at_once=3, steps=2, lr=0.05)
    whole, parted = inversion(live, settings), inversion(live, settings.model_copy(update={"at_once": at_once}))
    for number in range(2):
        assert parted.step(number) == pytest.approx(whole.step(number), rel=1e-5)
    torch.testing.assert_close(parted.learned()["text_encoder"], whole.learned()["text_encoder"], atol=1e-4, rtol=1e-3)


def test_it_can_start_from_a_word(live: LivePipeline) -> None:
    one = inversion(live, QUICK.model_copy(update={"start": "q"}))
    (token,) = live.token_ids("q")[0]
    torch.testing.assert_close(one.learned()["text_encoder"], live.vocabulary()[0][token].detach().expand(2, -1))


def test_a_loss_that_is_no_number_keeps_the_embeddings(live: LivePipeline) -> None:
    one = inversion(live)
    with torch.no_grad():
        live.unet.conv_out.bias.fill_(float("nan"))
    before = one.learned()["text_encoder"]
    with pytest.raises(BackendError, match="no number at step 1"):
        one.step(0)
    assert torch.equal(before, one.learned()["text_encoder"])
