"""Mitigations: what they send, what they leave alone, and how they are named."""

from __future__ import annotations

import pytest

from copycat.catalog import derived_prompt_set
from copycat.catalog.anchors import LISTS_HINT
from copycat.errors import UnknownNameError, UnsupportedError, UserError
from copycat.mitigations import MITIGATIONS, Composition, Mitigation, Setting, build_mitigation, canonical_mitigation
from copycat.mitigations.terms import UNIVERSAL
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
def setting(characters: CharacterSet) -> Setting:
    prompt_set = derived_prompt_set(characters)
    return Setting(characters, prompt_set, lambda question: "Goofy", lambda texts: [(1.0, 0.0) for _ in texts])


def with_keywords(setting: Setting, default: str, **lists: tuple[str, ...]) -> Setting:
    """The same setting with these lists for every character."""
    every = {ranker: dict.fromkeys(setting.prompt_set.names, words) for ranker, words in lists.items()}
    changed = setting.prompt_set.model_copy(update={"keywords": every, "default_ranker": default})
    return setting._replace(prompt_set=changed)


def without_keywords(characters: CharacterSet, *ids: str) -> Setting:
    kept = tuple(c.model_copy(update={"keywords": ()}) if c.id in ids else c for c in characters.characters)
    lacking = characters.model_copy(update={"characters": kept})
    return Setting(lacking, derived_prompt_set(lacking))


def test_none_changes_nothing(goofy: Character, setting: Setting) -> None:
    assert build_mitigation("none", setting).apply(REQUEST, goofy) == REQUEST


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("negprompt:name", "Goofy"),
        ("negprompt:name", "Goofy"),
        ("negprompt:copyright", "copyrighted character"),
        ("negprompt:keywords", "cartoon dog, green hat, clumsy, orange jumper, buck teeth"),
        ("negprompt:name,keywords", "Goofy, cartoon dog, green hat, clumsy, orange jumper, buck teeth"),
        ("negprompt:name+negprompt:copyright", "Goofy, copyrighted character"),
        ("negprompt:copyright+none+negprompt:name", "copyrighted character, Goofy"),
    ],
)
def test_negprompt_puts_these_words_into_the_negative_prompt(
    name: str, text: str, goofy: Character, setting: Setting
) -> None:
    assert build_mitigation(name, setting).apply(REQUEST, goofy).negative_prompt == text


def test_negprompt_appends_to_a_negative_prompt_that_is_there_already(goofy: Character, setting: Setting) -> None:
    request = REQUEST.model_copy(update={"negative_prompt": "blurry"})
    assert build_mitigation("negprompt:name", setting).apply(request, goofy).negative_prompt == "blurry, Goofy"


def test_negprompt_takes_the_five_most_telling_keywords(goofy: Character, setting: Setting) -> None:
    many = with_keywords(setting, "authored", authored=tuple("abcdefg"))
    assert build_mitigation("negprompt:keywords", many).apply(REQUEST, goofy).negative_prompt == "a, b, c, d, e"


def test_negprompt_takes_as_many_keywords_of_a_list_as_a_term_says(goofy: Character, setting: Setting) -> None:
    many = with_keywords(setting, "laion", authored=tuple("abcdefg"), laion=tuple("uvwxyz"))
    sent = build_mitigation("negprompt:authored-2,name,laion-3", many).apply(REQUEST, goofy)
    assert sent.negative_prompt == "a, b, Goofy, u, v, w"


def test_negprompt_says_a_word_that_two_lists_hold_once(goofy: Character, setting: Setting) -> None:
    twice = with_keywords(setting, "laion", laion=("dog", "hat"), embedding=("Dog", "goofy", "ears"))
    sent = build_mitigation("negprompt:name,laion-2,embedding-3", twice).apply(REQUEST, goofy)
    assert sent.negative_prompt == "Goofy, dog, hat, ears"


def test_negprompt_takes_the_keywords_of_the_default_ranker(goofy: Character, setting: Setting) -> None:
    ranked = with_keywords(setting, "laion", laion=("laion",) * 1, embedding=("embedding",))
    assert build_mitigation("negprompt:laion-1", ranked).apply(REQUEST, goofy).negative_prompt == "laion"
    assert canonical_mitigation("negprompt:keywords", ranked) == "negprompt:laion-5"


@pytest.mark.parametrize(
    ("lists", "full"),
    [
        (("embedding", "laion", "lm"), "name,embedding-5,laion-5"),
        (("embedding", "cooccurrence"), "name,embedding-5,cooccurrence-5"),
        (("authored", "laion"), "name,laion-5"),
        (("authored",), "name,authored-5"),
    ],
)
def test_the_best_composition_takes_the_lists_that_the_set_has(
    setting: Setting, lists: tuple[str, ...], full: str
) -> None:
    has = with_keywords(setting, lists[0], **dict.fromkeys(lists, tuple("abcde")))
    assert canonical_mitigation("negprompt:best", has) == f"negprompt:{full}"


