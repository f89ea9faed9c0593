"""The world is what its model card says it is."""

import random
from collections import Counter
from itertools import pairwise

import pytest

from copycat.sandbox.world import (
    ATTRIBUTES,
    FEWEST_PICTURES,
    MOST_PICTURES,
    SPECIES,
    THEMES,
    change_one,
    generic_appearance,
    inhabitants,
    owned_pairs,
)


def test_fifty_characters_have_names_and_ids_of_their_own():
    people = inhabitants()

    assert len(people) == 50
    assert len({p.id for p in people}) == len({p.name for p in people}) == 50


def test_no_two_characters_share_theme_and_species():
    assert len(owned_pairs()) == 50


def test_every_theme_has_five_characters_and_every_species_too():
    people = inhabitants()

    assert Counter(p.appearance.theme for p in people) == dict.fromkeys(THEMES, 5)
    assert Counter(p.appearance.species for p in people) == dict.fromkeys(SPECIES, 5)


def test_pictures_per_character_are_spaced_logarithmically_from_two_to_two_thousand():
    counts = sorted(p.pictures for p in inhabitants())

    assert (counts[0], counts[-1]) == (FEWEST_PICTURES, MOST_PICTURES)
    ratios = [b / a for a, b in pairwise(counts[15:])]
    assert max(ratios) / min(ratios) < 1.15


def test_any_two_characters_differ_in_at_least_two_attributes():
    people = inhabitants()

    nearest = min(len(a.appearance.differences(b.appearance)) for a in people for b in people if a is not b)

    assert nearest >= 2


def test_the_same_seed_gives_the_same_world_and_another_seed_another():
    assert inhabitants(7) == inhabitants.__wrapped__(7)
    assert inhabitants(7) != inhabitants(8)


def test_generic_pictures_never_show_a_pair_that_belongs_to_a_character():
    rng = random.Random(1)

    drawn = [generic_appearance(rng) for _ in range(2000)]

    assert not owned_pairs() & {(looks.theme, looks.species) for looks in drawn}
    assert 0.4 < sum(looks.theme is None for looks in drawn) / len(drawn) < 0.6


def test_generic_pictures_share_every_value_of_every_attribute():
    rng = random.Random(2)

    drawn = [generic_appearance(rng) for _ in range(3000)]

    for attribute, values in ATTRIBUTES.items():
        assert set(values) <= {getattr(looks, attribute) for looks in drawn}


@pytest.mark.parametrize("attribute", list(ATTRIBUTES))
def test_a_hard_negative_differs_in_exactly_the_attribute_asked_for(attribute: str):
    rng = random.Random(3)

    for who in inhabitants():
        changed = change_one(rng, who.appearance, attribute)

        assert changed.differences(who.appearance) == (attribute,)
        assert changed.body != changed.accent
