"""DoCo moves keys and values alone, does what its switches say, and goes on where it was cut off."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from pydantic import ValidationError
from tiny_families import save_tiny_family
from tiny_pipeline import save_tiny_pipeline

from copycat.erasure import Concept
from copycat.erasure.doco import DoCo
from copycat.erasure.doco_settings import DoCoSettings
from copycat.erasure.prior_set import LATENTS, MAKING
from copycat.errors import DataError, UnsupportedError
from copycat.live import LivePipeline

CONCEPT = Concept(name="abc", anchor="q")
SMALL = {"steps": 4, "warm_up": 1, "batch": 2, "pictures": 3, "prior_steps": 2, "templates": ("{}", "{} x")}


class Ready(NamedTuple):
    """A pipeline, and a prior set that it drew."""

    pipeline: Any
    prior: Path


@pytest.fixture(scope="module")
def ready(tmp_path_factory: Any) -> Ready:
    folder = tmp_path_factory.mktemp("tiny")
    found = Ready(load(save_tiny_pipeline(folder / "pipeline")), folder / "prior")
    eraser = DoCo(LivePipeline(deepcopy(found.pipeline), "tiny"), (CONCEPT,), DoCoSettings(**SMALL), seed=5)
    eraser.prepare(found.prior, silent)
    return found


def load(folder: Path) -> Any:
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@contextmanager
def silent(_title: str, _total: int) -> Iterator[Any]:
    yield lambda _count: None


def doco(ready: Ready, folder: Path, concept: Concept = CONCEPT, **settings: Any) -> DoCo:
    """Build it on a pipeline of its own, and prepare it with the prior set that was drawn already."""
    live = LivePipeline(deepcopy(ready.pipeline), "tiny")
    eraser = DoCo(live, (concept,), DoCoSettings(**(SMALL | settings)), seed=5)
    shutil.copytree(ready.prior, folder, dirs_exist_ok=True)
    eraser.prepare(folder, silent)
    return eraser


def edited_values(eraser: DoCo) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in eraser.edited().items()}


def test_only_keys_and_values_of_the_cross_attention_move(ready: Ready, tmp_path: Path) -> None:
    eraser = doco(ready, tmp_path)
    parts = {"unet": eraser.live.unet, "text_encoder": eraser.live.encoders[0], "vae": eraser.live.pipeline.vae}
    whole = {f"{part}.{name}": p for part, module in parts.items() for name, p in module.named_parameters()}
    before = {name: tensor.detach().clone() for name, tensor in whole.items()}
    for number in range(4):
        eraser.step(number)
    moved = {name for name, tensor in whole.items() if not torch.equal(tensor, before[name])}
    assert moved == set(eraser.edited())
    assert all(".attn2.to_k." in name or ".attn2.to_v." in name for name in moved)


def test_in_the_warm_up_only_the_discriminator_learns(ready: Ready, tmp_path: Path) -> None:
    eraser = doco(ready, tmp_path)
    before, judged = edited_values(eraser), next(eraser.discriminator.parameters()).detach().clone()
    assert set(eraser.step(0)) == {"discriminator"}
    assert all(torch.equal(tensor, before[name]) for name, tensor in eraser.edited().items())
    assert not torch.equal(judged, next(eraser.discriminator.parameters()))
    assert {"adversarial", "prior", "discriminator"} < set(eraser.step(1))


@pytest.mark.parametrize("preset", ["corrected", "published"])
def test_every_preset_runs_and_resumes_to_the_same_weights(ready: Ready, tmp_path: Path, preset: str) -> None:
    settings = {**DoCo.PRESETS.get(preset, {}), **SMALL}
    whole = doco(ready, tmp_path, **settings)
    for number in range(4):
        whole.step(number)
    first = doco(ready, tmp_path, **settings)
    for number in range(2):
        first.step(number)
    held, state = edited_values(first), {name: tensor.clone() for name, tensor in first.state().items()}
    second = DoCo(LivePipeline(deepcopy(ready.pipeline), "tiny"), (CONCEPT,), DoCoSettings(**settings), seed=5)
    for name, tensor in second.edited().items():
        tensor.data.copy_(held[name])
    second.prepare(tmp_path, silent)
    second.load_state(state)
    for number in range(2, 4):
        second.step(number)
    assert all(torch.equal(tensor, second.edited()[name]) for name, tensor in whole.edited().items())
    assert all(torch.equal(tensor, second.state()[name]) for name, tensor in whole.state().items())


def test_the_first_weights_stay_the_measure_however_far_the_edited_ones_are(ready: Ready, tmp_path: Path) -> None:
    eraser, untouched = doco(ready, tmp_path), LivePipeline(deepcopy(ready.pipeline), "tiny")
    drawn = eraser._draw("step", 0)
    with torch.no_grad():
        expected = untouched.predict(drawn.x, drawn.timesteps, drawn.anchor)
        for tensor in eraser.trained.values():
            tensor.data.add_(1.0)
        with eraser._originals.in_place():
            assert torch.equal(eraser.live.predict(drawn.x, drawn.timesteps, drawn.anchor), expected)
        assert not torch.allclose(eraser.live.predict(drawn.x, drawn.timesteps, drawn.anchor), expected)


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_the_discriminator_sees_the_clean_latents_of_a_perfect_prediction(
    ready: Ready, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    eraser = doco(ready, tmp_path, clean_form="raw", frozen_start=False)
    eraser.live.__dict__["prediction_type"] = kind
    drawn = eraser._draw("step", 0)
    kept = eraser.live.alphas[drawn.timesteps].reshape(-1, 1, 1, 1)
    noise = (drawn.x - kept.sqrt() * drawn.latents) / (1 - kept).sqrt()
    v = kept.sqrt() * noise - (1 - kept).sqrt() * drawn.latents
    perfect = noise if kind == "epsilon" else v
    monkeypatch.setattr(eraser.live, "predict", lambda *_: perfect)
    torch.testing.assert_close(eraser._seen(drawn, drawn.anchor), drawn.latents, atol=1e-3, rtol=1e-3)


def test_what_the_discriminator_sees_is_bounded_as_asked(ready: Ready, tmp_path: Path) -> None:
    for form in ("clamped", "weighted", "raw"):
        eraser = doco(ready, tmp_path, clean_form=form, clamp=0.5, earliest=0.9)
        drawn = eraser._draw("step", 0)
        assert int(drawn.timesteps.min()) >= 900
        with torch.no_grad():
            predicted = eraser.live.predict(drawn.x, drawn.timesteps, drawn.concept)
            seen = eraser._seen(drawn, drawn.concept)
        kept = eraser.live.alphas[drawn.timesteps].reshape(-1, 1, 1, 1)
        weighted = drawn.x - (1 - kept).sqrt() * predicted
        raw = weighted / kept.sqrt()
        expected = {"raw": raw, "weighted": weighted, "clamped": raw.clamp(-0.5, 0.5)}[form]
        torch.testing.assert_close(seen, expected, atol=1e-4, rtol=1e-4)


def test_which_label_the_anchor_has_is_a_matter_of_sign(ready: Ready, tmp_path: Path) -> None:
    one, zero = (doco(ready, tmp_path, anchor_label=label) for label in (1, 0))
    for parameter in zero.discriminator.last.parameters():
        parameter.data.neg_()
    for number in range(4):
        assert one.step(number) == pytest.approx(zero.step(number), rel=1e-4)
    for name, tensor in one.edited().items():
        torch.testing.assert_close(tensor, zero.edited()[name], atol=1e-6, rtol=1e-4)


def discriminator_gradients(eraser: DoCo, monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """What the discriminator's optimiser is given in a step behind the warm-up."""
    seen: list[torch.Tensor] = []
    parameters = list(eraser.discriminator.parameters())
    monkeypatch.setattr(eraser.discriminator_optimiser, "step", lambda: seen.extend(p.grad.clone() for p in parameters))
    eraser.step(1)
    return seen


