"""Settings of a pipeline that has no row: read from its own files and from the signature of its class."""

from __future__ import annotations

import inspect
import json
import math
import struct
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from copycat.errors import MissingExtraError, UserError
from copycat.models.capabilities import Capabilities, capabilities_of, pipeline_class, read_denoiser
from copycat.models.frames import spread_frames
from copycat.models.hub import INDEX, Source, connection_errors, unreachable
from copycat.models.row import ModelRow
from copycat.models.signatures import read_signatures
from copycat.models.table_images import DIFFUSERS
from copycat.schema import Sampling

DEFAULT_FPS = 8
DEFAULT_BATCH_SIZE = 4
"""Halved by itself where memory is short."""

NO_GUIDANCE = 1.0
_DTYPE_OF_SAFETENSORS = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


def pipeline_row(
    name: str, source: Source, revision: str | None = None, size_px: tuple[int, int] | None = None
) -> ModelRow:
    """Describe a pipeline by what its files say: nothing is guessed, everything can be set on the command line.

    Args:
        size_px: width and height that the user asked for, so that the files need not say them.

    Raises:
        DataError: diffusers has no such pipeline, or it makes no pictures from text.
        UserError: nobody says which size it draws.
        MissingExtraError: the repository cannot be read.
    """
    index = source.read_json(INDEX)
    found = pipeline_class(source, str(index.get("_class_name")))
    denoiser, config = read_denoiser(source, index)
    able = capabilities_of(found, config, index)
    called = {name: p.default for name, p in inspect.signature(found.__call__).parameters.items()}
    return ModelRow(
        name=name,
        target=DIFFUSERS,
        source=source.location,
        pipeline=able.pipeline,
        summary=f"{able.pipeline} {'in a local folder' if source.folder else 'on the Hub'}",
        licence="unknown",
        honours=able.honours,
        batch_size=1 if able.is_video else DEFAULT_BATCH_SIZE,
        sampling=_sampling(
            able, called, config, size_px or _size(source, found, called, config), _dtype(source, denoiser)
        ),
        revision=revision,
    )


def own_settings(source: Source, index: Mapping[str, Any], pipeline: str) -> dict[str, Any]:
    """Give the settings that no row states: the scheduler of the files, safety checker and watermark.

    Args:
        pipeline: the class that draws, which need not be the one of the index.
    """
    scheduler = source.read_json("scheduler/scheduler_config.json").get("_class_name")
    found: dict[str, Any] = {"scheduler": str(scheduler)} if scheduler else {}
    parts = read_signatures(source, pipeline).init
    if "safety_checker" in parts and (index.get("safety_checker") or [None])[0]:
        found["safety_checker"] = "on"
    if ("watermarker" in parts and index.get("watermarker")) or "add_watermarker" in parts:
        found["watermark"] = "off"
    return found


def _sampling(
    able: Capabilities, called: Mapping[str, Any], config: Mapping[str, Any], size_px: tuple[int, int], dtype: str
) -> Sampling:
    guidance = called.get(able.guidance_argument) if able.guidance_argument else None
    if able.guidance_argument and guidance is None:
        guidance = NO_GUIDANCE
    settings: dict[str, Any] = {
        "steps": called.get("num_inference_steps"),
        "guidance": guidance,
        "width_px": size_px[0],
        "height_px": size_px[1],
        "dtype": dtype,
    }
    if able.is_video:
        frames = int(called.get("num_frames") or config.get("sample_frames") or 16)
        fps = int(called.get("frame_rate") or DEFAULT_FPS)
        settings |= {"frames": frames, "kept_frames": spread_frames(frames), "fps": fps}
    return Sampling.model_validate(settings)


