"""What is worth remembering between runs and can be found out again: small JSON files in the user's cache folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def cache_folder() -> Path:
    """Where what is worth remembering between runs lies."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "copycat"


def read_cache(path: Path) -> dict[str, Any]:
    """Read a file of the cache; an empty one if it is not there or was damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_cache(path: Path, content: dict[str, Any]) -> None:
    """Write a file of the cache in one step.

    Raises:
        OSError: it cannot be written, which harms nobody.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    unfinished.replace(path)
