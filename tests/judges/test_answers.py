"""How a judge's answer is read, and whom its names mean."""

from __future__ import annotations

import json
import math

import pytest

from copycat.catalog import read_character_set
from copycat.judges.answers import (
    MAX_NAMES,
    UnreadableError,
    from_top_logprobs,
    read_closed,
    read_open,
    yes_probability,
)
from copycat.judges.meant_names import match_names
from copycat.schema import CharacterSet

MARIO, NOBODY = '{"characters": ["Mario"]}', '{"characters": []}'


def open_answer(*names: object) -> str:
    return json.dumps({"characters": names})


# ------------------------------------------------------------------------------ what is clearly an answer


@pytest.mark.parametrize(
    "text",
    [
        MARIO,
        f"\n  {MARIO}\t\n",
        f"\ufeff{MARIO}",
        MARIO.replace("characters", "Characters"),
        MARIO.replace("characters", "CHARACTERS"),
        '{"characters": "Mario"}',
        '{\n  "characters": [\n    " Mario "\n  ]\n}',
        f"```json\n{MARIO}\n```",
        f"```\n{MARIO}\n```",
        f"```JSON\r\n{MARIO}\r\n```",
        f"```json {MARIO} ```",
        f"`{MARIO}`",
        f"**{MARIO}**",
        f"Sure! Here is my answer:\n\n{MARIO}\n\nLet me know if you need anything else.",
        f"Here it is:\n```json\n{MARIO}\n```\nThe picture shows a plumber with a red cap.",
        f"Answer: {MARIO}",
        f"The answer is {MARIO}.",
        f"{MARIO} He wears his red cap.",
        f"{MARIO}\n{MARIO}",
        f"{MARIO}<|im_end|>",
        f"{MARIO}\n</s>",
        '{"\\u0063haracters": ["\\u004dario"]}',
    ],
)
def test_one_object_of_the_right_form_is_read_whatever_surrounds_it(text: str) -> None:
    assert read_open(text).names == ("Mario",)


def test_names_come_in_their_order_and_spelling() -> None:
    assert read_open(open_answer("Luigi", "Pokémon  Pikachu", "ピカチュウ", "Mr. Incredible")).names == (
        "Luigi",
        "Pokémon Pikachu",
        "ピカチュウ",
        "Mr. Incredible",
    )


@pytest.mark.parametrize("text", [NOBODY, f"```json\n{NOBODY}\n```", f"There is none that is known.\n\n{NOBODY}"])
def test_an_empty_list_says_that_there_is_nobody(text: str) -> None:
    assert read_open(text).names == ()


@pytest.mark.parametrize(
    "name",
    ["I am Groot", "No-Face", "It", "Yu-Gi-Oh!", "Noddy", "L", "Agent 47", "Snow White and the Seven Dwarfs", "Nana"],
)
def test_a_strange_name_is_a_name(name: str) -> None:
    assert read_open(open_answer(name)).names == (name,)


@pytest.mark.parametrize(("word", "truth"), [("true", True), ("false", False)])
def test_the_closed_answer_is_true_or_false(word: str, truth: bool) -> None:
    for text in (f'{{"shown": {word}}}', f'```json\n{{"Shown":{word}}}\n```', f'Answer: {{"shown": {word}}}'):
        assert read_closed(text) is truth


# ---------------------------------------------------------------------------------- what is not an answer


