"""Control arms: names that nobody has, and pairs of concepts."""

from __future__ import annotations

import pytest

from copycat.catalog import read_character_set
from copycat.imitation.concepts import of_characters
from copycat.imitation.generate.arms import derangement, zero_names
from copycat.imitation.records import Concept
from copycat.names import mentions, words

SANDBOX = of_characters(read_character_set("sandbox").characters)


def test_a_made_up_name_is_nobodys_and_has_as_many_words() -> None:
    long = Concept(id="old-master", name="Anna Maria de la Rosa", noun="painting")
    made = zero_names((*SANDBOX, long))
    known = {word for one in (*SANDBOX, long) for name in (one.name, *one.aliases) for word in words(name)}
    assert len({name.lower() for name in made.values()}) == len(SANDBOX) + 1
    assert not {word for name in made.values() for word in words(name)} & known
    assert not any(mentions(name, concept) for name in made.values() for concept in (*SANDBOX, long))
    assert len(made["zoravi"].split()) == 1
    assert len(made["old-master"].split()) == 3


def test_made_up_names_do_not_depend_on_the_order_of_the_concepts() -> None:
    assert zero_names(SANDBOX) == zero_names(SANDBOX[::-1]) == zero_names(SANDBOX)


def test_a_name_that_would_be_made_up_is_passed_over_where_a_concept_has_it() -> None:
    first = Concept(id="one", name="Aaa")
    made = zero_names([first])["one"]
    second = Concept(id="two", name=made)
    assert zero_names([first, second])["one"].lower() != made.lower()


@pytest.mark.parametrize("n", [2, 3, 10, 401])
def test_pairs_are_a_derangement(n: int) -> None:
    ids = [f"concept-{i}" for i in range(n)]
    pairs = derangement(ids)
    assert sorted(pairs) == sorted(pairs.values()) == sorted(ids)
    assert all(one != other for one, other in pairs.items())
    assert pairs == derangement(ids[::-1])
    assert n < 10 or pairs != derangement(ids, seed=1)


@pytest.mark.parametrize("ids", [[], ["one"], ["one", "one"]])
def test_fewer_than_two_concepts_have_no_pairs(ids: list[str]) -> None:
    assert derangement(ids) == {}
