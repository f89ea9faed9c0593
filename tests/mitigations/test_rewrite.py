"""Rewriting: no name and no brand is left, looks are exchanged the same way each time, and all else stays."""

from __future__ import annotations

import re

import pytest

from copycat.catalog import derived_prompt_set, read_character_set
from copycat.errors import BackendError, UnknownNameError, UnsupportedError
from copycat.mitigations import Question, Setting, build_mitigation, canonical_mitigation
from copycat.mitigations.residue import residue
from copycat.mitigations.rewrite import tidy_rewrite
from copycat.mitigations.rules import GROUPS, PLACES, rewrite_by_rules
from copycat.names import fold
from copycat.schema import Character, CharacterSet, ImageRequest

SETS = ("sandbox", "copycat50", "unseen50")
EVERYBODY = [(name, character) for name in SETS for character in read_character_set(name).characters]
WHO = [f"{name}/{character.id}" for name, character in EVERYBODY]


@pytest.fixture
def goofy(characters: CharacterSet) -> Character:
    return characters.characters[0]


@pytest.fixture
def setting(characters: CharacterSet) -> Setting:
    rewrites = {"v-a": {"my-set/goofy/name": ("A hound.",), "my-set/goofy/description": ("one", "two")}}
    return Setting(characters, derived_prompt_set(characters).model_copy(update={"rewrites": rewrites}))


def request(anchor: str = "name", repeat: int = 0, text: str = "Goofy") -> ImageRequest:
    return ImageRequest(
        key="k",
        character="goofy",
        anchor=anchor,
        prompt_id=f"my-set/goofy/{anchor}",
        repeat=repeat,
        prompt=text,
        prompt_sent=text,
        seed=1,
    )


def in_order(group: tuple[str, ...], text: str) -> list[str]:
    """List the words of a group in the order in which they stand in a text, the longest first where two begin."""
    return re.findall(rf"\b({'|'.join(sorted(group, key=len, reverse=True))})\b", text)


# ------------------------------------------------------------------------------------------ rules


@pytest.mark.parametrize(("_", "who"), EVERYBODY, ids=WHO)
def test_no_name_and_no_brand_of_a_shipped_character_is_left(_: str, who: Character) -> None:
    texts = (
        who.name,
        who.description,
        f"{who.name} from {who.franchise}",
        f"the {who.name}'s red hat, {', '.join(who.brand_words)}",
        *(f"a drawing of {alias}, waving" for alias in who.aliases),
    )
    for text in texts:
        rewritten = rewrite_by_rules(text, who)
        assert residue(rewritten, who, ()).names == ()
        assert fold(rewritten)


@pytest.mark.parametrize(("_", "who"), [pair for pair in EVERYBODY if pair[0] == "sandbox"], ids=WHO[:50])
def test_in_the_sandbox_looks_and_place_are_exchanged_and_the_species_stays(_: str, who: Character) -> None:
    before, after = who.description, rewrite_by_rules(who.name, who)
    assert who.key_characteristic in fold(after).split()
    for group in GROUPS:
        old, new = in_order(group, before), in_order(group, after)
        assert len(set(old)) == len(set(new))
        assert all(one != other for one, other in zip(old, new, strict=True)), group
    where, _, first, second = zip(*PLACES, strict=True)  # the second hold words of the first, such as 'city'
    for group in (where, first, second):
        assert not set(in_order(group, before)) & set(in_order(group, after)), group


def test_a_prompt_that_is_only_a_name_becomes_a_description(goofy: Character) -> None:
    assert rewrite_by_rules("Goofy", goofy) != rewrite_by_rules("Goofy at the piano", goofy)
    assert rewrite_by_rules("Goofy", goofy) == rewrite_by_rules(goofy.description, goofy)


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("Goofy at the piano", "a tall cartoon dog at the piano"),
        ("a photo of the Goofy, by night", "a photo of a tall cartoon dog, by night"),
        ("Goofy's piano, Some Cartoons", "a tall cartoon dog's piano"),
        ("a piano from Some Cartoons", "a piano"),
        ("a goofy smile and GOOFY", "a tall cartoon dog smile and a tall cartoon dog"),
        ("a small table", "a small table"),
    ],
)
def test_a_name_becomes_the_key_characteristic_and_a_brand_goes(text: str, rewritten: str, goofy: Character) -> None:
    assert rewrite_by_rules(text, goofy) == rewritten


def test_each_word_is_exchanged_for_another_of_its_group_the_same_way_each_time(goofy: Character) -> None:
    first = rewrite_by_rules("a table, red and green, with an orange crown", goofy)
    assert first == rewrite_by_rules("a table, red and green, with an orange crown", goofy)
    assert not {"red", "green", "orange", "crown"} & set(fold(first).split())


def test_no_word_ever_stands_for_itself(characters: CharacterSet) -> None:
    for who in characters.characters:
        for word in (word for group in (*GROUPS, *PLACES) for word in group):
            assert fold(rewrite_by_rules(f"table {word}", who)) != f"table {fold(word)}"


def test_articles_and_capitals_fit_the_new_word(goofy: Character) -> None:
    seen = {rewrite_by_rules(f"{article} {colour} table", goofy) for colour in GROUPS[0] for article in ("a", "an")}
    assert all(text.startswith("an ") == (text.split()[1][0] in "aeiou") for text in seen)
    assert rewrite_by_rules("Red table", goofy)[0].isupper()


def test_words_of_the_key_characteristic_stay(goofy: Character) -> None:
    hooded = goofy.model_copy(update={"key_characteristic": "red dog"})
    assert rewrite_by_rules("a red dog in a green coat", hooded).startswith("a red dog in a")


