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


OTHER_SCRIPTS = {
    "Russian": "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.",
    "Greek": "Ἄνδρα μοι ἔννεπε, Μοῦσα, πολύτροπον, ὃς μάλα πολλὰ πλάγχθη, ἐπεὶ Τροίης ἱερὸν πτολίεθρον ἔπερσε.",
    "Japanese": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
    "Chinese": "道可道，非常道。名可名，非常名。無名天地之始；有名萬物之母。",
    "Korean": "나 보기가 역겨워 가실 때에는 말없이 고이 보내 드리우리다. 영변에 약산 진달래꽃 아름 따다 뿌리우리다.",
    "Arabic": "قِفا نَبكِ مِن ذِكرى حَبيبٍ وَمَنزِلِ بِسِقطِ اللِوى بَينَ الدَخولِ فَحَومَلِ",
    "Thai": "กาลครั้งหนึ่งนานมาแล้วมีชายคนหนึ่งอาศัยอยู่ในป่าใหญ่กับภรรยา",
    "Hindi": "बड़े भाग मानुष तनु पावा सुर दुर्लभ सब ग्रंथन्हि गावा",
}


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def on_lines(text: str) -> str:
    return "\n".join(text.split())


@pytest.mark.parametrize("disguise", [str.upper, spaced, zero_width, decomposed, on_lines], ids=lambda d: d.__name__)
@pytest.mark.parametrize("script", OTHER_SCRIPTS)
def test_disguises_come_off_in_other_scripts(script: str, disguise: object) -> None:
    assert callable(disguise)
    text = OTHER_SCRIPTS[script].translate(str.maketrans("", "", ",.-，。；"))
    assert canonical(disguise(text)).words == canonical(text).words


@pytest.mark.parametrize("script", ["Japanese", "Chinese", "Thai"])
def test_where_no_space_parts_words_each_letter_is_one_and_stops_and_spaces_do_not_matter(script: str) -> None:
    text = OTHER_SCRIPTS[script]
    plain = "".join(letter for letter in text if letter not in "，。；")
    assert canonical(text).words == canonical(plain).words == canonical(" ".join(plain)).words == list(plain)


def test_arabic_and_hebrew_are_the_same_with_their_vowels_and_without() -> None:
    assert canonical("حَبيبٍ وَمَنزِلِ حبـــيب").words == canonical("حبيب ومنزل حبيب").words
    assert canonical("בְּרֵאשִׁית").words == canonical("בראשית").words
    assert len(canonical("\u064e \u0640")) == 0


def test_a_word_of_any_script_is_one_with_its_marks() -> None:
    for script, count in {"Arabic": 11, "Hindi": 10, "Russian": 13, "Greek": 14}.items():
        assert len(words_of(OTHER_SCRIPTS[script])) == count, script
        assert len(words_of(decomposed(OTHER_SCRIPTS[script]))) == count, script


@pytest.mark.parametrize("script", ["Russian", "Arabic", "Korean"])
def test_words_that_are_run_together_are_told_apart_by_the_other_text(script: str) -> None:
    text = OTHER_SCRIPTS[script].replace("-", " ").translate(str.maketrans("", "", ",."))
    output, reference = canonical_pair("".join(text.split()), text)
    assert output.words == reference.words
    assert [output.text[s:e] for s, e in zip(output.starts, output.ends, strict=True)] == text.split()


def test_a_long_word_that_is_none_of_several_stays_whole() -> None:
    reference = "a i the to in is at an it on no he we " + PLAIN
    for word in ("donaudampfschifffahrtsgesellschaft", "aianittoinisatonnoheweaia", "q8f3kz0vmw1x7d5t2j9l"):
        output, _ = canonical_pair(f"the {word} clock", reference)
        assert len(output) == 3, word


def test_letters_without_end_and_without_a_space_are_cut_in_time() -> None:
    """The longest known word is as long as the text itself: its length must not enter the time."""
    output, _ = canonical_pair(" ".join("ab" * 10_000), "ba" * 10_000 + " ab")
    assert len(output) == 10_000
