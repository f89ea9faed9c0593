"""What may stand in an indirect list: nothing that gives the character away, and nothing twice."""

from __future__ import annotations

import pytest

from copycat.discovery.filters import Filter
from copycat.schema import Character, CharacterSet


def character(name: str, **fields: object) -> Character:
    plain = {"key_characteristic": "x", "description": "x", "franchise": f"{name} Tales", "id": name.lower()}
    return Character.model_validate({**plain, "name": name, **fields})


NEMO = character("Nemo", aliases=("Captain Clown",), franchise="Finding Nemo", brand_words=("Pixar",))
DORY = character("Dory", franchise="Finding Dory", brand_words=("Reef Brand",))
SEA = CharacterSet(id="sea", characters=(NEMO, DORY))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NEMO", "names the character ('Nemo')"),
        ("little n\u00e9mo fish", "names the character ('Nemo')"),
        ("captain clown", "names the character ('Captain Clown')"),
        ("pixar film", "is one of its brand_words ('Pixar')"),
        ("friend of Dory", "names another character of the set ('Dory')"),
        ("...", "holds no letter or digit"),
        ("old lamp", "holds a word that is to be left out ('lamp')"),
    ],
)
def test_what_gives_a_character_away_is_removed_and_told(text: str, reason: str) -> None:
    kept, removed = Filter(SEA, without=("lamp",)).keep(NEMO, [text, "clownfish"])
    assert kept == ("clownfish",)
    assert str(removed[0]) == f"nemo: '{text}' {reason}"


def test_the_franchise_is_removed_where_it_is_no_name(tmp_path: object) -> None:
    ariel = character("Ariel", franchise="The Little Mermaid")
    kept, removed = Filter(CharacterSet(id="s", characters=(ariel,))).keep(ariel, ["the little mermaid", "mermaid"])
    assert kept == ("mermaid",)
    assert removed[0].reason == "names its franchise ('The Little Mermaid')"


def test_words_that_differ_in_case_or_accents_are_one_word() -> None:
    kept, removed = Filter(SEA).keep(NEMO, ["Fish", "fish", "FISH", "Fish", "caf\u00e9", "cafe", "red  fish"])
    assert kept == ("Fish", "caf\u00e9", "red fish")
    assert [one.reason for one in removed] == ["is 'Fish' again", "is 'Fish' again", "is 'caf\u00e9' again"]


def test_a_name_inside_a_longer_word_and_anothers_brand_are_no_reason() -> None:
    assert Filter(SEA).keep(NEMO, ["anemone", "reef brand"])[1] == ()
