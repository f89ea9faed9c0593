"""Folders that appear whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from copycat.errors import UserError
from copycat.paths import shown


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yield a folder to fill, which then takes its place at `out`; the same content there again is no fault.

    Raises:
        UserError: something else lies at `out`, or it cannot be made.
    """
    require_free_or_folder(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{out.name}.new-", dir=out.parent))
    except FileNotFoundError as error:  # as below /proc, where nobody can make a folder
        raise UserError(f"cannot make the folder {shown(out)}\n  choose another folder: --out DIR") from error
    try:
        staged.chmod(0o755)
        yield staged
        if is_empty(out):
            staged.replace(out)
        elif not _is_same(staged, out):
            raise UserError(f"{shown(out)} holds other files\n  choose another folder: --out DIR, or move it away")
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def require_free_or_folder(out: Path) -> None:
    """Refuse a file where a folder is to be."""
    if out.exists() and not out.is_dir():
        raise UserError(f"{shown(out)} is a file\n  choose another folder: --out DIR")


def is_empty(folder: Path) -> bool:
    """Whether there is no such folder, or nothing in it."""
    return not folder.exists() or not any(folder.iterdir())


def files_below(folder: Path) -> list[str]:
    """List the files of a folder as relative paths with '/', sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _is_same(one: Path, other: Path) -> bool:
    names = files_below(one)
    return names == files_below(other) and all((one / n).read_bytes() == (other / n).read_bytes() for n in names)
