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
        ("README.md license_name", "CC-BY-4.0"),
        ("croissant.json /license", "MIT AND ISC"),
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
        ("See the LICENSE file for each term.", False),
        ("Records do not have licences of their own.", False),
        ("Each web page is under its own licence.", True),
        ("Pictures are large.\nThe licence is CC0.", False),
    ],
)
def test_a_sentence_about_licences_of_records_is_told_from_others(make: Maker, body: str, is_separate: bool) -> None:
    assert bool(separate_statement(open_dataset(make("license: mit", body=body)))) is is_separate


@pytest.mark.parametrize(
    ("front", "expressions", "is_faulty"),
    [
        ("license: other\nlicense_name: zoravi-community\nlicense_link: LICENSE", [None], False),
        ("license_name: zoravi-community", [None], False),
        ("license: other\nlicense_name: cc-by-4.0\nlicense_link: https://example.org/terms", ["CC-BY-4.0"], False),
        ("license: other\nlicense_link: https://creativecommons.org/licenses/by/4.0/", ["CC-BY-4.0"], False),
        (
            "license: mit\nlicense_name: whatever\nlicense_link: https://www.gnu.org/licenses/gpl-3.0.html",
            ["MIT"],
            False,
        ),
        ("license: [mit, other]", [None], False),
        ("license: not-a-license\nlicense_name: zoravi-community", [None, None], True),
        ("license: other\nlicense_name: [1, {a: b}]\nlicense_link: {c: d}", [None], True),
    ],
)
def test_a_name_that_the_dataset_made_up_is_unknown_and_no_fault(
    make: Maker, front: str, expressions: list[str | None], is_faulty: bool
) -> None:
    """The Hub: with 'license: other', `license_name` is free, and `license_link` leads to the text."""
    said = statements(open_dataset(make(front)))

    assert [one.parsed.expression for one in said] == expressions
    assert any(one.parsed.fault for one in said) is is_faulty


def test_a_licence_of_the_code_beside_the_data_says_nothing_of_the_data(make: Maker) -> None:
    path = make(
        files={"LICENSE-CODE": "MIT License\n", "LICENSE_software.txt": "MIT License\n", "LICENSE": "CC BY 4.0"}
    )
    assert [one.place.file for one in statements(open_dataset(path))] == ["LICENSE"]
