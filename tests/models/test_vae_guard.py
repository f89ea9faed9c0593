"""A picture that half precision spoilt in the VAE is decoded once more in float32, and no other one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from diffusers.models.autoencoders.vae import DecoderOutput
from pictures import pixels, quick, request, resolved

from copycat.models import Picture
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.vae_guard import VaeGuard, is_spoilt

HALF = (torch.float16, torch.bfloat16)
NOTE = "decoded again in float32, half precision had spoilt it"
Change = Callable[[torch.Tensor], None]


class FakeVae(torch.nn.Module):
    """Doubles latents; in half precision it spoils rows that hold a number above 100."""

    def __init__(self, dtype: torch.dtype, spoil: Change) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1, dtype=dtype), requires_grad=False)
        self.spoil = spoil
        self.calls: list[tuple[torch.dtype, int]] = []

    @property
    def dtype(self) -> torch.dtype:
        return self.weight.dtype

    def decode(self, latents: torch.Tensor, return_dict: bool = True) -> Any:
        assert latents.dtype == self.dtype
        self.calls.append((self.dtype, len(latents)))
        output = latents * 2
        if self.dtype in HALF:
            for row, large in enumerate((latents.abs() > 100).flatten(1).any(dim=1)):
                if large:
                    self.spoil(output[row])
        return DecoderOutput(sample=output) if return_dict else (output,)


def nan_everywhere(row: torch.Tensor) -> None:
    row[:] = torch.nan


def nan_in_one_pixel(row: torch.Tensor) -> None:
    row.view(-1)[3] = torch.nan


def infinite_in_one_pixel(row: torch.Tensor) -> None:
    row.view(-1)[3] = torch.inf


def black(row: torch.Tensor) -> None:
    row[:] = 0


def latents(dtype: torch.dtype, large: tuple[int, ...] = (1,), rows: int = 3) -> torch.Tensor:
    made = torch.linspace(-1, 1, rows * 12).reshape(rows, 3, 2, 2)
    for row in large:
        made[row, 0, 0, 0] = 128
    return made.to(dtype)


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("spoil", [nan_everywhere, nan_in_one_pixel, infinite_in_one_pixel, black])
def test_a_spoilt_row_is_decoded_once_more_in_float32_and_the_others_keep_their_bytes(
    dtype: torch.dtype, spoil: Change
) -> None:
    vae = FakeVae(dtype, spoil)
    plain = FakeVae(dtype, spoil).decode(latents(dtype)).sample
    guard = VaeGuard(vae)
    guard.begin()
    (decoded,) = vae.decode(latents(dtype), return_dict=False)
    assert vae.calls == [(dtype, 3), (torch.float32, 1)]
    assert torch.equal(decoded[[0, 2]], plain[[0, 2]])
    assert torch.equal(decoded[1], latents(dtype)[1] * 2)
    assert (decoded.dtype, vae.dtype) == (dtype, dtype)
    assert guard.rescued(3) == {1}


@pytest.mark.parametrize("return_dict", [True, False])
def test_the_guard_answers_in_the_form_that_the_pipeline_asked_for(return_dict: bool) -> None:
    vae = FakeVae(torch.bfloat16, nan_everywhere)
    VaeGuard(vae)
    for large in ((), (1,)):
        output = vae.decode(latents(torch.bfloat16, large), return_dict=return_dict)
        assert type(output) is (DecoderOutput if return_dict else tuple)
        assert torch.isfinite(output[0]).all()


def test_nothing_is_decoded_again_where_nothing_is_wrong() -> None:
    vae = FakeVae(torch.float16, nan_everywhere)
    guard = VaeGuard(vae)
    vae.decode(latents(torch.float16, large=()))
    assert vae.calls == [(torch.float16, 3)]
    assert guard.rescued(3) == set()


def test_a_vae_in_float32_gets_no_second_chance() -> None:
    vae = FakeVae(torch.float32, nan_everywhere)
    guard = VaeGuard(vae)
    flat = torch.zeros(2, 3, 2, 2)
    vae.decode(flat)
    assert vae.calls == [(torch.float32, 2)]
    assert guard.rescued(2) == set()


def test_latents_that_are_not_finite_themselves_are_not_rescued() -> None:
    vae = FakeVae(torch.float16, nan_everywhere)
    guard = VaeGuard(vae)
    bad = latents(torch.float16, large=())
    bad[1] = torch.nan
    (decoded,) = vae.decode(bad, return_dict=False)
    assert vae.calls == [(torch.float16, 3)]
    assert decoded[1].isnan().all()
    assert guard.rescued(3) == set()


def test_the_dtype_of_the_vae_is_put_back_even_if_the_second_decoding_fails() -> None:
    vae = FakeVae(torch.float16, nan_everywhere)
    first = vae.decode

    def fail_in_float32(rows: torch.Tensor, **settings: Any) -> Any:
        if rows.dtype == torch.float32:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return first(rows, **settings)

    vae.decode = fail_in_float32  # type: ignore[method-assign]
    VaeGuard(vae)
    with pytest.raises(torch.OutOfMemoryError):
        vae.decode(latents(torch.float16))
    assert vae.dtype == torch.float16


@pytest.mark.parametrize(
    ("calls", "pictures", "places"),
    [
        ([(6, (4,))], 3, {2}),  # three clips of two frames in one call: frame 4 is the third clip's
        ([(6, (0, 5))], 2, {0, 1}),
        ([(4, ()), (2, (1,))], 3, {2}),  # the same, decoded four frames at a time
        ([(1, ()), (1, (0,))], 2, {1}),
    ],
)
def test_a_rescued_frame_is_told_of_the_clip_that_it_belongs_to(
    calls: list[tuple[int, tuple[int, ...]]], pictures: int, places: set[int]
) -> None:
    vae = FakeVae(torch.float16, nan_everywhere)
    guard = VaeGuard(vae)
    for _ in range(2):  # what the batch before left does not count
        guard.begin()
        for rows, large in calls:
            vae.decode(latents(torch.float16, large, rows))
        assert guard.rescued(pictures) == places


def test_a_picture_is_spoilt_by_one_number_that_is_not_finite_or_by_one_colour_alone() -> None:
    fine = torch.linspace(0, 1, 12).reshape(3, 2, 2)
    assert not is_spoilt(fine)
    assert is_spoilt(torch.full((3, 2, 2), 0.5))
    for bad in (torch.nan, torch.inf, -torch.inf):
        one = fine.clone()
        one[0, 0, 0] = bad
        assert is_spoilt(one)


# --------------------------------------------------------------------- through a real pipeline


@pytest.fixture
def overflow(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have every VAE spoil these rows of a batch, in half precision only."""
    decode = AutoencoderKL.decode

    def install(*rows: int) -> None:
        def spoilt(self: Any, given: torch.Tensor, *args: Any, **settings: Any) -> Any:
            output = decode(self, given, *args, **settings)
            if given.dtype in HALF:
                output[0][list(rows)] = torch.nan
            return output

        monkeypatch.setattr(AutoencoderKL, "decode", spoilt)

    return install


