"""Who shares something with an erased character."""

from __future__ import annotations

from copycat.catalog import read_character_set
from copycat.robustness.neighbours import groups_around
from copycat.sandbox.world import inhabitants
from copycat.schema import CharacterSet


def test_in_the_sandbox_species_and_theme_are_those_of_the_world() -> None:
    characters = read_character_set("sandbox")
    groups = groups_around("meklun", characters)
    world = {one.id: one for one in inhabitants()}
    me = world["meklun"]
    expected = {id_ for id_, one in world.items() if one.appearance.species == me.appearance.species} - {"meklun"}
    assert groups["species"] == expected
    assert groups["theme"] == {i for i, o in world.items() if o.appearance.theme == me.appearance.theme} - {"meklun"}
    assert groups["franchise"] == {i for i, o in world.items() if o.franchise == me.franchise} - {"meklun"}
    assert all(groups.values())


def test_every_other_character_is_a_neighbour_or_of_the_rest_and_nobody_is_its_own() -> None:
    characters = read_character_set("sandbox")
    for who in characters.characters:
        groups = groups_around(who.id, characters)
        assert groups["neighbours"] | groups["rest"] == groups["all"]
        assert not groups["neighbours"] & groups["rest"]
        assert who.id not in groups["all"]
        assert groups["species"] | groups["theme"] | groups["franchise"] == groups["neighbours"]


def test_real_characters_share_a_franchise_or_a_characteristic(characters: CharacterSet) -> None:
    groups = groups_around("goofy", characters)
    assert groups == {
        "all": {"max", "bluto"},
        "franchise": {"max"},
        "characteristic": set(),
        "neighbours": {"max"},
        "rest": {"bluto"},
    }