# ---------------------------------------------------------------------------------------- residue


def test_residue_tells_names_brands_and_whole_keywords(goofy: Character) -> None:
    branded = goofy.model_copy(update={"brand_words": ("Toonworld",)})
    found = residue("GOOFY of Toonworld in a green hat, hats", branded, ("green hat", "hat", "coat"))
    assert found.names == ("GOOFY", "Toonworld")
    assert found.keywords == ("green hat", "hat")
    assert residue("greenish hats", branded, ("green", "hat")) == ((), ())


# ----------------------------------------------------------------------------------- the mitigation


def test_rules_are_what_plain_rewrite_means(setting: Setting, goofy: Character) -> None:
    assert canonical_mitigation("rewrite", setting) == "rewrite:rules"
    sent = build_mitigation("rewrite", setting).apply(request(), goofy)
    assert sent.prompt_sent == rewrite_by_rules("Goofy", goofy)
    assert sent.model_copy(update={"prompt_sent": "Goofy"}) == request()


def test_rules_change_nothing_where_nobody_is_meant(setting: Setting) -> None:
    assert build_mitigation("rewrite", setting).apply(request(), None) == request()


def test_frozen_rewrites_are_sent_one_for_all_repeats_or_one_for_each(setting: Setting, goofy: Character) -> None:
    frozen = build_mitigation("rewrite:v-a", setting)
    assert [frozen.apply(request("name", n), goofy).prompt_sent for n in (0, 1)] == ["A hound."] * 2
    assert [frozen.apply(request("description", n), goofy).prompt_sent for n in (0, 1, 2)] == ["one", "two", "one"]


def test_a_prompt_without_a_frozen_rewrite_is_refused(setting: Setting, goofy: Character) -> None:
    with pytest.raises(UnsupportedError, match="have no text for prompt 'my-set/goofy/keywords:x-5'"):
        build_mitigation("rewrite:v-a", setting).apply(request("keywords:x-5"), goofy)


def test_unknown_rewrites_get_a_suggestion(setting: Setting) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'v-a'"):
        canonical_mitigation("rewrite:v-b", setting)


def test_rewriting_and_a_negative_prompt_compose_in_their_order(setting: Setting, goofy: Character) -> None:
    sent = build_mitigation("rewrite+negprompt:name", setting).apply(request(), goofy)
    assert (sent.prompt_sent, sent.negative_prompt) == (rewrite_by_rules("Goofy", goofy), "Goofy")


# --------------------------------------------------------------------------------- by a language model


def test_a_fresh_rewrite_is_asked_for_once_more_for_each_repeat(setting: Setting, goofy: Character) -> None:
    asked: list[Question] = []

    def ask(question: Question) -> str:
        asked.append(question)
        return f'"A hound, number {question.seed}."'

    rewrite = build_mitigation("rewrite:fresh", setting._replace(ask=ask))
    texts = [rewrite.apply(request(repeat=repeat), goofy).prompt_sent for repeat in (0, 1)]
    assert texts == ["A hound, number 0.", "A hound, number 1."]
    assert asked == [Question("rewrite-v1", "Goofy", 0), Question("rewrite-v1", "Goofy", 1)]


def test_a_fresh_rewrite_is_of_any_prompt_since_it_knows_no_target(setting: Setting) -> None:
    rewrite = build_mitigation("rewrite:fresh", setting._replace(ask=lambda question: f"{question.text}, at dawn"))
    assert rewrite.apply(request(text="A bowl of soup"), None).prompt_sent == "A bowl of soup, at dawn"


def test_a_fresh_rewrite_behind_a_detector_is_of_what_it_finds_alone(setting: Setting) -> None:
    guarded = build_mitigation("intent:names+rewrite:fresh", setting._replace(ask=lambda question: "A hound"))
    assert guarded.apply(request(text="a bowl of soup"), None).prompt_sent == "a bowl of soup"
    assert guarded.apply(request(text="Goofy eats"), None).prompt_sent == "A hound"


def test_a_fresh_rewrite_needs_a_language_model(setting: Setting) -> None:
    with pytest.raises(UnsupportedError, match="'rewrite:fresh' needs a language model\n  add --llm openai:MODEL"):
        build_mitigation("rewrite:fresh", setting)


@pytest.mark.parametrize(
    ("answer", "prompt"),
    [
        ("A tall hound\n in a  coat.", "A tall hound in a coat."),
        ('"A tall hound."', "A tall hound."),
        ("\u201ca tall hound\u201d", "A tall hound"),
        ('"Create an image of a tall hound."', "A tall hound."),
        ("Generate a picture showing a tall hound", "A tall hound"),
        ("Illustrate a tall hound", "A tall hound"),
        ("Create a vivid, detailed image of a hound", "A vivid, detailed image of a hound"),
        ("Please paint a watercolour of a hound", "A watercolour of a hound"),
        ("Sure! Here is a prompt: A tall hound", "A tall hound"),
        ("**Prompt:** A tall hound", "A tall hound"),
        ('Rewritten prompt: "Draw the hound"', "The hound"),
        ("A sign that says: stop", "A sign that says: stop"),
        ("Drawn curtains, imagine that", "Drawn curtains, imagine that"),
        ("An image-maker's shop", "An image-maker's shop"),
    ],
)
def test_a_rewrite_loses_its_quotes_and_its_opener_and_no_more(answer: str, prompt: str) -> None:
    assert tidy_rewrite(answer) == prompt


@pytest.mark.parametrize("answer", ['""', "...", " \n"])
def test_a_rewrite_of_nothing_is_told(answer: str) -> None:
    with pytest.raises(BackendError, match="gave no prompt"):
        tidy_rewrite(answer)
