"""Settings of a pipeline without a row, read from its files and from the call of its class."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pictures import resolved

from copycat.errors import UserError
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.resolve import resolve_model
from copycat.schema import Sampling

FLOAT32 = {"dtype": "float32"}


def clip(frames: int, fps: int, *kept: int) -> dict[str, Any]:
    return {"frames": frames, "fps": fps, "kept_frames": kept}


READ: dict[str, dict[str, Any]] = {
    # steps and guidance: defaults of the call; size: of the call, the config times the VAE's scale, or the bare class
    "sd": {"steps": 50, "guidance": 7.5, "width_px": 16, "height_px": 16},
    "sdxl": {"steps": 50, "guidance": 5.0, "width_px": 16, "height_px": 16},
    "sd3": {"steps": 28, "guidance": 7.0, "width_px": 16, "height_px": 16},
    "pixart": {"steps": 20, "guidance": 4.5, "width_px": 256, "height_px": 256},
    "flux": {"steps": 28, "guidance": 3.5, "width_px": 256, "height_px": 256},
    "flux-schnell": {"steps": 28, "guidance": 1.0, "width_px": 256, "height_px": 256},
    "qwen": {"steps": 50, "guidance": 4.0, "width_px": 1024, "height_px": 1024},
    "sana": {"steps": 20, "guidance": 4.5, "width_px": 1024, "height_px": 1024},
    "if-1": {"steps": 100, "guidance": 7.0, "width_px": 16, "height_px": 16},
    "hunyuandit": {"steps": 50, "guidance": 5.0, "width_px": 128, "height_px": 128},
    "kandinsky3": {"steps": 25, "guidance": 3.0, "width_px": 1024, "height_px": 1024},
    "video-sd": {"steps": 50, "guidance": 9.0, "width_px": 16, "height_px": 16}
    | clip(16, 8, 0, 2, 4, 6, 9, 11, 13, 15),
    "wan": {"steps": 50, "guidance": 5.0, "width_px": 832, "height_px": 480}
    | clip(81, 8, 0, 11, 23, 34, 46, 57, 69, 80),
    "cogvideox": {"steps": 50, "guidance": 6.0, "width_px": 32, "height_px": 32} | clip(9, 8, 0, 1, 2, 3, 5, 6, 7, 8),
    "ltx": {"steps": 50, "guidance": 3.0, "width_px": 704, "height_px": 512}
    | clip(161, 25, 0, 23, 46, 69, 91, 114, 137, 160),
    "mochi": {"steps": 64, "guidance": 4.5, "width_px": 848, "height_px": 480}
    | clip(19, 8, 0, 3, 5, 8, 10, 13, 15, 18),
}


@pytest.fixture
def changed(family_folder: Callable[[str], Path], tmp_path: Path) -> Callable[..., Path]:
    """Copy a family's folder, and change fields of one of its JSON files."""

    def copy(family: str, file: str = "model_index.json", **fields: Any) -> Path:
        folder = Path(shutil.copytree(family_folder(family), tmp_path / family))
        content = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps(content | fields))
        return folder

    return copy


def stored_as(folder: Path, part: str, *dtypes: str, file: str = "diffusion_pytorch_model.safetensors") -> None:
    """Write weights in these dtypes, one small tensor each."""
    import torch
    from safetensors.torch import save_file

    tensors = {f"weight_{place}": torch.zeros(1, dtype=getattr(torch, name)) for place, name in enumerate(dtypes)}
    save_file(tensors, folder / part / file)


@pytest.mark.parametrize("family", READ)
def test_the_settings_of_a_folder_are_read_and_not_guessed(family_folder: Callable[[str], Path], family: str) -> None:
    assert resolved(family_folder(family)).sampling == Sampling.model_validate(FLOAT32 | READ[family])


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize(("family", "part"), [("sd", "unet"), ("wan", "transformer")])
def test_the_dtype_is_that_of_most_stored_weights_of_the_denoiser(
    changed: Callable[..., Path], family: str, part: str, dtype: str
) -> None:
    folder = changed(family)
    other = "float16" if dtype != "float16" else "float32"
    stored_as(folder, part, dtype, other, dtype)
    assert resolved(folder).sampling.dtype == dtype