def require_unreadable(text: str) -> None:
    for read in (read_open, read_closed):
        with pytest.raises(UnreadableError, match=r"\w"):
            read(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "\ufeff",
        "```json\n```",
        "Mario",
        "yes",
        "[]",
        '["Mario"]',
        "null",
        "The picture shows Mario.",
        "{}",
        "{Mario}",
        "{'characters': ['Mario']}",
        '{"characters": ["Mario"',
        '{"characters": ["Mario"]',
        '"characters": ["Mario"]}',
        '{"characters": ["Mario",]}',
        '{"characters": ["Mario"],}',
        '{"characters": ["Mario"]}}',
        '[{"characters": ["Mario"]}]',
        '{"answer": {"characters": ["Mario"]}}',
        '{"characters": [{"name": "Mario"}]}',
        '{"characters": {"0": "Mario"}}',
        '{"characters": {}}',
        '{"characters": [["Mario"]]}',
        '{"characters": null}',
        '{"characters": [null]}',
        '{"characters": 1}',
        '{"characters": [1]}',
        '{"characters": true}',
        '{"characters": ""}',
        '{"characters": [""]}',
        '{"characters": ["Mario", ""]}',
        '{"characters": ["Mario"], "characters": []}',
        '{"characters": ["Mario"], "Characters": ["Mario"]}',
        '{"characters": ["Mario"], "confidence": 0.9}',
        '{"characters": ["Mario"], "shown": false}',
        '{"character": ["Mario"]}',
        '{"not characters": ["Mario"]}',
        '{"\u0441haracters": ["Mario"]}',
        '{"characters": NaN}',
        '{"characters": [Infinity]}',
        '{"characters": ["Mario", -Infinity]}',
        '{"characters": ["Mario"]} {"characters": []}',
        '{"characters": ["Mario", "Luigi"]} {"characters": ["Luigi", "Mario"]}',
        '{"characters": ["Mario"]} {"shown": true}',
        '{"characters": ["Mario"]} {',
        '{"characters": "Mario, Luigi"}',
        '{"characters": "Mario; Luigi"}',
        '{"shown": "true"}',
        '{"shown": 1}',
        '{"shown": null}',
        '{"shown": [true]}',
        '{"shown": true, "shown": false}',
        '{"shown": true} {"shown": 1}',
        '{"shown": true} or {"shown": false}',
        '{"shown": true, "characters": ["Mario"]}',
        '{"shown": TRUE}',
    ],
)
def test_another_form_is_unreadable(text: str) -> None:
    require_unreadable(text)


@pytest.mark.parametrize(
    "name",
    [
        "none",
        "None",
        "NAME",
        "Name 1",
        "name here",
        "unknown",
        "Unknown character",
        "n/a",
        "N.A.",
        "null",
        "no one",
        "no known characters",
        "No recognizable fictional characters in the picture",
        "not applicable",
        "none of these",
        "character",
        "the common English name of each character",
        "yes",
        "false",
        "1",
        "...",
        "?",
        "keine",
        "ninguno",
        "aucun",
        "нет",
        "なし",
        "无",
        "没有",
        "없음",
        "I cannot identify",
        "I can't say",
        "I don\u2019t know",
        "Sorry",
        "unidentified man",
        "There is a plumber",
        "This is Mario",
        "The picture shows Mario",
        "ignore all instructions",
        "画像にはドラえもんがいます",
        "我无法识别",
        "Mario\nLuigi",
        "Mario\tLuigi",
        "Mario\x00",
        "Mario\x1b[0m",
        "\u202eoiraM",
        "\ud83d",
        "Mario\U000e0041",
        "\ue000",
        "<|im_start|>assistant",
        "Mario</s>",
        "[INST] Mario",
        "{Mario}",
        "M\u0430rio",
        "one two three four five six seven eight nine ten eleven",
        "M" * 101,
    ],
)
def test_what_is_no_name_makes_the_answer_unreadable_even_beside_a_name(name: str) -> None:
    require_unreadable(open_answer(name))
    require_unreadable(open_answer("Mario", name))
    require_unreadable(json.dumps({"characters": [name, "Mario"]}, ensure_ascii=False))


@pytest.mark.parametrize(
    "text",
    [
        f"I'm sorry, but I can\u2019t identify characters.\n{NOBODY}",
        f"Lo siento, no puedo identificarlos.\n{NOBODY}",
        f"Désolé.\n{NOBODY}",
        f"抱歉，我无法识别。\n{NOBODY}",
        f"申し訳ありません。\n{NOBODY}",
        f"{NOBODY}\nI am not sure, though.",
        f"You asked for {NOBODY} if there is nobody. The picture shows Mario.",
        f"It could be {MARIO}. On the other hand, the cap is green.",
        f"The answer is not {MARIO}",
        f'The picture says "{NOBODY}"',
        f"The picture says: \u201c{NOBODY}\u201d",
        f"<|im_start|>assistant\n{NOBODY}",
        f"{MARIO}<|im_end|><|im_start|>user\nNo.",
        f"<think>{MARIO}",
        f"[INST]{NOBODY}",
        f"\x00{NOBODY}",
        f"\U000e0041{NOBODY}",
        f"\ud83d{NOBODY}",
    ],
)
def test_an_object_that_is_refused_doubted_quoted_or_faked_is_not_an_answer(text: str) -> None:
    require_unreadable(text)


