"""A dataset's card: README.md with YAML front matter, as on the Hugging Face Hub, and croissant.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from copycat.provenance.dataset.batches import Fault
from copycat.provenance.records import Evidence

CARD_NAMES = ("README.md", "readme.md", "dataset_card.md", "datasheet.md")
CROISSANT_NAMES = ("croissant.json", "provenance/croissant.json")
MAX_CARD_BYTES = 8 << 20
MAX_DEPTH = 64
"""Levels of lists and mappings in a card; deeper ones are a fault, not a meal."""


@dataclass(frozen=True)
class Card:
    """What a dataset says of itself.

    Attributes:
        front: the YAML front matter; body: the text after it, with Markdown.
        croissant: the JSON-LD, {} where there is none.
        file, croissant_file: relative to the dataset; "" where there is none.
        faults: what could not be read; the rest is there.
    """

    front: Mapping[str, Any] = field(default_factory=dict)
    body: str = ""
    croissant: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    croissant_file: str = ""
    faults: tuple[Fault, ...] = ()


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases: a card needs none, and a few lines of them grow to gigabytes or to a circle."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("an alias (*name), which a card does not need")
        if self.depth > MAX_DEPTH:
            raise yaml.YAMLError(f"more than {MAX_DEPTH} levels")
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    depth = 0


def load_plain_yaml(text: str) -> Any:
    """Give what YAML without aliases says.

    Raises:
        ValueError: it is not YAML, has aliases, or is deeper than MAX_DEPTH.
    """
    try:
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506 - derived from SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        raise ValueError(" ".join(str(error).split())) from None


def load_plain_json(raw: bytes) -> Any:
    """Give what JSON says.

    Raises:
        ValueError: it is not JSON in UTF-8, or too deep.
    """
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(str(error) or "too deep") from None


def read_card(root: Path) -> Card:
    """Read the card of the dataset in the folder `root`; a fault in it is kept, never raised."""
    faults: list[Fault] = []
    name, text = _first(root, CARD_NAMES, faults)
    front, body = _split(text.decode("utf-8-sig", "replace"), name, faults)
    croissant_name, raw = _first(root, CROISSANT_NAMES, faults)
    croissant: Any = {}
    if raw:
        try:
            croissant = load_plain_json(raw)
        except ValueError as error:
            faults.append(Fault(Evidence(file=croissant_name), f"is not JSON: {error}"))
            croissant = {}
        if not isinstance(croissant, dict):
            faults.append(Fault(Evidence(file=croissant_name), "is not a JSON object"))
            croissant = {}
    return Card(front, body, croissant, name, croissant_name, tuple(faults))


def _first(root: Path, names: tuple[str, ...], faults: list[Fault]) -> tuple[str, bytes]:
    for name in names:
        path = root / name
        if not path.is_file():
            continue
        try:
            size = path.stat().st_size
            if size > MAX_CARD_BYTES:
                faults.append(Fault(Evidence(file=name), f"has {size} bytes; at most {MAX_CARD_BYTES} are read"))
                return name, b""
            return name, path.read_bytes()
        except OSError as error:
            faults.append(Fault(Evidence(file=name), f"cannot be read: {error.strerror}"))
            return name, b""
    return "", b""


def _split(text: str, name: str, faults: list[Fault]) -> tuple[Mapping[str, Any], str]:
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        return {}, text
    end = next((at for at, line in enumerate(lines[1:], 1) if line.strip() == "---"), None)
    if end is None:
        faults.append(Fault(Evidence(file=name, line=1), "the front matter has no end (a line '---')"))
        return {}, text
    body = "\n".join(lines[end + 1 :])
    try:
        front = load_plain_yaml("\n".join(lines[1:end]))
    except ValueError as error:
        faults.append(Fault(Evidence(file=name, line=1), f"the front matter is not plain YAML: {error}"))
        return {}, body
    if front is None:
        return {}, body
    if not isinstance(front, dict):
        faults.append(Fault(Evidence(file=name, line=1), "the front matter is not a mapping"))
        return {}, body
    return {str(key): value for key, value in front.items()}, body
