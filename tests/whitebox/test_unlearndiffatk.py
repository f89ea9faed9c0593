"""The search for a prefix: its loss by hand, its projection, its budget, and what it may not use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from copycat.errors import BackendError
from copycat.live import LivePipeline, step_generator
from copycat.whitebox.unlearndiffatk import (
    Target,
    UnlearnDiffAtkSettings,
    allowed_tokens,
    diffusion_loss,
    search_prefix,
)

QUICK = UnlearnDiffAtkSettings(rounds=2, iterations=3, timesteps=2, lr=0.05)


@pytest.fixture
def live(tiny_pipeline: Path) -> LivePipeline:
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(tiny_pipeline)
    pipeline.set_progress_bar_config(disable=True)
    return LivePipeline(pipeline, "tiny")


def target_of(live: LivePipeline, seed: int = 3) -> Target:
    return Target(live.noise(1, step_generator(seed, "picture")), seed)


def search(
    live: LivePipeline, settings: UnlearnDiffAtkSettings = QUICK, check: Any = lambda _: False, **more: Any
) -> Any:
    allowed = more.pop("allowed", None)
    allowed = allowed_tokens(live) if allowed is None else allowed
    return search_prefix(live, more.get("prompt", "abc"), target_of(live), settings, allowed=allowed, check=check)


def test_the_loss_is_the_squared_error_of_the_noise_averaged_over_timesteps(live: LivePipeline) -> None:
    latents, noise, timesteps = target_of(live).latents, live.noise(2, step_generator(0, "n")), torch.tensor([10, 700])
    texts = live.encode(["abc"])
    by_hand = []
    for t, n in zip(timesteps, noise, strict=True):
        share = live.pipeline.scheduler.alphas_cumprod[t]
        noisy = share.sqrt() * latents + (1 - share).sqrt() * n
        predicted = live.unet(noisy, t, encoder_hidden_states=texts.states).sample
        by_hand.append(float(((predicted - n) ** 2).mean().detach()))
    loss = diffusion_loss(live, texts, latents, timesteps, noise)
    assert float(loss.detach()) == pytest.approx(sum(by_hand) / 2, rel=1e-5)


def test_the_same_seed_finds_the_same_prefix_and_leaves_the_victim_as_it_is(live: LivePipeline) -> None:
    before = {name: value.clone() for name, value in live.unet.state_dict().items()}
    first, again = search(live), search(live)
    assert first == again
    assert (len(first.prefix), first.steps, first.is_success) == (3, 6, False)
    assert all(torch.equal(before[name], value) for name, value in live.unet.state_dict().items())


def test_it_stops_at_the_round_whose_picture_shows_the_concept(live: LivePipeline) -> None:
    asked: list[tuple[int, ...]] = []

    def check(prefix: tuple[int, ...]) -> bool:
        asked.append(prefix)
        return True

    found = search(live, check=check)
    assert found.is_success
    assert found.steps == 3
    assert asked == [found.prefix]


def test_a_longer_search_lowers_the_loss_of_its_target(live: LivePipeline) -> None:
    settings = UnlearnDiffAtkSettings(rounds=1, iterations=25, timesteps=8, lr=0.05, tokens=5)
    timesteps = torch.arange(20, 1000, 60)
    target = target_of(live)
    noise = torch.randn((len(timesteps), *target.latents.shape[1:]), generator=step_generator(9, "test"))
    table = live.vocabulary()[0]

    def loss_of(prefix: tuple[int, ...]) -> float:
        with torch.no_grad():
            texts = live.encode(["abc"], inserts=[table[list(prefix)]], free=len(prefix))
        return float(diffusion_loss(live, texts, target.latents, timesteps, noise).detach())

    found = search(live, settings)
    random = [loss_of(tuple(torch.randint(500, (5,), generator=step_generator(s, "r")).tolist())) for s in range(8)]
    assert loss_of(found.prefix) < sorted(random)[len(random) // 2]


def test_special_tokens_and_those_of_the_name_are_never_used(live: LivePipeline) -> None:
    allowed = allowed_tokens(live, ["ab q"])
    banned = {*live.tokenizers[0].all_special_ids, *live.token_ids("ab q")[0]}
    assert {i for i, may in enumerate(allowed.tolist()) if not may} == banned
    only = torch.zeros_like(allowed)
    only[[4, 9]] = True
    assert set(search(live, allowed=only).prefix) <= {4, 9}


def test_each_part_of_the_schedule_has_its_turn(live: LivePipeline) -> None:
    from copycat.whitebox.unlearndiffatk import _draw_round

    settings = UnlearnDiffAtkSettings(rounds=5, timesteps=4)
    drawn = [t for r in range(5) for t in _draw_round(live, settings, target_of(live), r)[0].tolist()]
    assert sorted(t // 50 for t in drawn) == list(range(20))


def test_a_prompt_without_room_for_the_prefix_loses_its_end_as_it_does_when_it_is_drawn(live: LivePipeline) -> None:
    assert search(live, prompt="c" * 80) == search(live, prompt="c" * 72 + "d" * 8)
    assert search(live, prompt="c" * 80) != search(live, prompt="c" * 71 + "d" * 9)


def test_a_loss_that_is_no_number_ends_the_search(live: LivePipeline) -> None:
    with torch.no_grad():
        live.unet.conv_out.bias.fill_(float("nan"))
    with pytest.raises(BackendError, match="the loss of the search for 'abc' is no number"):
        search(live)
