"""README.md of a dataset: front matter that the Hub reads, and a text for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from copycat.sharing.parquet import WrittenTable

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def build_card(front: Mapping[str, Any], tables: Sequence[WrittenTable], text: str) -> str:
    """Give the whole README: `front` is the front matter beside configurations and size."""
    from huggingface_hub import DatasetCardData

    data = DatasetCardData(size_categories=[_size(tables)], configs=_configs(tables), **front)
    return f"---\n{data.to_yaml(line_break=chr(10))}\n---\n\n{text.strip()}\n"


def markdown_table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Give a table in Markdown; what would break it is escaped."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(plain(cell) for cell in line)} |" for line in lines)


def plain(text: object) -> str:
    """Give a text that is only a text in Markdown and HTML, on one line."""
    joined = " ".join(str(text).split())
    for letter in "\\`*_[]<>|":
        joined = joined.replace(letter, f"&#{ord(letter)};" if letter in "<>|" else f"\\{letter}")
    return joined


def _configs(tables: Sequence[WrittenTable]) -> list[dict[str, Any]]:
    configs: list[dict[str, Any]] = []
    for name, found in groupby(tables, key=lambda table: table.config):
        files = [{"split": table.split, "path": table.path} for table in found]
        configs.append({"config_name": name, "data_files": files} | ({} if configs else {"default": True}))
    return configs


def _size(tables: Sequence[WrittenTable]) -> str:
    n_rows = sum(table.n_rows for table in tables)
    return next((name for most, name in SIZES if n_rows < most), "n>1M")
