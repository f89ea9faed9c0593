"""From files to a pipeline on a device: the whole of it, its text half, or the half that draws."""

from __future__ import annotations

import inspect
import warnings
from typing import Any, Literal

from copycat.errors import DataError, UnsupportedError
from copycat.models.capabilities import DENOISERS, pipeline_class
from copycat.models.hub import INDEX, Source
from copycat.models.row import ModelRow
from copycat.models.texts import is_text_part
from copycat.paths import shown
from copycat.schema import Sampling

SLICED_FROM_PIXELS = 512 * 512
"""From this size on, the pictures of a batch are decoded one after the other, which bounds memory and costs no time."""

Half = Literal["all", "texts", "drawing"]
LIGHT_PARTS = ("scheduler", "tokenizer", "feature_extractor", "processor", "image_noising_scheduler")
"""Components without weights, which both halves have."""


def load_pipeline(source: Source, row: ModelRow, sampling: Sampling, device: str, half: Half = "all") -> Any:
    """Load a pipeline of diffusers, safetensors only, at the commit that the source names.

    Args:
        half: "texts" leaves out all that draws, "drawing" all text encoders.

    Raises:
        DataError: files are missing or damaged.
    """
    index = source.read_json(INDEX)
    parts = _left_out(index, half) | _parts(row, sampling, half)
    pipeline = _from_pretrained(source, index, row, sampling, parts)
    if half != "texts":
        _set_scheduler(pipeline, sampling)
        _set_vae(pipeline, sampling)
        _set_memory_format(pipeline)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.to(device)
    if sampling.compile and half != "texts":
        compile_regions(pipeline)
    return pipeline


def compile_regions(pipeline: Any) -> None:
    """Compile the blocks that the denoiser repeats, which costs a tenth of the time of compiling all of it.

    Raises:
        UnsupportedError: the network names no repeated blocks.
    """
    network = next(getattr(pipeline, name) for name in DENOISERS if getattr(pipeline, name, None) is not None)
    whole = [name for name in getattr(network, "_no_split_modules", None) or () if name.endswith("Block")]
    repeated = {*(getattr(network, "_repeated_blocks", None) or whole), "BasicTransformerBlock"}
    blocks = [block for block in network.modules() if type(block).__name__ in repeated]
    if not blocks:
        raise UnsupportedError(
            f"{type(network).__name__} names no blocks that could be compiled one by one\n  leave out --compile"
        )
    for block in blocks:
        block.compile()


def silence_loading_bars() -> None:
    """Leave stderr to our own progress; downloads from the Hub keep their bars.

    What diffusers and transformers would warn of, texts cut off above all, is counted picture by picture.
    """
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.set_verbosity_error()
    warnings.filterwarnings("ignore", category=FutureWarning, module="diffusers")
    transformers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()


def _from_pretrained(
    source: Source, index: dict[str, Any], row: ModelRow, sampling: Sampling, parts: dict[str, Any]
) -> Any:
    from safetensors import SafetensorError

    found = pipeline_class(source, row.pipeline or str(index.get("_class_name")))
    settings: dict[str, Any] = {"dtype": _dtypes(sampling), "use_safetensors": True, **parts}
    if source.folder is None:
        settings |= {"revision": source.commit, "variant": row.variant}
    if "add_watermarker" in inspect.signature(found.__init__).parameters:
        settings["add_watermarker"] = False
    if sampling.safety_checker == "off":
        settings |= {"safety_checker": None, "requires_safety_checker": False}
    if index.get("watermarker"):
        settings["watermarker"] = None
    silence_loading_bars()
    try:
        return found.from_pretrained(source.location, **settings)
    except (OSError, ValueError, SafetensorError) as error:
        where = shown(source.folder) if source.folder else source.text
        raise DataError(
            [f"{where}: cannot be loaded ({error})"],
            "  needed: a whole diffusers folder with weights in .safetensors files; fetch it again",
        ) from error


def _left_out(index: dict[str, Any], half: Half) -> dict[str, None]:
    if half == "all":
        return {}
    weighty = [name for name, value in index.items() if isinstance(value, list) and value[0] and not _is_light(name)]
    keeps_texts = half == "texts"
    return {name: None for name in weighty if is_text_part(name) != keeps_texts}


def _is_light(name: str) -> bool:
    return name.startswith(LIGHT_PARTS)


def _parts(row: ModelRow, sampling: Sampling, half: Half) -> dict[str, Any]:
    """Load the components that have a repository of their own."""
    import diffusers

    if half == "texts":
        return dict.fromkeys(row.parts)
    dtype = _dtypes(sampling)
    return {
        name: diffusers.AutoModel.from_pretrained(
            repository, revision=Source(repository, row.name).commit, dtype=dtype, use_safetensors=True
        )
        for name, repository in row.parts.items()
    }


def _dtypes(sampling: Sampling) -> Any:
    import torch

    dtype = getattr(torch, sampling.dtype or "float32")
    return {"default": dtype, "vae": getattr(torch, sampling.vae_dtype)} if sampling.vae_dtype else dtype


def _set_scheduler(pipeline: Any, sampling: Sampling) -> None:
    import diffusers

    if sampling.scheduler and type(pipeline.scheduler).__name__ != sampling.scheduler:
        pipeline.scheduler = getattr(diffusers, sampling.scheduler).from_config(pipeline.scheduler.config)


def _set_memory_format(pipeline: Any) -> None:
    """Keep the channels of two-dimensional convolutions together in memory, which is faster on CPUs and GPUs alike."""
    import torch

    for name, kind in (("unet", "UNet2DConditionModel"), ("vae", "AutoencoderKL")):
        network: Any = getattr(pipeline, name, None)
        if type(network).__name__ == kind:
            network.to(memory_format=torch.channels_last)


def _set_vae(pipeline: Any, sampling: Sampling) -> None:
    vae: Any = getattr(pipeline, "vae", None)
    if sampling.vae_tiling:
        vae.enable_tiling()
    if sampling.width_px * sampling.height_px >= SLICED_FROM_PIXELS and hasattr(vae, "enable_slicing"):
        vae.enable_slicing()
