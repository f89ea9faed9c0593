"""Whether the shipped weights are there and whole."""

from __future__ import annotations

import json
from pathlib import Path

from copycat.doctor.records import Weights
from copycat.errors import CopycatError
from copycat.models.fingerprint import fingerprint
from copycat.paths import package_folder

SHIPPED = {
    "pipeline": "55f5ceb8bdd93db744a2d5c1659408daecf3fc46",
    "judge": "6231bb81d355c5150f3fa1e45fb0727c01223f65",
    "oracle": "5e4091a6ebdbb5654eed7be9d5eb1f3b548d15f9",
}
"""Folders of sandbox/weights and their fingerprints. New weights need new ones: a test says which."""

FILES = {
    "pipeline": (
        "model_index.json",
        "scheduler/scheduler_config.json",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "tokenizer/tokenizer_config.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    ),
    "judge": ("judge.json", "open_clip_config.json", "open_clip_model.safetensors"),
    "oracle": ("oracle.safetensors",),
}

NEEDED = ("pipeline", "judge")
"""What the main job loads; the oracle is for `python -m copycat.sandbox card`."""


def check_weights(folder: Path | None = None) -> tuple[Weights, ...]:
    """Look at every folder of weights."""
    root = folder or package_folder("sandbox/weights")
    return tuple(_check(root / name, shipped) for name, shipped in SHIPPED.items())


def _check(folder: Path, shipped: str) -> Weights:
    try:
        found = fingerprint(folder)
    except (CopycatError, OSError) as error:
        return Weights(name=folder.name, fingerprint=None, is_as_shipped=False, fault=str(error).splitlines()[0])
    faults = [] if found == shipped else [fault for name in FILES[folder.name] if (fault := file_fault(folder / name))]
    fault = faults[0] if faults else None
    return Weights(name=folder.name, fingerprint=found, is_as_shipped=found == shipped, fault=fault)


def file_fault(path: Path) -> str | None:
    """Say what is wrong with the form of a JSON or safetensors file; None if nothing is."""
    if not path.is_file():
        return f"{path.name} is not there"
    try:
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".safetensors" and path.stat().st_size != _stated_size(path):
            return f"{path.name} is cut off, or not a safetensors file"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"{path.name} cannot be read"
    return None


def _stated_size(path: Path) -> int:
    """Give the size that the header of a safetensors file states. Unit: bytes."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(min(length, 100_000_000)))
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    return 8 + length + max(ends, default=0)
