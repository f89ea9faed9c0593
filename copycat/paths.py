"""Where the project's data folders are, in a wheel and in a checkout."""

from __future__ import annotations

from pathlib import Path

from copycat.errors import MissingExtraError

_PACKAGE = Path(__file__).resolve().parent


def data_folder(name: str, package: Path = _PACKAGE) -> Path:
    """Give the folder `name` ("characters", "prompts", ...) of the project's data.

    A wheel ships it as `copycat/_data/<name>`; in a checkout it lies next to the package.

    Raises:
        MissingExtraError: it is in neither place.
    """
    places = (package / "_data" / name, package.parent / name)
    for place in places:
        if place.is_dir():
            return place
    raise MissingExtraError(
        f"the data folder '{name}' is missing from this installation\n"
        f"  looked in: {', '.join(str(place) for place in places)}\n"
        f"  install again: pip install --force-reinstall copycat"
    )


def shown(path: Path) -> str:
    """Give `path` as an error text shows it: relative where it lies below the working folder."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


def package_folder(name: str) -> Path:
    """Give a folder inside the package itself, such as "sandbox/weights/pipeline"."""
    return _PACKAGE / name


def located(source: str) -> Path:
    """Give the folder of a row's source: 'package:NAME' lies inside the package, anything else is a path."""
    name = source.removeprefix("package:")
    return package_folder(name) if name != source else Path(source)
