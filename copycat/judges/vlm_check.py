"""Refuse a vision-language model before anything is drawn: no such class, no weights, too large for this machine."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from copycat.errors import DataError, MissingExtraError, UserError
from copycat.models.hub import CONFIG, Source, connection_errors, read_json_object, unreachable
from copycat.paths import shown

GIB = 2**30
MOST_GIB_WITHOUT_GPU = 12
"""Above this, a CPU would answer in minutes per picture, and many machines have no more memory."""

ROOM_GIB = 2
"""Beside the weights: one picture's activations and cache, and what the device's own library takes."""

KNOWN_PARAMETERS = {
    "Qwen/Qwen3-VL-8B-Instruct": 8_767_123_696,
    "Qwen/Qwen3-VL-4B-Instruct": 4_437_815_808,
    "Qwen/Qwen3-VL-2B-Instruct": 2_127_532_032,
}
"""Models that are proposed where another does not fit, the best first; parameters counted from their configs."""

BYTES_OF_DTYPE = {"float32": 4, "bfloat16": 2, "float16": 2}
_FLOATS = ("F64", "F32", "F16", "BF16")
_BYTES_STORED = {"I64": 8, "U64": 8, "I32": 4, "U32": 4, "I16": 2, "U16": 2}
WEIGHTS = "model.safetensors"
WEIGHTS_INDEX = f"{WEIGHTS}.index.json"
MAX_HEADER_BYTES = 100_000_000


def require_class(source: Source) -> None:
    """Refuse what is no vision-language model of transformers.

    Raises:
        MissingExtraError: the repository cannot be read.
        DataError: no config.json, or of a kind that transformers has no class for.
    """
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES as CLASSES

    config = source.read_json(CONFIG)
    where = shown(source.folder / CONFIG) if source.folder else f"{source.text}/{CONFIG}"
    kind = config.get("model_type")
    if kind in CLASSES:
        return
    if kind is None:
        why = f"{where}: not there, or without a model_type: no model of transformers"
    elif "auto_map" in config:
        why = f"{where}: '{kind}' needs code of its own, which is never run"
    elif kind in transformers.CONFIG_MAPPING:
        why = f"{where}: '{kind}' is no vision-language model"
    else:
        why = f"{where}: transformers {transformers.__version__} has no class for '{kind}'; a newer one may"
    fix = "  needed: a model that answers questions about pictures, such as --judge vlm:Qwen/Qwen3-VL-8B-Instruct"
    raise DataError([f"judge '{source.owner}': {why}"], fix)


def require_room(source: Source, device: str, dtype: str) -> None:
    """Refuse weights that are not there, or that this machine has no room for; unknown sizes pass.

    Raises:
        DataError: no weights in safetensors.
        MissingExtraError: the weights are not here and the Hub cannot be reached.
        UserError: too large; the text says what to do.
    """
    stored = stored_parameters(source)
    if not stored and source.text in KNOWN_PARAMETERS:
        stored = {"BF16": KNOWN_PARAMETERS[source.text]}
    needed_gib, room_gib = weights_gib(stored, dtype), device_gib(device)
    if device == "cpu":
        fits = needed_gib <= MOST_GIB_WITHOUT_GPU
        here = f"more than the {MOST_GIB_WITHOUT_GPU} GiB with which a CPU is of use"
    else:
        fits = room_gib is None or needed_gib + ROOM_GIB <= room_gib
        here = f"and {ROOM_GIB} GiB more to work in, and {device} has {room_gib or 0:.0f} GiB"
    if not fits:
        billions = sum(stored.values()) / 1e9
        why = f"its {billions:.1f} billion parameters take {needed_gib:.0f} GiB as {dtype}, {here}"
        raise UserError(_too_large(source, device, dtype, why))


def stored_parameters(source: Source) -> dict[str, int]:
    """Count the stored parameters by safetensors dtype, from what is here or from what the Hub tells; empty: unknown.

    Raises:
        DataError, MissingExtraError: as `require_room`.
    """
    folder = source.files
    here = weight_files(folder) if folder is not None else []
    if here and all(path.is_file() for path in here):
        counts: Counter[str] = Counter()
        for path in here:
            counts.update(header_counts(path))
        return dict(counts)
    if source.folder is not None:
        raise _no_safetensors(source)
    return _told_by_the_hub(source)


def weight_files(folder: Path) -> list[Path]:
    """Name the files that the weights are loaded from, there or not: one, or those of the index."""
    index = read_json_object(folder / WEIGHTS_INDEX).get("weight_map")
    if isinstance(index, dict):
        return [folder / str(name) for name in sorted(set(index.values()))]
    return [folder / WEIGHTS]


def header_counts(path: Path) -> Counter[str]:
    """Count the parameters of one safetensors file by dtype, from its header; empty if it is damaged."""
    counts: Counter[str] = Counter()
    with path.open("rb") as file, suppress(ValueError, TypeError, KeyError, AttributeError):
        length = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(min(length, MAX_HEADER_BYTES)))
        for name, entry in header.items():
            if name != "__metadata__":
                counts[str(entry["dtype"])] += math.prod(entry["shape"])
    return counts


def weights_gib(stored: Mapping[str, int], dtype: str) -> float:
    """Give the memory of weights in GiB: floats in the dtype they are used in, quantised ones as they are stored."""
    used = BYTES_OF_DTYPE[dtype]
    return sum(n * (used if kind in _FLOATS else _BYTES_STORED.get(kind, 1)) for kind, n in stored.items()) / GIB


def device_gib(device: str) -> float | None:
    """Give a device's whole memory in GiB; None for a CPU."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.get_device_properties(device).total_memory / GIB
    return torch.mps.recommended_max_memory() / GIB if device.startswith("mps") else None


def _told_by_the_hub(source: Source) -> dict[str, int]:
    from huggingface_hub import HfApi

    try:
        told = HfApi().model_info(source.text, revision=source.commit, timeout=10)
    except connection_errors() as error:
        raise MissingExtraError(unreachable(source.text, source.owner, error, source.use)) from error
    names = {file.rfilename for file in told.siblings or ()}
    if names and not names & {WEIGHTS, WEIGHTS_INDEX}:
        raise _no_safetensors(source)
    return dict(told.safetensors.parameters) if told.safetensors else {}


def _no_safetensors(source: Source) -> DataError:
    where = shown(source.folder) if source.folder else source.text
    return DataError(
        [f"judge '{source.owner}': {where}: no weights in {WEIGHTS}, or not all files that {WEIGHTS_INDEX} names"],
        "  needed: a whole repository with weights in .safetensors files; no others are read",
    )


def _too_large(source: Source, device: str, dtype: str, why: str) -> str:
    model = source.text if source.folder is None else str(source.folder)
    room_gib = device_gib(device)
    most_gib = MOST_GIB_WITHOUT_GPU if room_gib is None else room_gib - ROOM_GIB
    smaller = next((name for name, n in KNOWN_PARAMETERS.items() if weights_gib({"BF16": n}, dtype) <= most_gib), None)
    return "\n".join(
        [
            f"judge '{source.owner}' is too large for this machine: {why}",
            f"  serve it where it fits: vllm serve {model}",
            f"    then here: export OPENAI_BASE_URL=http://HOST:8000/v1, and --judge openai:{model}",
            *([f"  or a smaller one, which knows fewer characters: --judge vlm:{smaller}"] if smaller else []),
            "  or draw now with --judge none; the same command with a judge judges the pictures later, elsewhere",
        ]
    )
