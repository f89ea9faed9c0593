from __future__ import annotations

from pathlib import Path

import pytest

from copycat.models import MODELS, SANDBOX
from copycat.runs.machine import Device, existing, fit_of, free_bytes, list_devices, needed_gib, ram_gib

SDXL = MODELS.get("sdxl").model_copy(update={"memory_gib": 7.0})


def device(kind: str, total_gib: float | None) -> Device:
    return Device(kind=kind, label=kind, name=kind, total_gib=total_gib)


@pytest.mark.parametrize(
    ("devices", "fit"),
    [
        ([device("cuda", 8), device("cpu", 4)], "fits"),
        ([device("cuda", 6), device("cpu", 16)], "slow"),
        ([device("mps", 8), device("cpu", 8)], "slow"),
        ([device("cpu", 14)], "slow"),
        ([device("cpu", 13.9)], "too large"),
        ([device("cpu", None)], "too large"),
    ],
)
def test_a_model_fits_into_a_gpu_or_slowly_elsewhere_or_nowhere(devices: list[Device], fit: str) -> None:
    assert fit_of(SDXL, devices) == fit


def test_a_model_of_unknown_size_is_not_guessed_at() -> None:
    assert fit_of(SDXL.model_copy(update={"memory_gib": None}), [device("cuda", 80)]) == "unknown"


def test_the_sandbox_fits_everywhere() -> None:
    assert fit_of(MODELS.get(SANDBOX), [device("cpu", 1)]) == "fits"


def test_half_precision_takes_twice_the_memory_on_a_cpu() -> None:
    assert (needed_gib(SDXL, "cuda"), needed_gib(SDXL, "mps"), needed_gib(SDXL, "cpu")) == (7, 7, 14)


def test_a_container_has_less_memory_than_its_machine(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text(f"{2**29}\n")
    assert ram_gib(limit) == 0.5
    limit.write_text("max\n")
    assert (ram_gib(limit) or 0) > 0.5


def test_the_cpu_is_always_there_and_last() -> None:
    assert list_devices()[-1].kind == "cpu"


def test_free_space_is_that_of_the_folder_that_would_hold_a_new_one(tmp_path: Path) -> None:
    assert existing(tmp_path / "not" / "yet") == tmp_path
    assert free_bytes(tmp_path / "not" / "yet") > 0
