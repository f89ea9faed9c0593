"""Name the exact content of a folder of weights."""

from __future__ import annotations

import hashlib
from pathlib import Path

from copycat.errors import MissingExtraError
from copycat.paths import shown

IGNORED = {".md", ".lock", ".cache"}


def fingerprint(folder: Path) -> str:
    """Hash the names and bytes of all files of a folder, but for notes and caches.

    Returns: 40 hex digits, as long as a commit id.

    Raises:
        MissingExtraError: the folder is not there or holds no file.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not IGNORED & {p.suffix, *p.parts})
    if not files:
        raise MissingExtraError(
            f"no weights in {shown(folder)}\n  install copycat again, or train them: python -m copycat.sandbox train"
        )
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            whole.update(f"{path.relative_to(folder).as_posix()}\n".encode())
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[:40]
