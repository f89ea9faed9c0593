"""Small datasets for tests of look-ups and removals."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

DAY = date(2026, 11, 1)
NEIGHBOUR = "Quendal Vospari"
SECRETS = (NEIGHBOUR, "neighbour.example", "hidden garden gate", "Untold Title", "https://")
"""What no answer may hold."""


def picture(seed: int, size: int = 64) -> Image.Image:
    r = random.Random(seed)
    image = Image.new("RGB", (64, 64), tuple(r.randrange(256) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(8):
        draw.ellipse([r.randrange(64), r.randrange(32), 64, 64], fill=tuple(r.randrange(256) for _ in range(3)))
    return image.resize((size, size))


def png(seed: int) -> bytes:
    stream = io.BytesIO()
    picture(seed).save(stream, "PNG")
    return stream.getvalue()


def rows(n: int = 12) -> list[dict[str, Any]]:
    """Records whose text names a neighbour beside Zoravi Meklun, from a site of its own or of the neighbour."""
    return [
        {
            "id": f"r{i:03d}",
            "url": f"https://img.example.org/{i}.png" if i % 2 else f"https://neighbour.example/{i}.png",
            "caption": f"number {i}: Zoravi Meklun and {NEIGHBOUR} behind the hidden garden gate in the evening"
            if i % 3 == 0
            else f"number {i}: a plain wooden chair beside a very tall green lamp",
            "author": "Meklun, Zoravi" if i % 4 == 1 else NEIGHBOUR,
            "title": "Untold Title",
            "license": "CC-BY-4.0" if i % 2 else f"(c) {NEIGHBOUR}",
        }
        for i in range(n)
    ]


def write_jsonl(root: Path, records: Sequence[dict[str, Any]], name: str = "train.jsonl") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    content = "".join(json.dumps(row) + "\n" for row in records).encode()
    (root / name).write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
    (root / "README.md").write_text("---\nlicense: cc-by-4.0\ncontact: removals@example.org\n---\n# Toy\n")
    return root


def write_parquet(root: Path, records: Sequence[dict[str, Any]], name: str = "train.parquet") -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    root.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(records)), root / name, row_group_size=5, compression="zstd")
    (root / "README.md").write_text("---\nlicense: cc-by-4.0\ncontact: removals@example.org\n---\n# Toy\n")
    return root


def write_shard(root: Path, n: int, name: str = "shard-0.tar") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    with tarfile.open(root / name, "w") as archive:
        for i in range(n):
            texts = {"png": png(i), "txt": f"a picture number {i} with very many words in its caption".encode()}
            for ending, content in texts.items():
                member = tarfile.TarInfo(f"{i:05d}.{ending}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return root


def write_folder(root: Path, n: int) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    facts = []
    for i in range(n):
        (root / f"{i}.png").write_bytes(png(i))
        author = "Meklun, Zoravi" if i == 1 else "x"
        facts.append(json.dumps({"file_name": f"{i}.png", "text": f"picture {i}", "author": author}))
    (root / "metadata.jsonl").write_text("\n".join(facts) + "\n")
    return root


def make_manifest(root: Path) -> None:
    from copycat.provenance.dataset import open_dataset
    from copycat.provenance.manifest import Order, write_manifest

    write_manifest(open_dataset(root), Order(as_of=DAY))
