"""Canonical letters of a text that arrives in pieces: the same letters whatever the pieces are.

They are the letters of `text.canonical` without its words: compatibility forms, case, accents, invisible letters,
digits and signs that stand for letters, look-alikes. Spaces, hyphens and apostrophes fall away, so that joining words
does not matter. One step is narrower, so that nothing has to wait for later lines: a number in front of a line is
dropped where it follows the number before by one (`text.canonical` wants three such lines and then drops the first
of them too).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from copycat.fairuse.text.canonical import LEFT_OUT, LOOKALIKES, SIGNS
from copycat.fairuse.text.words import UNSPACED
from copycat.names import continues_letter, fold_with_origins

if TYPE_CHECKING:
    import numpy as np

FIFTHS = 5
"""Words are counted in fifths: a letter of a text without words (spaced out, or run together) is a fifth of one."""

MAX_LETTERS_OF_A_WORD = 12
SINGLES_OF_SPACED_TEXT = 3
"""After so many single letters, each further one counts as a letter and no longer as a word."""

MAX_MARKS = 64
"""So many code points at most make one letter; a heap of marks without end would otherwise wait for ever."""

CHUNK = 65_536

_NUMBER = re.compile(r"(\d{1,5})[.):]?[ \t]")
_UNFINISHED_NUMBER = re.compile(r"\d{1,5}[.):]?")
_LINE_NUMBER = re.compile(r"^[ \t]*(\d{1,5})[.):]?[ \t]", re.MULTILINE)
_UNSPACED_LETTER = re.compile(f"[{UNSPACED}]")
_APOSTROPHES = frozenset("'\u2018\u2019\u02bc")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz")
_FIRST_UNSPACED = "\u0e01"
_SPACE, _APOSTROPHE = ord(" "), ord("'")


@lru_cache(maxsize=65_536)
def canonical_letter(cluster: str) -> str:
    """Fold one letter with its marks: the letters that it stands for, " " for a gap, "" for what is invisible."""
    if cluster in _APOSTROPHES:
        return "'"
    folded = fold_with_origins(cluster.translate(SIGNS)).text.translate(LOOKALIKES).translate(LEFT_OUT)
    return "".join(folded.split()) or folded[:1]


class LetterStream:
    """Turns pieces of a text into canonical letters, each with its place.

    Attributes:
        starts, ends: the place of each letter in the text.
        words: words that begin before each letter, in fifths; one longer than the letters.
        begins: 1 where a letter is the first of its word.
        place: all of the text before it is resolved.
    """

    def __init__(self) -> None:
        self.starts, self.ends, self.words = array("q"), array("q"), array("q", [0])
        self.begins = bytearray()
        self.place = 0
        self._pending = ""
        self._is_line_head = True
        self._number: int | None = None
        self._after_gap = True
        self._in_word = self._singles = 0

    def push(self, text: str) -> str:
        """Take the next piece; give the letters that no later piece can change."""
        return self._take(self._pending + text, is_end=False)

    def close(self) -> str:
        """Give the letters that were waiting for more text."""
        return self._take(self._pending, is_end=True)

    # --------------------------------------------------------------------------- private

    def _take(self, text: str, *, is_end: bool) -> str:
        letters: list[str] = []
        at, size = 0, len(text)
        is_plain = text.isascii()
        while at < size:
            end = at + 1
            if not is_plain:
                while end < size and end - at < MAX_MARKS and continues_letter(text[end]):
                    end += 1
            if not is_end and end == size:
                break
            if self._is_line_head:
                skipped = self._read_line_head(text, at, is_end=is_end)
                if skipped is None:
                    break
                if skipped:
                    at += skipped
                    continue
            cluster = text[at:end]
            folded = canonical_letter(cluster)
            if 2 <= self._in_word < MAX_LETTERS_OF_A_WORD and not self._after_gap and folded in _PLAIN:
                letters.append(folded)  # most letters, by the quick way: they add nothing to the words
                self._in_word += 1
                self.begins.append(0)
                self.starts.append(self.place + at)
                self.ends.append(self.place + end)
                self.words.append(self.words[-1])
            else:
                self._add(folded, at, end, letters)
            if cluster == "\n":
                self._is_line_head = True
            at = end
        self._pending = text[at:]
        self.place += at
        return "".join(letters)

    def _read_line_head(self, text: str, at: int, *, is_end: bool) -> int | None:
        """Skip a number that counts lines up: how many code points it has, None where more text must come first."""
        letter = text[at]
        if letter in " \t\n":
            return 0
        if letter.isdigit():
            if not is_end and _UNFINISHED_NUMBER.fullmatch(text, at):
                return None
            if found := _NUMBER.match(text, at):
                self._is_line_head = False
                before, self._number = self._number, int(found.group(1))
                if before is not None and self._number == before + 1:
                    self._after_gap = True
                    return len(found.group(1))
        self._is_line_head = False
        return 0

    def _add(self, folded: str, start: int, end: int, letters: list[str]) -> None:
        if folded == " ":
            self._after_gap = True
            return
        if folded in ("", "'"):
            return
        for letter in folded:
            letters.append(letter)
            self.starts.append(self.place + start)
            self.ends.append(self.place + end)
            self.words.append(self.words[-1] + self._weigh(letter))

    def _weigh(self, letter: str) -> int:
        """Say how many fifths of a word a letter adds, by itself and the letters before it alone."""
        if letter >= _FIRST_UNSPACED and _UNSPACED_LETTER.match(letter):
            self.begins.append(1)
            self._after_gap, self._in_word, self._singles = True, 0, 0
            return FIFTHS
        if self._after_gap:
            self.begins.append(1)
            self._singles = self._singles + 1 if self._in_word == 1 else 0
            self._after_gap, self._in_word = False, 1
            return 1 if self._singles >= SINGLES_OF_SPACED_TEXT else FIFTHS
        self.begins.append(0)
        self._in_word += 1
        if self._in_word == 2 and self._singles >= SINGLES_OF_SPACED_TEXT:
            return FIFTHS - 1
        return 1 if self._in_word > MAX_LETTERS_OF_A_WORD else 0


# ------------------------------------------------------------------------------- whole works, fast


class Letters(NamedTuple):
    """Canonical letters of a part of a work.

    `codes` are code points, (n,) uint32; `begins` says where words begin, (n,) bool.
    """

    codes: np.ndarray[Any, Any]
    begins: np.ndarray[Any, Any]


def letters_of_work(text: str) -> Iterator[Letters]:
    """Give the letters of a work in parts; together they are those of `LetterStream`, some twenty times faster."""
    number: int | None = None
    for start, end in _chunks(text):
        chunk = text[start:end]
        if not start or text[start - 1] == "\n":
            chunk, number = _without_line_numbers(chunk, number)
        folded = _fold_simple(chunk)
        yield _stream_letters(chunk) if folded is None else _array_letters(folded)


def joined_letters(text: str) -> str:
    """Give all letters of a long text at once."""
    return "".join(str(piece.codes.astype("<u4").tobytes(), "utf-32-le") for piece in letters_of_work(text))


def _chunks(text: str) -> Iterator[tuple[int, int]]:
    """Cut a text at ends of lines, or where it has none for long, at a space or anywhere between two letters."""
    start = 0
    while start < len(text):
        end = min(start + CHUNK, len(text))
        if end < len(text):
            end = (text.rfind("\n", start, end) + 1) or (text.rfind(" ", start, end) + 1) or end
            while end < len(text) and continues_letter(text[end]):
                end += 1
        yield start, end
        start = end


def _without_line_numbers(chunk: str, number: int | None) -> tuple[str, int | None]:
    """Put spaces in place of numbers that count lines up."""
    parts: list[str] = []
    done = 0
    for found in _LINE_NUMBER.finditer(chunk):
        before, number = number, int(found.group(1))
        if before is not None and number == before + 1:
            parts += [chunk[done : found.start(1)], " " * len(found.group(1))]
            done = found.end(1)
    return ("".join([*parts, chunk[done:]]) if parts else chunk), number


class _SimpleTable(dict[int, str]):
    """Code point -> its folded form, filled on demand; for str.translate."""

    def __missing__(self, code: int) -> str:
        self[code] = canonical_letter(chr(code))
        return self[code]


_TABLE = _SimpleTable()


@lru_cache(maxsize=65_536)
def _is_simple(letter: str) -> bool:
    return not continues_letter(letter) and len(canonical_letter(letter)) == 1


def _fold_simple(chunk: str) -> str | None:
    """Fold a chunk of which each code point is one letter or gap by itself; None for others."""
    return chunk.translate(_TABLE) if all(map(_is_simple, set(chunk))) else None


def _stream_letters(chunk: str) -> Letters:
    import numpy as np

    stream = LetterStream()
    stream._is_line_head = False  # its numbers are gone already; a new stream would look for them once more
    letters = stream.push(chunk) + stream.close()
    codes = np.frombuffer(letters.encode("utf-32-le", "surrogatepass"), np.uint32)
    return Letters(codes, np.frombuffer(bytes(stream.begins), np.uint8).astype(bool))


def _array_letters(folded: str) -> Letters:
    import numpy as np

    encoding, kind = ("latin-1", np.uint8) if folded.isascii() else ("utf-32-le", np.uint32)
    codes = np.frombuffer(folded.encode(encoding, "surrogatepass"), kind)
    is_gap = codes == _SPACE
    places = np.flatnonzero(~is_gap & (codes != _APOSTROPHE))
    gaps = np.cumsum(is_gap, dtype=np.int32)[places]
    begins = np.empty(len(places), bool)
    begins[:1] = True
    begins[1:] = gaps[1:] != gaps[:-1]
    if kind is np.uint32:
        for found in _UNSPACED_LETTER.finditer(folded):
            place = int(np.searchsorted(places, found.start()))
            begins[place : place + 2] = True
    return Letters(codes[places].astype(np.uint32), begins)
