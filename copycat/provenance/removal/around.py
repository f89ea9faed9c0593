"""What a removal changes for concepts and models: counts before it and after it, kept for the removals to come."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from copycat.provenance.dataset import Dataset, open_dataset
from copycat.provenance.lookup.records import ModelUse
from copycat.provenance.lookup.versions import MODELS_FILE, read_exposure, read_models
from copycat.provenance.manifest import Manifest, open_manifest
from copycat.provenance.removal.exposure import (
    Counting,
    count_version,
    exposures,
    is_whole,
    keep_counts,
    keep_models,
    with_counts,
    write_study,
)
from copycat.provenance.removal.records import Exposure

Tell = Callable[[int], None]
NEXT = "next"
"""What stands for the version that a removal would make."""


def known_models(sidecar: Path, counting: Counting) -> tuple[ModelUse, ...]:
    """Give the models of models.yaml, and those that are told now."""
    known = read_models(sidecar / MODELS_FILE)
    there = {(each.model, each.version) for each in known}
    return (*known, *(each for each in counting.models if (each.model, each.version) not in there))


def count_before(dataset: Dataset, manifest: Manifest, counting: Counting, *, is_resumed: bool, tell: Tell) -> None:
    """Keep the counts of the version that is there, and of those that models know, before anything leaves the files.

    Where a removal was killed, files may have lost records already: what was kept then is right.
    """
    if not counting.concepts:
        return
    kept, version = read_exposure(dataset.sidecar), manifest.last.version
    if is_resumed and all(version in kept.get(each.id, {}).get("counts", {}) for each in counting.concepts):
        return
    keep_counts(dataset.sidecar, _counted_now(dataset, manifest, counting, kept, tell))


def planned(
    dataset: Dataset, manifest: Manifest, without: Collection[str], counting: Counting, tell: Tell
) -> tuple[Exposure, ...]:
    """Give what the counts are, and would be without some records; keeps nothing."""
    concepts = counting.concepts
    if not concepts:
        return ()
    kept = _counted_now(dataset, manifest, counting, read_exposure(dataset.sidecar), tell)
    kept = with_counts(kept, NEXT, count_version(dataset, manifest, concepts, without, tell), concepts)
    versions = [each.version for each in manifest.versions] + [NEXT]
    return exposures(kept, concepts, versions, known_models(dataset.sidecar, counting))


def count_after(dataset: Dataset, before: str, counting: Counting, tell: Tell) -> tuple[Exposure, ...]:
    """Count the newest version and keep it; gives the counts of all versions that were ever counted.

    Args:
        before: the newest version before the removal.
    """
    sidecar, concepts = dataset.sidecar, counting.concepts
    models = keep_models(sidecar, counting.models)
    if not concepts:
        return ()
    dataset = open_dataset(dataset.root, dataset.columns)
    manifest = open_manifest(dataset)
    counted = count_version(dataset, manifest, concepts, (), tell)
    kept = with_counts(read_exposure(sidecar), manifest.last.version, counted, concepts)
    keep_counts(sidecar, kept)
    if counting.study is not None:
        write_study(counting.study, counted, dataset.name, manifest.last.version, before)
    return exposures(kept, concepts, [each.version for each in manifest.versions], models)


def _counted_now(
    dataset: Dataset, manifest: Manifest, counting: Counting, kept: Mapping[str, Any], tell: Tell
) -> dict[str, Any]:
    """Give what is kept with counts of the newest version, and of those that models were trained on."""
    concepts = counting.concepts
    found = with_counts(kept, manifest.last.version, count_version(dataset, manifest, concepts, (), tell), concepts)
    there = {each.version for each in manifest.versions}
    for version in dict.fromkeys(each.version for each in known_models(dataset.sidecar, counting)):
        if version in there and any(version not in found[each.id]["counts"] for each in concepts):
            counted = count_version(dataset, manifest, concepts, (), tell, version=version)
            if any(found[each.id]["use"] != counted.use for each in concepts):
                continue  # what is left of it has nothing to tell pictures by: its figures do not compare
            found = with_counts(found, version, counted, concepts, is_at_least=not is_whole(manifest, version))
    return found