def test_a_second_copy_of_the_weights_in_another_dtype_is_not_what_is_loaded_and_does_not_count(
    changed: Callable[..., Path],
) -> None:
    folder = changed("sd")
    stored_as(folder, "unet", "float16", file="diffusion_pytorch_model.fp16.safetensors")
    assert resolved(folder).sampling.dtype == "float32"


def test_weights_in_several_files_have_the_dtype_of_the_first(changed: Callable[..., Path]) -> None:
    folder = changed("sd")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    for number in (1, 2):
        stored_as(folder, "unet", "bfloat16", file=f"diffusion_pytorch_model-0000{number}-of-00002.safetensors")
    assert resolved(folder).sampling.dtype == "bfloat16"


@pytest.mark.parametrize("content", [b"", b"\x05", b"\xff" * 8 + b"{", (2).to_bytes(8, "little") + b"[]"])
def test_weights_whose_header_cannot_be_read_have_the_dtype_float32(
    changed: Callable[..., Path], content: bytes
) -> None:
    folder = changed("sd")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(content)
    assert resolved(folder).sampling.dtype == "float32"


def test_a_sample_size_of_two_numbers_is_height_and_width(changed: Callable[..., Path]) -> None:
    sampling = resolved(changed("sd", "unet/config.json", sample_size=[8, 12])).sampling
    assert (sampling.width_px, sampling.height_px) == (24, 16)


def test_a_size_is_asked_for_where_neither_the_files_nor_the_class_say_it(
    family_folder: Callable[[str], Path],
) -> None:
    with pytest.raises(UserError) as caught:
        resolved(family_folder("z-image"))
    assert str(caught.value) == ("the files of 'z-image' do not say which size it draws\n  say it: --size WIDTHxHEIGHT")
    row = resolve_model(str(family_folder("z-image")), size_px=(48, 32))
    assert (row.sampling.width_px, row.sampling.height_px) == (48, 32)
    assert (row.sampling.steps, row.sampling.guidance) == (50, 5.0)


# ---------------------------------------------------------------- what no row and no option states


def settled(folder: Path, **asked: Any) -> Sampling:
    row = resolved(folder)
    return DiffusersModel(row, "cpu").settle(row.sampling.model_copy(update=asked))


def test_a_safety_checker_of_the_files_is_on_in_the_settled_settings(changed: Callable[..., Path]) -> None:
    checker = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    folder = changed("sd", safety_checker=checker)
    (folder / "safety_checker").mkdir()
    assert settled(folder).safety_checker == "on"
    assert settled(folder, safety_checker="off").safety_checker == "off"


def test_without_a_safety_checker_in_the_files_the_settled_settings_speak_of_none(
    family_folder: Callable[[str], Path],
) -> None:
    assert settled(family_folder("sd")).safety_checker is None


def test_a_safety_checker_that_the_class_of_the_row_does_not_have_is_not_on(changed: Callable[..., Path]) -> None:
    """AnimateDiff draws with the files of Stable Diffusion 1.5, which list a checker, and never calls it."""
    checker = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    folder = changed("sd", safety_checker=checker)
    (folder / "safety_checker").mkdir()
    row = resolved(folder).model_copy(update={"pipeline": "AnimateDiffPipeline"})
    assert DiffusersModel(row, "cpu").settle(row.sampling).safety_checker is None


@pytest.mark.parametrize(("family", "watermark"), [("sdxl", "off"), ("if-1", "off"), ("sd", None), ("wan", None)])
def test_a_watermark_is_off_where_the_pipeline_could_draw_one(
    family_folder: Callable[[str], Path], family: str, watermark: str | None
) -> None:
    assert settled(family_folder(family)).watermark == watermark


def test_what_was_asked_for_is_kept_when_the_files_say_otherwise(family_folder: Callable[[str], Path]) -> None:
    assert settled(family_folder("sd")).scheduler == "DDIMScheduler"
    assert settled(family_folder("sd"), scheduler="EulerDiscreteScheduler").scheduler == "EulerDiscreteScheduler"
