"""What a run was made with, recorded and never guessed at afterwards."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from copycat.errors import UnknownNameError, UnsupportedError

PACKAGES = ("copycat", "torch", "diffusers", "transformers", "open_clip_torch", "safetensors", "pillow", "numpy")


def describe_environment(device: str) -> dict[str, str]:
    """List versions and the machine, without any path or user name."""
    facts = {package: _version(package) for package in PACKAGES}
    facts |= {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()}
    facts["device"] = _device_name(device)
    return dict(sorted(facts.items()))  # as run.json gives them back, so that the report stays the same


def pick_device(asked_for: str | None) -> str:
    """Give the device to run on: the one asked for, else CUDA, else Apple's MPS, else the CPU.

    Raises:
        UnknownNameError: there is no such kind of device.
        UnsupportedError: this machine has none of the kind, or fewer than asked for.
    """
    if asked_for == "cpu":
        return asked_for
    import torch

    here = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available()), "cpu": 1}
    if not asked_for:
        return next(kind for kind, count in here.items() if count)
    kind, _, index = asked_for.partition(":")
    if kind not in here or not (index.isdecimal() or kind == asked_for):
        raise UnknownNameError("device", asked_for, here)
    if int(index or 0) >= here[kind]:
        found = ", ".join(f"{kind} ({count})" if count > 1 else kind for kind, count in here.items() if count)
        raise UnsupportedError(f"device '{asked_for}' is not on this machine\n  found: {found}\n  use --device cpu")
    return asked_for


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
