"""Measure mitigations one after the other; what is finished is kept, and the same call goes on from there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from copycat import console
from copycat.errors import DataError, ResumeMismatchError, UnknownNameError
from copycat.fairuse.world.measuring import degeneracy_of, measure_extraction, measure_utility
from copycat.fairuse.world.mitigations.table import METHODS, NAMES
from copycat.fairuse.world.mitigations.workshop import Made, Method, Workshop
from copycat.fairuse.world.planted import training_documents
from copycat.fairuse.world.records import Cost, MitigationResults, MitigationSetting, MitigationTriple
from copycat.fairuse.world.training import described
from copycat.fairuse.world.writing import WEIGHTS
from copycat.paths import file_sha256, package_folder, shown
from copycat.runs.folder import write_json
from copycat.schema import Record

R = TypeVar("R", bound=Record)

SETTING_FILE, TRIPLE_FILE, RESULTS_FILE = "setting.json", "triple.json", "results.json"


def methods_named(typed: str) -> list[Method]:
    """Read names between commas, or 'all'; what each is to be compared with is measured too.

    Raises:
        UnknownNameError: there is no such mitigation.
    """
    names = [part.strip() for part in typed.split(",") if part.strip()]
    for name in names:
        if name not in {*NAMES, "all"}:
            raise UnknownNameError("mitigation", name, (*NAMES, "all"))
    is_all = "all" in names or not names
    against = {method.against for method in METHODS if method.name in names}
    return [method for method in METHODS if is_all or method.name in names or method.name in against]


def mitigate(shop: Workshop, methods: Sequence[Method]) -> MitigationResults:
    """Make and measure each mitigation, and write results.json of all that the folder holds.

    Raises:
        ResumeMismatchError: the folder was begun with another model or effort.
    """
    _require_same(shop)
    for method in methods:
        if not (shop.folder / method.name / TRIPLE_FILE).exists():
            console.say(f"{method.name}: {method.title}")
            triple = measure(method, method.apply(shop))
            write_json(shop.folder / method.name / TRIPLE_FILE, triple.model_dump(mode="json"))
    return gather(shop.folder)


def measure(method: Method, made: Made) -> MitigationTriple:
    """Measure one mitigated model as a triple."""
    writer = made.writer
    extraction = measure_extraction(writer)
    degenerate = degeneracy_of(writer.written)
    cost = Cost(
        training_seconds=made.training_seconds,
        microseconds_per_token=1e6 * writer.seconds / max(1, writer.tokens),
    )
    changed = made.acted
    utility = measure_utility(writer)
    facts = made.facts | ({"answers changed": changed} if changed else {})
    return MitigationTriple(
        method=method.name,
        against=method.against,
        title=method.title,
        extraction=extraction,
        utility=utility,
        cost=cost,
        degenerate=degenerate,
        facts=facts,
    )


def gather(folder: Path) -> MitigationResults:
    """Read every triple of a folder, in the order of the table, and write results.json."""
    setting = _read(folder / SETTING_FILE, MitigationSetting)
    paths = [folder / name / TRIPLE_FILE for name in NAMES]
    rows = tuple(_read(path, MitigationTriple) for path in paths if path.exists())
    results = MitigationResults(setting=setting, rows=rows)
    write_json(folder / RESULTS_FILE, results.model_dump(mode="json"))
    return results


def setting_of(shop: Workshop) -> MitigationSetting:
    """Say what decides on every figure of a folder."""
    base = shop.base or package_folder(WEIGHTS)
    texts = hashlib.sha256("\0".join(document.text for document in training_documents()).encode()).hexdigest()
    return MitigationSetting(
        model=file_sha256(base / "model.safetensors"),
        training_texts=texts,
        effort=shop.effort,
        training=described(shop.settings),
    )


def _require_same(shop: Workshop) -> None:
    path, setting = shop.folder / SETTING_FILE, setting_of(shop)
    if not path.exists():
        write_json(path, setting.model_dump(mode="json"))
    elif (found := _read(path, MitigationSetting)) != setting:
        changed = next(name for name in type(setting).model_fields if getattr(found, name) != getattr(setting, name))
        raise ResumeMismatchError(
            f"{shown(shop.folder)} was begun with another {changed.replace('_', ' ')}\n  name another folder: --out DIR"
        )


def _read(path: Path, record: type[R]) -> R:
    try:
        return record.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError([f"{shown(path)}: cannot be read"], "  delete it, and run the same command again") from error
