"""ESD's target, its first step by hand, and which latents go with which timestep."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline

from copycat.erasure import Concept
from copycat.erasure.esd import Esd, EsdSettings, is_edited, paired, target
from copycat.erasure.frozen import Originals
from copycat.live import LivePipeline, step_generator

SMALL: dict[str, Any] = {"steps": 4, "rollout_steps": 5, "batch": 3, "lr": 1e-3}


@cache
def loaded(folder: Path) -> Any:
    return DiffusionPipeline.from_pretrained(folder)


def load(folder: Path) -> LivePipeline:
    return LivePipeline(copy.deepcopy(loaded(folder)), "tiny")


def esd(folder: Path, *names: str, **changes: Any) -> Esd:
    concepts = tuple(Concept(name=name) for name in names or ("abc",))
    return Esd(load(folder), concepts, EsdSettings(**(SMALL | changes)), 0)


def test_the_target_is_the_original_under_negative_guidance() -> None:
    null, under = torch.tensor([1.0, -2.0]), torch.tensor([3.0, 0.5])

    assert target(null, under, 1.0).tolist() == [1 - (3 - 1), -2 - (0.5 + 2)]
    assert torch.equal(target(null, under, 0.0), null)


def test_the_first_loss_is_the_square_of_what_the_concept_adds(tiny_pipeline: Path) -> None:
    """Before the first edit both networks are one: (e(c) - e(null) + eta (e(c) - e(null)))^2, averaged."""
    eraser, other = esd(tiny_pipeline, eta=2.0), load(tiny_pipeline)
    pair = eraser._pair(0)
    with torch.no_grad():
        texts, null = other.encode(["abc"] * 3), other.encode([""] * 3)
        added = other.predict(pair.x, pair.timesteps, texts) - other.predict(pair.x, pair.timesteps, null)

    assert eraser.step(0)["erase"] == pytest.approx(float((9 * added**2).mean()), rel=1e-4)


def test_a_step_moves_every_weight_against_its_gradient(tiny_pipeline: Path) -> None:
    """The first step of Adam is lr g / (|g| + 1e-8), worked out on another copy of the model."""
    eraser, other = esd(tiny_pipeline), load(tiny_pipeline)
    pair = eraser._pair(0)
    name = next(name for name in eraser.edited() if "to_v" in name)
    weight = dict(other.unet.named_parameters())[name.removeprefix("unet.")].requires_grad_()
    with torch.no_grad():
        null, under = (other.predict(pair.x, pair.timesteps, other.encode([text] * 3)) for text in ("", "abc"))
    ((other.predict(pair.x, pair.timesteps, other.encode(["abc"] * 3)) - (2 * null - under)) ** 2).mean().backward()
    assert weight.grad is not None
    expected = weight.detach() - 1e-3 * weight.grad / (weight.grad.abs() + 1e-8)

    eraser.step(0)

    torch.testing.assert_close(eraser.edited()[name].detach(), expected, atol=2e-5, rtol=0)


def test_the_target_stays_that_of_the_original_while_the_network_changes(tiny_pipeline: Path) -> None:
    eraser = esd(tiny_pipeline)
    pair = eraser._pair(0)

    def look() -> Any:
        with eraser._originals.in_place():
            return eraser._target(pair)

    before = look()
    for number in range(3):
        eraser.step(number)

    assert torch.equal(look(), before)


def test_the_loss_of_the_same_latents_falls(tiny_pipeline: Path) -> None:
    eraser = esd(tiny_pipeline, lr=3e-3, batch=1, rollout="frozen")
    pair = eraser._pair(0)
    eraser._pair = lambda number: pair  # type: ignore[method-assign]
    losses = [eraser.step(number)["erase"] for number in range(8)]

    assert losses[-1] < 0.8 * losses[0]


def test_exact_latents_are_those_of_a_rollout_at_their_timestep(tiny_pipeline: Path) -> None:
    eraser = esd(tiny_pipeline)
    pair = eraser._pair(7)
    generator = step_generator(0, "esd", 7)
    _texts, places = (torch.randint(choices, (3,), generator=generator) for choices in (1, 5))
    live = eraser.live
    noise = live.noise(3, generator)
    whole = list(live.rollout(noise, live.encode(["abc"] * 3), live.encode([""]), steps=5, guidance=3.0))

    assert pair.timesteps.tolist() == [whole[place][0] for place in places]
    for n, place in enumerate(places):
        torch.testing.assert_close(pair.x[n], whole[place][1][n])


def test_published_latents_are_two_buckets_cleaner_than_their_timestep_says() -> None:
    timesteps = list(range(981, 0, -20))
    places = torch.tensor([0, 10, 47, 49])

    t, taken = paired(timesteps, places, "bucket", torch.Generator().manual_seed(0))

    assert taken.tolist() == [2, 12, 49, 50]
    starts = torch.tensor([timesteps[place] for place in places])
    assert bool(((t - starts >= 0) & (t - starts < 20)).all())
    for place, at in zip(taken[:3].tolist(), t[:3].tolist(), strict=True):
        assert 40 <= at - timesteps[place] < 60


def test_the_published_pairing_never_leaves_the_schedule(tiny_pipeline: Path) -> None:
    eraser = esd(tiny_pipeline, pairing="bucket", batch=12)
    assert all(int(eraser._pair(number).timesteps.max()) < 1000 for number in range(4))


def test_variants_edit_what_their_names_say(tiny_pipeline: Path) -> None:
    names = [name for name, _ in load(tiny_pipeline).unet.named_parameters()]
    edits = {v: {name for name in names if is_edited(name, v)} for v in ("x", "u", "strict", "all")}

    assert edits["x"] | edits["u"] == edits["all"] == set(names)
    assert not edits["x"] & edits["u"]
    assert {name.split(".attn2.")[1] for name in edits["strict"]} == {"to_k.weight", "to_v.weight"}
    assert {name.split(".attn2.")[1].split(".")[0] for name in edits["x"]} == {"to_q", "to_k", "to_v", "to_out"}


def test_a_frozen_rollout_does_not_see_the_edits(tiny_pipeline: Path) -> None:
    student, frozen = (esd(tiny_pipeline, rollout=kind, batch=6) for kind in ("student", "frozen"))
    for eraser in (student, frozen):
        with torch.no_grad():
            for parameter in eraser.edited().values():
                parameter.mul_(3)

    assert not torch.equal(student._pair(1).x, frozen._pair(1).x)
    assert torch.equal(frozen._pair(1).x, esd(tiny_pipeline, batch=6)._pair(1).x)


def test_originals_are_in_place_for_a_while_and_the_edits_come_back_after_an_error() -> None:
    parameter = torch.nn.Parameter(torch.zeros(2))
    originals = Originals({"p": parameter})
    parameter.data.add_(5)
    with pytest.raises(ValueError, match="broken"), originals.in_place():
        assert parameter.tolist() == [0, 0]
        raise ValueError("broken")
    assert parameter.tolist() == [5, 5]


def test_several_concepts_and_texts_are_trained_in_turn(tiny_pipeline: Path) -> None:
    eraser = esd(tiny_pipeline, "abc", "b", prompts=("{concept}", "c {concept}"))
    expected = load(tiny_pipeline).encode(["abc", "c abc", "b", "c b"]).states

    assert torch.equal(eraser._texts.states, expected)
