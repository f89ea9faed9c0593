"""What tests read of a run folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def folder_of(mitigation: str, out: str | Path = "runs") -> Path:
    (folder,) = Path(out).glob(f"*+{mitigation.replace(':', '-')}+my-set+*")
    return folder


def runs_in(out: str | Path = "runs") -> list[Path]:
    """The run folders, without what judges keep beside them."""
    return sorted(path.parent for path in Path(out).glob("*/run.json"))


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def samples_of(folder: Path) -> list[dict[str, Any]]:
    return lines_of(folder / "samples.jsonl")


def without_seconds(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in sample.items() if name != "seconds"} for sample in samples]


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
