"""Which files hold the records, as a card declares it: `configs` with `data_files`, as the Hub reads them.

Source: "Manual Configuration" in the documentation of the Hugging Face Hub's dataset repositories.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import translate
from typing import Any, NamedTuple

from copycat.provenance.dataset.batches import Fault
from copycat.provenance.dataset.card import Card
from copycat.provenance.records import Evidence

MAX_PATTERNS = 1000
"""Patterns of a card that are looked for."""


class Declared(NamedTuple):
    """What a card says of a file: its configuration and split, "" where it does not say."""

    config: str
    split: str


def declared_files(card: Card, names: Sequence[str], faults: list[Fault]) -> dict[str, Declared]:
    """Give file -> what the card says of it. A pattern that names no file is added to the faults."""
    found: dict[str, Declared] = {}
    for at, (pattern, said) in enumerate(_patterns(card.front.get("configs"))):
        if at >= MAX_PATTERNS:
            break
        matches = re.compile(translate(pattern.removeprefix("./").replace("**/", "*"))).match
        there = [name for name in names if matches(name)]
        for name in there:
            found.setdefault(name, said)
        if not there and "://" not in pattern:
            where = Evidence(file=card.file, pointer="configs", value=pattern[:160])
            faults.append(Fault(where, f"names data files that are not there: {pattern[:160]}"))
    return found


def _patterns(configs: Any) -> Iterator[tuple[str, Declared]]:
    for config in configs if isinstance(configs, list) else []:
        if not isinstance(config, Mapping):
            continue
        name, files = config.get("config_name"), config.get("data_files")
        folder = config.get("data_dir")
        config_name = name if isinstance(name, str) else ""
        prefix = f"{folder.strip('/')}/" if isinstance(folder, str) and folder.strip("/") else ""
        if files is None and prefix:  # a folder alone: all that is in it
            files = "**"
        if isinstance(files, Mapping):  # split -> patterns, which the Hub takes too
            files = [{"split": split, "path": path} for split, path in files.items()]
        for each in files if isinstance(files, list) else [files]:
            split = each.get("split") if isinstance(each, Mapping) else None
            paths = each.get("path") if isinstance(each, Mapping) else each
            for path in paths if isinstance(paths, list) else [paths]:
                if isinstance(path, str) and path:
                    yield f"{prefix}{path}", Declared(config_name, split if isinstance(split, str) else "")
