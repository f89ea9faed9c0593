"""Look at this machine and this installation. Nothing is changed, and nothing that is missing raises an error."""

from __future__ import annotations

import importlib
import os
import platform
import re
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from copycat.doctor.network import ask_hub, ask_service, within
from copycat.doctor.records import Disk, Facts, Hub, Package, RunState, ServiceFacts
from copycat.doctor.weights import check_weights
from copycat.errors import CopycatError
from copycat.models import MODELS
from copycat.runs.environment import PACKAGES
from copycat.runs.folder import RunFolder
from copycat.runs.machine import GIB, existing, free_bytes, list_devices

IMPORTED = {"torch": "torch", "diffusers": "diffusers", "transformers": "transformers", "open-clip-torch": "open_clip"}
"""Packages that are imported to see whether they fit together, and the module of each."""

LOADED_LATE = {"diffusers": "StableDiffusionPipeline", "transformers": "CLIPTextModel"}
"""Packages that import their parts on first use, and the part that the sandbox uses."""

SERVICE_KEYS = ("OPENAI_API_KEY", "OPENAI_BASE_URL")
OTHER_KEYS = ("HF_TOKEN", "RAY_ADDRESS")
NVIDIA = Path("/proc/driver/nvidia/version")
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*([^;]*?)\s*(?:;\s*extra\s*==\s*['\"]([^'\"]+)['\"])?$")


def gather(out: Path, *, is_offline: bool) -> Facts:
    """Look at everything. Asks the network for at most a few seconds, while the packages are imported."""
    _import_clients()
    asks_service = not is_offline and any(os.environ.get(name, "").strip() for name in SERVICE_KEYS)
    hub = within(ask_hub, lambda why: Hub(is_asked=True, fault=why)) if not is_offline else None
    service = within(ask_service, lambda why: ServiceFacts(is_asked=True, fault=why)) if asks_service else None
    packages = tuple(list_packages())
    return Facts(
        copycat=_version("copycat") or "not installed",
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        packages=packages,
        torch_cuda=_torch_cuda(),
        has_nvidia_gpu=NVIDIA.exists(),
        devices=list_devices(),
        disks=tuple(list_disks(out)),
        keys=present_keys(),
        hub=hub() if hub else Hub(is_asked=False),
        service=service() if service else ServiceFacts(is_asked=False),
        weights=check_weights(),
        data_fault=_data_fault(),
        unfinished=tuple(list_unfinished(out)),
    )


def list_packages() -> Iterator[Package]:
    """List what copycat's own metadata ask for, but for the tools of development."""
    try:
        asked = requires("copycat") or []
    except PackageNotFoundError:  # run from a checkout that nobody has installed
        asked = [name for name in PACKAGES if name != "copycat"]
    for text in asked:
        match = REQUIREMENT.match(text)
        if match and match[3] != "dev":
            name, found = match[1].lower().replace("_", "-"), _version(match[1])
            fault = import_fault(name) if found else None
            yield Package(name=name, needed=match[2], found=found, extra=match[3] or "", fault=fault)


def import_fault(package: str) -> str | None:
    """Say why a package cannot be imported; None if it can, or if it is none of those that are tried."""
    if package not in IMPORTED:
        return None
    try:
        module = importlib.import_module(IMPORTED[package])
        if package in LOADED_LATE:
            getattr(module, LOADED_LATE[package])
    except Exception as error:  # noqa: BLE001 - a broken installation raises anything
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"[:200]
    return None


def list_disks(out: Path) -> Iterator[Disk]:
    """Look at the disks of run folders and of fetched models."""
    yield _disk("run folders", out)
    with suppress(ImportError):
        from huggingface_hub.constants import HF_HUB_CACHE

        yield _disk("models of the Hub", Path(HF_HUB_CACHE))


def present_keys() -> dict[str, bool]:
    """Say which environment variables are set; reads no value but to see that it is not empty."""
    of_rows = (row.key_variable for row in MODELS.rows() if row.is_service)
    names = dict.fromkeys([*OTHER_KEYS, *SERVICE_KEYS, *of_rows])
    found = {name: bool(os.environ.get(name, "").strip()) for name in names}
    with suppress(ImportError):
        from huggingface_hub import get_token

        found["HF_TOKEN"] = found["HF_TOKEN"] or bool(get_token())  # what `hf auth login` has stored
    return found


def list_unfinished(out: Path) -> Iterator[RunState]:
    """Find the run folders that were begun and not finished."""
    for path in sorted(out.glob("*/run.json")):
        folder = RunFolder(path.parent)
        try:
            if folder.read_run().status != "finished":
                samples = [*folder.read_samples(), *folder.read_other_samples()]
                made = {sample.key for sample in samples if sample.status != "failed"}
                yield RunState(folder=str(folder.path), n_made=len(made))
        except CopycatError as error:
            yield RunState(folder=str(folder.path), n_made=0, fault=str(error).splitlines()[0])


def _import_clients() -> None:
    """Import what two threads are about to use, so that none of them sees the other's half an import."""
    for module in ("huggingface_hub.utils", "huggingface_hub.constants", "openai"):
        with suppress(ImportError):
            importlib.import_module(module)


def _disk(purpose: str, folder: Path) -> Disk:
    free = round(free_bytes(folder) / GIB, 1)
    is_writable = os.access(existing(folder), os.W_OK)
    return Disk(purpose=purpose, folder=str(folder), free_gib=free, is_writable=is_writable)


def _torch_cuda() -> str | None:
    """Give the version of CUDA that torch was built for; None for a build without, or without torch."""
    try:
        import torch
    except Exception:  # noqa: BLE001 - told among the packages
        return None
    return torch.version.cuda


def _data_fault() -> str | None:
    from copycat.catalog import prompt_set_of, read_character_set

    try:
        prompt_set_of(read_character_set("sandbox"))
    except CopycatError as error:
        return str(error).splitlines()[0]
    return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