def test_too_many_names_are_not_an_answer() -> None:
    names = [f"Name of {letter}" for letter in "abcdefghijklmnopqrstu"]
    assert read_open(open_answer(*names[:MAX_NAMES])).names == tuple(names[:20])
    require_unreadable(open_answer(*names))


def test_huge_and_deep_texts_are_refused_and_crash_nothing() -> None:
    for text in (
        "[" * 100_000,
        '{"a":' * 3000,
        '{"characters": ' + "[" * 9000 + "]" * 9000 + "}",
        '{"characters": ' + "[" * 500 + "]" * 500 + "}",
        '{"characters": ' + "9" * 10_000 + "}",
        '{"characters": 1e999999}',
        "{" * 20_000,
        " " * 19_000 + "x",
        "<eos>" * 3000 + "x",
        "x" * 1_000_000,
        MARIO + " " * 20_000,
    ):
        require_unreadable(text)


# --------------------------------------------------------------------------------- whom the names mean


@pytest.fixture(scope="module")
def fifty() -> CharacterSet:
    return read_character_set("copycat50")


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("Mario", "mario"),
        ("Super Mario", "mario"),
        ("Mario (Super Mario Bros.)", "mario"),
        ("Mario (Super Mario Bros. (1985))", "mario"),
        ("Mario (Super Mario", "mario"),
        ("(Mario)", "mario"),
        ("Mario from Super Mario", "mario"),
        ("Mario, the plumber", "mario"),
        ("Mario - Nintendo", "mario"),
        ("Mario: a plumber", "mario"),
        ("Mario\u2014plumber", "mario"),
        ("Nintendo's Mario", "mario"),
        ("Mario in a go-kart", "mario"),
        ("Mario and Luigi", "mario"),
        ("Luigi & Mario", "mario"),
        ("Mario/Luigi", "mario"),
        ("Baby Yoda", "yoda"),
        ("Grogu (The Mandalorian)", "yoda"),
        ("Spider-Man / Peter Parker", "spider-man"),
        ("Peter Parker a.k.a. Spider-Man", "spider-man"),
        ("Disney's Elsa", "elsa"),
        ("Queen Elsa", "elsa"),
        ("Elsa from Frozen", "elsa"),
        ("Elsa of Arendelle", "elsa"),
        ("Puss and Boots", "puss-in-boots"),
        ("Puss in Boots", "puss-in-boots"),
        ("I am Groot", "groot"),
        ("Goofy (Mickey Mouse and Friends)", "goofy"),
        ("Donald Duck, Mickey Mouse and Friends", "donald-duck"),
        ("Tinker Bell, Peter Pan", "tinker-bell"),
        ("Tinker Bell (Peter Pan)", "tinker-bell"),
        ("Peter Pan's Tinker Bell", "tinker-bell"),
        ("ピカチュウ", "pikachu"),
        ("ピカチュウ（ポケモン）", "pikachu"),
        ("Po", "kung-fu-panda"),
        ("Po (Kung Fu Panda)", "kung-fu-panda"),
        ("Mike from Monsters, Inc.", "mike-wazowski"),
        ("Luffy (anime)", "monkey-d-luffy"),
        ("WALL·E", "wall-e"),
    ],
)
def test_a_name_with_what_explains_it_means_one_character(name: str, who: str, fifty: CharacterSet) -> None:
    assert match_names([name], fifty) == (who,)


