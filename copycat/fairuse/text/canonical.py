"""The canonical form: what is left of a text when its disguises are taken off.

In this order, each step with its place in the original kept:

1. `names.fold`: compatibility forms (full-width, mathematical letters), case, accents, invisible letters;
2. digits and signs that stand for letters ("h0us3", "c@t"), letters of other alphabets that look Latin, and the
   vowel points of Arabic and Hebrew, which are written or not;
3. numbers in front of lines that count up, hyphens at line ends, apostrophes;
4. letters that are spaced out ("t h e   c a t"); where nothing tells the words apart, those of the text that it is
   compared with do (`pairs`).

In scripts without spaces each letter is one word, as in `words`, so that spaces and stops between them do not matter.

It is made to be compared and not to be read: a number becomes letters too, in both texts alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, pairwise
from operator import add

from copycat.fairuse.text.words import UNSPACED, Words
from copycat.names import fold_with_origins

CANONICAL_FORM = 1
"""Bumped when the canonical form of any text changes: stored hashes and filters are of one form."""

SIGNS = str.maketrans("@$", "as")
_DIGITS = dict(zip("013457", "oieast", strict=True))
_CYRILLIC = dict(zip("авекмнорстухіјѕԁԛԝһӏ", "abekmhopctyxijsdqwhl", strict=True))
_GREEK = dict(zip("αβεζηικμνορτυχ", "abezhikmnoptyx", strict=True))
LOOKALIKES = str.maketrans(_DIGITS | _CYRILLIC | _GREEK)
"""Folded letters and the Latin ones that they are drawn like in upper or lower case (Unicode UTS #39, confusables)."""

LEFT_OUT = dict.fromkeys(
    chain(
        range(0x591, 0x5BE), (0x5BF, 0x5C1, 0x5C2, 0x5C4, 0x5C5, 0x5C7),  # Hebrew
        range(0x610, 0x61B), (0x640,), range(0x64B, 0x660), (0x670,), range(0x6D6, 0x6DD), range(0x6DF, 0x6E5),
        (0x6E7, 0x6E8), range(0x6EA, 0x6EE),  # Arabic; U+0640 only makes a word longer
    )
)  # fmt: skip
"""Points and signs that most texts of these scripts leave out, for `str.translate`."""

_POINT = re.compile(f"[{''.join(map(chr, LEFT_OUT))}]")
_RUN = re.compile(r"\S+")
_UNSPACED_LETTER = re.compile(f"[{UNSPACED}]")
_LETTER_OR_RUN = re.compile(f"[{UNSPACED}]|[^\\s{UNSPACED}]+")
_SPACES = re.compile(r"\s+")
_INSIDE_WORD = re.compile(
    "['\u2018\u2019\u02bc\uff07\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+|[-\u2010\u00ad][ \\t]*\n\\s*"
)
"""What may stand between two halves of one word: an apostrophe, invisible letters, a hyphen at the line's end."""
_LINE_NUMBER = re.compile(r"^[ \t]*(\d{1,5})[.):]?[ \t]+", re.MULTILINE)

MIN_SPACED_LETTERS = 4
"""So many single letters in a row are one spaced-out text: "a b c" may be a list, "I a m" hardly occurs."""

_SINGLES = re.compile(f"1{{{MIN_SPACED_LETTERS},}}")

MIN_NUMBERED_LINES = 3


def canonical(text: str) -> Words:
    """Give the canonical words of a text; empty for a text without letters."""
    return _join(_plain_words(text))


def letters_of(words: Words) -> str:
    """Give the canonical letters without any space: what stays equal however the text is spaced."""
    return "".join(words.words)


# ---------------------------------------------------------------------------------------- steps


def _plain_words(text: str) -> Words:
    folded = fold_with_origins(text.translate(SIGNS))
    letters = folded.text.translate(LOOKALIKES)
    pattern = _RUN if letters.isascii() or not _UNSPACED_LETTER.search(letters) else _LETTER_OR_RUN
    words = letters.split() if pattern is _RUN else pattern.findall(letters)
    starts = [found.start() for found in pattern.finditer(letters)]
    ends = list(map(add, starts, map(len, words)))
    if folded.starts is not None and folded.ends is not None:
        starts = [folded.starts[place] for place in starts]
        ends = [folded.ends[place - 1] for place in ends]
    if not letters.isascii() and _POINT.search(letters):
        words = [word.translate(LEFT_OUT) for word in words]
    if (numbers := _line_numbers(text)) or not all(words):
        kept = [i for i, word in enumerate(words) if word and starts[i] not in numbers]
        words, starts, ends = ([column[i] for i in kept] for column in (words, starts, ends))  # type: ignore[assignment]
    return Words(text, words, starts, ends)


def _line_numbers(text: str) -> set[int]:
    """Find where the numbers stand that count lines up by one, three lines or more in a row."""
    found = [(int(m.group(1)), m.start(1)) for m in _LINE_NUMBER.finditer(text)]
    numbers: set[int] = set()
    run = found[:1]
    for before, here in pairwise([*found, (-1, -1)]):
        if here[0] == before[0] + 1:
            run.append(here)
            continue
        if len(run) >= MIN_NUMBERED_LINES:
            numbers |= {place for _, place in run}
        run = [here]
    return numbers


def _join(plain: Words) -> Words:
    """Join what a hyphen, an apostrophe or spaced letters took apart."""
    begins = _beginnings(plain)
    firsts = [i for i, is_first in enumerate(begins) if is_first]
    if len(firsts) == len(plain):
        return plain
    lasts = [*firsts[1:], len(plain)]
    return Words(
        plain.text,
        ["".join(plain.words[i:j]) if j - i > 1 else plain.words[i] for i, j in zip(firsts, lasts, strict=True)],
        [plain.starts[i] for i in firsts],
        [plain.ends[j - 1] for j in lasts],
    )


def _beginnings(plain: Words) -> list[bool]:
    """Tell which plain words begin a word, and do not go on with the one before."""
    text = plain.text
    gaps = [text[end:start] for end, start in zip(plain.ends, plain.starts[1:], strict=False)]
    inside = {gap for gap in set(gaps) if _INSIDE_WORD.fullmatch(gap)}
    begins = [True, *(gap not in inside for gap in gaps)][: len(plain)]
    singles = ["1" if len(word) == 1 else "0" for word in plain.words]
    if not text.isascii():
        for i, word in enumerate(plain.words):
            if _UNSPACED_LETTER.match(word):
                singles[i] = "0"
                begins[i : i + 2] = [True] * len(begins[i : i + 2])
    for run in _SINGLES.finditer("".join(singles)):
        first, last = run.span()
        while first < last and not (begins[first] and plain.words[first].isalpha()):
            first += 1
        if last - first >= MIN_SPACED_LETTERS:
            begins[first : last + 1] = [True, *_wide(gaps[first : last - 1]), True][: len(begins) - first]
    return begins


def _wide(gaps: list[str]) -> Iterator[bool]:
    """Tell where the gaps between spaced-out letters are wider than the narrowest: words end there."""
    widths = {gap: _width(gap) for gap in set(gaps)}
    narrow = min(widths.values())
    return (widths[gap] > narrow for gap in gaps)


def _width(gap: str) -> int:
    """Measure a gap by its longest run of spaces, so that "r ' s" is one word; a new line is wide."""
    return max(map(len, _SPACES.findall(gap)), default=0) + 10 * gap.count("\n")
