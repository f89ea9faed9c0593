"""Pictures of each character that a user gives, to judge by likeness: one subfolder per character."""

from __future__ import annotations

import hashlib
import warnings
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from PIL.Image import Image

from copycat.errors import DataError, UserError
from copycat.models.decode import UndecodableError, decode_picture
from copycat.names import fold
from copycat.paths import shown
from copycat.schema import Character, CharacterSet

MAX_BYTES = 50_000_000
LAYOUT = """\
  needed: --references FOLDER with a subfolder per character, named by its id, its name or an alias:
    FOLDER/some-character/1.png
    FOLDER/some-character/2.jpg
    FOLDER/other-character/any-name.webp"""


Cast = tuple[tuple[str, str, tuple[str, ...]], ...]
"""Who is in a set, as far as folders are matched: ids, names, aliases."""


class Reference(NamedTuple):
    """One picture of one character; `name` is its path inside the folder."""

    character: str
    name: str
    picture: Image


class References:
    """A folder of pictures: PNG, JPEG or WebP, one subfolder per character. Hidden files are passed over.

    Args:
        owner: who compares with them, as error texts say it: "judge 'dino'".
    """

    def __init__(self, folder: Path, owner: str) -> None:
        self.folder, self.owner = folder, owner
        self._read: dict[Cast, tuple[Reference, ...]] = {}

    @cached_property
    def sha256(self) -> str:
        """The hash of all names and bytes.

        Raises:
            UserError: there is no such folder.
        """
        whole = hashlib.sha256()
        for path in sorted(p for paths in self._paths.values() for p in paths):
            with path.open("rb") as file:
                whole.update(f"{path.relative_to(self.folder).as_posix()}\n".encode())
                whole.update(hashlib.file_digest(file, "sha256").digest())
        return whole.hexdigest()

    def of(self, characters: CharacterSet) -> tuple[Reference, ...]:
        """Give every picture of a character of the set, decoded once, in the order of the set.

        Subfolders of nobody in the set are left alone as long as every character has one: then the
        folder is of a larger set. Else one of them is probably misspelt.

        Raises:
            DataError: files that are no pictures, empty or misspelt subfolders; all of them at once.
            UserError: there is no picture of anybody in the set.
        """
        cast = cast_of(characters)
        if cast not in self._read:
            self._read[cast] = self._decode(characters)
        return self._read[cast]

    def missing(self, characters: CharacterSet) -> tuple[str, ...]:
        """Give the ids of the characters that have no picture: nobody can tell whether they are shown."""
        there = {reference.character for reference in self.of(characters)}
        return tuple(c.id for c in characters.characters if c.id not in there)

    def facts(self) -> dict[str, str]:
        """Say which pictures these are, and whom they leave out, once somebody was looked for."""
        found = {"references": f"{shown(self.folder)} (sha256 {self.sha256[:16]})"}
        if left_out := sorted({c[0] for cast in self._read for c in cast} - self._pictured()):
            found["without references, not judged"] = ", ".join(left_out)
        return found

    def _pictured(self) -> set[str]:
        return {reference.character for there in self._read.values() for reference in there}

    @cached_property
    def _paths(self) -> dict[str, list[Path]]:
        """The files by the name of their subfolder; '' for those outside of any."""
        if not self.folder.is_dir():
            raise UserError(f"{self.owner}: there is no folder {shown(self.folder)}\n{LAYOUT}")
        found: dict[str, list[Path]] = {}
        for path in _visible(self.folder):
            if path.is_dir():
                found[path.name] = _visible(path)
            else:
                found.setdefault("", []).append(path)
        return found

    def _decode(self, characters: CharacterSet) -> tuple[Reference, ...]:
        faults, found, strangers = [], [], []
        owners = _owners(characters.characters)
        for name, paths in self._paths.items():
            ids = sorted(owners.get(fold(name), ()))
            if not name:
                faults += [f"{shown(path)}: lies outside of any character's folder" for path in paths]
            elif not paths:
                faults.append(f"{shown(self.folder / name)}: holds no picture")
            elif len(ids) == 1:
                found += self._decode_folder(ids[0], paths, faults)
            elif ids:
                faults.append(f"{shown(self.folder / name)}: '{name}' may be {' or '.join(ids)}; use the id")
            else:
                strangers.append(name)
        pictured = {reference.character for reference in found}
        without = [c.id for c in characters.characters if c.id not in pictured]
        if without:
            faults += self._misspelt(strangers, without)
        if faults:
            raise DataError(faults, LAYOUT)
        if not found:
            raise UserError(f"{self.owner}: {shown(self.folder)} has no picture of anybody in the set\n{LAYOUT}")
        order = [c.id for c in characters.characters]
        return tuple(sorted(found, key=lambda reference: order.index(reference.character)))

    def _decode_folder(self, character: str, paths: Sequence[Path], faults: list[str]) -> list[Reference]:
        """Decode the pictures of one character; what cannot be decoded is added to the faults."""
        found = []
        for path in paths:
            try:
                found.append(Reference(character, path.relative_to(self.folder).as_posix(), read_picture(path)))
            except UndecodableError as error:
                faults.append(f"{shown(path)}: {error}")
        return found

    def _misspelt(self, strangers: Sequence[str], without: Sequence[str]) -> list[str]:
        listed = ", ".join(without[:10]) + (", ..." if len(without) > 10 else "")
        return [
            f"{shown(self.folder / name)}: no character is called '{name}'; without a folder: {listed}"
            for name in strangers
        ]


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def cast_of(characters: CharacterSet) -> Cast:
    """Give what tells two sets apart, as a key."""
    return tuple((c.id, c.name, c.aliases) for c in characters.characters)


def read_picture(path: Path) -> Image:
    """Decode a picture of a user's; what Pillow would only warn of is a fault.

    Raises:
        UndecodableError: a directory, too many bytes or pixels, another format, or damaged.
    """
    if not path.is_file():
        raise UndecodableError("is no file")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise UndecodableError(f"{size} bytes; at most {MAX_BYTES} are read")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return decode_picture(path.read_bytes())
        except (OSError, Warning) as error:
            raise UndecodableError(str(error)) from error


def _owners(characters: Sequence[Character]) -> dict[str, set[str]]:
    """Who answers to a folded name: an id counts before names, and names before aliases."""
    owners: dict[str, set[str]] = {}
    for names_of in (lambda c: (c.id,), lambda c: (c.name,), lambda c: c.aliases):
        found: dict[str, set[str]] = defaultdict(set)
        for character in characters:
            for name in names_of(character):
                found[fold(name)].add(character.id)
        owners = {**found, **owners}
    return owners
