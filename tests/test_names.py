from __future__ import annotations

import random
import string
import time
from dataclasses import dataclass

import pytest

from copycat import names
from copycat.names import Collision, Mention, NameMatcher, fold, mentions


@dataclass(frozen=True)
class Who:
    id: str
    name: str
    aliases: tuple[str, ...] = ()
    not_aliases: tuple[str, ...] = ()


CAST = (
    Who("jasmine", "Princess Jasmine", ("Jasmine",)),
    Who("luffy", "Monkey D. Luffy", ("Luffy",)),
    Who("po", "Po Ping", ("Po", "Kung Fu Panda"), ("Po River", "Po Valley")),
    Who("sonic", "Sonic The Hedgehog", ("Sonic", "ソニック", "소닉"), ("sonic boom",)),
    Who("spongebob", "SpongeBob SquarePants", ("SpongeBob", "Sponge Bob")),
    Who("spider-man", "Spider-Man", ("Spiderman",)),
    Who("pac-man", "Pac-Man", ("Pacman",)),
    Who("baby-yoda", "Baby Yoda", ("Grogu", "The Child")),
    Who("yoda", "Yoda"),
    Who("chun-li", "Chun-Li", ("Chunli",)),
    Who("tinker-bell", "Tinker Bell", ("Tinkerbell",)),
    Who("winnie", "Winnie-the-Pooh ", ("Pooh",)),
    Who("link", "Link", (), ("missing link", "link to")),
    Who("hulk", "Hulk", ("The Incredible Hulk",), ("She-Hulk",)),
    Who("woody", "Woody", (), ("Woody Woodpecker", "Woody Allen")),
    Who("ariel", "Ariel", ("小美人鱼",)),
    Who("manet", "Manet"),
    Who("wall-e", "WALL·E"),
    Who("pikachu", "Pikachu", ("皮卡丘", "ピカチュウ", "Pokémon mascot")),
    Who("mickey", "Mickey Mouse", ("Mickey",)),
)
MATCHER = NameMatcher(CAST)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wall·E", "wall e"),
        ("WALL-E", "wall e"),
        ("Pokémon", "pokemon"),
        ("Poke\u0301mon", "pokemon"),
        ("Spider\u2011Man", "spider man"),
        ("Winnie-the-Pooh ", "winnie the pooh"),
        ("Mickey Mouse's", "mickey mouse s"),
        ("Mickey Mouse\u2019s", "mickey mouse s"),
        ("Batman™ & Robin®", "batman robin"),
        ("Ｓｏｎｉｃ", "sonic"),
        ("Spi\u00adder\u200bMan", "spider man"),
        ("Sørensen Łukasz", "sorensen lukasz"),
        ("STRASSE straße", "strasse strasse"),
        ("snake_case", "snake case"),
        ("皮卡丘", "皮卡丘"),
        ("ガンダム", "ガンダム"),
        ("カ\u3099ンタ\u3099ム", "ガンダム"),
        ("ｶﾞﾝﾀﾞﾑ", "ガンダム"),
        ("ミッキー・マウス", "ミッキー マウス"),
        ("피카츄", "피카츄"),
        ("Чебура́шка", "чебурашка"),
        ("", ""),
        ("!?", ""),
    ],
)
def test_folding_makes_spellings_of_one_name_equal(text: str, expected: str) -> None:
    assert fold(text) == expected
    assert fold(expected) == expected


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("Jasmine", "jasmine"),
        ("Luffy", "luffy"),
        ("character: Po, score: 1", "po"),
        ("sonic", "sonic"),
        ("SpongeBob", "spongebob"),
        ("Spiderman", "spider-man"),
        ("a spider man on a wall", "spider-man"),
        ("Pacman", "pac-man"),
        ("Grogu", "baby-yoda"),
        ("Chun Li", "chun-li"),
        ("Tinkerbell", "tinker-bell"),
        ("Winnie the Pooh", "winnie"),
        ("winnie-the-pooh (Disney)", "winnie"),
        ("Sonic's shoes", "sonic"),
        ("MICKEY MOUSE’S gloves", "mickey"),
        ("wall-e the robot", "wall-e"),
        ("一只可爱的皮卡丘在草地上", "pikachu"),
        ("ピカチュウです", "pikachu"),
        ("소닉은 빠르다", "sonic"),
        ("the_incredible_hulk.png", "hulk"),
    ],
)
def test_a_variant_of_a_name_names_the_character(text: str, character: str) -> None:
    assert MATCHER.named_in(text) == {character}
    assert mentions(text, next(who for who in CAST if who.id == character))


