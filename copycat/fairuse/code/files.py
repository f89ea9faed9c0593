"""Files of code: which there are below a folder, and their text, or why there is none."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from copycat.errors import UserError
from copycat.fairuse.code.tokens import is_code_file
from copycat.paths import shown

MAX_CODE_BYTES = 2_000_000
"""Longer files are made by programs: they are counted and passed over."""

NO_CODE, LATIN = "no code, by the name", "read as Latin-1, not in UTF-8"


def code_files(folder: Path, passed_over: Counter[str]) -> Iterator[Path]:
    """Give the files of programming languages below a folder, in order; hidden ones and links are left out.

    Raises:
        UserError: there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder {shown(folder)}\n  needed: --against with a folder of code")
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place) / name
            if name.startswith(".") or path.is_symlink() or not path.is_file():
                continue
            if is_code_file(name):
                yield path
            else:
                passed_over[NO_CODE] += 1


def read_code(path: Path, passed_over: Counter[str]) -> str | None:
    """Read a file of a corpus; None, and counted, where it is no text, too long, or cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CODE_BYTES + 1)
    except OSError:
        passed_over["cannot be read"] += 1
        return None
    if len(content) > MAX_CODE_BYTES:
        passed_over[f"more than {MAX_CODE_BYTES:,} bytes"] += 1
        return None
    if b"\0" in content:
        passed_over["binary"] += 1
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        passed_over[LATIN] += 1
        return content.decode("latin-1")


def sha256_of(code: str) -> str:
    """Hash the code as it was read."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
