"""The facts about an installation, and what is found out from them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from copycat.runs.machine import Device
from copycat.schema import Record

Mark = Literal["ok", "warning", "missing", "-"]
"""'-' is not there and not needed, or only for something else."""


class Package(Record):
    """One requirement of copycat. `extra` is '' where everything needs it; `fault` says why it cannot be imported."""

    name: str
    needed: str
    found: str | None
    extra: str = ""
    fault: str | None = None


class Disk(Record):
    """The disk below a folder."""

    purpose: str
    folder: str
    free_gib: float
    is_writable: bool


class Hub(Record):
    """Whether the Hugging Face Hub answers; `fault` says why not."""

    is_asked: bool
    host: str = ""
    fault: str | None = None


class ServiceFacts(Record):
    """What a service says of its models: those with an announced end, as ISO dates."""

    is_asked: bool
    host: str = ""
    fault: str | None = None
    n_models: int = 0
    shutdowns: dict[str, str] = Field(default_factory=dict)


class Weights(Record):
    """One folder of shipped weights. `fingerprint` is None where they cannot be read, and `fault` says why."""

    name: str
    fingerprint: str | None
    is_as_shipped: bool
    fault: str | None = None


class RunState(Record):
    """A run folder that is not finished."""

    folder: str
    n_made: int
    fault: str | None = None


class Facts(Record):
    """Everything that was looked at."""

    copycat: str
    python: str
    system: str
    packages: tuple[Package, ...]
    torch_cuda: str | None
    has_nvidia_gpu: bool
    devices: tuple[Device, ...]
    disks: tuple[Disk, ...]
    keys: dict[str, bool]
    hub: Hub
    service: ServiceFacts
    weights: tuple[Weights, ...]
    data_fault: str | None
    unfinished: tuple[RunState, ...]


class Finding(Record):
    """One line: what was found, and what to type about it. `is_needed`: the sandbox's main job fails without it."""

    section: str
    mark: Mark
    text: str
    fix: str = ""
    is_needed: bool = False