@pytest.mark.parametrize(
    "text",
    [
        "Blinky",
        "She-Hulk",
        "she hulk",
        "Woody Woodpecker",
        "woody allen's films",
        "Arial",
        "Manetti",
        "hulking",
        "a link to the page, the missing link",
        "supersonic, sonic boom",
        "Poe",
        "the Po River",
        "パナソニック",
        "파나소닉",
        "",
        "the of and a",
    ],
)
def test_a_longer_word_or_a_blocked_phrase_names_nobody(text: str) -> None:
    assert MATCHER.find(text) == []


def test_a_character_named_beside_its_blocked_phrase_is_found() -> None:
    assert MATCHER.find("Hulk and She-Hulk") == [Mention("hulk", "Hulk", 0, 4)]
    assert MATCHER.find("She-Hulk and Hulk") == [Mention("hulk", "Hulk", 13, 17)]


def test_offsets_point_into_the_original_text() -> None:
    text = "Ｔｈｅ ﬁne Poke\u0301mon mascot™ met “Chun\u2011Li’s” friend, 皮卡丘!"
    assert [(m.character_id, text[m.start : m.end]) for m in MATCHER.find(text)] == [
        ("pikachu", "Poke\u0301mon mascot"),
        ("chun-li", "Chun\u2011Li"),
        ("pikachu", "皮卡丘"),
    ]


def test_the_longest_name_wins() -> None:
    assert MATCHER.find("baby yoda") == [Mention("baby-yoda", "Baby Yoda", 0, 9)]
    assert MATCHER.named_in("baby Yoda and Yoda") == {"baby-yoda", "yoda"}


def test_a_blocked_phrase_of_one_character_does_not_hide_another() -> None:
    matcher = NameMatcher((Who("thor", "Thor", (), ("Thor Heyerdahl",)), Who("explorer", "Heyerdahl")))
    assert matcher.find("Thor Heyerdahl") == [Mention("explorer", "Heyerdahl", 5, 14)]


def test_an_alias_that_contains_a_blocked_phrase_still_names() -> None:
    matcher = NameMatcher((Who("link", "Link", ("Link to Zelda",), ("link to",)),))
    assert matcher.find("link to zelda") == [Mention("link", "Link to Zelda", 0, 13)]


def test_a_shared_alias_yields_both_and_is_reported() -> None:
    matcher = NameMatcher((Who("peter", "Peter", ("Spider-Man",)), Who("miles", "Miles", ("SPIDER MAN", "Spider Man"))))
    assert [m.character_id for m in matcher.find("spider-man")] == ["peter", "miles"]
    assert matcher.collisions() == (Collision("spider man", ("peter", "miles")),)
    assert MATCHER.collisions() == ()


def test_mentions_asks_one_character_alone() -> None:
    assert mentions("baby yoda", CAST[8])
    assert not mentions("She-Hulk", CAST[13])


def test_a_name_of_no_letters_never_matches() -> None:
    assert NameMatcher((Who("odd", "???"),)).find("what ??? is this") == []


def test_finding_agrees_with_a_plain_search_on_random_text() -> None:
    rng = random.Random(0)
    words = ["hulk", "she", "incredible", "the", "yoda", "baby", "é", "-", "’s", "link", "to", "missing", "皮卡丘", "x"]
    for _ in range(500):
        text = " ".join(rng.choices(words, k=8))
        folded = f" {fold(text)} "
        for name in ("hulk", "yoda"):
            plain = folded.replace(" she hulk ", " . . ").replace(" she hulk ", " . . ").replace(" baby yoda ", " . . ")
            assert (f" {name} " in plain) == (name in MATCHER.named_in(text)), text


@pytest.mark.slow
def test_the_quick_look_at_a_text_sees_the_words_that_the_careful_one_sees() -> None:
    rng = random.Random(42)
    odd = (
        "aB é-’™ßİıøﬁ½Ⅷ\u0301\u0308\u200d\u00ad\u200b\ufe0f\u20e3"
        "皮カガ\u3099ｶ\uff9eーきゃ한\u1112\u1161\u11abก็ि\u094dक़😀_Ａ"
    )
    for _ in range(20_000):
        text = "".join(rng.choices(odd, k=rng.randint(1, 9)))
        assert names._words_without_places(text) == names._words(text), ascii(text)
        assert fold(fold(text)) == fold(text), ascii(text)
        assert "".join(names._words(fold(text))) == fold(text).replace(" ", ""), ascii(text)


def test_a_long_text_and_many_characters_take_linear_time() -> None:
    rng = random.Random(11)
    letters = string.ascii_lowercase
    cast = [Who(f"c{i}", "".join(rng.choices(letters, k=7)), (f"the {i} of {i}",)) for i in range(5_000)]
    matcher = NameMatcher(cast)
    text = " ".join(["the cat of"] * 100_000) + f" {cast[4_321].name}"
    began = time.perf_counter()
    assert matcher.named_in(text) == {"c4321"}
    assert time.perf_counter() - began < 5.0