def test_the_universal_negative_prompt_is_the_same_for_everybody(setting: Setting) -> None:
    mitigation = build_mitigation("negprompt:universal", setting)
    sent = {mitigation.apply(REQUEST, who).negative_prompt for who in (*setting.characters.characters, None)}
    assert sent == {", ".join(UNIVERSAL)}


def test_where_nobody_is_meant_only_words_that_need_no_target_are_negated(setting: Setting) -> None:
    assert build_mitigation("negprompt:name,keywords", setting).apply(REQUEST, None) == REQUEST
    sent = build_mitigation("negprompt:name,copyright", setting).apply(REQUEST, None)
    assert sent.negative_prompt == "copyrighted character"


class FindsMax:
    """A detector that believes every prompt to be after Max."""

    def __init__(self, characters: CharacterSet) -> None:
        self.max = next(c for c in characters.characters if c.id == "max")

    def find(self, request: ImageRequest) -> Character | None:
        return self.max if "dog" in request.prompt_sent else None


def test_what_stands_behind_a_detector_acts_on_whom_the_detector_found(goofy: Character, setting: Setting) -> None:
    name: Mitigation = build_mitigation("negprompt:name", setting)
    composed = Composition((FindsMax(setting.characters), name))
    assert composed.apply(REQUEST, goofy).negative_prompt == "Max"
    innocent = REQUEST.model_copy(update={"prompt_sent": "a chair"})
    assert composed.apply(innocent, goofy).negative_prompt is None
    before = Composition((name, FindsMax(setting.characters)))
    assert before.apply(REQUEST, goofy).negative_prompt == "Goofy"


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_mitigation_leaves_alone_what_pairs_the_pictures(name: str, goofy: Character, setting: Setting) -> None:
    sent = build_mitigation(name, setting).apply(REQUEST, goofy)
    paired = {"key", "character", "anchor", "prompt_id", "repeat", "prompt", "seed"}
    assert sent.model_dump(include=paired) == REQUEST.model_dump(include=paired)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_mitigation_does_not_change_the_request_it_is_given(name: str, goofy: Character, setting: Setting) -> None:
    before = REQUEST.model_dump()
    build_mitigation(name, setting).apply(REQUEST, goofy)
    assert REQUEST.model_dump() == before


