"""Folding with places: the fast way against one letter at a time."""

from __future__ import annotations

import random

from copycat.names import _fold_letter, continues_letter, fold_with_origins

ALPHABET = (
    "abc ABC-.'\n\t]^\\[-…æœßøé½ﬁ™®Σς\u0345İ"
    "\u200b\u200c\u200d\ufeff\u00ad\u0301\u0308\u3099\u309a\uff9e\uff76カガ한국\u1112\u1161\u11ab\u1160ア"
    "تَـא\u05b8हि्กี่\U0001d400\U0001f600\ud800"
)


def one_by_one(text: str) -> tuple[str, list[int], list[int]]:
    """Independent reference: cut the text into letters with their marks, and fold each by itself."""
    letters, starts, ends = "", [], []
    start = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and continues_letter(text[end]):
            continue
        folded = _fold_letter(text[start:end])
        letters += folded
        starts += [start] * len(folded)
        ends += [end] * len(folded)
        start = end
    return letters, starts, ends


def test_folding_a_text_is_folding_its_letters_one_by_one() -> None:
    rng = random.Random(1)
    for _ in range(1_000):
        text = "".join(rng.choices(ALPHABET, k=rng.randint(0, 12)))
        folded = fold_with_origins(text)
        if folded.starts is None:  # a table did it: each code point is a letter with a place of its own
            continue
        places = range(len(folded.text))
        got = folded.text, [folded.start_of(i) for i in places], [folded.end_of(i + 1) for i in places]
        assert got == one_by_one(text), ascii(text)
