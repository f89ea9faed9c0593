"""Where the project's data folders are, in a wheel and in a checkout."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from copycat.errors import DataError, MissingExtraError
from copycat.schema import SUITE_VERSION

_PACKAGE = Path(__file__).resolve().parent

DATA_VARIABLE = "COPYCAT_DATA"
"""Names a folder that `copycat.data download suite` made: its characters and prompts are read instead of our own."""

SUITE_FILE, SUITE_FOLDERS = "suite.json", ("characters", "prompts")


def file_sha256(path: Path) -> str:
    """Give the sha256, in hex, of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def data_folder(name: str, package: Path = _PACKAGE) -> Path:
    """Give the folder `name` ("characters", "prompts", ...) of the project's data.

    A wheel ships it as `copycat/_data/<name>`; in a checkout it lies next to the package. Characters and prompts are
    those of COPYCAT_DATA where that is set.

    Raises:
        MissingExtraError: it is in neither place.
        DataError: COPYCAT_DATA names no suite, or one of another version.
    """
    if (suite := os.environ.get(DATA_VARIABLE)) and name in SUITE_FOLDERS:
        return _folder_of_suite(Path(suite).expanduser(), name)
    places = (package / "_data" / name, package.parent / name)
    for place in places:
        if place.is_dir():
            return place
    raise MissingExtraError(
        f"the data folder '{name}' is missing from this installation\n"
        f"  looked in: {', '.join(str(place) for place in places)}\n"
        f"  install again: pip install --force-reinstall copycat"
    )


def _folder_of_suite(suite: Path, name: str) -> Path:
    fix = f"  get it: python -m copycat.data download suite REPO --out {suite}\n  or: unset {DATA_VARIABLE}"
    try:
        version = json.loads((suite / SUITE_FILE).read_bytes())["suite_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError([f"{DATA_VARIABLE}: {suite} holds no readable {SUITE_FILE}"], fix) from error
    if version != SUITE_VERSION:
        said = f"{DATA_VARIABLE}: {suite} holds suite {version}, and this copycat measures with suite {SUITE_VERSION}"
        raise DataError([said], fix)
    if not (suite / name).is_dir():
        raise DataError([f"{DATA_VARIABLE}: {suite} lacks the folder '{name}'"], fix)
    return suite / name


def shown(path: Path) -> str:
    """Give `path` as an error text shows it: relative where it lies below the working folder."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


def within(folder: Path, path: Path) -> str:
    """Give `path` as a file that is shown to others names it: relative below `folder`, else by its name alone."""
    try:
        return path.absolute().relative_to(folder.absolute()).as_posix()
    except ValueError:
        return path.name


def package_folder(name: str) -> Path:
    """Give a folder inside the package itself, such as "sandbox/weights/pipeline"."""
    return _PACKAGE / name


def located(source: str) -> Path:
    """Give the folder of a row's source: 'package:NAME' lies inside the package, anything else is a path."""
    name = source.removeprefix("package:")
    return package_folder(name) if name != source else Path(source)
