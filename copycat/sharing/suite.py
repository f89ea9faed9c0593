"""suite.json: all files of the registry and the frozen prompts with their hashes; what is wrong with such a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from copycat.catalog import read_prompt_set
from copycat.catalog.marked_yaml import read_marked_yaml
from copycat.catalog.prompt_files import Sha256
from copycat.errors import DataError, UserError
from copycat.paths import SUITE_FILE, SUITE_FOLDERS, data_folder, shown
from copycat.schema import BENIGN, SUITE_VERSION, CharacterSet, Record, Slug

SUITE = "suite"
"""The folder of a Hub repository that holds the files themselves."""

SOURCE = "source.json"
MAX_FILES, MAX_FILE_BYTES, MAX_SUITE_BYTES = 200, 5_000_000, 50_000_000
_PART = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
SuitePath = Annotated[str, StringConstraints(pattern=rf"^(characters|prompts)/({_PART}/)?{_PART}$", max_length=120)]
"""A part of a path starts with a letter or a digit, so that none leads out of its folder or is hidden."""


class SuiteEntry(Record):
    """One file: its size and its fixed bytes."""

    bytes: int = Field(ge=0, le=MAX_FILE_BYTES)
    sha256: Sha256


class SuiteManifest(Record):
    """suite.json. `characters` goes from character set to the sha256 of what it says."""

    schema_version: int = 1
    suite_version: str
    characters: dict[Slug, Sha256]
    files: dict[SuitePath, SuiteEntry] = Field(min_length=1, max_length=MAX_FILES)

    @property
    def n_bytes(self) -> int:
        """The size of all files."""
        return sum(entry.bytes for entry in self.files.values())


def suite_files(sets: Sequence[str]) -> dict[str, Path]:
    """Give the files of these character sets: relative path -> where it lies here."""
    characters, prompts = data_folder("characters"), data_folder("prompts")
    found = {f"characters/{name}.yaml": characters / f"{name}.yaml" for name in sets}
    if (schema := characters / "schema.json").is_file():
        found["characters/schema.json"] = schema
    for folder in (*sets, BENIGN, "instructions"):
        for path in sorted((prompts / folder).glob("*")):
            if path.is_file() and not path.name.startswith("."):
                found[f"prompts/{folder}/{path.name}"] = path
    return dict(sorted(found.items()))


def parse_manifest(content: bytes, name: str) -> SuiteManifest:
    """Parse suite.json, which may come from a stranger.

    Raises:
        DataError: another form, a path that leads elsewhere, too many or too large files, another suite version.
    """
    try:
        manifest = SuiteManifest.model_validate_json(content)
    except ValidationError as error:
        places = [(".".join(map(str, one["loc"]))[:200], one["msg"]) for one in error.errors()]
        said = [f"field '{place}': {message}" if place else message for place, message in places]
        raise DataError([f"{name}: {one}" for one in said[:10]], "  this is no suite that copycat exported") from error
    if manifest.n_bytes > MAX_SUITE_BYTES:
        raise DataError([f"{name}: files of {manifest.n_bytes:,} bytes, at most {MAX_SUITE_BYTES:,} are allowed"])
    if manifest.suite_version != SUITE_VERSION:
        raise DataError(
            [f"{name}: is suite {manifest.suite_version}, and this copycat measures with suite {SUITE_VERSION}"],
            "  fetch another revision (--revision), or install the copycat that belongs to it",
        )
    return manifest


def find_suite(folder: Path) -> Path | None:
    """Give the folder that holds suite.json: this one, or the one inside an exported dataset."""
    return next((place for place in (folder, folder / SUITE) if (place / SUITE_FILE).is_file()), None)


def read_manifest(folder: Path) -> SuiteManifest:
    """Read the manifest of a suite folder.

    Raises:
        UserError: there is none.
        DataError: it is wrong.
    """
    path = folder / SUITE_FILE
    if not path.is_file():
        raise UserError(f"{shown(folder)}: holds no {SUITE_FILE}\n  needed: a folder that `data export suite` made")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise DataError([f"{shown(path)}: is too large"])
    return parse_manifest(path.read_bytes(), shown(path))


def read_checked(folder: Path, relative: str, entry: SuiteEntry, faults: list[str]) -> bytes:
    """Read one file if it is the one that suite.json means, else add to `faults`."""
    path = folder / relative
    where = shown(path)
    if path.is_symlink() or not path.is_file():
        faults.append(f"{where}: {'is a link' if path.is_symlink() else 'is missing'}, but {SUITE_FILE} lists it")
        return b""
    if (size := path.stat().st_size) != entry.bytes:
        faults.append(f"{where}: {size:,} bytes, {entry.bytes:,} in {SUITE_FILE}")
        return b""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        faults.append(f"{where}: differs from its sha256 in {SUITE_FILE}")
    return content


def suite_faults(folder: Path) -> list[str]:
    """Give every fault of a suite folder: bytes, files too many or too few, and what they say."""
    try:
        manifest = read_manifest(folder)
    except DataError as error:
        return list(error.faults)
    faults: list[str] = []
    for relative, entry in manifest.files.items():
        read_checked(folder, relative, entry, faults)
    for part in SUITE_FOLDERS:
        below = sorted(path for path in (folder / part).rglob("*") if path.is_file() or path.is_symlink())
        relative_paths = [path.relative_to(folder).as_posix() for path in below]
        faults += [
            f"{shown(folder / one)}: is not in {SUITE_FILE}" for one in relative_paths if one not in manifest.files
        ]
    return faults or _text_faults(folder, manifest)


def _text_faults(folder: Path, manifest: SuiteManifest) -> list[str]:
    faults: list[str] = []
    for set_id in manifest.characters:
        path = folder / "characters" / f"{set_id}.yaml"
        try:
            characters = CharacterSet.model_validate(read_marked_yaml(path).value)
            read_prompt_set(characters, folder / "prompts" / set_id)
        except ValidationError as error:
            faults.append(f"{shown(path)}: {error.errors()[0]['msg']}")
        except DataError as error:
            faults += error.faults
        except UserError as error:
            faults.append(str(error))
    return faults
