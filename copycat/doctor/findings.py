"""Pure: facts -> findings, section by section, and whether the sandbox's main job can run."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence

from copycat.doctor.records import Disk, Facts, Finding, Mark, Package, RunState, Weights
from copycat.doctor.weights import NEEDED
from copycat.judges.families import DEFAULT, DEFAULT_VLM
from copycat.models import ModelRow
from copycat.runs.machine import Fit, fit_of

SECTIONS = (
    "machine",
    "packages",
    "disk",
    "keys and addresses",
    "network",
    "sandbox",
    "judges of real characters",
    "models by memory",
    "services that end",
    "unfinished runs",
)
RUNS_GIB, CACHE_GIB = (0.1, 1.0), (0.0, 20.0)
"""Free space below which it is missing, and below which it is little: a run of the sandbox; a large model."""

USED_BY = {"ray": "--executor ray"}
KEY_PURPOSES = {
    "HF_TOKEN": "gated and private models of the Hub",
    "OPENAI_API_KEY": "models of OpenAI",
    "OPENAI_BASE_URL": "another service than OpenAI's",
    "RAY_ADDRESS": "a Ray cluster on other machines",
}
FIT_TITLES: dict[Fit, tuple[Mark, str]] = {
    "fits": ("ok", "fit"),
    "slow": ("-", "fit, and are slow: no NVIDIA GPU large enough"),
    "too large": ("-", "too large for this machine"),
    "unknown": ("-", "need a memory that nobody has published"),
}
MAX_RUNS = 5
DEFAULT_JUDGE_GIB = 20
"""8 billion parameters of two bytes, and room for pictures; cards sold with 24 GB have about 22."""


def find_all(facts: Facts, rows: Sequence[ModelRow], today: datetime.date) -> list[Finding]:
    """Judge all facts, in the order of SECTIONS."""
    found = [
        *_packages(facts),
        *_machine(facts),
        *_disks(facts),
        *_keys(facts),
        *_network(facts),
        *_sandbox(facts),
        *_judges(facts),
        *_fits(facts, rows),
        *_shutdowns(facts, rows, today),
        *_runs(facts.unfinished),
    ]
    return sorted(found, key=lambda finding: SECTIONS.index(finding.section))


def can_run_sandbox(findings: Sequence[Finding]) -> bool:
    """Whether nothing is missing that the main job on the sandbox needs."""
    return not to_do(findings)


def to_do(findings: Sequence[Finding]) -> list[Finding]:
    """Give what must be set right first."""
    return [finding for finding in findings if finding.is_needed and finding.mark == "missing"]


# ---------------------------------------------------------------------------------------- the sections


def _packages(facts: Facts) -> Iterator[Finding]:
    section = "packages"
    needed = [package for package in facts.packages if not package.extra]
    fine = [package for package in facts.packages if package.found and is_new_enough(package) and not package.fault]
    if fine:
        yield Finding(section=section, mark="ok", text=", ".join(f"{p.name} {p.found}" for p in fine))
    for package in needed:
        yield from _package_faults(package)
    for package in facts.packages:
        if package.extra and package not in fine:
            text = f"{package.name} is not there: only for {USED_BY.get(package.extra, package.extra)}"
            yield Finding(section=section, mark="-", text=text, fix=_install(package))


def _package_faults(package: Package) -> Iterator[Finding]:
    text = None
    if package.found is None:
        text = f"{package.name} is not there"
    elif not is_new_enough(package):
        text = f"{package.name} {package.found} is too old, needed: {package.needed}"
    elif package.fault:
        text = f"{package.name} {package.found} cannot be imported: {package.fault}"
    if text:
        yield Finding(section="packages", mark="missing", text=text, fix=_install(package), is_needed=True)


def is_new_enough(package: Package) -> bool:
    """Whether a version is at least the lower bound, by its leading numbers: 2.10 is newer than 2.9."""
    bound = re.search(r">=\s*([\d.]+)", package.needed)
    return not bound or not package.found or _numbers(package.found) >= _numbers(bound[1])


def _machine(facts: Facts) -> Iterator[Finding]:
    section = "machine"
    yield Finding(section=section, mark="ok", text=f"Python {facts.python} on {facts.system}, copycat {facts.copycat}")
    for device in facts.devices:
        memory = f", {device.total_gib:g} GiB" if device.total_gib else ""
        free = f", {device.free_gib:g} free" if device.free_gib is not None else ""
        yield Finding(section=section, mark="ok", text=f"{device.label}: {device.name}{memory}{free}")
    if any(device.kind != "cpu" for device in facts.devices):
        return
    if facts.has_nvidia_gpu:
        why = "is built without CUDA" if facts.torch_cuda is None else f"(CUDA {facts.torch_cuda}) finds none"
        text = f"an NVIDIA GPU is here and torch {why}"
        yield Finding(section=section, mark="warning", text=text, fix="see https://pytorch.org/get-started/locally/")
    else:
        yield Finding(section=section, mark="-", text="no GPU: the sandbox needs none, larger models are slow")


def _disks(facts: Facts) -> Iterator[Finding]:
    for position, disk in enumerate(facts.disks):
        is_runs = position == 0
        mark, fix = _disk_mark(disk, RUNS_GIB if is_runs else CACHE_GIB)
        other = "--out DIR" if is_runs else "export HF_HOME=DIR"
        text = f"{disk.purpose}: {disk.free_gib:g} GiB free in {disk.folder}"
        text = text if disk.is_writable else f"{disk.purpose}: {disk.folder} cannot be written"
        fix = f"{fix}choose another folder: {other}" if mark != "ok" else ""
        yield Finding(section="disk", mark=mark, text=text, fix=fix, is_needed=is_runs)


def _disk_mark(disk: Disk, bounds: tuple[float, float]) -> tuple[Mark, str]:
    least, little = bounds
    if not disk.is_writable:
        return "missing", ""
    return "missing" if disk.free_gib < least else "warning" if disk.free_gib < little else "ok", "free some space, or "


def _keys(facts: Facts) -> Iterator[Finding]:
    for name, is_set in facts.keys.items():
        purpose = KEY_PURPOSES.get(name, "a service of a plug-in")
        host = f", host {facts.service.host}" if name == "OPENAI_BASE_URL" and is_set and facts.service.host else ""
        text = f"{name} is {'set' if is_set else 'not set'}{host}: for {purpose}"
        yield Finding(section="keys and addresses", mark="ok" if is_set else "-", text=text)


def _network(facts: Facts) -> Iterator[Finding]:
    hub, service, section = facts.hub, facts.service, "network"
    where = f"the Hugging Face Hub{f' ({hub.host})' if hub.host else ''}"
    if not hub.is_asked:
        yield Finding(section=section, mark="-", text=f"{where} was not asked")
    elif hub.fault:
        fix = "models that are not on this disk cannot be fetched; the sandbox needs none"
        yield Finding(section=section, mark="warning", text=f"{where} cannot be reached: {hub.fault}", fix=fix)
    else:
        yield Finding(section=section, mark="ok", text=f"{where} answers")
    if service.fault:
        text = f"the service {service.host or 'of OPENAI_BASE_URL'} does not list its models: {service.fault}"
        yield Finding(section=section, mark="warning", text=text)
    elif service.is_asked:
        yield Finding(section=section, mark="ok", text=f"the service {service.host} lists {service.n_models} models")


def _sandbox(facts: Facts) -> Iterator[Finding]:
    section = "sandbox"
    whole = [weights for weights in facts.weights if weights.is_as_shipped]
    if whole:
        listed = ", ".join(f"{weights.name} {(weights.fingerprint or '')[:8]}" for weights in whole)
        yield Finding(section=section, mark="ok", text=f"weights as shipped: {listed}")
    for weights in facts.weights:
        if not weights.is_as_shipped:
            yield _other_weights(weights)
    if facts.data_fault:
        fix = "install copycat again"
        text = f"characters and prompts: {facts.data_fault}"
        yield Finding(section=section, mark="missing", text=text, fix=fix, is_needed=True)
    else:
        yield Finding(section=section, mark="ok", text="characters and prompts can be read")


def _other_weights(weights: Weights) -> Finding:
    is_needed = weights.name in NEEDED
    if weights.fault is None:
        text = f"{weights.name}: other weights than were shipped ({(weights.fingerprint or '')[:8]})"
        fix = "the figures of docs/sandbox.md are not theirs"
        return Finding(section="sandbox", mark="warning", text=text, fix=fix, is_needed=is_needed)
    fix = "install copycat again, or train them: python -m copycat.sandbox train --install"
    text = f"{weights.name}: {weights.fault}"
    return Finding(section="sandbox", mark="missing", text=text, fix=fix, is_needed=is_needed)


def _judges(facts: Facts) -> Iterator[Finding]:
    """Say who can judge pictures of real characters here."""
    section = "judges of real characters"
    largest_gib = max((device.total_gib or 0.0 for device in facts.devices if device.kind != "cpu"), default=0.0)
    if largest_gib >= DEFAULT_JUDGE_GIB:
        text = f"'{DEFAULT}' ({DEFAULT_VLM}) fits the GPU: leave --judge out"
        yield Finding(section=section, mark="ok", text=text)
    else:
        text = f"'{DEFAULT}' ({DEFAULT_VLM}) needs a GPU with {DEFAULT_JUDGE_GIB} GiB"
        fix = "serve it elsewhere, export OPENAI_BASE_URL=http://HOST:8000/v1, --judge openai:MODEL; docs/judging.md"
        yield Finding(section=section, mark="-", text=text, fix=fix)
    if facts.service.is_asked and facts.service.fault is None:
        yield Finding(section=section, mark="ok", text=f"{facts.service.host} answers: --judge openai:MODEL")


def _fits(facts: Facts, rows: Sequence[ModelRow]) -> Iterator[Finding]:
    here = [row for row in rows if not row.is_service]
    for fit, (mark, title) in FIT_TITLES.items():
        members = [row for row in here if fit_of(row, facts.devices) == fit]
        if members:
            listed = ", ".join(row.name for row in members)
            yield Finding(section="models by memory", mark=mark, text=f"{title}: {listed}")


def _shutdowns(facts: Facts, rows: Sequence[ModelRow], today: datetime.date) -> Iterator[Finding]:
    """Take the dates of the table and of the service itself, whose word goes first."""
    section = "services that end"
    names = {row.source: row.name for row in rows if row.is_service}
    ends = {row.source: row.shutdown for row in rows if row.is_service and row.shutdown} | facts.service.shutdowns
    for source, day in sorted(ends.items(), key=lambda item: item[1]):
        asked = " (says the service)" if source in facts.service.shutdowns else ""
        text = f"{names.get(source, source)}: {_days(day, today)}{asked}"
        yield Finding(section=section, mark="warning", text=text)
    if not ends:
        yield Finding(section=section, mark="ok", text="none is announced")


def _days(day: str, today: datetime.date) -> str:
    try:
        left = (datetime.date.fromisoformat(day[:10]) - today).days
    except ValueError:
        return f"announced for {day}"
    return f"{day[:10]}, {left} days left" if left >= 0 else f"shut down on {day[:10]}"


def _runs(unfinished: Sequence[RunState]) -> Iterator[Finding]:
    section = "unfinished runs"
    for run in unfinished[:MAX_RUNS]:
        text = f"{run.folder}: {run.fault or f'{run.n_made} pictures made'}"
        yield Finding(section=section, mark="warning" if run.fault else "-", text=text)
    if len(unfinished) > MAX_RUNS:
        yield Finding(section=section, mark="-", text=f"and {len(unfinished) - MAX_RUNS} more")
    if any(not run.fault for run in unfinished):
        yield Finding(section=section, mark="-", text="the command that began a run goes on with it")
    if not unfinished:
        yield Finding(section=section, mark="ok", text="none")


def _install(package: Package) -> str:
    return f"pip install '{package.name}{package.needed}'"


def _numbers(version: str) -> tuple[int, ...]:
    leading = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in leading[0].split(".")) if leading else ()
