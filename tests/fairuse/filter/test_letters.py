"""Canonical letters of a text in pieces."""

from __future__ import annotations

import random

import pytest

from copycat.fairuse.filter.hashing import window_hash, window_hashes
from copycat.fairuse.filter.letters import FIFTHS, LetterStream, joined_letters, letters_of_work
from copycat.fairuse.text import canonical
from copycat.fairuse.text.canonical import letters_of

LATIN = "ab c1.\n-'@$0123 \t\u00e9\u2019\u00df\ufb01\u0301\u200b"
ALPHABET = LATIN + "\u0e04\u0e32\u0915\u093e\u3099\u304b\u0643\u064e\u0640\u0410\u0411\u041e"


def random_texts(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return ["".join(rng.choices(ALPHABET, k=rng.randint(0, 60))) for _ in range(count)]


def whole(text: str) -> tuple[str, LetterStream]:
    stream = LetterStream()
    return stream.push(text) + stream.close(), stream


def facts(stream: LetterStream) -> tuple[object, ...]:
    return stream.starts, stream.ends, stream.words, stream.begins


def test_letters_are_the_same_whatever_the_pieces() -> None:
    rng = random.Random(1)
    for text in random_texts(600, 2):
        letters, at_once = whole(text)
        stream, got, at = LetterStream(), "", 0
        while at < len(text):
            size = rng.randint(1, 5)
            got += stream.push(text[at : at + size])
            at += size
        assert got + stream.close() == letters
        assert facts(stream) == facts(at_once)


def test_they_are_the_letters_of_the_canonical_form_where_no_line_is_numbered() -> None:
    for text in random_texts(400, 3):
        plain = "".join(letter for letter in text if not letter.isdigit())
        assert whole(plain)[0] == letters_of(canonical(plain))


def test_the_fast_way_for_whole_works_gives_the_same() -> None:
    for text in [*random_texts(400, 4), "1 the\n2 cat\n3 sat\n" * 9000, "one word and another " * 9000]:
        letters, stream = whole(text)
        parts = list(letters_of_work(text))
        assert joined_letters(text) == letters
        assert [begins for part in parts for begins in part.begins.tolist()] == [bool(b) for b in stream.begins]


def test_numbers_that_count_lines_up_are_dropped_after_the_first() -> None:
    assert whole("1. It was\n2. the best\n3) of times")[0] == "iitwasthebestoftimes"
    assert whole("In 10 days\n11 came")[0] == "iniodaysiicame"


def test_each_letter_knows_its_place() -> None:
    letters, stream = whole("A \ufb01ne\u0301 d-\nay")
    assert letters == "afineday"
    assert [("A \ufb01ne\u0301 d-\nay")[a:b] for a, b in zip(stream.starts, stream.ends, strict=True)] == [
        *("A", "\ufb01", "\ufb01", "n", "e\u0301", "d", "a", "y")
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It was the best of times", 6),
        ("don\u2019t stop", 2),
        ("s p a c e d   o u t   l e t t e r s", 3 + 13 / 5),
        ("itwasthebestoftimesitwastheworst", 1 + 20 / 5),
        ("\u304b\u306a", 2),
        ("", 0),
    ],
)
def test_words_are_counted_and_letters_without_words_are_a_fifth_of_one(text: str, words: float) -> None:
    assert whole(text)[1].words[-1] / FIFTHS == pytest.approx(words)


def test_a_heap_of_marks_without_end_is_taken_in_bounded_time() -> None:
    stream = LetterStream()
    got = "".join(stream.push("\u0301") for _ in range(5000)) + stream.close()
    assert got == ""
    assert stream.place == 5000


def test_hashes_of_arrays_are_those_of_the_definition() -> None:
    import numpy as np

    text = "".join(random.Random(5).choices("abcdefgh\u0431\u4e2d", k=200))
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    for window in (1, 2, 3, 12, 24, 31, 200):
        expected = [window_hash(text[i : i + window], 7) for i in range(len(text) - window + 1)]
        assert window_hashes(codes, window, 7).tolist() == expected
    assert len(window_hashes(codes, 201, 7)) == 0
