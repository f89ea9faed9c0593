"""What several tests read from a manifest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from copycat.provenance.dataset import open_dataset
from copycat.provenance.manifest import Manifest, Order, Written, open_manifest, write_manifest

Make = Callable[..., Path]
Manifested = Callable[..., Written]


def greetings(count: int = 6) -> list[dict[str, Any]]:
    """Records with an id and facts."""
    return [
        {
            "id": f"g{number}",
            "text": f"hello {number}",
            "url": f"https://example.org/{number}",
            "license": "CC-BY-4.0",
            "author": "A. Writer",
        }
        for number in range(count)
    ]


def rows_of(manifest: Manifest, version: str | None = None) -> dict[str, dict[str, Any]]:
    """Give id -> row of a version."""
    return {row["id"]: row for table in manifest.rows(version) for row in table.to_pylist()}


def hashes_of(folder: Path) -> dict[str, tuple[str | None, str | None]]:
    """Give id -> sha256 and text_sha256 of a dataset, through its manifest."""
    write_manifest(open_dataset(folder), Order(date(2026, 2, 1)))
    rows = rows_of(open_manifest(open_dataset(folder)))
    return {name: (row["sha256"], row["text_sha256"]) for name, row in rows.items()}


def roots_of(folder: Path) -> str:
    """Give the root of a dataset's records."""
    return write_manifest(open_dataset(folder), Order(date(2026, 2, 1))).manifest.root


CARD = """\
---
pretty_name: Greetings
license: cc-by-4.0
homepage: https://example.org/greetings
creator: The Greetings Project
publisher: The Greetings Project
date_published: 2026-01-01
date_created: 2025-12-01
tags: [greetings, test]
language: [en]
same_as: https://mirror.example.org/greetings
sd_license: CC0-1.0
source_datasets: [original, https://example.org/parent]
rai:
  dataLimitations: too small for anything
usageInfo:
  "@type": [CreativeWork, "odrl:Offer"]
  name: for research
  "odrl:permission": {"@type": "odrl:Permission", "odrl:action": {"@id": "odrl:read"}}
---
# Greetings

Some greetings, written for a test.

```bibtex
@misc{greetings, title={Greetings}}
```
"""
"""A card that states all that Croissant asks for."""
