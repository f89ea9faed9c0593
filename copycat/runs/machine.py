"""What this machine has to draw with, and which models fit into it. Only `list_devices` asks a library."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from copycat.models import SANDBOX, ModelRow
from copycat.schema import Record

GIB = 2**30
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
"""Where a container says how much of the machine's memory is its own."""

Fit = Literal["fits", "slow", "too large", "unknown"]


class Device(Record):
    """Something to draw with. `kind` is 'cuda', 'mps' or 'cpu'; `label` is what --device takes."""

    kind: str
    label: str
    name: str
    total_gib: float | None = None
    free_gib: float | None = None


def list_devices() -> tuple[Device, ...]:
    """List the devices, the best first and the CPU last; without torch the CPU alone."""
    memory = ram_gib()
    cpu = Device(kind="cpu", label="cpu", name=f"{n_cores()} cores, {platform.machine()}", total_gib=memory)
    try:
        import torch
    except (ImportError, OSError):  # OSError: a library that it needs is missing
        return (cpu,)
    found = [_cuda_device(index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        usable = round(torch.mps.recommended_max_memory() / GIB, 1)
        found.append(Device(kind="mps", label="mps", name="Apple GPU, shares the main memory", total_gib=usable))
    return (*found, cpu)


def fit_of(row: ModelRow, devices: Sequence[Device]) -> Fit:
    """Say whether a model fits into the largest GPU, only slowly into Apple's GPU or main memory, or nowhere."""
    if row.name == SANDBOX:
        return "fits"
    if row.memory_gib is None:
        return "unknown"
    kinds = {device.kind for device in devices if (device.total_gib or 0) >= needed_gib(row, device.kind)}
    if "cuda" in kinds:
        return "fits"
    return "slow" if kinds else "too large"


def needed_gib(row: ModelRow, kind: str) -> float:
    """Give the memory for one picture; on a CPU the default is float32, twice the size of half precision.

    Unit: GiB, 0 where the row does not say it.
    """
    is_half = row.sampling.dtype in ("float16", "bfloat16")
    return (row.memory_gib or 0.0) * (2 if kind == "cpu" and is_half else 1)


def n_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ram_gib(limit: Path = CGROUP_LIMIT) -> float | None:
    """Give the main memory, or the container's share of it; None where the system does not say."""
    found = []
    with suppress(OSError, ValueError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):
        found.append(int(limit.read_text(encoding="ascii")))
    return round(min(found) / GIB, 1) if found else None


def free_bytes(path: Path) -> int:
    """Give the free space where a folder is, or where it would be made."""
    return shutil.disk_usage(existing(path)).free


def existing(path: Path) -> Path:
    """Give the path, or the nearest folder above it that is there."""
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _cuda_device(index: int) -> Device:
    import torch

    found = torch.cuda.get_device_properties(index)
    free = None
    with suppress(RuntimeError):  # as when somebody else holds all of its memory
        free = round(torch.cuda.mem_get_info(index)[0] / GIB, 1)
    total = round(found.total_memory / GIB, 1)
    return Device(kind="cuda", label=f"cuda:{index}", name=found.name, total_gib=total, free_gib=free)
