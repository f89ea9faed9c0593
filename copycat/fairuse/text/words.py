"""Words of a text and where they stand."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

UNSPACED = (
    "\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
    "\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff"
)
"""Kana, Han, Thai, Lao, Burmese, Khmer: scripts that put no space between words, where each letter counts as one."""

MARKS = "".join(
    chr(code)
    for code in (*range(0x300, 0x3100), *range(0xA66F, 0xAC00), *range(0xFB1E, 0xFE30))
    if unicodedata.category(chr(code))[0] == "M"
)
"""Loose accents, vowel signs, points: part of the letter before them, which Python's \\w leaves out."""

_LETTERS = f"[^\\W_{UNSPACED}]+(?:[{MARKS}]+[^\\W_{UNSPACED}]*)*"
WORD = re.compile(f"[{UNSPACED}][\u3099\u309a]*|{_LETTERS}(?:['\u2019]{_LETTERS})*")


@dataclass(frozen=True, slots=True)
class Words:
    """Words in order, each with its place in `text`: word i is spelt by `text[starts[i]:ends[i]]`.

    In the canonical form, the words are not what stands there, but the places are.
    """

    text: str
    words: Sequence[str]
    starts: Sequence[int]
    ends: Sequence[int]

    def __len__(self) -> int:
        return len(self.words)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Give the place in the text of words first to last (exclusive); an empty range has an empty place."""
        if first >= last:
            place = self.starts[first] if first < len(self.words) else len(self.text)
            return place, place
        return self.starts[first], self.ends[last - 1]


def words_of(text: str) -> Words:
    """Split a text into Unicode words: runs of letters and digits, apostrophes inside them kept; case is kept.

    In scripts without spaces each letter is one word.
    """
    found = list(WORD.finditer(text))
    return Words(text, [m.group() for m in found], [m.start() for m in found], [m.end() for m in found])
