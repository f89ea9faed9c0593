from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from copycat.doctor.weights import FILES, check_weights
from copycat.paths import package_folder

SHIPPED = package_folder("sandbox/weights")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    shutil.copytree(SHIPPED, tmp_path / "weights")
    return tmp_path / "weights"


def fault_of(folder: Path, name: str) -> str | None:
    return next(found.fault for found in check_weights(folder) if found.name == name)


def test_the_shipped_weights_have_the_fingerprints_that_the_doctor_knows() -> None:
    found = {weights.name: weights.fingerprint for weights in check_weights()}
    assert all(weights.is_as_shipped for weights in check_weights()), (
        f"put these into copycat/doctor/weights.py: {found}"
    )


def test_every_file_that_the_doctor_asks_for_ships() -> None:
    assert [name for folder, names in FILES.items() for name in names if not (SHIPPED / folder / name).is_file()] == []


def test_weights_that_were_cut_off_are_told(weights: Path) -> None:
    path = weights / "pipeline" / "unet" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    assert fault_of(weights, "pipeline") == f"{path.name} is cut off, or not a safetensors file"
    path.write_bytes(b"no weights")
    assert fault_of(weights, "pipeline") == f"{path.name} cannot be read"


def test_a_missing_file_or_folder_is_told(weights: Path) -> None:
    (weights / "judge" / "judge.json").unlink()
    shutil.rmtree(weights / "oracle")
    assert fault_of(weights, "judge") == "judge.json is not there"
    assert "no weights in" in str(fault_of(weights, "oracle"))


def test_other_weights_of_the_right_form_have_no_fault(weights: Path) -> None:
    path = weights / "oracle" / "oracle.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    (found,) = [found for found in check_weights(weights) if found.name == "oracle"]
    assert (found.is_as_shipped, found.fault) == (False, None)