def _size(source: Source, found: Any, called: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height in pixels: of the call, of the config times the VAE's scale, or of the bare pipeline."""
    if called.get("width") and called.get("height"):
        return int(called["width"]), int(called["height"])
    vae = source.read_json("vae/config.json")
    scale = _vae_scale(vae) if vae else 1
    if config.get("sample_height"):
        return int(config["sample_width"]) * scale, int(config["sample_height"]) * scale
    if config.get("sample_size"):
        side = config["sample_size"]
        height, width = side if isinstance(side, list) else (side, side)
        return int(width) * scale, int(height) * scale
    bare = _bare(found)
    if getattr(bare, "default_width", None):
        return int(bare.default_width), int(bare.default_height)
    side = getattr(bare, "default_sample_size", None)
    if isinstance(side, int):
        return side * scale, side * scale
    raise UserError(f"the files of '{source.owner}' do not say which size it draws\n  say it: --size WIDTHxHEIGHT")


def upscaled_side(source: Source, side_px: int) -> int:
    """Give the side that a further stage of a cascade makes of a smaller one: its own, or the VAE's scale times it."""
    if vae := source.read_json("vae/config.json"):
        return side_px * _vae_scale(vae)
    return int(source.read_json("unet/config.json")["sample_size"])


def frame_step(source: Source) -> int:
    """Give how many frames one place of the latents stands for: clips are that many times n, plus 1; else 1."""
    vae = source.read_json("vae/config.json")
    if vae.get("temporal_expansions"):  # Mochi's
        return math.prod(int(factor) for factor in vae["temporal_expansions"])
    return next((int(vae[key]) for key in ("temporal_compression_ratio", "scale_factor_temporal") if vae.get(key)), 1)


def _vae_scale(vae: Mapping[str, Any]) -> int:
    """How many pixels one place of the latents becomes, on a side."""
    for key in ("spatial_compression_ratio", "scale_factor_spatial"):
        if vae.get(key):
            return int(vae[key])
    blocks = vae.get("block_out_channels") or vae.get("encoder_block_out_channels") or [0] * 4
    return int(2 ** (len(blocks) - 1))


def _bare(found: Any) -> Any:
    """Make the pipeline without any component, which still sets its default size; None where that fails."""
    parts = [name for name in inspect.signature(found.__init__).parameters if name not in ("self", "args", "kwargs")]
    defaults = inspect.signature(found.__init__).parameters
    with suppress(AttributeError, TypeError, ValueError):  # it asks a component for its config
        return found(**{name: None for name in parts if defaults[name].default is inspect.Parameter.empty})
    return None


def _dtype(source: Source, denoiser: str) -> str:
    """Give the dtype in which most weights of the denoiser are stored."""
    here = sorted((source.files / denoiser).glob("*.safetensors")) if source.files is not None else []
    counts: Counter[str] = Counter()
    if weights := [path for path in here if not _is_variant(path.name)]:
        counts.update(_header_dtypes(weights[0]))
    elif source.folder is None:
        counts = _hub_dtypes(source, denoiser)
    common = counts.most_common(1)
    return _DTYPE_OF_SAFETENSORS.get(common[0][0], "float32") if common else "float32"


def _is_variant(file: str) -> bool:
    """Whether weights are a second copy in another dtype, such as 'diffusion_pytorch_model.fp16.safetensors'."""
    return "." in file.rsplit("/", 1)[-1].removesuffix(".safetensors")


def _header_dtypes(path: Path) -> list[str]:
    with path.open("rb") as file, suppress(ValueError, TypeError, KeyError, AttributeError, struct.error):
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(min(length, 50_000_000)))
        return [entry["dtype"] for name, entry in header.items() if name != "__metadata__"]
    return []


def _hub_dtypes(source: Source, denoiser: str) -> Counter[str]:
    from huggingface_hub import HfApi, parse_safetensors_file_metadata

    try:
        files = HfApi().list_repo_files(source.text, revision=source.commit)
        stored = sorted(f for f in files if f.startswith(f"{denoiser}/") and f.endswith(".safetensors"))
        if not (weights := [file for file in stored if not _is_variant(file)]):
            return Counter()
        metadata = parse_safetensors_file_metadata(source.text, weights[0], revision=source.commit)
    except connection_errors() as error:
        raise MissingExtraError(unreachable(source.text, source.owner, error)) from error
    return Counter({str(dtype): count for dtype, count in metadata.parameter_count.items()})