def test_the_discriminator_learns_from_its_own_loss_alone(
    ready: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected: dict[bool, list[torch.Tensor]] = {}
    for clears in (True, False):  # by another way: one backward pass of a sum, on an eraser of its own
        eraser = doco(ready, tmp_path, clears_gradients=clears)
        drawn, network = eraser._draw("step", 1), eraser.discriminator
        shares = drawn.timesteps / 1000
        with torch.no_grad():
            anchor, concept = (eraser._seen(drawn, texts) for texts in (drawn.anchor, drawn.concept))
        softplus = torch.nn.functional.softplus
        loss = softplus(-network(anchor, shares)).mean() + softplus(network(concept, shares)).mean()
        if not clears:
            loss = loss + softplus(-network(concept, shares)).mean()
        expected[clears] = list(torch.autograd.grad(loss, list(network.parameters())))
        found = discriminator_gradients(eraser, monkeypatch)
        for own, wanted in zip(found, expected[clears], strict=True):
            torch.testing.assert_close(own, wanted, atol=1e-6, rtol=1e-3)
    assert not all(torch.allclose(a, b, atol=1e-5) for a, b in zip(*expected.values(), strict=True))


def test_no_gradient_goes_through_the_first_token(ready: Ready, tmp_path: Path) -> None:
    eraser = doco(ready, tmp_path)
    drawn = eraser._draw("step", 0)
    for frozen, states in ((True, drawn.concept.states), (False, drawn.concept.states)):
        eraser.settings = eraser.settings.model_copy(update={"frozen_start": frozen})
        free = states.clone().requires_grad_()
        seen = eraser._seen(drawn, drawn.concept._replace(states=free))
        (gradient,) = torch.autograd.grad(seen.square().sum(), free)
        assert bool((gradient[:, 0] == 0).all()) is frozen
        assert gradient[:, 1].abs().max() > 0


def test_a_prior_set_is_drawn_once_and_goes_on_where_it_stopped(ready: Ready, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    whole = load_file(ready.prior / LATENTS)["latents"]
    assert len(whole) == SMALL["pictures"]
    stamp = (ready.prior / LATENTS).stat().st_mtime_ns
    eraser = doco(ready, tmp_path)
    eraser.prepare(ready.prior, silent)
    assert (ready.prior / LATENTS).stat().st_mtime_ns == stamp
    save_file({"latents": whole[:2].contiguous()}, tmp_path / LATENTS)
    eraser.prepare(tmp_path, silent)
    assert torch.equal(load_file(tmp_path / LATENTS)["latents"], whole)


def test_a_prior_set_of_other_settings_is_refused(ready: Ready, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"made with other settings: steps was 2, not 3\n.*another folder"):
        doco(ready, tmp_path, prior_steps=3)
    eraser = doco(ready, tmp_path)
    (tmp_path / MAKING).write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match="not a readable prior set"):
        eraser.prepare(tmp_path, silent)


def test_a_prior_set_of_other_weights_is_refused(ready: Ready, tmp_path: Path) -> None:
    live = LivePipeline(deepcopy(ready.pipeline), "tiny")
    next(p for n, p in live.unet.named_parameters() if n.endswith("attn2.to_k.weight")).data.add_(1.0)
    with pytest.raises(DataError, match="other settings: weights was"):
        DoCo(live, (CONCEPT,), DoCoSettings(**SMALL), seed=5).prepare(ready.prior, silent)


def test_it_works_on_sdxl(tmp_path: Path) -> None:
    live = LivePipeline(load(save_tiny_family("sdxl", tmp_path / "xl")), "xl")
    eraser = DoCo(live, (CONCEPT,), DoCoSettings(**SMALL), seed=5)
    eraser.prepare(tmp_path / "out", silent)
    before = edited_values(eraser)
    for number in range(2):
        losses = eraser.step(number)
    assert all(abs(loss) < 1e3 for loss in losses.values())
    assert any(not torch.equal(tensor, before[name]) for name, tensor in eraser.edited().items())


def test_a_concept_without_an_anchor_and_a_denoiser_without_texts_are_refused(ready: Ready, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="has no anchor"):
        doco(ready, tmp_path, concept=Concept(name="abc"))
    live = LivePipeline(deepcopy(ready.pipeline), "tiny")
    live.unet = torch.nn.Linear(1, 1)
    with pytest.raises(UnsupportedError, match="the denoiser of 'tiny' has none"):
        DoCo(live, (CONCEPT,), DoCoSettings(**SMALL), seed=5)


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"warm_up must be less than steps, and steps is 50"):
        DoCoSettings(steps=50)
    with pytest.raises(ValidationError, match=r"latest must be more than earliest, and earliest is 0.5"):
        DoCoSettings(earliest=0.5, latest=0.5)
