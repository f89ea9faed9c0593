"""The shipped character sets: what the catalog's rules cannot see."""

import pytest
from open_clip.tokenizer import SimpleTokenizer

from copycat.catalog import read_character_set, read_prompt_set
from copycat.names import NameMatcher

REAL_SETS = ("copycat50", "unseen50")
CLIP_TOKENS = 77


@pytest.fixture(scope="module")
def clip() -> SimpleTokenizer:
    return SimpleTokenizer()


@pytest.mark.parametrize("name", REAL_SETS)
def test_every_set_has_fifty_characters(name: str):
    assert len(read_character_set(name).characters) == 50


@pytest.mark.parametrize("name", REAL_SETS)
def test_every_description_fits_clip_and_has_about_sixty_words(name: str, clip: SimpleTokenizer):
    for character in read_character_set(name).characters:
        tokens = len(clip.encode(character.description)) + 2

        assert tokens <= CLIP_TOKENS, f"{character.id}: {tokens} tokens"
        assert 48 <= len(character.description.split()) <= 68, character.id


def test_every_character_of_the_benchmark_has_twenty_keywords_that_fit_clip(clip: SimpleTokenizer):
    prompts = read_prompt_set(read_character_set("copycat50"))

    for who, words in prompts.keywords["authored"].items():
        assert len(words) == 20, who
        assert len(clip.encode(", ".join(words))) + 2 <= CLIP_TOKENS, who


@pytest.mark.parametrize("name", REAL_SETS)
def test_no_key_characteristic_is_a_word_that_a_generic_person_passes(name: str):
    too_plain = {"human", "young", "middle-aged", "man", "woman", "child", "person", "boy", "girl"}

    assert not too_plain & {character.key_characteristic for character in read_character_set(name).characters}


def test_a_judges_short_names_find_the_right_character():
    characters = [c for name in REAL_SETS for c in read_character_set(name).characters]
    matcher = NameMatcher(characters)

    answers = {
        "Jasmine": "princess-jasmine",
        "Luffy": "monkey-d-luffy",
        "Po": "kung-fu-panda",
        "Sonic": "sonic-the-hedgehog",
        "SpongeBob": "spongebob-squarepants",
        "Spiderman": "spider-man",
        "Pacman": "pac-man",
        "Grogu": "yoda",
        "Winnie the Pooh": "winnie-the-pooh",
    }

    assert {text: matcher.named_in(f"It looks like {text}.") for text in answers} == {
        text: {who} for text, who in answers.items()
    }


@pytest.mark.parametrize("text", ["Blinky", "She-Hulk", "Woody Woodpecker", "set in Arial", "a Manetti painting"])
def test_look_alike_names_find_nobody(text: str):
    assert NameMatcher(read_character_set("copycat50").characters).named_in(text) == set()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Robin from Batman", set()),
        ("Batman from Batman", {"batman"}),
        ("Morty from Rick and Morty", set()),
        ("Patrick Star from SpongeBob SquarePants", set()),
        ("Mushu from Mulan", {"mushu"}),
        ("Buzz and Woody", {"buzz-lightyear", "woody"}),
        ("a goofy dog beside a snow-white cat in a peach dress", set()),
        ("Metal Sonic", set()),
        ("Shadow Link", set()),
    ],
)
def test_a_title_of_a_work_or_a_plain_word_is_not_taken_for_a_character(text: str, named: set[str]):
    characters = [c for name in REAL_SETS for c in read_character_set(name).characters]

    assert NameMatcher(characters).named_in(text) == named
