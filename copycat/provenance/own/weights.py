"""X3: every weight that ships is in a manifest, with its hash, its model card, its licence and what it learned from.

The manifest of a folder `weights/` lies beside it as `weights.manifest.json`, not in it: a folder of weights is named
by the hash of its files. `python -m copycat.provenance own --write` makes it from facts (`weights_facts.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from copycat.paths import file_sha256
from copycat.provenance.dataset.card import load_plain_yaml
from copycat.provenance.own.found import Own, Result, licence_fault, why
from copycat.provenance.records import Finding
from copycat.provenance.rules.rule import shortened
from copycat.schema import Record, Text

MANIFEST_SUFFIX = ".manifest.json"
CARD = "README.md"
WEIGHT_SUFFIXES = frozenset((".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".gguf", ".npz", ".npy", ".h5"))
MAX_TOTAL_BYTES = 30_000_000
"""All weights that ship, together."""

WRITE = "python -m copycat.provenance own --write"


class ShippedFile(Record):
    """A file of a folder of weights."""

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class TrainingData(Record):
    """What a model learned from. `sha256` is of the canonical JSON of `n_records` records, as `made_by` gives them."""

    name: Text
    about: Text
    made_by: Text
    licence: Text
    n_records: int = Field(ge=1)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ShippedModel(Record):
    """One model: what it is, how it was made, from what, and its files relative to the folder of weights."""

    name: Text
    about: Text
    made_by: Text
    code: tuple[Text, ...] = Field(min_length=1)
    seed: int
    settings: dict[str, float | int | str]
    trained_on: tuple[TrainingData, ...] = Field(min_length=1)
    files: dict[str, ShippedFile] = Field(min_length=1)


class WeightsManifest(Record):
    """`weights.manifest.json`: all models of one folder of weights."""

    schema_version: int = 1
    weights: Text
    card: Text
    licence: Text
    models: tuple[ShippedModel, ...] = Field(min_length=1)

    @property
    def files(self) -> dict[str, ShippedFile]:
        """All files of all models."""
        return {name: file for model in self.models for name, file in model.files.items()}


def manifest_of(folder: Path) -> Path:
    """Give the manifest of a folder of weights."""
    return folder.parent / f"{folder.name}{MANIFEST_SUFFIX}"


def check_weights(own: Own) -> Result:
    """Check every weight below the package."""
    weights = sorted(path for path in own.package.rglob("*") if path.suffix in WEIGHT_SUFFIXES and path.is_file())
    manifests = sorted(own.package.rglob(f"*{MANIFEST_SUFFIX}"))
    if not weights and not manifests:
        return Result((), "no weight ships", is_applicable=False)
    findings: list[Finding] = []
    covered: set[Path] = set()
    for path in manifests:
        findings += _check_manifest(own, path, covered)
    for path in weights:
        if path not in covered:
            said = f"{own.shown(path)} is a weight without a manifest"
            advice = f"say in copycat/provenance/own/weights_facts.py how it was made, then: {WRITE}"
            findings.append(own.finding(said, advice, own.at(path)))
    total = sum(path.stat().st_size for path in weights)
    if total > MAX_TOTAL_BYTES:
        said = f"weights of {total:,} bytes ship, at most {MAX_TOTAL_BYTES:,} are allowed"
        findings.append(own.finding(said, "ship smaller ones", *(own.at(path) for path in weights)))
    own.n_files += len(covered)
    return Result(tuple(findings), f"{len(covered)} files of {len(manifests)} folders, {total / 1e6:.1f} MB of weights")


def _check_manifest(own: Own, path: Path, covered: set[Path]) -> Iterator[Finding]:
    try:
        manifest = WeightsManifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        yield own.finding(f"{own.shown(path)} cannot be read: {why(error)}", f"write it again: {WRITE}", own.at(path))
        return
    folder = path.parent / path.name.removesuffix(MANIFEST_SUFFIX)
    if fault := licence_fault(manifest.licence):
        yield own.finding(f"{own.shown(path)}: {fault}", "state an SPDX expression", own.at(path, "licence"))
    yield from _check_card(own, folder / CARD, manifest)
    yield from _check_code(own, path, manifest)
    yield from _check_files(own, path, folder, manifest, covered)
    yield from _check_data(own, path, manifest)


def _check_code(own: Own, path: Path, manifest: WeightsManifest) -> Iterator[Finding]:
    for model in manifest.models:
        for name in model.code:
            if not (own.package.parent / name).is_file():
                said = f"'{model.name}' was made by {shortened(name)}, which is not there"
                yield own.finding(said, f"mend weights_facts.py, then: {WRITE}", own.at(path, model.name, name))


def card_front(card: Path) -> dict[str, Any] | None:
    """Give the front matter of a card, {} where it is broken or has none; None where there is no card to read."""
    try:
        text = card.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    if not text.startswith("---\n"):
        return {}
    try:
        front = load_plain_yaml(text.split("---\n", 2)[1])
    except (ValueError, IndexError):
        return {}
    return front if isinstance(front, dict) else {}


def _check_card(own: Own, card: Path, manifest: WeightsManifest) -> Iterator[Finding]:
    front = card_front(card)
    if front is None:
        said = f"{own.shown(card.parent)} has no model card"
        yield own.finding(said, f"write {CARD} with a front matter: license, and what it is for", own.at(card))
        return
    text, stated = card.read_text(encoding="utf-8"), front.get("license")
    if licence_fault(stated) or str(stated).lower() != manifest.licence.lower():
        said = f"{own.shown(card)} states the licence '{stated or ''}', and the manifest '{manifest.licence}'"
        yield own.finding(said, "state the same licence in both", own.at(card, "license", stated or ""))
    for model in manifest.models:
        if model.name not in text:
            said = f"{own.shown(card)} does not speak of the model '{model.name}'"
            yield own.finding(said, "say what it is, what it learned from and what it is for", own.at(card))


def _check_files(
    own: Own, path: Path, folder: Path, manifest: WeightsManifest, covered: set[Path]
) -> Iterator[Finding]:
    for name, stated in manifest.files.items():
        file = folder / name
        if not file.resolve().is_relative_to(folder.resolve()) or not file.is_file():
            said = f"{own.shown(path)} lists '{name}', which is not there"
            yield own.finding(said, f"restore it, or write the manifest again: {WRITE}", own.at(path, name))
            continue
        covered.add(file)
        if (found := file_sha256(file)) != stated.sha256:
            said = f"{own.shown(file)} is not the file of the manifest: another sha256"
            advice = f"restore it; if it was trained anew, mend its facts and write the manifest: {WRITE}"
            yield own.finding(said, advice, own.at(file, "sha256", found))
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file not in covered and file.name != CARD and "__pycache__" not in file.parts:
            said = f"{own.shown(file)} is in a folder of weights, and in no manifest"
            covered.add(file)
            yield own.finding(said, f"take it out, or write the manifest again: {WRITE}", own.at(file))


def _check_data(own: Own, path: Path, manifest: WeightsManifest) -> Iterator[Finding]:
    """Compare what the models learned from with what the code makes now, where that takes no second."""
    from copycat.provenance.own.weights_facts import QUICK_DATA

    for model in manifest.models:
        for data in model.trained_on:
            if fault := licence_fault(data.licence):
                said = f"{own.shown(path)}: of the data '{data.name}' {fault}"
                yield own.finding(said, "state an SPDX expression", own.at(path, f"{model.name} {data.name}"))
            if data.name in QUICK_DATA and QUICK_DATA[data.name]() != (data.n_records, data.sha256):
                said = f"'{model.name}' learned from '{data.name}', and the code makes other data of that name now"
                advice = "train the model anew, or bring back the code that made its data"
                yield own.finding(said, advice, own.at(path, f"{model.name} {data.name}", data.sha256))
