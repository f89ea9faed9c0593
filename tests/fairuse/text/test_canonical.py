"""The canonical form: disguises come off, places in the original stay."""

from __future__ import annotations

import random
import string
import unicodedata

import pytest
from confusable_homoglyphs import confusables

from copycat.fairuse.text import Words, canonical, canonical_pair, words_of
from copycat.fairuse.text.canonical import LOOKALIKES, letters_of
from copycat.names import fold

PLAIN = "The keeper wound the tide clock, and the harbour's lamps came on one by one."


def leet(text: str) -> str:
    return text.translate(str.maketrans("aoeAOE", "403403"))


def spaced(text: str) -> str:
    return "   ".join(" ".join(word) for word in text.split())


def zero_width(text: str) -> str:
    return "\u200b".join(text)


def cyrillic(text: str) -> str:
    return text.translate(str.maketrans("aeopcyx", "аеорсух"))


def full_width(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def accented(text: str) -> str:
    return text.replace("a", "a\u0301").replace("o", "ö")


def broken_at_line_ends(text: str) -> str:
    return text.replace("keeper", "kee-\nper").replace("lamps", "la-\n   mps")


def numbered(text: str) -> str:
    return "\n".join(f"{number}. {word}" for number, word in enumerate(text.split(), start=1))


DISGUISES = [str.upper, leet, spaced, zero_width, cyrillic, full_width, accented, broken_at_line_ends, numbered]


@pytest.mark.parametrize("disguise", DISGUISES, ids=lambda disguise: disguise.__name__)
def test_a_disguised_text_has_the_words_of_the_plain_one(disguise: object) -> None:
    assert callable(disguise)
    assert canonical(disguise(PLAIN)).words == canonical(PLAIN).words


@pytest.mark.parametrize("disguise", DISGUISES, ids=lambda disguise: disguise.__name__)
def test_the_place_of_a_word_holds_its_letters_in_the_original(disguise: object) -> None:
    assert callable(disguise)
    found = canonical(disguise(PLAIN))
    for word, start, end in zip(found.words, found.starts, found.ends, strict=True):
        assert letters_of(canonical(found.text[start:end])) == word


def test_letters_that_are_evenly_spaced_are_cut_into_the_words_of_the_other_text() -> None:
    output, reference = canonical_pair(" ".join("thekeeperwoundtheclock"), PLAIN)
    assert output.words == ["the", "keeper", "wound", "the", "clock"]
    assert output.text[output.starts[1] : output.ends[1]] == "k e e p e r"
    assert reference.words == canonical(PLAIN).words


def test_letters_that_no_word_of_the_other_text_explains_stay_together() -> None:
    output, _ = canonical_pair(" ".join("thezzqxkeeper"), PLAIN)
    assert output.words == ["the", "zzqx", "keeper"]


def test_a_long_ordinary_word_is_not_cut() -> None:
    output, _ = canonical_pair("thekeeper", PLAIN)
    assert output.words == ["thekeeper"]


def test_a_short_list_of_letters_stays_a_list() -> None:
    assert canonical("a b c").words == ["a", "b", "c"]


def test_numbers_that_do_not_count_lines_up_are_words() -> None:
    assert canonical("3 cats\n9 dogs\n2 birds").words == ["e", "cats", "9", "dogs", "2", "birds"]


@pytest.mark.parametrize("text", ["", "  \n\t", "\u200b\u200b", "...!?", "\ufeff"])
def test_a_text_without_letters_has_no_words(text: str) -> None:
    assert len(canonical(text)) == 0
    assert len(words_of(text)) == 0


def test_it_says_no_more_than_names_do_of_plain_letters() -> None:
    """Independent reference: the fold of names, on texts without digits, apostrophes and spaced letters."""
    draw = random.Random(3)
    for _ in range(200):
        words = ["".join(draw.choices(string.ascii_letters + "äßøñ", k=draw.randint(2, 9))) for _ in range(12)]
        assert " ".join(canonical(" ".join(words)).words) == fold(" ".join(words))


def test_every_lookalike_is_one_of_the_unicode_consortium_s() -> None:
    """Independent reference: the confusables of Unicode UTS #39, for either case of the letter."""
    for code, latin in LOOKALIKES.items():
        letter = chr(code)
        if not letter.isalpha():
            continue
        looks = {
            unicodedata.normalize("NFKC", found["c"]).casefold()
            for form in (letter, letter.upper())
            for report in (confusables.is_confusable(form, greedy=True, preferred_aliases=[]) or [])
            for found in report["homoglyphs"]
        }
        assert chr(latin) in looks if isinstance(latin, int) else latin in looks, f"{letter} -> {latin}"


def test_mixed_scripts_and_scripts_without_spaces_have_words() -> None:
    assert words_of("tide 時計 clock").words == ["tide", "時", "計", "clock"]
    assert canonical("ТHE clock").words == ["the", "clock"]


def test_words_of_a_text_keep_case_and_inner_apostrophes() -> None:
    found = words_of("Don't — the Keeper’s lamp")
    assert found.words == ["Don't", "the", "Keeper’s", "lamp"]
    assert [found.text[s:e] for s, e in zip(found.starts, found.ends, strict=True)] == found.words


def test_an_empty_range_of_words_has_an_empty_place() -> None:
    found = words_of("one two")
    assert found.span(1, 1) == (4, 4)
    assert found.span(0, 2) == (0, 7)
    assert Words("", [], [], []).span(0, 0) == (0, 0)
