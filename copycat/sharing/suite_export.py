"""The suite as a Hub dataset: tables to load, the exact files with their hashes, a card, Croissant. No picture."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from copycat.catalog import characters_sha256, list_character_sets
from copycat.errors import UnknownNameError
from copycat.paths import SUITE_FILE
from copycat.runs.folder import write_bytes, write_json
from copycat.schema import SUITE_VERSION
from copycat.sharing.croissant import build_croissant
from copycat.sharing.folders import new_folder
from copycat.sharing.parquet import WrittenTable
from copycat.sharing.suite import SUITE, SuiteEntry, SuiteManifest, suite_files
from copycat.sharing.suite_card import about_suite, suite_card
from copycat.sharing.suite_tables import SuiteSet, read_suite_set, write_suite_tables


class ExportedSuite(NamedTuple):
    """What was written."""

    tables: tuple[WrittenTable, ...]
    manifest: SuiteManifest


def export_suite(out: Path, names: Sequence[str] = (), hub_id: str | None = None) -> ExportedSuite:
    """Write the suite as a folder that is a Hub dataset; the same suite gives the same bytes.

    Args:
        names: character sets that ship; none means all.
        hub_id: where it will be, "org/name", for the card's example and Croissant's url.

    Raises:
        UnknownNameError: no such set ships.
        UserError: something else lies at `out`.
    """
    known = list_character_sets()
    for name in names:
        if name not in known:
            raise UnknownNameError("character set", name, known, "a set of your own is no part of the suite")
    sets = [read_suite_set(name) for name in dict.fromkeys(names or known)]
    with new_folder(out) as folder:
        tables = write_suite_tables(folder, sets)
        files = suite_files([one.prompts.id for one in sets])
        manifest = _write_files(folder / SUITE, files, sets)
        write_json(folder / "croissant.json", build_croissant(about_suite(files, hub_id), tables))
        write_bytes(folder / "README.md", suite_card(sets, tables, files, hub_id or f"./{out.name}").encode())
    return ExportedSuite(tuple(tables), manifest)


def _write_files(folder: Path, files: dict[str, Path], sets: Sequence[SuiteSet]) -> SuiteManifest:
    entries = {}
    for relative, path in files.items():
        content = path.read_bytes()
        write_bytes(folder / relative, content)
        entries[relative] = SuiteEntry(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    hashes = {one.prompts.id: characters_sha256(one.characters) for one in sets}
    manifest = SuiteManifest(suite_version=SUITE_VERSION, characters=hashes, files=entries)
    write_json(folder / SUITE_FILE, manifest.model_dump(mode="json"))
    return manifest