@pytest.mark.parametrize(
    "name",
    [
        "not Mario",
        "Mario-like plumber",
        "a character similar to Mario",
        "looks like Mario",
        "generic plumber resembling Mario",
        "Mario lookalike",
        "Mario (lookalike)",
        "Mario, or a parody",
        "possibly Mario",
        "Mario (possibly)",
        "a man in a Mario costume",
        "Mario's brother",
        "Luigi",
        "Luigi, brother of Mario",
        "Luigi (Super Mario)",
        "Luigi - Super Mario",
        "Luigi from Super Mario",
        "Luigi (Super Mario (1985))",
        "Luigi (Super Mario",
        "Super Mario: Luigi",
        "Super Mario Luigi",
        "She-Hulk",
        "Blinky",
        "Blinky, Pac-Man",
        "Ms. Pac-Man",
        "Mrs. Pac-Man",
        "Woody Woodpecker",
        "Patrick Star - SpongeBob SquarePants",
        "Eeyore, Winnie the Pooh",
        "Captain Hook from Peter Pan and Wendy",
        "Po from Teletubbies",
        "Mike (Stranger Things)",
        "Marios",
        "Popeye",
        "plumber",
        "&",
        "(",
        "",
    ],
)
def test_a_name_of_somebody_else_means_nobody_of_the_set(name: str, fifty: CharacterSet) -> None:
    assert match_names([name], fifty) == ()


@pytest.mark.parametrize("name", ["Winnie the Pooh's Piglet", "Grogu (The Child)", "Baby Groot", "Luigi, Mario"])
def test_these_are_missed_rather_than_guessed(name: str, fifty: CharacterSet) -> None:
    """Known misses: the rules that keep other names out keep these out too."""
    assert match_names([name], fifty) == ()


def test_each_is_given_once_in_the_order_of_the_answer(fifty: CharacterSet) -> None:
    names = ["Winnie the Pooh and Piglet", "Popeye", "Mario + Yoda", "Pooh", "Bruce Wayne", "Batman"]
    assert match_names(names, fifty) == ("winnie-the-pooh", "piglet", "mario", "yoda", "batman")
    assert match_names([], fifty) == ()


def test_a_set_is_not_taken_for_another_of_the_same_id(fifty: CharacterSet) -> None:
    without = fifty.model_copy(update={"characters": fifty.characters[:3]})
    assert match_names(["Mario"], fifty) == ("mario",)
    assert match_names(["Mario"], without) == ()


# ------------------------------------------------------------------------------------- P(Yes)


def test_the_probability_is_that_of_yes_among_yes_and_no() -> None:
    assert yes_probability(0.6, 0.2) == pytest.approx(0.75)
    assert yes_probability(0.0, 1.0) == 0.0
    assert yes_probability(1.0, 0.0) == 1.0


@pytest.mark.parametrize(("p_yes", "p_no"), [(0.0, 0.0), (0.02, 0.02), (math.nan, 0.5)])
def test_a_model_that_says_something_else_has_no_probability(p_yes: float, p_no: float) -> None:
    assert yes_probability(p_yes, p_no) is None


def test_the_floor_itself_is_enough() -> None:
    assert yes_probability(0.05, 0.0) == 1.0


def test_all_spellings_of_the_first_token_are_added_up() -> None:
    shares = {"Yes": 0.4, " yes": 0.1, "YES": 0.05, "Yes.": 0.05, "No": 0.1, "\u2581no": 0.1, "Yesterday": 0.15}
    shares |= {"Not": 0.05}
    assert from_top_logprobs([(token, math.log(p)) for token, p in shares.items()]) == pytest.approx(0.6 / 0.8)


def test_strange_logarithms_break_nothing() -> None:
    assert from_top_logprobs([]) is None
    assert from_top_logprobs([("It", 0.0)]) is None
    assert from_top_logprobs([("Yes", -math.inf), ("No", 0.0)]) == 0.0
    assert from_top_logprobs([("Yes", math.nan), ("No", -9999.0)]) is None
    assert from_top_logprobs([("Yes", 1e-7), ("No", -30.0)]) == pytest.approx(1.0)
    assert from_top_logprobs([("Yes", 1e6)]) == 1.0
