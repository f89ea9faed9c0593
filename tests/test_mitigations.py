"""Mitigations: what they send, what they leave alone, and how they are named."""

from __future__ import annotations

import pytest

from copycat.catalog import PromptSet, derived_prompt_set
from copycat.errors import UnknownNameError, UnsupportedError, UserError
from copycat.mitigations import MITIGATIONS, build_mitigation, canonical_mitigation
from copycat.schema import Character, CharacterSet, ImageRequest

REQUEST = ImageRequest(
    key="k",
    character="goofy",
    anchor="description",
    prompt_id="my-set/goofy/description",
    repeat=3,
    prompt="A tall dog.",
    prompt_sent="A tall dog.",
    seed=12345,
)
ALL_NAMES = [
    f"{row.name}:{variant}" if variant else row.name
    for row in MITIGATIONS.rows()
    for variant in (row.variants or ("",))
]
HINT = "  see all: python -m copycat.eval --list mitigations"


@pytest.fixture
def goofy(characters: CharacterSet) -> Character:
    return characters.characters[0]


@pytest.fixture
def prompt_set(characters: CharacterSet) -> PromptSet:
    return derived_prompt_set(characters)


def without_keywords(characters: CharacterSet, *ids: str) -> PromptSet:
    kept = [c.model_copy(update={"keywords": ()}) if c.id in ids else c for c in characters.characters]
    return derived_prompt_set(characters.model_copy(update={"characters": tuple(kept)}))


def test_none_changes_nothing(goofy: Character, prompt_set: PromptSet) -> None:
    assert build_mitigation("none", prompt_set).apply(REQUEST, goofy) == REQUEST


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("negprompt", "Goofy"),
        ("negprompt:name", "Goofy"),
        ("negprompt:copyright", "copyrighted character"),
        ("negprompt:keywords", "cartoon dog, green hat, clumsy, orange jumper, buck teeth"),
        ("negprompt:name-and-keywords", "Goofy, cartoon dog, green hat, clumsy, orange jumper, buck teeth"),
        ("negprompt:name+negprompt:copyright", "Goofy, copyrighted character"),
        ("negprompt:copyright+none+negprompt:name", "copyrighted character, Goofy"),
    ],
)
def test_negprompt_puts_these_words_into_the_negative_prompt(
    name: str, text: str, goofy: Character, prompt_set: PromptSet
) -> None:
    assert build_mitigation(name, prompt_set).apply(REQUEST, goofy).negative_prompt == text


def test_negprompt_appends_to_a_negative_prompt_that_is_there_already(goofy: Character, prompt_set: PromptSet) -> None:
    request = REQUEST.model_copy(update={"negative_prompt": "blurry"})
    assert build_mitigation("negprompt", prompt_set).apply(request, goofy).negative_prompt == "blurry, Goofy"


def test_negprompt_takes_the_five_most_telling_keywords(goofy: Character, prompt_set: PromptSet) -> None:
    many = prompt_set.model_copy(update={"keywords": {"authored": {c: tuple("abcdefg") for c in prompt_set.names}}})
    assert build_mitigation("negprompt:keywords", many).apply(REQUEST, goofy).negative_prompt == "a, b, c, d, e"


def test_negprompt_takes_the_keywords_of_the_default_ranker(goofy: Character, prompt_set: PromptSet) -> None:
    lists = {ranker: dict.fromkeys(prompt_set.names, (ranker,)) for ranker in ("laion", "embedding")}
    ranked = prompt_set.model_copy(update={"keywords": lists, "default_ranker": "laion"})
    assert build_mitigation("negprompt:keywords", ranked).apply(REQUEST, goofy).negative_prompt == "laion"


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_mitigation_leaves_alone_what_pairs_the_pictures(name: str, goofy: Character, prompt_set: PromptSet) -> None:
    sent = build_mitigation(name, prompt_set).apply(REQUEST, goofy)
    paired = {"key", "character", "anchor", "prompt_id", "repeat", "prompt", "seed"}
    assert sent.model_dump(include=paired) == REQUEST.model_dump(include=paired)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_mitigation_does_not_change_the_request_it_is_given(
    name: str, goofy: Character, prompt_set: PromptSet
) -> None:
    before = REQUEST.model_dump()
    build_mitigation(name, prompt_set).apply(REQUEST, goofy)
    assert REQUEST.model_dump() == before


@pytest.mark.parametrize("variant", ["keywords", "name-and-keywords"])
def test_negprompt_with_keywords_refuses_a_set_without_any(characters: CharacterSet, variant: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        build_mitigation(f"negprompt:{variant}", without_keywords(characters, "goofy", "max", "bluto"))
    assert str(caught.value) == (
        f"mitigation 'negprompt:{variant}' needs keywords, and character set 'my-set' has none\n"
        "  give each character a list 'keywords', or use --mitigation negprompt:name"
    )


def test_negprompt_with_keywords_refuses_a_set_in_which_one_character_has_none(characters: CharacterSet) -> None:
    with pytest.raises(UnsupportedError) as caught:
        build_mitigation("negprompt:keywords", without_keywords(characters, "max"))
    assert str(caught.value) == (
        "mitigation 'negprompt:keywords' needs keywords, and character 'max' of set 'my-set' has none\n"
        "  give each character a list 'keywords', or use --mitigation negprompt:name"
    )


@pytest.mark.parametrize("variant", ["name", "copyright"])
def test_negprompt_without_keywords_accepts_a_set_that_has_none(characters: CharacterSet, variant: str) -> None:
    goofy = characters.characters[0]
    mitigation = build_mitigation(f"negprompt:{variant}", without_keywords(characters, "goofy", "max", "bluto"))
    assert mitigation.apply(REQUEST, goofy).negative_prompt


# ----------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        ("none", "none"),
        ("negprompt", "negprompt:name"),
        ("negprompt:", "negprompt:name"),
        ("negprompt:copyright", "negprompt:copyright"),
        ("negprompt+negprompt:keywords", "negprompt:name+negprompt:keywords"),
        (" negprompt + none ", "negprompt:name"),
    ],
)
def test_a_mitigation_has_one_full_name(typed: str, full: str) -> None:
    assert canonical_mitigation(typed) == full
    assert canonical_mitigation(full) == full


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("negpromt", f"unknown mitigation 'negpromt'\n  did you mean 'negprompt'?\n{HINT}"),
        ("zzz", f"unknown mitigation 'zzz'\n  known: {', '.join(sorted(MITIGATIONS.names()))}\n{HINT}"),
        (
            "negprompt:nmae",
            f"unknown variant of mitigation 'negprompt': 'nmae'\n  did you mean 'name'?\n{HINT}",
        ),
        (
            "none+negprompt:zzz",
            "unknown variant of mitigation 'negprompt': 'zzz'\n"
            f"  known: copyright, keywords, name, name-and-keywords\n{HINT}",
        ),
    ],
)
def test_an_unknown_mitigation_or_variant_gets_a_suggestion(typed: str, text: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        canonical_mitigation(typed)
    assert str(caught.value) == text


def test_a_variant_of_a_mitigation_without_variants_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        canonical_mitigation("none:strong")
    assert str(caught.value) == "mitigation 'none' takes no variant, got 'strong'\n  type: none"


@pytest.mark.parametrize("typed", ["", "+", "none+", "+negprompt", "none++none", "none + "])
def test_an_empty_part_is_refused(typed: str) -> None:
    with pytest.raises(UserError) as caught:
        canonical_mitigation(typed)
    assert str(caught.value) == (
        f"mitigation '{typed}' has an empty part\n  needed: NAME or NAME:VARIANT, joined by '+'"
    )
