"""The detector of intent by text embeddings: what is compared, from which cosine on, and how it is named."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from copycat.catalog import derived_prompt_set
from copycat.errors import UnknownNameError, UnsupportedError, UserError
from copycat.mitigations import Setting, build_mitigation, canonical_mitigation
from copycat.mitigations.intent import Intent, embedded_text
from copycat.mitigations.vectors import Vector, VectorIndex
from copycat.schema import CharacterSet, ImageRequest


class Angles:
    """Embeds each text as a vector of a given angle in degrees, and of a length of its own; notes what was asked."""

    def __init__(self, **degrees: float) -> None:
        self.degrees = {text.replace("_", " "): value for text, value in degrees.items()}
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[Vector]:
        self.asked += texts
        found = [next(value for part, value in self.degrees.items() if part in text) for text in texts]
        return [
            (len(text) * math.cos(math.radians(angle)), len(text) * math.sin(math.radians(angle)))
            for text, angle in zip(texts, found, strict=True)
        ]


@pytest.fixture
def angles() -> Angles:
    """Goofy, Max and Bluto 60 degrees from each other, and prompts in between."""
    return Angles(Goofy=0, Max=60, Bluto=120, a_hound=40, a_pup=50, a_boat=200, a_sailor=166)


@pytest.fixture
def setting(characters: CharacterSet, angles: Angles) -> Setting:
    return Setting(characters, derived_prompt_set(characters), embed=angles)


def request(text: str) -> ImageRequest:
    return ImageRequest(
        key="k", character="c", anchor="name", prompt_id="p", repeat=0, prompt=text, prompt_sent=text, seed=1
    )


def found_by(variant: str, setting: Setting, text: str) -> str | None:
    who = Intent(variant, setting).find(request(text))
    return None if who is None else who.name


def test_the_nearest_character_is_meant_from_the_threshold_on(setting: Setting) -> None:
    # cos 20° = 0.940, cos 10° = 0.985, cos 80° = 0.174, cos 46° = 0.695
    assert found_by("embedding,0.9", setting, "a hound") == "Max"
    assert found_by("embedding,0.9397", setting, "a pup") == "Max"
    assert found_by("embedding,0.95", setting, "a hound") is None
    assert found_by("embedding,0.7", setting, "a sailor") is None
    assert found_by("embedding,0.69", setting, "a sailor") == "Bluto"
    assert found_by("embedding,0.1", setting, "a boat") == "Bluto"


def test_what_is_embedded_are_name_and_description_of_each_character_and_the_prompt_as_it_is(
    setting: Setting, angles: Angles
) -> None:
    detector = Intent("embedding,0.7", setting)
    assert angles.asked == []  # nobody is asked before there is a prompt
    detector.find(request("a hound"))
    detector.find(request("a boat"))
    assert angles.asked == [
        "Goofy: A tall, clumsy dog in a green hat.",
        "Max: A young dog in a red hoodie.",
        "Bluto: A huge man with a black beard.",
        "a hound",
        "a boat",
    ]
    assert embedded_text(setting.characters.characters[0]) == angles.asked[0]


def test_a_cosine_is_that_of_the_formula_whatever_the_lengths_of_the_vectors() -> None:
    vectors: dict[str, Vector] = {"one": (3.0, 4.0, 0.0), "two": (0.0, 0.0, 2.0), "asked": (1.0, 2.0, 2.0)}
    index = VectorIndex(lambda texts: [vectors[text] for text in texts], {"a": "one", "b": "two"})
    best = index.best("asked")
    assert best is not None and best.id == "a"
    assert best.cosine == pytest.approx((3 * 1 + 4 * 2) / (5 * 3), abs=1e-12)


def test_of_equally_near_characters_the_first_is_meant_and_of_none_nobody() -> None:
    index = VectorIndex(lambda texts: [(0.1, 0.3) for _ in texts], {"a": "one", "b": "two"})
    assert index.best("x") == ("a", pytest.approx(1.0))
    assert VectorIndex(lambda texts: [], {}).best("x") is None


def test_opposite_vectors_mean_nobody(setting: Setting, angles: Angles) -> None:
    angles.degrees["far"] = 240.0
    assert found_by("embedding,0.01", setting, "far") is None


def test_the_threshold_is_part_of_the_name(setting: Setting) -> None:
    assert canonical_mitigation("intent:embedding+negprompt:name", setting) == "intent:embedding,0.7+negprompt:name"
    assert canonical_mitigation("intent:embedding , 0.550", setting) == "intent:embedding,0.55"
    assert canonical_mitigation("intent", setting) == "intent:names"
    assert canonical_mitigation("intent:embedding,0.55", setting) == "intent:embedding,0.55"


@pytest.mark.parametrize("threshold", ["", "0", "1", "-0.5", "70", "nan", "much", "0.5,0.6"])
def test_a_threshold_that_is_no_cosine_is_refused(setting: Setting, threshold: str) -> None:
    with pytest.raises(UserError, match="is no threshold of intent:embedding\n  needed: a cosine between 0 and 1"):
        canonical_mitigation(f"intent:embedding,{threshold}", setting)


def test_other_detectors_take_no_threshold_and_unknown_ones_are_told(setting: Setting) -> None:
    with pytest.raises(UserError, match=r"only intent:embedding takes a threshold\n  type: intent:retrieval"):
        canonical_mitigation("intent:retrieval,0.5", setting)
    with pytest.raises(UnknownNameError, match="unknown variant of mitigation 'intent': 'embeding'"):
        canonical_mitigation("intent:embeding", setting)


def test_without_an_embedder_it_is_refused(setting: Setting) -> None:
    with pytest.raises(UnsupportedError, match="'intent:embedding' needs a model that embeds texts\n  add --embedder"):
        build_mitigation("intent:embedding", setting._replace(embed=None))


def test_what_stands_behind_it_is_about_whom_it_finds(setting: Setting) -> None:
    goofy = setting.characters.characters[0]
    guarded = build_mitigation("intent:embedding,0.9+negprompt:name", setting)
    assert guarded.apply(request("a pup"), goofy).negative_prompt == "Max"
    assert guarded.apply(request("a boat"), goofy) == request("a boat")
