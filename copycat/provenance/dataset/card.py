"""A dataset's card: README.md with YAML front matter, as on the Hugging Face Hub, and croissant.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from copycat.provenance.dataset.batches import Fault
from copycat.provenance.records import Evidence, printable

CARD_NAMES = ("README.md", "readme.md", "dataset_card.md", "datasheet.md")
CROISSANT_NAMES = ("croissant.json", "provenance/croissant.json")
BLANK = "[to be written:"
"""How a draft of a card begins a blank."""

MAX_CARD_BYTES = 8 << 20
MAX_FRONT_BYTES = 1 << 20
"""Of YAML, which is slow to read."""

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

    @property
    def unread(self) -> str:
        """What of it cannot be read, and why, such as "README.md:1: the front matter has no end"; "" for nothing."""
        said = [f"{fault.evidence.place}: {fault.said[:300]}" for fault in self.faults]
        return "; ".join(said[:2]) + (f"; and {len(said) - 2} more" if len(said) > 2 else "")

    @property
    def is_draft(self) -> bool:
        """Whether its text says itself that it is not finished, by a marked blank."""
        return BLANK in self.body


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases: a card needs none, and a few lines of them grow to gigabytes or to a circle."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("an alias (*name); write out what it stands for")
        if self.depth > MAX_DEPTH:
            raise yaml.YAMLError(f"more than {MAX_DEPTH} levels")
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        if isinstance(node, yaml.MappingNode):
            unique_keys([(str(key.value), None) for key, _ in node.value])
        return super().construct_mapping(node, deep)

    depth = 0


def load_plain_yaml(text: str) -> Any:
    """Give what YAML without aliases says.

    Raises:
        ValueError: it is not YAML, has aliases, or is deeper than MAX_DEPTH.
    """
    try:
        return without_surrogates(yaml.load(text, Loader=_PlainLoader))  # noqa: S506 - derived from SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        raise ValueError(" ".join(str(error).split())) from None


def load_plain_json(raw: bytes) -> Any:
    """Give what JSON says.

    Raises:
        ValueError: it is not JSON in UTF-8, has a key twice, or is deeper than MAX_DEPTH.
    """
    try:
        said = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=unique_keys)
    except RecursionError:
        raise ValueError(f"more than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise ValueError(str(error)) from None
    if is_deeper(said, MAX_DEPTH):
        raise ValueError(f"more than {MAX_DEPTH} levels")
    return without_surrogates(said) if may_hold_surrogates(raw) else said


def may_hold_surrogates(raw: bytes) -> bool:
    """Whether JSON spells out a letter that may be half of one; such text can be written nowhere."""
    return b"\\ud" in raw or b"\\uD" in raw


def without_surrogates(value: Any) -> Any:
    """Give the value with all its text printable; it may not be deeper than MAX_DEPTH."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [without_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {without_surrogates(name): without_surrogates(each) for name, each in value.items()}
    return value


def is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and mappings lie in each other more than so many levels deep."""
    if not isinstance(value, list | dict):
        return False
    if levels <= 0:
        return True
    inner = value.values() if isinstance(value, dict) else value
    return any(is_deeper(each, levels - 1) for each in inner if isinstance(each, list | dict))


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Give the object of a JSON text.

    Raises:
        ValueError: it has a key twice, and so contradicts itself.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key '{twice[:80]}' is there twice")
    return found


def read_card(root: Path) -> Card:
    """Read the card of the dataset in the folder `root`; a fault in it is kept, never raised."""
    faults: list[Fault] = []
    name, text = _first(root, CARD_NAMES, faults)
    front, body = _split(_decoded(text, name, faults), name, faults)
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


def _decoded(raw: bytes, name: str, faults: list[Fault]) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        faults.append(Fault(Evidence(file=name, line=line), f"is not UTF-8 from byte {error.start + 1} on"))
        return raw.decode("utf-8-sig", "replace")


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
    front, said = _front("\n".join(lines[1:end]))
    if said:
        faults.append(Fault(Evidence(file=name, line=1), f"the front matter {said}"))
    return front, "\n".join(lines[end + 1 :])


def _front(text: str) -> tuple[Mapping[str, Any], str]:
    """Give the front matter, and what is wrong with it, "" for nothing."""
    if len(text) > MAX_FRONT_BYTES:
        return {}, f"has {len(text)} letters; at most {MAX_FRONT_BYTES} are read"
    try:
        front = load_plain_yaml(text)
    except ValueError as error:
        return {}, f"is not plain YAML: {error}"
    if front is not None and not isinstance(front, dict):
        return {}, "is not a mapping"
    return {str(key): value for key, value in (front or {}).items()}, ""
