"""A pipeline taken apart gives what the whole one gives, and gradients besides."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EDMEulerScheduler
from tiny_families import save_tiny_family
from tiny_pipeline import save_tiny_pipeline

from copycat.errors import UnsupportedError, UserError
from copycat.live import LivePipeline, live_models, step_generator


def load(folder: Any) -> Any:
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture
def live(tmp_path: Any) -> LivePipeline:
    return LivePipeline(load(save_tiny_pipeline(tmp_path / "tiny")), "tiny")


def test_texts_are_encoded_as_the_pipeline_encodes_them(live: LivePipeline) -> None:
    expected, _ = live.pipeline.encode_prompt(["abc", ""], "cpu", 1, do_classifier_free_guidance=False)
    assert torch.equal(live.encode(["abc", ""]).states, expected)


def test_sdxl_is_guided_away_from_zeros_and_both_its_encoders_are_read(tmp_path: Any) -> None:
    live = LivePipeline(load(save_tiny_family("sdxl", tmp_path / "xl")), "xl")
    states, _, pooled, _ = live.pipeline.encode_prompt(["abc"], device="cpu", do_classifier_free_guidance=False)
    texts = live.encode(["abc"])
    assert torch.equal(texts.states, states)
    assert torch.equal(texts.pooled, pooled)
    mixed = live.encode(["", "abc"])
    assert not mixed.states[0].any()
    assert not mixed.pooled[0].any()
    torch.testing.assert_close(mixed.states[1:], states)
    live.pipeline.scheduler = DDIMScheduler.from_config(live.pipeline.scheduler.config, clip_sample=False)
    noise = live.noise(1, step_generator(3, "noise"))
    steps = list(live.rollout(noise, texts, live.encode([""]), steps=3, guidance=3.0))
    side = live.pipeline.vae_scale_factor * noise.shape[-1]
    drawn = live.pipeline(
        prompt=["abc"],
        latents=noise,
        num_inference_steps=3,
        guidance_scale=3.0,
        output_type="latent",
        height=side,
        width=side,
    ).images
    torch.testing.assert_close(steps[-1][1], drawn)


def test_a_rollout_ends_where_the_pipeline_ends(live: LivePipeline) -> None:
    live.pipeline.scheduler = DDIMScheduler.from_config(live.pipeline.scheduler.config)
    noise = live.noise(2, step_generator(3, "noise"))
    steps = list(live.rollout(noise, live.encode(["abc", "b"]), live.encode([""]), steps=4, guidance=3.0))
    drawn = live.pipeline(
        prompt=["abc", "b"], latents=noise, num_inference_steps=4, guidance_scale=3.0, output_type="latent"
    ).images
    assert [t for t, _ in steps] == [*live.sampling_timesteps(4), -1]
    torch.testing.assert_close(steps[-1][1], drawn)


def test_latents_of_a_rollout_are_not_clipped_whatever_the_own_scheduler_is(live: LivePipeline) -> None:
    def end() -> Any:
        noise = live.noise(1, step_generator(3, "noise"))
        return list(live.rollout(noise, live.encode(["abc"]), live.encode([""]), steps=4, guidance=3.0))[-1][1]

    expected = end()
    live.pipeline.scheduler = DPMSolverMultistepScheduler(beta_schedule="scaled_linear", steps_offset=1)
    assert "clip_sample" not in live.pipeline.scheduler.config
    live.pipeline.scheduler.register_to_config(timestep_spacing="leading")

    torch.testing.assert_close(end(), expected)
    assert float(expected.abs().max()) > 1


def test_another_prediction_is_refused(live: LivePipeline) -> None:
    latents = live.noise(1, step_generator(1, "a"))
    live.pipeline.scheduler.register_to_config(prediction_type="sample")
    with pytest.raises(UnsupportedError, match="'tiny' predicts 'sample'\n  what is known here: epsilon and v_pred"):
        live.clean(latents, latents, torch.tensor([5]))


def test_noise_clean_and_target_agree_with_the_scheduler(live: LivePipeline) -> None:
    latents, noise = (live.noise(3, step_generator(1, name)) for name in "ab")
    t = torch.tensor([5, 400, 990])
    noisy = live.add_noise(latents, noise, t)
    torch.testing.assert_close(noisy, live.pipeline.scheduler.add_noise(latents, noise, t))
    for kind in ("epsilon", "v_prediction"):
        live.__dict__["prediction_type"] = kind
        target = live.training_target(latents, noise, t)
        torch.testing.assert_close(live.clean(target, noisy, t), latents, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(target, live.pipeline.scheduler.get_velocity(latents, noise, t))


def test_a_vocabulary_embedding_as_a_free_token_is_the_token_itself(live: LivePipeline) -> None:
    (prefix,) = live.token_ids("q")
    vectors = [table[prefix].clone().requires_grad_() for table in live.vocabulary()]
    free = live.encode(["abc"], inserts=vectors, free=len(prefix))
    assert torch.equal(free.states, live.encode(["q abc"]).states)
    live.predict(live.noise(1, step_generator(0, "x")), torch.tensor([500]), free).square().sum().backward()
    assert vectors[0].grad is not None
    assert vectors[0].grad.abs().sum() > 0
    within = live.encode(["a <new> b"], inserts=vectors, free=len(prefix), placeholder="<new>")
    assert torch.equal(within.states, live.encode(["a q b"]).states)


def test_guidance_is_the_usual_formula(live: LivePipeline) -> None:
    x, t = live.noise(2, step_generator(0, "x")), torch.tensor([500, 20])
    texts, null = live.encode(["abc", "b"]), live.encode([""])
    without, under = live.predict(x, t, null.repeated(2)), live.predict(x, t, texts)
    torch.testing.assert_close(live.guided(x, t, texts, null, 4.0), without + 4 * (under - without))


def test_a_text_longer_than_the_encoder_reads_is_refused_with_its_free_places(live: LivePipeline) -> None:
    live.rows("a" * 70, free=5)
    with pytest.raises(UserError, match=r"a text of 71 tokens with 5 free ones is longer than the 75"):
        live.rows("a" * 71, free=5)


def test_another_family_is_refused() -> None:
    class FluxPipeline:
        pass

    with pytest.raises(UnsupportedError, match="'flux' \\(FluxPipeline\\) cannot be taken apart"):
        LivePipeline(FluxPipeline(), "flux")


def test_a_schedule_that_adds_noise_in_another_way_is_refused(tmp_path: Any) -> None:
    pipeline = load(save_tiny_pipeline(tmp_path / "tiny"))
    pipeline.scheduler = EDMEulerScheduler()
    with pytest.raises(UnsupportedError, match="adds noise as EDMEulerScheduler does"):
        LivePipeline(pipeline, "tiny")


def test_the_models_of_the_table_that_work_are_named() -> None:
    found = live_models()
    assert {"sandbox", "sd-1.4", "sd-1.5", "sd-2.1", "sdxl"} <= set(found)
    assert {"flux-dev", "sd-3.5-large", "playground-v2.5"}.isdisjoint(found)


def test_purposes_and_steps_have_numbers_of_their_own() -> None:
    drawn = {
        tuple(torch.rand(3, generator=step_generator(*key)).tolist()) for key in ((0, "a", 1), (0, "a", 2), (1, "a", 1))
    }
    assert len(drawn) == 3
    assert torch.equal(torch.rand(3, generator=step_generator(0, "a")), torch.rand(3, generator=step_generator(0, "a")))
