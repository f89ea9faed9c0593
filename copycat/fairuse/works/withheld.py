"""Withheld works: salted hashes of letter windows, and lengths; no readable text.

    NOVEL.withheld/
      work.json     the record (title, author, licence; no text), the numbers of words and letters, and hashes with the
                    salt as key: `work.sha256` of the text, `salt_check` of nothing, to tell another salt
      grams.npy     one 64-bit hash for each canonical letter: of the GRAM_LETTERS letters that begin with it
      salt.key      32 random bytes, readable by its owner alone; without it the hashes say nothing

What it hides and what not: nobody reads the work from the hashes, and without the salt nobody can look anything up.
Whoever has the salt too can search, and can also test guesses: who knows GRAM_LETTERS letters of the work in a row can
guess on, letter by letter, to its end. So the folder with its salt goes only to somebody who may search and is trusted
not to guess; without its salt it may lie anywhere.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import ValidationError

from copycat.errors import DataError, UserError
from copycat.fairuse.records import Work
from copycat.fairuse.text import Words, canonical
from copycat.fairuse.text.canonical import CANONICAL_FORM, letters_of
from copycat.paths import shown
from copycat.runs.folder import write_bytes, write_json
from copycat.schema import Record

if TYPE_CHECKING:
    import numpy as np

GRAM_LETTERS = 24
"""Canonical letters of a window: some five English words."""

SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")

WORK_FILE, GRAMS_FILE, SALT_FILE = "work.json", "grams.npy", "salt.key"
SUFFIX = ".withheld"


class WithheldFile(Record):
    """work.json of a withheld work."""

    work: Work
    words: int
    letters: int
    gram_letters: int = GRAM_LETTERS
    canonical_form: int = CANONICAL_FORM
    salt_check: str


class WithheldHit(NamedTuple):
    """A stretch of a text that stands in a withheld work, ends exclusive.

    `start` and `end` are places in the text as it was given; `first_letter` and `last_letter` count canonical letters
    of the work.
    """

    start: int
    end: int
    first_letter: int
    last_letter: int

    @property
    def letters(self) -> int:
        """How many canonical letters are the same."""
        return self.last_letter - self.first_letter


@dataclass(frozen=True)
class WithheldGrams:
    """The hashes of one work, in the work's order: `grams[i]` is of the window that begins with its letter i."""

    file: WithheldFile
    grams: np.ndarray[Any, Any]
    salt: bytes

    @classmethod
    def of_text(cls, work: Work, text: str, salt: bytes | None = None) -> WithheldGrams:
        """Hash a text.

        Raises:
            UserError: it has too few letters for a single window.
        """
        words = canonical(text)
        letters = letters_of(words)
        if len(letters) < GRAM_LETTERS:
            raise UserError(
                f"'{work.title}' has {len(letters)} letters, and a hash needs {GRAM_LETTERS}\n"
                "  so short a work cannot be withheld; a longer part of it can"
            )
        salt = salt or secrets.token_bytes(32)
        # Without the salt, a hash of the whole text would tell anybody whether a guess of it is right.
        keyed = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=salt, digest_size=32).hexdigest()
        record = work.model_copy(update={"withheld": True, "file": None, "sha256": keyed})
        file = WithheldFile(work=record, words=len(words), letters=len(letters), salt_check=_check_of(salt))
        return cls(file, window_hashes(letters, salt), salt)

    def save(self, folder: Path) -> None:
        """Write the three files; the salt is readable by its owner alone.

        Raises:
            UserError: the folder holds something already.
        """
        import numpy as np

        if folder.exists() and any(folder.iterdir()):
            raise UserError(f"{shown(folder)} holds something already\n  name a new folder: --out DIR")
        folder.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        np.save(content, self.grams, allow_pickle=False)
        descriptor = os.open(folder / SALT_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(self.salt)
        write_bytes(folder / GRAMS_FILE, content.getvalue())
        write_json(folder / WORK_FILE, self.file.model_dump(mode="json"))

    @classmethod
    def load(cls, folder: Path) -> WithheldGrams:
        """Read a withheld work.

        Raises:
            DataError: a file is missing or damaged, or the hashes were made by another version.
        """
        import numpy as np

        try:
            file = WithheldFile.model_validate_json((folder / WORK_FILE).read_bytes())
            grams = np.load(folder / GRAMS_FILE, allow_pickle=False)
            salt = _salt_in(folder)
        except (OSError, EOFError, ValueError, ValidationError) as error:
            why = " ".join(str(error).split())[:200]
            raise DataError([f"{shown(folder)}: cannot be read ({why})"], "  make it again from the text") from error
        version = (file.gram_letters, file.canonical_form)
        if version != (GRAM_LETTERS, CANONICAL_FORM) or grams.shape != (file.letters - GRAM_LETTERS + 1,):
            raise DataError([f"{shown(folder)}: made by another version"], "  make it again from the text")
        if not 0 < len(salt) <= hashlib.blake2b.MAX_KEY_SIZE or _check_of(salt) != file.salt_check:
            raise DataError(
                [f"{shown(folder)}: {SALT_FILE} is not the salt of these hashes, and nothing would be found"],
                "  bring back the salt that was made with them, or make the folder again from the text",
            )
        return cls(file, grams, salt)

    def hits(self, text: str | Words) -> list[WithheldHit]:
        """Find the stretches of a text that stand in the work: from left to right, each as long as it goes.

        A stretch is found where at least GRAM_LETTERS canonical letters in a row are the same. The text's letters are
        looked up one by one, so that spacing and hyphens do not matter.
        """
        words = canonical(text) if isinstance(text, str) else text
        letters = letters_of(words)
        windows = window_hashes(letters, self.salt)
        ends = list(accumulate(map(len, words.words)))
        found: list[WithheldHit] = []
        free = 0
        for place in self._known(windows):
            if place < free:
                continue
            first, length = self._longest_run(windows, place)
            free = place + length + GRAM_LETTERS - 1
            start, end = bisect_right(ends, place), bisect_right(ends, free - 1)
            found.append(WithheldHit(words.starts[start], words.ends[end], first, first + free - place))
        return found

    # --------------------------------------------------------------------------- private

    def _known(self, windows: np.ndarray[Any, Any]) -> list[int]:
        """Give the places of a text's windows that the work has."""
        import numpy as np

        _, ordered = self._sorted
        nearest = np.searchsorted(ordered, windows)
        nearest[nearest == len(ordered)] = 0
        return np.flatnonzero(ordered[nearest] == windows).tolist()

    def _longest_run(self, windows: np.ndarray[Any, Any], place: int) -> tuple[int, int]:
        """Find where in the work the most windows in a row are those of the text from `place` on, and how many."""
        import numpy as np

        order, ordered = self._sorted
        low, high = (int(np.searchsorted(ordered, windows[place], side)) for side in SIDES)
        best = (0, 0)
        for first in sorted(order[low:high].tolist()):
            most = min(len(windows) - place, len(self.grams) - first)
            if most <= best[1]:
                break
            length = _equal_at_start(windows[place : place + most], self.grams[first : first + most])
            if length > best[1]:
                best = (first, length)
        return best

    @cached_property
    def _sorted(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Places of the work's windows in the order of their hashes, and those hashes."""
        import numpy as np

        order = np.argsort(self.grams, kind="stable")
        return order, self.grams[order]


def _equal_at_start(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> int:
    """Count how many elements are the same, from the first on; most runs are short, so few are compared at once."""
    import numpy as np

    done, step = 0, 64
    while done < len(first):
        differing = np.flatnonzero(first[done : done + step] != second[done : done + step])
        if len(differing):
            return done + int(differing[0])
        done, step = done + step, 2 * step
    return len(first)


def _salt_in(folder: Path) -> bytes:
    """Read the salt, which may have been kept back from somebody who was given the hashes."""
    if not (folder / SALT_FILE).exists():
        raise DataError(
            [f"{shown(folder)}: {SALT_FILE} is missing, and without it hashes cannot be looked up"],
            "  ask whoever made the folder for it, or have them do the search",
        )
    return (folder / SALT_FILE).read_bytes()


def window_hashes(letters: str, salt: bytes) -> np.ndarray[Any, Any]:
    """Hash each window of GRAM_LETTERS letters with the salt as key (BLAKE2b, 64 bits).

    Returns: (letters - GRAM_LETTERS + 1,) uint64, empty where the letters are fewer than a window.
    """
    import numpy as np

    keyed = hashlib.blake2b(key=salt, digest_size=8)
    hashes = bytearray()  # millions of hashes as objects would take six times the memory
    for start in range(len(letters) - GRAM_LETTERS + 1):
        state = keyed.copy()
        state.update(letters[start : start + GRAM_LETTERS].encode("utf-8", "surrogatepass"))
        hashes += state.digest()
    return np.frombuffer(bytes(hashes), dtype="<u8").astype(np.uint64)


def _check_of(salt: bytes) -> str:
    """Hash nothing with a salt as key: what tells another salt, and nothing of the work."""
    return hashlib.blake2b(b"salt", key=salt, digest_size=16).hexdigest()


def withhold(work: Work, text: str, folder: Path) -> WithheldGrams:
    """Hash a work and save the hashes; see `WithheldGrams.of_text` and `save`."""
    grams = WithheldGrams.of_text(work, text)
    grams.save(folder)
    return grams
