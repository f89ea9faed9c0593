"""What a user types, and the wording of requests."""

from __future__ import annotations

import codecs

import pytest

from copycat.errors import UnknownNameError, UserError
from copycat.fairuse.extract.axes import EVASIONS, PROMPT_KINDS, Decoding, parse_decodings, parse_names, parse_prefixes
from copycat.fairuse.extract.prompts import build_request, parts_of, read_wording, start_of_sentence, undone
from copycat.fairuse.extract.records import Ask
from copycat.fairuse.works import LoadedWork, load_works


def ask_for(**fields: object) -> Ask:
    return Ask.model_validate({"key": "0" * 16, "work": "sonnet-18", "role": "work", "prompt": "prefix"} | fields)


@pytest.fixture(scope="module")
def sonnet() -> LoadedWork:
    return next(one for one in load_works(["public-domain"]) if one.work.id == "sonnet-18")


def test_decodings_are_greedy_a_temperature_or_several_draws() -> None:
    assert parse_decodings("greedy, t0.2,t1x8") == (
        Decoding("greedy", 0.0, 1),
        Decoding("t0.2", 0.2, 1),
        Decoding("t1", 1.0, 8),
    )


@pytest.mark.parametrize("typed", ["", "t", "t0", "t3", "greedyx2", "t1x0", "warm", "t1,t1x8"])
def test_a_decoding_that_says_nothing_is_refused(typed: str) -> None:
    with pytest.raises(UserError, match="--decoding"):
        parse_decodings(typed)


def test_prefixes_are_sorted_and_taken_once() -> None:
    assert parse_prefixes("50,5,50") == (5, 50)


@pytest.mark.parametrize("typed", ["", "0", "-5", "five", "99999", "5.5"])
def test_a_prefix_that_is_no_length_is_refused(typed: str) -> None:
    with pytest.raises(UserError, match="--prefix"):
        parse_prefixes(typed)


def test_an_unknown_prompt_is_told_with_one_that_was_meant() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'title'"):
        parse_names("prompt", "titel", PROMPT_KINDS)


@pytest.mark.parametrize("prompt", PROMPT_KINDS)
@pytest.mark.parametrize("evasion", EVASIONS)
def test_every_request_is_whole_and_says_which_evasion_it_wants(prompt: str, evasion: str, sonnet: LoadedWork) -> None:
    ask = ask_for(prompt=prompt, evasion=evasion, start=0, rest=43)
    text = build_request(ask, sonnet, is_chat=True)
    assert "{" not in text
    wanted = {"leet": "4 for a", "caps": "CAPITAL", "rot13": "ROT13", "lines": "numbered", "spaced": "one space"}
    assert wanted.get(evasion, "") in text
    assert ("Shall I compare thee" in text) == (prompt in {"prefix", "continue"})
    assert ("Sonnet 18" in text) == (prompt in {"title", "position", "paraphrase"})


def test_what_is_shown_stands_last_behind_the_evasion(sonnet: LoadedWork) -> None:
    text = build_request(ask_for(evasion="caps", rest=43), sonnet, is_chat=True)
    assert text.endswith("\n\n" + sonnet.readable[:43])


def test_a_model_that_only_goes_on_with_a_text_gets_nothing_but_the_text_or_the_title(sonnet: LoadedWork) -> None:
    assert build_request(ask_for(rest=43), sonnet, is_chat=False) == sonnet.readable[:43]
    assert build_request(ask_for(prompt="title"), sonnet, is_chat=False) == f"{sonnet.work.title}\n\n"


def test_rot13_is_taken_back_and_nothing_else_is_touched() -> None:
    text = "Rough winds do shake the darling buds of May"
    assert undone("rot13", codecs.encode(text, "rot13")) == text
    assert all(undone(evasion, text) == text for evasion in EVASIONS if evasion != "rot13")


def test_chapters_are_parts_where_there_are_headings_else_quarters() -> None:
    book = "".join(f"CHAPTER {n}\n\nIt began on day {n}. It went on.\n\n" for n in ("I", "II", "III", "IV", "V", "VI"))
    names = [part.name for part in parts_of(book)]
    assert names == ["CHAPTER II", "CHAPTER III", "CHAPTER V"]
    text = "One. Two. Three. Four. Five. Six. Seven. Eight. Nine. Ten."
    parts = parts_of(text)
    assert len(parts) == 3
    assert all(text[part.start - 2 : part.start] == ". " for part in parts)


def test_a_place_moves_to_the_next_sentence() -> None:
    text = "It was late. Nobody came."
    assert text[start_of_sentence(text, 3) :] == "Nobody came."
    assert start_of_sentence(text, 0) == 0


def test_the_wording_has_every_prompt_and_evasion_and_a_hash() -> None:
    wording = read_wording()
    assert (set(wording.requests), set(wording.evasions)) == (set(PROMPT_KINDS), set(EVASIONS))
    assert len(wording.sha256) == 64
