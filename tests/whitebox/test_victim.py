"""The attacked model taken apart: in which numbers it is searched, and that both families can be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pictures import quick, resolved
from tiny_families import save_tiny_family

from copycat.models.attacked_texts import encode_attacked, prompt_key
from copycat.schema import Attack, ImageRequest
from copycat.whitebox.cce import CceSettings, Inversion
from copycat.whitebox.unlearndiffatk import Target, UnlearnDiffAtkSettings, allowed_tokens, search_prefix
from copycat.whitebox.victim import gradient_dtype, load_victim


@pytest.mark.parametrize(
    ("dtype", "able", "expected"),
    [
        ("float32", True, "float32"),
        ("bfloat16", False, "bfloat16"),
        ("float16", True, "bfloat16"),
        ("float16", False, "float32"),
        (None, True, None),
    ],
)
def test_gradients_are_never_in_float16(
    monkeypatch: pytest.MonkeyPatch, dtype: str | None, able: bool, expected: str | None
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: able)
    assert gradient_dtype(dtype, "cuda:0") == expected


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_pipeline_with_two_encoders_is_searched_and_inverted(tmp_path: Path, dtype: str) -> None:
    row = resolved(save_tiny_family("sdxl", tmp_path / "sdxl"))
    sampling = quick(row, "sdxl").model_copy(update={"dtype": dtype})
    live = load_victim(row, sampling, "cpu", None)
    assert {encoder.dtype for encoder in live.encoders} == {getattr(torch, dtype)}
    allowed = allowed_tokens(live)
    latents = live.noise(2, torch.Generator().manual_seed(1))
    settings = UnlearnDiffAtkSettings(rounds=1, iterations=2, tokens=3)
    found = search_prefix(
        live, "ab cat", Target(latents[:1], 3), settings, allowed=allowed, check=lambda prefix: len(prefix) < 3
    )
    assert (len(found.prefix), found.steps) == (3, 2)
    inversion = Inversion(live, latents, CceSettings(tokens=2, batch=3, at_once=2, steps=2), seed=0)
    before = inversion.learned()
    inversion.step(0)
    after = inversion.learned()
    assert {name: tuple(rows.shape) for name, rows in after.items()} == {
        "text_encoder": (2, 32),
        "text_encoder_2": (2, 32),
    }
    assert all(not torch.equal(before[name], after[name]) for name in after)


@torch.no_grad()
def test_a_prefix_is_the_same_text_to_both_encoders_whatever_fills_their_texts_up(tmp_path: Path) -> None:
    row = resolved(save_tiny_family("sdxl", tmp_path / "sdxl"))
    pipeline = load_victim(row, quick(row, "sdxl"), "cpu", None).pipeline
    pipeline.tokenizer_2.pad_token = "!"  # noqa: S105 - as that of SDXL has it
    prefix = tuple(pipeline.tokenizer("q z", add_special_tokens=False).input_ids)
    asked = ImageRequest(
        key="k", character="c", anchor="name", prompt_id="p", repeat=0, prompt="ab", prompt_sent="ab cat", seed=1
    ).model_copy(update={"attack": Attack(method="test", prefix=prefix)})
    text, kind = prompt_key(asked)
    rows = encode_attacked(pipeline, text, str(kind), {})
    states, _, pooled, _ = pipeline.encode_prompt(
        "q z ab cat", device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False
    )
    assert torch.equal(rows["prompt_embeds"], states)
    assert torch.equal(rows["pooled_prompt_embeds"], pooled)
