"""What a dataset says of its own licence, in files and in words."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from copycat.provenance.dataset import open_dataset
from copycat.provenance.licences.statements import licence_of_text, separate_statement, statements

Maker = Callable[..., Path]
FILLER = "\n" + "Words that stand in the licence. " * 60


def test_the_whole_text_of_a_licence_is_recognised() -> None:
    """The library of SPDX ids carries this one text."""
    text = resources.files("license_expression").joinpath("data/cc-by-4.0.LICENSE").read_text(encoding="utf-8")
    assert licence_of_text(text).expression == "CC-BY-4.0"


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("## ODC Open Database License (ODbL)" + FILLER, "ODbL-1.0"),
        ("Open Data Commons Public Domain Dedication & License (PDDL)" + FILLER, "PDDL-1.0"),
        ("Computational Use of Data Agreement v1.0" + FILLER, "C-UDA-1.0"),
        ("Community Data License Agreement \u2013 Sharing \u2013 Version 1.0" + FILLER, "CDLA-Sharing-1.0"),
        ("GNU Free Documentation License\nVersion 1.3, 3 November 2008" + FILLER, "GFDL-1.3-only"),
        ("Attribution-NonCommercial-NoDerivs 3.0 Unported\n" + FILLER, "CC-BY-NC-ND-3.0"),
        ("SPDX-License-Identifier: CC-BY-SA-4.0\n", "CC-BY-SA-4.0"),
        ("This dataset is licensed under CC BY 4.0. Enjoy.", "CC-BY-4.0"),
        ("# Licence: cc-by-nc-4.0\n", "CC-BY-NC-4.0"),
        ("Terms: see https://creativecommons.org/licenses/by/4.0/.", "CC-BY-4.0"),
    ],
)
def test_titles_sentences_and_addresses_tell_the_licence(text: str, expression: str) -> None:
    assert licence_of_text(text).expression == expression


@pytest.mark.parametrize(
    "text",
    [
        "Our own terms: be kind.",
        "Unlike MIT or Apache, these terms are ours.",
        "Code is licensed under MIT. Data is licensed under CC BY 4.0.",
        "https://creativecommons.org/licenses/by/4.0/ https://creativecommons.org/licenses/by-nc/4.0/",
        "",
    ],
)
def test_words_that_leave_it_open_are_unknown_and_not_guessed(text: str) -> None:
    assert licence_of_text(text).expression is None


def test_all_places_are_read_and_named(make: Maker) -> None:
    path = make(
        "license: other\nlicense_name: cc-by-4.0",
        files={
            "croissant.json": '{"license": ["MIT", {"@id": "https://spdx.org/licenses/ISC"}]}',
            "LICENSE.txt": "Licensed under CC0 1.0.",
            "CITATION.cff": "cff-version: 1.2.0\nlicense: Apache-2.0\n",
        },
    )
    assert [(one.place.place, one.parsed.expression) for one in statements(open_dataset(path))] == [
        ("README.md license", None),
        ("README.md license_name", "CC-BY-4.0"),
        ("croissant.json /license", "MIT"),
        ("croissant.json /license", "ISC"),
        ("LICENSE.txt", "CC0-1.0"),
        ("CITATION.cff license", "Apache-2.0"),
    ]


@pytest.mark.parametrize(
    ("body", "is_separate"),
    [
        ("Each record keeps its own licence.", True),
        ("The licence of the individual images is in the column license.", True),
        ("Individual licences hold for the texts.", True),
        ("The dataset is free.", False),
        ("We have our own licence.", False),
        ("Pictures are large.\nThe licence is CC0.", False),
    ],
)
def test_a_sentence_about_licences_of_records_is_told_from_others(make: Maker, body: str, is_separate: bool) -> None:
    assert bool(separate_statement(open_dataset(make("license: mit", body=body)))) is is_separate
