"""What a run was made with, recorded and never guessed at afterwards."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("copycat", "torch", "diffusers", "transformers", "open_clip_torch", "safetensors", "pillow", "numpy")


def describe_environment(device: str) -> dict[str, str]:
    """List versions and the machine, without any path or user name."""
    facts = {package: _version(package) for package in PACKAGES}
    facts |= {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()}
    facts["device"] = _device_name(device)
    return facts


def pick_device(asked_for: str | None) -> str:
    """Give the device to run on: the one asked for, else CUDA, else Apple's MPS, else the CPU."""
    import torch

    if asked_for:
        return asked_for
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _device_name(device: str) -> str:
    if device.startswith("cuda"):
        import torch

        return f"{device}: {torch.cuda.get_device_name(device)}"
    return device


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
