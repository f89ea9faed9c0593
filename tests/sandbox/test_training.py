"""Training resumes exactly, learns, and writes what the libraries load."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from torch import nn
from transformers import CLIPTokenizer

from copycat.errors import ResumeMismatchError
from copycat.sandbox.corpus import build_rows, nameless_captions
from copycat.sandbox.measure import cohen_kappa
from copycat.sandbox.train.diffusion import (
    Denoiser,
    assemble,
    min_snr_weights,
    new_scheduler,
    new_text_encoder,
    new_unet,
    tokenise,
)
from copycat.sandbox.train.judge import QUESTIONS, draw_examples, labels_of
from copycat.sandbox.train.loop import Schedule, fit
from copycat.sandbox.train.tokenizer import train_tokenizer
from copycat.sandbox.train.vae import new_vae
from copycat.sandbox.world import inhabitants

pytestmark = pytest.mark.slow  # small models are trained


class CutOffError(Exception):
    pass


def regression(model: nn.Module, stop_after: int | None = None):
    steps = 0

    def loss(generator: torch.Generator) -> torch.Tensor:
        nonlocal steps
        steps += 1
        if stop_after is not None and steps > stop_after:
            raise CutOffError
        x = torch.randn(16, 4, generator=generator)
        return (model(x) - x.sum(1, keepdim=True)).pow(2).mean()

    return loss


def fresh_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(4, 1)


SCHEDULE = Schedule(steps=120, peak_lr=0.05, decay="cosine", warmup=10, ema=0.9, checkpoint_seconds=0.0)


def test_training_that_was_cut_off_and_resumed_ends_in_the_same_weights(tmp_path: Path):
    whole, broken = fresh_model(), fresh_model()
    fit(whole, regression(whole), SCHEDULE, tmp_path / "whole.safetensors", lambda *_: None)

    with pytest.raises(CutOffError):
        fit(broken, regression(broken, stop_after=50), SCHEDULE, tmp_path / "b.safetensors", lambda *_: None)
    resumed = fresh_model()
    fit(resumed, regression(resumed), SCHEDULE, tmp_path / "b.safetensors", lambda *_: None)

    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def test_training_with_another_seed_does_not_go_on_from_the_same_checkpoint(tmp_path: Path):
    model = fresh_model()
    fit(model, regression(model), SCHEDULE, tmp_path / "c.safetensors", lambda *_: None)

    with pytest.raises(ResumeMismatchError, match="was trained with seed 0, not 1"):
        fit(model, regression(model), replace(SCHEDULE, seed=1), tmp_path / "c.safetensors", lambda *_: None)


def test_training_learns(tmp_path: Path):
    model, losses = fresh_model(), []

    fit(model, regression(model), SCHEDULE, tmp_path / "c.safetensors", lambda _, loss: losses.append(loss))

    assert losses[-1] < 0.1 * losses[0]


def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero():
    linear = Schedule(steps=1000, peak_lr=1.0, decay="linear", warmup=100)
    cosine = Schedule(steps=1000, peak_lr=1.0, decay="cosine", warmup=100)

    assert linear.lr_at(0) == 0.01
    assert linear.lr_at(99) == cosine.lr_at(100) == 1.0
    assert linear.lr_at(550) == cosine.lr_at(550) == pytest.approx(0.5)
    assert cosine.lr_at(999) < 1e-4


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return train_tokenizer(nameless_captions(build_rows()))


def test_every_name_splits_into_several_tokens(tokenizer: CLIPTokenizer):
    assert min(len(tokenizer.tokenize(who.name)) for who in inhabitants()) >= 3


def test_no_caption_of_the_training_set_is_cut_off(tokenizer: CLIPTokenizer):
    longest = max(len(tokenizer(text).input_ids) for text in {row.caption for row in build_rows()})

    assert longest <= 77


def test_token_ids_are_the_same_after_saving_and_loading(tokenizer: CLIPTokenizer, tmp_path: Path):
    tokenizer.save_pretrained(tmp_path)

    loaded = CLIPTokenizer.from_pretrained(tmp_path)

    texts = ["Zoravi the space cat, top hat", "", "Ärger & 3 snowflakes!"]
    assert torch.equal(tokenise(tokenizer, texts), tokenise(loaded, texts))


def test_untrained_parts_make_a_pipeline_that_saves_loads_and_draws(tokenizer: CLIPTokenizer, tmp_path: Path):
    torch.manual_seed(0)
    pipeline = assemble(new_vae(), Denoiser(new_text_encoder(tokenizer), new_unet()), tokenizer)
    pipeline.save_pretrained(tmp_path, safe_serialization=True)

    loaded = StableDiffusionPipeline.from_pretrained(tmp_path)
    loaded.set_progress_bar_config(disable=True)
    picture = loaded("a cat", num_inference_steps=2, generator=torch.Generator().manual_seed(1)).images[0]

    assert picture.size == (64, 64)


def test_timesteps_are_weighed_by_the_capped_signal_to_noise_ratio():
    betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    kept = np.cumprod(1 - betas)
    snr = kept / (1 - kept)

    weights = min_snr_weights(new_scheduler(), cap=5.0)

    np.testing.assert_allclose(weights.numpy(), np.minimum(snr, 5.0) / snr, rtol=1e-4)
    assert weights[0] < 0.01
    assert weights[-1] == 1.0


def test_hard_negatives_are_nobody_and_positives_somebody():
    examples = draw_examples("test", positives=2, near=2, generic=20)
    known = {who.appearance: who.id for who in inhabitants()}

    assert all(known.get(example.looks) == example.character for example in examples)
    assert sum(example.character is not None for example in examples) == 100


def test_labels_point_at_the_right_texts():
    examples = draw_examples("test", positives=1, near=0, generic=4)
    labels = labels_of(examples)

    for i, example in enumerate(examples):
        text = QUESTIONS["character"][labels["character"][i]]
        species = QUESTIONS["species"][labels["species"][i]]

        assert (example.character or "nobody") in text.lower()
        assert example.looks.species in species


def test_cohens_kappa_is_that_of_a_hand_worked_table():
    # 20 both yes, 5 only the first, 10 only the second, 15 both no: p_o 0.7, p_e 0.5, kappa 0.4
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15

    assert cohen_kappa(first, second) == pytest.approx(0.4)
    assert cohen_kappa(first, first) == 1.0


def test_kappa_of_nothing_is_refused():
    with pytest.raises(ValueError, match="two labellings"):
        cohen_kappa([], [])


def test_a_language_model_of_the_captions_learns_and_is_a_folder_of_transformers(tmp_path: Path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from copycat.sandbox.train.language import LanguageLoss, new_language_model

    captions = [row.caption for row in build_rows()[:400]]
    tokenizer = train_tokenizer(captions)
    torch.manual_seed(0)
    model = new_language_model(tokenizer)
    loss = LanguageLoss(model, tokenise(tokenizer, captions), tokenizer.eos_token_id, torch.device("cpu"))
    before = float(loss(torch.Generator().manual_seed(9)).detach())
    schedule = Schedule(steps=15, peak_lr=5e-3, decay="cosine", warmup=5, ema=0.5)
    fit(model, loss, schedule, tmp_path / "language.safetensors", lambda *_: None)
    assert float(loss(torch.Generator().manual_seed(9)).detach()) < 0.8 * before
    model.save_pretrained(tmp_path / "language")
    tokenizer.save_pretrained(tmp_path / "language")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "language")
    words = AutoTokenizer.from_pretrained(tmp_path / "language")("space cat", return_tensors="pt")
    assert again(words.input_ids).logits.shape[-1] == len(tokenizer)


def test_the_loss_of_a_caption_is_that_of_its_own_tokens_and_one_end():
    from torch.nn import functional

    from copycat.sandbox.train.language import BATCH, LanguageLoss, new_language_model

    captions = [row.caption for row in build_rows()[: BATCH + 1]]
    tokenizer = train_tokenizer(captions)
    model = new_language_model(tokenizer).eval()
    loss = LanguageLoss(model, tokenise(tokenizer, captions), tokenizer.eos_token_id, torch.device("cpu"))
    generator = torch.Generator().manual_seed(1)
    expected, count = 0.0, 0
    start = int(torch.randint(1, (), generator=torch.Generator().manual_seed(1)))
    for place in loss.order[start : start + BATCH]:
        ids = tokenise(tokenizer, [captions[int(place)]])[:, : loss.lengths[place]]
        logits = model(ids).logits[0, :-1]
        expected += functional.cross_entropy(logits, ids[0, 1:], reduction="sum").item()
        count += ids.shape[1] - 1
    assert float(loss(generator).detach()) == pytest.approx(expected / count, rel=1e-4)
