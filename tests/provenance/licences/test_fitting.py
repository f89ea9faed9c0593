"""What licences ask, and what goes together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copycat.provenance.licences import choices, duties, fits, goes_into
from copycat.provenance.records import PURPOSES

WORTH = {True: 2, None: 1, False: 0}
SINGLE = ("MIT", "CC-BY-NC-4.0", "CC-BY-ND-4.0", "LicenseRef-mine", "CC0-1.0", "CC-BY-SA-4.0", "LicenseRef-OpenRAIL")


def tree(depth: int) -> st.SearchStrategy[tuple[object, ...]]:
    leaf = st.sampled_from(SINGLE).map(lambda name: ("leaf", name))
    if depth == 0:
        return leaf
    return st.one_of(leaf, st.tuples(st.sampled_from(["AND", "OR"]), tree(depth - 1), tree(depth - 1)))


def text_of(node: tuple[object, ...]) -> str:
    return str(node[1]) if node[0] == "leaf" else f"({text_of(node[1])} {node[0]} {text_of(node[2])})"  # type: ignore[arg-type]


def worth(node: tuple[object, ...], purpose: str) -> int:
    """Three-valued logic by the tree itself: AND is the least, OR the most."""
    if node[0] == "leaf":
        return WORTH[fits(str(node[1]), PURPOSES[purpose]).answer]
    parts = [worth(node[at], purpose) for at in (1, 2)]  # type: ignore[arg-type]
    return min(parts) if node[0] == "AND" else max(parts)


@settings(max_examples=80, deadline=None)
@given(tree(3), st.sampled_from(list(PURPOSES)))
def test_and_means_all_and_or_means_a_choice(node: tuple[object, ...], purpose: str) -> None:
    assert WORTH[fits(text_of(node), PURPOSES[purpose]).answer] == worth(node, purpose)


@pytest.mark.parametrize(
    ("expression", "purpose", "answer"),
    [
        ("CC-BY-4.0", "training", True),
        ("CC-BY-NC-4.0", "research", True),
        ("CC-BY-NC-4.0", "training", False),
        ("CC-BY-NC-4.0", "sharing", False),
        ("CC-BY-ND-4.0", "sharing", True),
        ("CC-BY-ND-4.0", "adapting", False),
        ("CC-BY-SA-4.0", "sharing", True),
        ("CC-BY-SA-4.0", "adapting", None),
        ("LicenseRef-OpenRAIL", "training", None),
        ("C-UDA-1.0", "training", True),
        ("LicenseRef-mine", "search", None),
        ("LicenseRef-all-rights-reserved", "research", False),
        ("BlueOak-1.0.0", "training", None),
        (None, "training", None),
        ("LicenseRef-public-domain", "training", None),
        ("CC-PDM-1.0", "training", True),
    ],
)
def test_a_licence_is_held_against_a_purpose(expression: str | None, purpose: str, answer: bool | None) -> None:
    found = fits(expression, PURPOSES[purpose])

    assert found.answer is answer
    assert found.reasons


def test_a_reason_names_the_section_of_the_licence() -> None:
    assert "2(a)(1)" in fits("CC-BY-NC-4.0", PURPOSES["training"]).reasons[0]
    assert "4(b)" in fits("CC-BY-NC-2.0", PURPOSES["training"]).reasons[0]


def test_what_a_licence_leaves_open_about_models_is_said() -> None:
    assert "not settled" in fits("CC-BY-ND-4.0", PURPOSES["training"]).reasons[0]
    assert "left free" in fits("CDLA-Sharing-1.0", PURPOSES["training"]).reasons[0]


def test_an_unknown_licence_asks_nobody_knows_what_and_never_nothing() -> None:
    assert duties("LicenseRef-mine") is None
    assert duties("MIT AND LicenseRef-mine") is None
    assert choices("MIT AND LicenseRef-mine")[0].told == "not known (LicenseRef-mine)"
    asked = duties("MIT OR LicenseRef-mine")
    assert asked is not None and asked.licences == ("MIT",)


def test_an_exception_of_spdx_keeps_the_licence_and_one_of_nobody_s_makes_it_unknown() -> None:
    asked = duties("GPL-2.0-only WITH Classpath-exception-2.0")
    assert asked is not None and asked.share_alike
    assert asked.source and asked.notice and not asked.attribution


def test_the_choice_that_asks_least_comes_first() -> None:
    assert [one.licences for one in choices("CC-BY-NC-4.0 OR CC-BY-4.0 OR CC0-1.0")] == [
        ("CC0-1.0",),
        ("CC-BY-4.0",),
        ("CC-BY-NC-4.0",),
    ]


def test_an_expression_of_too_many_choices_is_unknown_and_quick() -> None:
    many = " AND ".join(f"(MIT OR CC-BY-{version}.0 OR ISC)" for version in (1, 2, 3, 4))
    assert choices(" AND ".join([many, many.replace("ISC", "0BSD"), many.replace("MIT", "X11")])) == ()
    assert fits(" AND ".join([many] * 3).replace("ISC", "Zlib"), PURPOSES["training"]).answer in (True, None)


# The list of compatible licences of Creative Commons, the later-version clauses, GPL 3 section 13, MPL 2.0 section 3.3,
# EUPL 1.2 appendix, and the Free Software Foundation on Apache 2.0 and GPL 2.
COMPATIBLE = [
    ("CC-BY-SA-4.0", "CC-BY-SA-4.0", True),
    ("CC-BY-SA-4.0", "GPL-3.0-only", True),
    ("CC-BY-SA-4.0", "GPL-3.0-or-later", False),
    ("GPL-3.0-only", "CC-BY-SA-4.0", False),
    ("CC-BY-SA-4.0", "LAL-1.3", True),
    ("LAL-1.3", "CC-BY-SA-4.0", True),
    ("CC-BY-SA-3.0", "CC-BY-SA-4.0", True),
    ("CC-BY-SA-4.0", "CC-BY-SA-3.0", False),
    ("CC-BY-SA-1.0", "CC-BY-SA-2.0", False),
    ("CC-BY-SA-2.0", "CC-BY-SA-4.0", True),
    ("CC-BY-SA-3.0", "GPL-3.0-only", False),
    ("CC-BY-SA-4.0", "CC-BY-4.0", False),
    ("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0", False),
    ("CC-BY-NC-SA-4.0", "CC-BY-SA-4.0", False),
    ("CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", True),
    ("CC-BY-4.0", "CC-BY-SA-4.0", True),
    ("CC-BY-4.0", "CC-BY-NC-4.0", True),
    ("CC-BY-4.0", "CC0-1.0", False),
    ("CC-BY-NC-4.0", "CC-BY-4.0", False),
    ("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", True),
    ("CC-BY-ND-4.0", "CC-BY-ND-4.0", False),
    ("CC0-1.0", "MIT", True),
    ("ODbL-1.0", "CC-BY-SA-4.0", False),
    ("ODbL-1.0", "ODbL-1.0", True),
    ("CDLA-Sharing-1.0", "CDLA-Permissive-1.0", False),
    ("GPL-2.0-only", "GPL-3.0-only", False),
    ("GPL-2.0-only", "GPL-2.0-or-later", False),
    ("GPL-2.0-or-later", "GPL-2.0-only", True),
    ("GPL-1.0-only", "GPL-2.0-only", False),
    ("GPL-3.0-only", "GPL-3.0-or-later", False),
    ("GFDL-1.2-only", "GFDL-1.3-only", False),
    ("GFDL-1.2-or-later", "GFDL-1.3-only", True),
    ("EUPL-1.1", "GPL-3.0-only", False),
    ("EUPL-1.2", "GPL-3.0-only", True),
    ("MPL-2.0", "GPL-2.0-only", True),
    ("GPL-2.0-or-later", "GPL-3.0-only", True),
    ("GPL-3.0-only", "AGPL-3.0-only", None),
    ("LGPL-2.1-only", "LGPL-2.0-only", False),
    ("LGPL-2.0-or-later", "LGPL-2.1-only", True),
    ("GPL-1.0-or-later", "GPL-1.0-only", True),
    ("GFDL-1.2-or-later", "GFDL-1.2-only", True),
    ("GFDL-1.1-or-later", "GFDL-1.2-only", True),
    ("GFDL-1.3-or-later", "GFDL-1.2-only", False),
    ("OFL-1.0", "OFL-1.1", None),
    ("ODC-By-1.0", "CC-BY-4.0", None),
    ("ODC-By-1.0", "ODC-By-1.0", True),
    ("MS-PL", "MIT", None),
    ("Apache-1.1", "GPL-3.0-only", False),
    ("ECL-2.0", "GPL-2.0-only", False),
    ("BUSL-1.1", "Elastic-2.0", None),
    ("LicenseRef-CreativeML-OpenRAIL-M", "C-UDA-1.0", None),
    ("LicenseRef-CreativeML-OpenRAIL-M", "MIT", False),
    ("LicenseRef-CreativeML-OpenRAIL-M", "LicenseRef-CreativeML-OpenRAIL-M", True),
    ("AGPL-3.0-only", "GPL-3.0-only", False),
    ("LGPL-2.1-only", "GPL-3.0-only", True),
    ("MPL-2.0", "GPL-3.0-or-later", True),
    ("Apache-2.0", "GPL-2.0-only", False),
    ("Apache-2.0", "GPL-3.0-only", True),
    ("EUPL-1.2", "CC-BY-SA-3.0", True),
    ("MIT", "Apache-2.0", True),
    ("LicenseRef-mine", "MIT", None),
    ("LicenseRef-public-domain", "CC0-1.0", None),
    ("CC-BY-4.0", "LicenseRef-mine", None),
    ("CC-BY-SA-4.0", "LicenseRef-all-rights-reserved", False),
    ("LicenseRef-CC-BY-SA", "CC-BY-SA-4.0", None),
]


@pytest.mark.parametrize(("component", "output", "answer"), COMPATIBLE)
def test_what_may_go_on_under_which_licence(component: str, output: str, answer: bool | None) -> None:
    found = goes_into(component, output)

    assert found.answer is answer, found.reasons
    assert found.reasons


def test_of_a_choice_of_output_licences_each_must_keep_the_duties() -> None:
    assert goes_into("CC-BY-SA-4.0", "CC-BY-SA-4.0 OR MIT").answer is False
    assert goes_into("MIT", "CC-BY-SA-4.0 OR MIT").answer is True
    assert goes_into("CC-BY-SA-4.0 OR MIT", "MIT").answer is True


def test_an_output_licence_decides_whether_share_alike_fits_adapting() -> None:
    adapting = PURPOSES["adapting"]

    assert fits("CC-BY-SA-4.0", adapting.model_copy(update={"output_licence": "CC-BY-SA-4.0"})).answer is True
    refused = fits("CC-BY-SA-4.0", adapting.model_copy(update={"output_licence": "LicenseRef-all-rights-reserved"}))
    assert refused.answer is False
