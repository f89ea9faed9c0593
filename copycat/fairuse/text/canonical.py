"""The canonical form: what is left of a text when its disguises are taken off.

In this order, each step with its place in the original kept:

1. `names.fold`: compatibility forms (full-width, mathematical letters), case, accents, invisible letters;
2. digits and signs that stand for letters ("h0us3", "c@t"), and letters of other alphabets that look Latin;
3. numbers in front of lines that count up, hyphens at line ends, apostrophes;
4. letters that are spaced out ("t h e   c a t"); where nothing tells the words apart ("t h e c a t"), the
   words of the other text do (`canonical_pair`).

It is made to be compared and not to be read: a number becomes letters too, in both texts alike.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import pairwise

from copycat.fairuse.text.words import Words
from copycat.names import fold_with_origins

CANONICAL_FORM = 1
"""Bumped when the canonical form of any text changes: stored hashes and filters are of one form."""

SIGNS = str.maketrans("@$", "as")
_DIGITS = dict(zip("013457", "oieast", strict=True))
_CYRILLIC = dict(zip("авекмнорстухіјѕԁԛԝһӏ", "abekmhopctyxijsdqwhl", strict=True))
_GREEK = dict(zip("αβεζηικμνορτυχ", "abezhikmnoptyx", strict=True))
LOOKALIKES = str.maketrans(_DIGITS | _CYRILLIC | _GREEK)
"""Folded letters and the Latin ones that they are drawn like in upper or lower case (Unicode UTS #39, confusables)."""

_RUN = re.compile(r"\S+")
_SPACES = re.compile(r"\s+")
_INSIDE_WORD = re.compile(
    "['\u2018\u2019\u02bc\uff07\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+|[-\u2010\u00ad][ \\t]*\n\\s*"
)
"""What may stand between two halves of one word: an apostrophe, invisible letters, a hyphen at the line's end."""
_LINE_NUMBER = re.compile(r"^[ \t]*(\d{1,5})[.):]?[ \t]+", re.MULTILINE)

MIN_SPACED_LETTERS = 4
"""So many single letters in a row are one spaced-out text: "a b c" may be a list, "I a m" hardly occurs."""

MIN_NUMBERED_LINES = 3

TELLING_WORDS, MEAN_LETTERS = 8, 8
"""So many spaced-out words in a row, of so many letters at most in the mean, are told apart by gaps. English: 4.3."""


def canonical(text: str) -> Words:
    """Give the canonical words of a text; empty for a text without letters."""
    return _join(_plain_words(text))


def canonical_pair(output: str, reference: str) -> tuple[Words, Words]:
    """Give the canonical words of two texts; spaced-out letters of each are cut into words that the other has."""
    first, second = _remembered(output), _remembered(reference)
    return _resegmented(first, second), _resegmented(second, first)


@lru_cache(maxsize=8)
def _remembered(text: str) -> Words:
    """Give `canonical(text)`, which takes a second for a megabyte: many answers are compared with one work."""
    return canonical(text)


def letters_of(words: Words) -> str:
    """Give the canonical letters without any space: what stays equal however the text is spaced."""
    return "".join(words.words)


# ---------------------------------------------------------------------------------------- steps


def _plain_words(text: str) -> Words:
    folded = fold_with_origins(text.translate(SIGNS))
    letters = folded.text.translate(LOOKALIKES)
    numbers = _line_numbers(text)
    found = [m for m in _RUN.finditer(letters) if not numbers or folded.start_of(m.start()) not in numbers]
    return Words(
        text,
        [m.group() for m in found],
        [folded.start_of(m.start()) for m in found],
        [folded.end_of(m.end()) for m in found],
    )


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
    parts: list[tuple[str, int, int]] = []
    for first, last in _pieces(plain):
        parts.append(("".join(plain.words[first:last]), plain.starts[first], plain.ends[last - 1]))
    return Words(plain.text, *(list(column) for column in zip(*parts, strict=True))) if parts else plain


def _pieces(plain: Words) -> Iterator[tuple[int, int]]:
    """Give ranges of plain words that are one word each."""
    first = 0
    while first < len(plain):
        last = first + 1
        while last < len(plain) and len(plain.words[last]) == len(plain.words[last - 1]) == 1:
            last += 1
        if last - first >= MIN_SPACED_LETTERS and plain.words[first].isalpha():
            yield from _spaced_words(plain, first, last)
            first = last
            continue
        last = first + 1
        while last < len(plain) and _is_one_word(plain.text[plain.ends[last - 1] : plain.starts[last]]):
            last += 1
        yield first, last
        first = last


def _is_one_word(gap: str) -> bool:
    return bool(_INSIDE_WORD.fullmatch(gap))


def _spaced_words(plain: Words, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Cut spaced-out letters where the gaps are wider than the narrowest."""
    gaps = [_width(plain.text[plain.ends[i] : plain.starts[i + 1]]) for i in range(first, last - 1)]
    narrow = min(gaps)
    start = first
    for place, gap in enumerate(gaps, start=first + 1):
        if gap > narrow:
            yield start, place
            start = place
    yield start, last


def _width(gap: str) -> int:
    """Measure a gap by its longest run of spaces, so that "r ' s" is one word; a new line is wide."""
    return max(map(len, _SPACES.findall(gap)), default=0) + 10 * gap.count("\n")


# --------------------------------------------------------------------------------- segmentation


def _resegmented(words: Words, other: Words) -> Words:
    """Cut words that stand for spaced-out letters into words of the other text."""
    spaced = [i for i in range(len(words)) if _is_spaced_out(words, i)]
    if not spaced:
        return words
    unclear = set(_unclear(words))
    vocabulary = set(other.words)
    longest = max(map(len, vocabulary), default=0)
    parts: list[tuple[str, int, int]] = []
    first = 0
    for i in spaced:
        word = words.words[i]
        cuts = [] if word in vocabulary else _cut(word, vocabulary, longest)
        if len(cuts) < 2 or not (i in unclear or all(word[start:end] in vocabulary for start, end in cuts)):
            continue
        parts += zip(words.words[first:i], words.starts[first:i], words.ends[first:i], strict=True)
        places = _letter_places(words, i)
        parts += ((word[start:end], places[start][0], places[end - 1][1]) for start, end in cuts)
        first = i + 1
    parts += zip(words.words[first:], words.starts[first:], words.ends[first:], strict=True)
    return Words(words.text, *(list(column) for column in zip(*parts, strict=True)))


def _unclear(words: Words) -> Iterator[int]:
    """Give the words that are spaced-out letters and may be anything, as their gaps do not tell where a word ends.

    Where many such words follow each other and are no longer than words are, the gaps have told. Then a word is cut
    only where known words explain all of its letters, as those beside a hyphen.
    """
    run: list[int] = []
    for i in range(len(words) + 1):
        if i < len(words) and (_is_spaced_out(words, i) or (run and len(words.words[i]) < MIN_SPACED_LETTERS)):
            run.append(i)
            continue
        letters = sum(len(words.words[k]) for k in run)
        if len(run) < TELLING_WORDS or letters > MEAN_LETTERS * len(run):
            yield from (k for k in run if _is_spaced_out(words, k))
        run = []


def _is_spaced_out(words: Words, i: int) -> bool:
    return len(words.words[i]) >= MIN_SPACED_LETTERS and words.ends[i] - words.starts[i] >= 2 * len(words.words[i]) - 1


def _letter_places(words: Words, i: int) -> list[tuple[int, int]]:
    """Find the place of each canonical letter of one word."""
    start = words.starts[i]
    folded = fold_with_origins(words.text[start : words.ends[i]].translate(SIGNS))
    return [
        (start + folded.start_of(place), start + folded.end_of(place + 1))
        for place, letter in enumerate(folded.text)
        if letter != " "
    ]


def _cut(word: str, vocabulary: Collection[str], longest: int) -> list[tuple[int, int]]:
    """Cut letters into known words, leaving the fewest letters over, then making the fewest pieces.

    Letters left over that stand together are one piece. Time: letters x longest known word.
    """
    best: list[tuple[int, int, int]] = [(0, 0, 0)]  # letters left over, pieces, where the last piece starts
    for end in range(1, len(word) + 1):
        left, pieces, _ = best[end - 1]
        options = [(left + 1, pieces + 1, end - 1)]
        for start in range(max(0, end - longest), end):
            if word[start:end] in vocabulary:
                options.append((best[start][0], best[start][1] + 1, start))
        best.append(min(options))
    cuts: list[tuple[int, int]] = []
    end = len(word)
    while end > 0:
        start = best[end][2]
        is_left_over = word[start:end] not in vocabulary
        if cuts and is_left_over and word[cuts[-1][0] : cuts[-1][1]] not in vocabulary:
            cuts[-1] = (start, cuts[-1][1])
        else:
            cuts.append((start, end))
        end = start
    return cuts[::-1]
