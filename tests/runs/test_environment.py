"""Where a run is made, and what is recorded of it."""

from __future__ import annotations

import getpass
import subprocess
import sys
from pathlib import Path

import pytest
from harness import PYTHONPATH

from copycat.errors import UnknownNameError, UnsupportedError
from copycat.runs.environment import describe_environment, pick_device


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with two CUDA devices and without MPS."""
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    return monkeypatch


@pytest.mark.parametrize(
    ("asked_for", "device"), [(None, "cuda"), ("cpu", "cpu"), ("cuda", "cuda"), ("cuda:1", "cuda:1")]
)
def test_a_device_that_is_there_is_taken(machine: pytest.MonkeyPatch, asked_for: str | None, device: str) -> None:
    assert pick_device(asked_for) == device


@pytest.mark.parametrize(("has_mps", "device"), [(True, "mps"), (False, "cpu")])
def test_without_cuda_the_next_best_device_is_taken(machine: pytest.MonkeyPatch, has_mps: bool, device: str) -> None:
    machine.setattr("torch.cuda.device_count", lambda: 0)
    machine.setattr("torch.backends.mps.is_available", lambda: has_mps)
    assert pick_device(None) == device


@pytest.mark.parametrize("asked_for", ["mps", "cuda:2"])
def test_a_device_that_is_not_there_is_refused(machine: pytest.MonkeyPatch, asked_for: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        pick_device(asked_for)
    assert str(caught.value) == (
        f"device '{asked_for}' is not on this machine\n  found: cuda (2), cpu\n  use --device cpu"
    )


@pytest.mark.parametrize("asked_for", ["gpu", "cuda:first", "cuda:", "CUDA", "meta"])
def test_a_device_of_no_known_kind_is_refused(machine: pytest.MonkeyPatch, asked_for: str) -> None:
    with pytest.raises(UnknownNameError, match=f"unknown device '{asked_for}'"):
        pick_device(asked_for)


def test_asking_for_the_cpu_does_not_import_torch() -> None:
    script = "import sys; from copycat.runs.environment import pick_device as pick; pick('cpu')"
    script += "; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": PYTHONPATH}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_what_is_recorded_holds_versions_and_no_path_or_user() -> None:
    import torch

    facts = describe_environment("cpu")
    assert facts["torch"] == torch.__version__.partition("+")[0]
    assert facts["device"] == "cpu"
    assert list(facts) == sorted(facts)
    text = " ".join(facts.values())
    assert str(Path.home()) not in text
    assert getpass.getuser() not in text.split()


def test_a_package_that_is_not_there_is_recorded_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copycat.runs.environment.PACKAGES", ("no-such-package",))
    assert describe_environment("cpu")["no-such-package"] == "not installed"
