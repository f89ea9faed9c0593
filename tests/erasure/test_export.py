"""An erasure as a whole pipeline."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline
from safetensors.torch import load_file

from copycat.erasure import Concept
from copycat.erasure.export import CARD_OF_EXPORT, export_pipeline
from copycat.erasure.training import Order, run_erasure
from copycat.errors import UnsupportedError, UserError
from copycat.models.resolve import resolve_model


@pytest.fixture(scope="module")
def erased(tiny_pipeline: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("erased") / "uce"
    order = Order(row=resolve_model(str(tiny_pipeline)), method="uce", concepts=(Concept(name="abc", anchor="b"),))
    run_erasure(order, folder)
    return folder


def test_an_exported_folder_is_the_model_with_the_delta_put_in(
    erased: Path, tiny_pipeline: Path, tmp_path: Path
) -> None:
    export_pipeline(resolve_model(str(tiny_pipeline)), erased, tmp_path / "whole")

    pipeline: Any = DiffusionPipeline.from_pretrained(tmp_path / "whole")
    own = load_file(tiny_pipeline / "unet" / "diffusion_pytorch_model.safetensors")
    delta = load_file(erased / "delta.safetensors")
    for name, parameter in pipeline.unet.named_parameters():
        assert torch.equal(parameter, delta.get(f"unet.{name}", own[name]))
    assert not list((tmp_path / "whole").rglob("*.bin"))
    assert (tmp_path / "whole" / CARD_OF_EXPORT).read_bytes() == (erased / "card.json").read_bytes()


def test_neither_another_pipeline_is_overwritten_nor_another_base_taken(
    erased: Path, tiny_pipeline: Path, tmp_path: Path
) -> None:
    row = resolve_model(str(tiny_pipeline))
    with pytest.raises(UserError, match=r"holds another pipeline\n  choose a new folder: --export DIR"):
        export_pipeline(row, erased, tiny_pipeline)

    other = shutil.copytree(tiny_pipeline, tmp_path / "other")
    (other / "unet" / "config.json").write_text((other / "unet" / "config.json").read_text() + " ")
    with pytest.raises(UnsupportedError, match="this erasure was made for folder:tiny"):
        export_pipeline(resolve_model(str(other)), erased, tmp_path / "whole")
    assert not (tmp_path / "whole").exists()
