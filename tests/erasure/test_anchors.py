"""Anchor prompts and concept prompts differ in the one word."""

from __future__ import annotations

import pytest

from copycat.erasure import Concept
from copycat.erasure.anchors import TEMPLATES, prompt_pairs
from copycat.errors import UnsupportedError, UserError

ZORAVI = Concept(name="Zoravi", anchor="cat")


def test_each_pair_has_the_same_words_around_anchor_and_concept() -> None:
    pairs = prompt_pairs([ZORAVI], TEMPLATES)
    assert len(pairs) == len(TEMPLATES)
    assert pairs[0] == ("cat", "Zoravi")
    assert all(pair.anchor.replace("cat", "Zoravi") == pair.concept for pair in pairs)


def test_several_concepts_take_turns_so_that_a_small_prior_set_shows_all() -> None:
    pairs = prompt_pairs([ZORAVI, Concept(name="Meklun", anchor="dog")], ["{}", "{} sticker"])
    assert pairs == (
        ("cat", "Zoravi"),
        ("dog", "Meklun"),
        ("cat sticker", "Zoravi sticker"),
        ("dog sticker", "Meklun sticker"),
    )


def test_a_list_of_anchors_goes_before_the_concepts_own() -> None:
    pairs = prompt_pairs([ZORAVI], ["{}", "{}", "{}"], ["dog", "owl"])
    assert [pair.anchor for pair in pairs] == ["dog", "owl", "dog"]


def test_a_concept_without_an_anchor_is_refused_with_what_to_type() -> None:
    with pytest.raises(UnsupportedError, match="'Zoravi' has no anchor\n  say it: --anchor"):
        prompt_pairs([Concept(name="Zoravi")], TEMPLATES)


def test_a_concept_cannot_be_its_own_anchor() -> None:
    with pytest.raises(UnsupportedError, match="its own anchor"):
        prompt_pairs([Concept(name="Zoravi", anchor=" zoravi")], TEMPLATES)


@pytest.mark.parametrize("templates", [[], ["no slot"], ["{} and {}"]])
def test_templates_without_one_slot_are_refused(templates: list[str]) -> None:
    with pytest.raises(UserError, match=r"one '\{\}' each"):
        prompt_pairs([ZORAVI], templates)
