"""What a user typed after --model -> a row: a name of the table, a local folder, or a Hub repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from copycat.errors import DataError, UserError
from copycat.models import DIFFUSERS, MODELS, ModelRow
from copycat.paths import shown
from copycat.schema import Sampling

PAPER_STEPS, PAPER_GUIDANCE = 50, 3.0
"""CopyCat's own setting for its latent diffusion models; the default for a model without a row."""


def resolve_model(text: str) -> ModelRow:
    """Find the row of a model.

    Raises:
        UnknownNameError: no row, no folder, and not of the form org/repo.
        DataError: a folder without a readable model_index.json.
    """
    folder = Path(text)
    if (text.startswith((".", "/", "~")) or "\\" in text) or (folder / "model_index.json").exists():
        return _folder_row(folder.expanduser())
    if text.count("/") == 1 and text not in MODELS.names():
        raise UserError(
            f"model '{text}' looks like a Hub repository, and its settings are not known without reading it\n"
            f"  fetch it first: hf download {text} --local-dir ./{text.rpartition('/')[2]}\n"
            f"  then: --model ./{text.rpartition('/')[2]}"
        )
    return MODELS.get(text)


def _folder_row(folder: Path) -> ModelRow:
    index = folder / "model_index.json"
    if not index.exists():
        raise DataError([f"{shown(folder)}: no diffusers pipeline there"], "  needed: a folder with a model_index.json")
    pipeline = _json(index)
    _require_components(folder, pipeline)
    part = "unet" if "unet" in pipeline else "transformer"
    scale = 2 ** (len(_json(folder / "vae" / "config.json").get("block_out_channels", [0] * 4)) - 1)
    size = int(_json(folder / part / "config.json").get("sample_size", 64)) * scale
    return ModelRow(
        name=folder.resolve().name,
        target=DIFFUSERS,
        source=str(folder.resolve()),
        summary=f"{pipeline.get('_class_name', 'pipeline')} in a local folder",
        licence="unknown",
        sampling=Sampling(
            steps=PAPER_STEPS,
            guidance=PAPER_GUIDANCE,
            width_px=size,
            height_px=size,
            dtype="float32",
            scheduler=str(_json(folder / "scheduler" / "scheduler_config.json").get("_class_name", "")),
        ),
    )


def _require_components(folder: Path, pipeline: dict[str, Any]) -> None:
    """Name every missing component: diffusers would fail on some of them late, and with no word of the folder."""
    listed = [name for name, value in pipeline.items() if isinstance(value, list) and value[:1] != [None]]
    missing = [name for name in listed if not (folder / name).is_dir()]
    if missing:
        raise DataError(
            [f"{shown(folder / name)}: not there, though model_index.json lists it" for name in missing],
            "  needed: a whole diffusers folder; fetch it again",
        )


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DataError([f"{shown(path)}: cannot be read as JSON ({error})"]) from error
    if not isinstance(content, dict):
        raise DataError([f"{shown(path)}: holds no JSON object"])
    return content