def draw(folder: Path, family: str, dtype: str, seeds: int = 3, **changes: Any) -> list[Picture]:
    row = resolved(folder)
    sampling = quick(row, family, dtype=dtype, **changes)
    requests = [request(seed=seed, key=str(seed)) for seed in range(seeds)]
    return DiffusersModel(row, "cpu").generate(requests, sampling)


@pytest.mark.parametrize(("family", "dtype"), [("sd", "float16"), ("sd", "bfloat16"), ("sdxl", "bfloat16")])
def test_a_picture_that_the_vae_of_a_pipeline_spoilt_is_drawn_all_the_same_and_says_so(
    family_folder: Callable[[str], Path], overflow: Callable[..., None], family: str, dtype: str
) -> None:
    expected = draw(family_folder(family), family, dtype)
    overflow(1)
    pictures = draw(family_folder(family), family, dtype)
    assert [picture.status for picture in pictures] == ["ok"] * 3
    assert [picture.detail for picture in pictures] == ["", NOTE, ""]
    for place in (0, 2):
        assert np.array_equal(pixels(pictures[place]), pixels(expected[place]))
    assert abs(pixels(pictures[1]) - pixels(expected[1])).max() <= 8  # the rounding of half precision


def test_a_clip_that_the_vae_spoilt_in_one_frame_says_so_and_the_clip_beside_it_does_not(
    family_folder: Callable[[str], Path], overflow: Callable[..., None]
) -> None:
    overflow(4)  # of two clips of three frames each
    clips = draw(family_folder("video-sd"), "video-sd", "bfloat16", seeds=2)
    assert [clip.status for clip in clips] == ["ok", "ok"]
    assert [clip.detail for clip in clips] == ["", NOTE]


def test_a_picture_whose_latents_are_nan_is_invalid(
    family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers import UNet2DConditionModel

    forward = UNet2DConditionModel.forward

    def broken(self: Any, sample: torch.Tensor, *args: Any, **settings: Any) -> Any:
        output = forward(self, sample, *args, **settings)
        output[0][1::3] = torch.nan  # the second of three, and its guided half
        return output

    monkeypatch.setattr(UNet2DConditionModel, "forward", broken)
    pictures = draw(family_folder("sd"), "sd", "bfloat16")
    assert [picture.status for picture in pictures] == ["ok", "invalid", "ok"]
    assert (pictures[1].image, pictures[1].detail) == (None, "all black")