@pytest.mark.parametrize("variant", ["keywords", "name,keywords"])
def test_negprompt_with_keywords_refuses_a_set_without_any(characters: CharacterSet, variant: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        build_mitigation(f"negprompt:{variant}", without_keywords(characters, "goofy", "max", "bluto"))
    assert str(caught.value) == (
        f"'{variant}' needs keywords, and character set 'my-set' has none\n"
        "  give each character a list 'keywords', or use: name"
    )


def test_negprompt_with_keywords_refuses_a_set_in_which_one_character_has_too_few(characters: CharacterSet) -> None:
    with pytest.raises(UnsupportedError) as caught:
        build_mitigation("negprompt:keywords", without_keywords(characters, "max"))
    assert str(caught.value) == (
        "mitigation 'negprompt:authored-5' needs 5 keywords of list 'authored' for each character, and character "
        "'max' of set 'my-set' has 0\n"
        "  1 of 3 have too few; ask for fewer, or use another list, or: name"
    )


@pytest.mark.parametrize("variant", ["name", "copyright"])
def test_negprompt_without_keywords_accepts_a_set_that_has_none(characters: CharacterSet, variant: str) -> None:
    goofy = characters.characters[0]
    mitigation = build_mitigation(f"negprompt:{variant}", without_keywords(characters, "goofy", "max", "bluto"))
    assert mitigation.apply(REQUEST, goofy).negative_prompt


@pytest.mark.parametrize(
    ("typed", "full", "concept"),
    [
        ("sld", "sld:medium,name,authored-5", None),
        ("sld:max,name", "sld:max,name", ("Goofy",)),
        ("sld:name,authored-2", "sld:medium,name,authored-2", ("Goofy", "cartoon dog", "green hat")),
        ("sld:strong, keywords", "sld:strong,authored-5", None),
        ("safree:name", "safree:artist,name", ("Goofy",)),
        ("nag:copyright", "nag:default,copyright", ("copyrighted character",)),
    ],
)
def test_a_guide_steers_away_from_terms(
    typed: str, full: str, concept: tuple[str, ...] | None, goofy: Character, setting: Setting
) -> None:
    assert canonical_mitigation(typed, setting) == full
    sent = build_mitigation(typed, setting).apply(REQUEST, goofy)
    assert sent.guide is not None
    assert sent.guide.method == full.partition(":")[0]
    assert concept in (None, sent.guide.concept)
    assert sent.model_copy(update={"guide": None}) == REQUEST


def test_the_published_settings_of_a_guide_are_sent_explicitly(goofy: Character, setting: Setting) -> None:
    found = {
        name: build_mitigation(f"sld:{name}", setting).apply(REQUEST, goofy).guide for name in ("weak", "strong", "max")
    }
    assert {name: guide.settings["scale"] for name, guide in found.items() if guide} == {
        "weak": 200,
        "strong": 2000,
        "max": 5000,
    }


def test_the_settings_that_are_sent_are_those_of_the_methods() -> None:
    from copycat.mitigations.guides import NormalizedAttentionGuidance, SafeLatentDiffusion, Safree
    from copycat.models.guidance.nag import NagSettings
    from copycat.models.guidance.safree import SAFREE_VARIANTS
    from copycat.models.guidance.sld import SLD_VARIANTS

    assert {name: one.model_dump() for name, one in SLD_VARIANTS.items()} == SafeLatentDiffusion.PRESETS
    assert {name: one.model_dump() for name, one in SAFREE_VARIANTS.items()} == Safree.PRESETS
    assert {"default": NagSettings().model_dump()} == NormalizedAttentionGuidance.PRESETS


@pytest.mark.parametrize("name", ["sld", "safree", "nag"])
def test_a_guide_does_nothing_where_nobody_is_meant(name: str, setting: Setting) -> None:
    assert build_mitigation(name, setting).apply(REQUEST, None) == REQUEST


# ----------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        ("none", "none"),
        ("negprompt", "negprompt:name,authored-5"),
        ("negprompt:", "negprompt:name,authored-5"),
        ("negprompt:copyright", "negprompt:copyright"),
        ("negprompt:keywords", "negprompt:authored-5"),
        ("negprompt: name , authored-3", "negprompt:name,authored-3"),
        ("negprompt:name+negprompt:keywords", "negprompt:name+negprompt:authored-5"),
        (" negprompt:name + none ", "negprompt:name"),
    ],
)
def test_a_mitigation_has_one_full_name(typed: str, full: str, setting: Setting) -> None:
    assert canonical_mitigation(typed, setting) == full
    assert canonical_mitigation(full, setting) == full


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("negpromt", f"unknown mitigation 'negpromt'\n  did you mean 'negprompt'?\n{HINT}"),
        ("zzz", f"unknown mitigation 'zzz'\n  known: {', '.join(sorted(MITIGATIONS.names()))}\n{HINT}"),
        (
            "negprompt:nmae",
            f"unknown term 'nmae'\n  did you mean 'name'?\n{HINT}\n  {LISTS_HINT}",
        ),
        (
            "none+negprompt:zzz",
            "unknown term 'zzz'\n  known: authored-5, best, copyright, keywords, name, universal\n"
            f"{HINT}\n  {LISTS_HINT}",
        ),
    ],
)
def test_an_unknown_mitigation_or_variant_gets_a_suggestion(typed: str, text: str, setting: Setting) -> None:
    with pytest.raises(UnknownNameError) as caught:
        canonical_mitigation(typed, setting)
    assert str(caught.value) == text


def test_a_variant_of_a_mitigation_without_variants_is_refused(setting: Setting) -> None:
    with pytest.raises(UserError) as caught:
        canonical_mitigation("none:strong", setting)
    assert str(caught.value) == "mitigation 'none' takes no variant, got 'strong'\n  type: none"


@pytest.mark.parametrize("typed", ["", "+", "none+", "+negprompt", "none++none", "none + "])
def test_an_empty_part_is_refused(typed: str, setting: Setting) -> None:
    with pytest.raises(UserError) as caught:
        canonical_mitigation(typed, setting)
    assert str(caught.value) == (
        f"mitigation '{typed}' has an empty part\n  needed: NAME or NAME:VARIANT, joined by '+'"
    )


@pytest.mark.parametrize("typed", ["negprompt:name,", "negprompt:,name", "negprompt:name,,keywords"])
def test_an_empty_term_is_refused(typed: str, setting: Setting) -> None:
    with pytest.raises(UserError, match="has an empty term"):
        canonical_mitigation(typed, setting)


@pytest.mark.parametrize("typed", ["negprompt:name+negprompt:name", "negprompt:name+none+negprompt:name"])
def test_a_part_that_stands_twice_is_refused(typed: str, setting: Setting) -> None:
    with pytest.raises(UserError, match="has the part 'negprompt:name' twice"):
        canonical_mitigation(typed, setting)


def test_a_term_that_stands_twice_is_refused(setting: Setting) -> None:
    with pytest.raises(UserError, match="has the term 'authored-5' twice"):
        canonical_mitigation("negprompt:keywords,authored", setting)
