"""From facts, made up here, to findings."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from copycat.doctor.findings import can_run_sandbox, find_all, is_new_enough, to_do
from copycat.doctor.records import Disk, Facts, Finding, Hub, Package, RunState, ServiceFacts, Weights
from copycat.models import MODELS
from copycat.runs.machine import Device

TODAY = datetime.date(2026, 11, 24)
CPU = Device(kind="cpu", label="cpu", name="2 cores", total_gib=16)
GPU = Device(kind="cuda", label="cuda:0", name="NVIDIA H100", total_gib=79.2, free_gib=70)
TORCH = Package(name="torch", needed=">=2.6", found="2.14.1")
ROWS = MODELS.rows()

FINE: dict[str, Any] = {
    "copycat": "0.1.0",
    "python": "3.12.1",
    "system": "Linux x86_64",
    "packages": (TORCH,),
    "torch_cuda": "13.0",
    "has_nvidia_gpu": True,
    "devices": (GPU, CPU),
    "disks": (
        Disk(purpose="run folders", folder="runs", free_gib=50, is_writable=True),
        Disk(purpose="models of the Hub", folder="/cache", free_gib=50, is_writable=True),
    ),
    "keys": {"HF_TOKEN": True, "OPENAI_API_KEY": False},
    "hub": Hub(is_asked=True, host="huggingface.co"),
    "service": ServiceFacts(is_asked=False),
    "weights": tuple(
        Weights(name=n, fingerprint="ab" * 20, is_as_shipped=True) for n in ("pipeline", "judge", "oracle")
    ),
    "data_fault": None,
    "unfinished": (),
}


def findings(**changes: Any) -> list[Finding]:
    return find_all(Facts.model_validate(FINE | changes), ROWS, TODAY)


def texts(section: str, **changes: Any) -> list[str]:
    return [f"{f.mark} {f.text}" for f in findings(**changes) if f.section == section]


def weights(name: str, fault: str | None) -> tuple[Weights, ...]:
    return (Weights(name=name, fingerprint="cd" * 20, is_as_shipped=False, fault=fault),)


def test_a_good_installation_can_run_and_has_nothing_to_do() -> None:
    found = findings()
    assert can_run_sandbox(found)
    assert not to_do(found)
    assert {f.mark for f in found if f.section != "services that end"} == {"ok", "-"}


@pytest.mark.parametrize(
    ("package", "text"),
    [
        ({"found": None}, "torch is not there"),
        ({"found": "2.5.1"}, "torch 2.5.1 is too old, needed: >=2.6"),
        ({"fault": "ImportError: no libcuda"}, "torch 2.14.1 cannot be imported: ImportError: no libcuda"),
    ],
)
def test_a_package_that_is_needed_stops_the_main_job(package: dict[str, Any], text: str) -> None:
    (found,) = to_do(findings(packages=(TORCH.model_copy(update=package),)))
    assert (found.text, found.fix) == (text, "pip install 'torch>=2.6'")


def test_an_extra_that_is_missing_stops_nothing_and_says_how_to_get_it() -> None:
    found = findings(packages=(TORCH, Package(name="ray", needed=">=2.40", found=None, extra="ray")))
    (ray,) = [f for f in found if "ray" in f.text]
    assert (ray.mark, ray.text) == ("-", "ray is not there: only for --executor ray")
    assert ray.fix == "pip install 'ray>=2.40'"
    assert can_run_sandbox(found)


@pytest.mark.parametrize(
    ("needed", "found", "is_enough"),
    [(">=2.9", "2.10", True), (">=2.9", "2.9.0rc1", True), (">=3", "2.14.1+cu130", False), ("", "0.1", True)],
)
def test_versions_compare_by_their_numbers(needed: str, found: str, is_enough: bool) -> None:
    assert is_new_enough(Package(name="p", needed=needed, found=found)) is is_enough


def test_devices_are_named_with_their_memory() -> None:
    assert "ok cuda:0: NVIDIA H100, 79.2 GiB, 70 free" in texts("machine")


@pytest.mark.parametrize(("cuda", "why"), [(None, "is built without CUDA"), ("13.0", "(CUDA 13.0) finds none")])
def test_a_gpu_that_torch_cannot_use_is_warned_about(cuda: str | None, why: str) -> None:
    assert f"warning an NVIDIA GPU is here and torch {why}" in texts("machine", devices=(CPU,), torch_cuda=cuda)


@pytest.mark.parametrize(("free", "mark", "runs"), [(50, "ok", True), (0.5, "warning", True), (0.05, "missing", False)])
def test_little_room_for_runs_is_warned_about_and_none_stops_the_main_job(free: float, mark: str, runs: bool) -> None:
    disk = Disk(purpose="run folders", folder="runs", free_gib=free, is_writable=True)
    found = findings(disks=(disk,))
    assert [f.mark for f in found if f.section == "disk"] == [mark]
    assert can_run_sandbox(found) is runs


def test_a_cache_that_cannot_be_written_does_not_stop_the_sandbox() -> None:
    cache = Disk(purpose="models of the Hub", folder="/cache", free_gib=50, is_writable=False)
    found = findings(disks=(FINE["disks"][0], cache))
    assert [f.fix for f in found if f.mark == "missing"] == ["choose another folder: export HF_HOME=DIR"]
    assert can_run_sandbox(found)


def test_keys_are_told_by_name() -> None:
    told = texts("keys and addresses")
    assert told[0] == "ok HF_TOKEN is set: for gated and private models of the Hub"
    assert told[1].startswith("- OPENAI_API_KEY is not set")


@pytest.mark.parametrize(
    ("hub", "text"),
    [
        (Hub(is_asked=True, host="h"), "ok the Hugging Face Hub (h) answers"),
        (Hub(is_asked=False), "- the Hugging Face Hub was not asked"),
        (Hub(is_asked=True, host="h", fault="X"), "warning the Hugging Face Hub (h) cannot be reached: X"),
    ],
)
def test_the_hub_answers_or_not_or_was_not_asked(hub: Hub, text: str) -> None:
    assert texts("network", hub=hub) == [text]
    assert can_run_sandbox(findings(hub=hub))


def test_models_are_sorted_by_where_they_fit() -> None:
    on_gpu, on_cpu = texts("models by memory"), texts("models by memory", devices=(CPU,))
    assert on_gpu[0].startswith("ok fit: sandbox, ")
    assert "flux-dev" in on_gpu[0]
    assert on_cpu[0] == "ok fit: sandbox"
    assert on_cpu[1].startswith("- fit, and are slow")
    assert on_cpu[2].startswith("- too large for this machine: ")
    assert "flux-dev" in on_cpu[2]


def test_services_that_end_are_told_with_the_days_left() -> None:
    assert "warning gpt-image-1.5: 2026-12-01, 7 days left" in texts("services that end")


def test_the_word_of_the_service_goes_before_the_table() -> None:
    ends = {"gpt-image-1.5": "2027-01-01", "paint-image-1": "2026-11-01", "odd-image": "soon"}
    service = ServiceFacts(is_asked=True, host="h", n_models=3, shutdowns=ends)
    told = texts("services that end", service=service)
    assert "warning gpt-image-1.5: 2027-01-01, 38 days left (says the service)" in told
    assert "warning paint-image-1: shut down on 2026-11-01 (says the service)" in told
    assert "warning odd-image: announced for soon (says the service)" in told


def test_a_service_that_does_not_answer_is_told_and_stops_nothing() -> None:
    found = findings(service=ServiceFacts(is_asked=True, host="h", fault="no answer within 6 s"))
    assert "the service h does not list its models: no answer within 6 s" in [f.text for f in found]
    assert can_run_sandbox(found)


@pytest.mark.parametrize(
    ("name", "fault", "mark", "runs"),
    [
        ("pipeline", "model.safetensors is cut off", "missing", False),
        ("judge", "no weights", "missing", False),
        ("oracle", "no weights", "missing", True),
        ("pipeline", None, "warning", True),
    ],
)
def test_damaged_weights_stop_the_main_job_and_other_weights_do_not(
    name: str, fault: str | None, mark: str, runs: bool
) -> None:
    found = findings(weights=weights(name, fault))
    assert next(f.mark for f in found if f.section == "sandbox") == mark
    assert can_run_sandbox(found) is runs


def test_unreadable_data_stop_the_main_job() -> None:
    assert not can_run_sandbox(findings(data_fault="the data folder 'prompts' is missing"))


def test_the_first_unfinished_runs_are_named_and_the_others_counted() -> None:
    told = texts("unfinished runs", unfinished=[RunState(folder=f"runs/{i}", n_made=i) for i in range(7)])
    assert told[0] == "- runs/0: 0 pictures made"
    assert told[-2] == "- and 2 more"
    broken = (RunState(folder="runs/x", n_made=0, fault="run.json: cannot be read"),)
    assert texts("unfinished runs", unfinished=broken) == ["warning runs/x: run.json: cannot be read"]


def test_the_default_judge_is_told_to_fit_or_what_to_do_instead() -> None:
    (fits,) = texts("judges of real characters")
    assert fits.startswith("ok 'default' (vlm:")
    (lacks,) = [f for f in findings(devices=(CPU,)) if f.section == "judges of real characters"]
    assert (lacks.mark, lacks.is_needed) == ("-", False)
    assert "OPENAI_BASE_URL" in lacks.fix


def test_a_service_that_answers_can_judge() -> None:
    told = texts("judges of real characters", service=ServiceFacts(is_asked=True, host="127.0.0.1:8000"))
    assert told[1:] == ["ok 127.0.0.1:8000 answers: --judge openai:MODEL"]
