"""Refuse what cannot be written before any work begins: an hour of reading is not lost to the name of a file."""

from __future__ import annotations

from pathlib import Path


def require_output(option: str, path: Path | None, *, is_folder: bool = False) -> None:
    """Refuse what an output cannot be written to; None is no output. Nothing is left behind.

    Args:
        option: as it is typed, such as "--out". is_folder: it names a folder, which is made if it is not there.

    Raises:
        UserError: it is a folder (or a file, of `is_folder`), lies below a file, or its folder takes no file.
    """
    from copycat.errors import UserError

    if path is None:
        return
    try:
        fault = _fault(path, is_folder)
    except (OSError, ValueError) as error:
        fault = getattr(error, "strerror", None) or str(error)
    if fault:
        what = "a folder" if is_folder else "the name of a file, in a folder"
        raise UserError(f"{option} {path} cannot be written: {fault}\n  needed: {what} that you may write to")


def _fault(path: Path, is_folder: bool) -> str:
    """Say what is wrong with a path, "" for nothing; tried by making a file that has no name, or loses it at once."""
    if is_folder and path.exists() and not path.is_dir():
        return "it is a file"
    if not is_folder:
        if path.exists() and not path.is_file():
            return "it is a folder" if path.is_dir() else "it is no regular file"
        path.with_name(f".{path.name}.new").exists()  # raises where this name, which is written first, is too long
    return _fault_of_folder(path if is_folder else path.parent)


def _fault_of_folder(folder: Path) -> str:
    import tempfile

    nearest = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not nearest.is_dir():
        return f"{nearest} is a file"
    try:
        with tempfile.TemporaryFile(dir=nearest):
            return ""
    except FileNotFoundError:  # as below /proc
        return f"no file can be made in {nearest}"
    except OSError as error:
        return f"no file can be made in {nearest}: {error.strerror}"
