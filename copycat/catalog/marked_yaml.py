"""YAML that remembers where each value stands, so that a fault can name its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from copycat.errors import DataError
from copycat.paths import shown

try:
    from yaml import CSafeLoader as FastLoader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as FastLoader  # type: ignore[assignment]

Location = tuple[str | int, ...]
"""A path into the document, such as ("characters", 3, "keywords", 0)."""

MAX_SHOWN = 60
_HINTS = {
    "mapping values are not allowed": "text that contains ': ' needs quotes",
    "cannot start any token": "indent with spaces, and quote text that starts with a special character",
    "expected <block end>": "are the entries indented alike?",
}


class _FastLoader(FastLoader):
    """No dates: '1999-01-01' stays text, and an impossible date is no crash of the loader."""


_FastLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in FastLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class MarkedYaml:
    """A parsed document (`value`) with the nodes it came from; lines count from 1.

    `duplicate_keys`: the location of each key that its mapping has twice, its line, the first line.
    """

    path: str
    value: object
    root: Node
    duplicate_keys: tuple[tuple[Location, int, int], ...] = ()

    def line_of(self, location: Location) -> int:
        """Give the line of the value at `location`, or of the nearest thing around it that exists."""
        return int(self._nearest(location).start_mark.line) + 1

    def key_line_of(self, location: Location) -> int:
        """Give the line of the key at `location`."""
        parent = self._nearest(location[:-1])
        for key, _ in parent.value if isinstance(parent, MappingNode) else ():
            if key.value == location[-1]:
                return int(key.start_mark.line) + 1
        return self.line_of(location)

    def shown(self, location: Location) -> str:
        """Give the value as the file writes it, shortened, for an error text."""
        node = self._nearest(location)
        if isinstance(node, MappingNode):
            return "a mapping"
        if isinstance(node, SequenceNode):
            return "a list"
        text = " ".join(str(node.value).split())
        return f"'{text}'" if len(text) <= MAX_SHOWN else f"'{text[:MAX_SHOWN]}...'"

    def _nearest(self, location: Location) -> Node:
        node = self.root
        for step in location:
            inner = _child(node, step)
            if inner is None:
                break
            node = inner
        return node


def read_marked_yaml(path: Path) -> MarkedYaml:
    """Read a YAML file.

    Raises:
        DataError: not there, a folder, not UTF-8, empty, or not YAML; with the line where there is one.
    """
    name = shown(path)
    text = _read_text(path, name)
    try:
        loader = _FastLoader(text)
        root = loader.get_single_node()
        # before the values are made, because that copies what '<<' merges into the nodes
        duplicates = () if root is None else tuple(_duplicate_keys(root, (), set()))
        value = None if root is None else loader.construct_document(root)
    except yaml.YAMLError as error:
        raise DataError([_syntax_fault(name, text, error)]) from error
    except RecursionError as error:
        raise DataError([f"{name}: is nested too deeply"]) from error
    except ValueError as error:  # such as "!!int one"
        raise DataError([f"{name}: a value cannot be read: {error}"]) from error
    if root is None or value is None:
        raise DataError([f"{name}: is empty"])
    return MarkedYaml(name, value, root, duplicates)


def _read_text(path: Path, name: str) -> str:
    if path.is_dir():
        raise DataError([f"{name}: is a folder\n  needed: a YAML file"])
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError([f"{name}: there is no such file"]) from error
    except OSError as error:
        raise DataError([f"{name}: cannot be read ({error.strerror})"]) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            [f"{name}:{line}: byte 0x{raw[error.start]:02x} is not UTF-8\n  save the file as UTF-8"]
        ) from error


def _syntax_fault(name: str, text: str, error: yaml.YAMLError) -> str:
    """Word a syntax error as PyYAML's own parser does; libyaml's words depend on its version."""
    try:
        list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as plain:
        error = plain
    except RecursionError:
        pass
    if isinstance(error, yaml.reader.ReaderError):
        line, problem = text.count("\n", 0, error.position) + 1, f"character {error.character!r} is not allowed"
    elif isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line, problem = (mark.line + 1 if mark else 1), error.problem or error.context or "syntax"
    else:
        line, problem = 1, str(error)
    hint = next((hint for part, hint in _HINTS.items() if part in problem), "")
    return f"{name}:{line}: not valid YAML: {problem}" + (f"\n  {hint}" if hint else "")


def _child(node: Node, step: str | int) -> Node | None:
    if isinstance(node, MappingNode):
        found = [value for key, value in node.value if isinstance(key, ScalarNode) and key.value == str(step)]
        return found[-1] if found else None
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        inner: Node = node.value[step]
        return inner
    return None


def _duplicate_keys(node: Node, location: Location, seen: set[int]) -> Iterator[tuple[Location, int, int]]:
    if id(node) in seen:  # an anchor that is used twice, or that contains itself
        return
    seen.add(id(node))
    if isinstance(node, SequenceNode):
        for index, inner in enumerate(node.value):
            yield from _duplicate_keys(inner, (*location, index), seen)
    elif isinstance(node, MappingNode):
        first_lines: dict[str, int] = {}
        for key, inner in node.value:
            line = key.start_mark.line + 1
            here = (*location, str(key.value))
            if isinstance(key, ScalarNode) and key.value in first_lines:
                yield here, line, first_lines[key.value]
            first_lines.setdefault(str(key.value), line)
            yield from _duplicate_keys(inner, here, seen)
