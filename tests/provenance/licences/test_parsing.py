"""What people write about licences."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copycat.provenance.licences import duties, parse_licence
from copycat.provenance.licences.addresses import licence_at
from copycat.provenance.licences.facts import all_facts, facts_of
from copycat.provenance.licences.parsing import MAX_LETTERS, names_in

# Annex D of the SPDX specification 2.3.
SPDX_EXAMPLES = {
    "CDDL-1.0": "CDDL-1.0",
    "CDDL-1.0+": "CDDL-1.0+",
    "LicenseRef-23": "LicenseRef-23",
    "DocumentRef-spdx-tool-1.2:LicenseRef-MIT-Style-2": "DocumentRef-spdx-tool-1.2:LicenseRef-MIT-Style-2",
    "LGPL-2.1-only OR MIT OR BSD-3-Clause": "LGPL-2.1-only OR MIT OR BSD-3-Clause",
    "LGPL-2.1-only AND MIT AND BSD-2-Clause": "LGPL-2.1-only AND MIT AND BSD-2-Clause",
    "GPL-2.0-or-later WITH Bison-exception-2.2": "GPL-2.0-or-later WITH Bison-exception-2.2",
    "LGPL-2.1-only OR BSD-3-Clause AND MIT": "LGPL-2.1-only OR (BSD-3-Clause AND MIT)",
    "MIT AND (LGPL-2.1-or-later OR BSD-3-Clause)": "MIT AND (LGPL-2.1-or-later OR BSD-3-Clause)",
}


@pytest.mark.parametrize(("text", "expression"), SPDX_EXAMPLES.items())
def test_the_examples_of_the_specification_are_read_with_their_precedence(text: str, expression: str) -> None:
    assert parse_licence(text).expression == expression
    assert parse_licence(text).method == "spdx"


@pytest.mark.parametrize(
    ("text", "expression", "method"),
    [
        ("cc-by-4.0", "CC-BY-4.0", "spdx"),
        ("mit or apache-2.0", "MIT OR Apache-2.0", "spdx"),
        ("odc-by", "ODC-By-1.0", "hub-id"),
        ("creativeml-openrail-m", "LicenseRef-CreativeML-OpenRAIL-M", "hub-id"),
        ("CC BY-NC 4.0", "CC-BY-NC-4.0", "name"),
        ("cc_by_sa 3", "CC-BY-SA-3.0", "name"),
        ("CC BY-SA 3.0 IGO", "CC-BY-SA-3.0-IGO", "name"),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International", "CC-BY-NC-SA-4.0", "name"),
        ("Creative Commons Attribution-NoDerivs 2.0 Generic", "CC-BY-ND-2.0", "name"),
        ("The MIT License (MIT)", "MIT", "name"),
        ("Apache License, Version 2.0", "Apache-2.0", "name"),
        ("GNU General Public License v3.0 or later", "GPL-3.0-or-later", "name"),
        ("GPLv2+", "GPL-2.0-or-later", "name"),
        ("CC0 1.0 Universal", "CC0-1.0", "name"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/de/legalcode", "CC-BY-NC-SA-3.0-DE", "address"),
        ("http://www.creativecommons.org/licenses/by/2.0/", "CC-BY-2.0", "address"),
        ("creativecommons.org/publicdomain/zero/1.0/deed.fr", "CC0-1.0", "address"),
        ("https://opensource.org/license/mit", "MIT", "address"),
        ("https://spdx.org/licenses/ODbL-1.0.html", "ODbL-1.0", "address"),
        ("https://opendatacommons.org/licenses/odbl/1-0/", "ODbL-1.0", "address"),
        ("https://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0", "address"),
        ("MIT, Apache-2.0", "MIT AND Apache-2.0", "list"),
        (["mit", "cc-by-4.0"], "MIT AND CC-BY-4.0", "list"),
        ('["mit", "cc-by-4.0"]', "MIT AND CC-BY-4.0", "list"),
    ],
)
def test_names_ids_of_the_hub_and_addresses_are_read_and_say_how(text: object, expression: str, method: str) -> None:
    found = parse_licence(text)

    assert (found.expression, found.method, found.fault) == (expression, method, "")


@pytest.mark.parametrize(
    "text", ["other", "Unknown", "NOASSERTION", "n/a", "", "  ", None, "UNLICENSED", "see license"]
)
def test_a_statement_that_nothing_is_known_is_unknown_and_no_fault(text: object) -> None:
    found = parse_licence(text)

    assert found.is_unknown and found.expression is None and not found.fault


WRONG = (
    *("not-a-license", "MIT AND", "(MIT", "MIT MIT MIT BSD", "MIT WITH CC-BY-4.0", "MIT WITH nothing-known", "\x00"),
    *("Classpath-exception-2.0", "cc-by-9.9", "MIT; or ask us", 5, {"a": 1}, ["MIT", "nonsense"], "(" * 40 + "MIT"),
)


@pytest.mark.parametrize("text", WRONG, ids=str)
def test_what_is_no_licence_is_a_fault_with_a_reason(text: object) -> None:
    found = parse_licence(text)

    assert found.expression is None and found.fault


def test_a_mistyped_name_gets_names_that_are_near() -> None:
    assert "CC-BY-4.0" in parse_licence("cc-by-5.0").near
    assert "Apache-2.0" in parse_licence("Apach-2.0").near


@pytest.mark.parametrize(
    "address",
    [
        "https://creativecommons.org@elsewhere.example/licenses/by/4.0/",
        "https://elsewhere.example/?u=https://creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org.elsewhere.example/licenses/by/4.0/",
        "https://elsewhere.example/creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org/licenses/by/4.0/../../nc",
        "https://creativecommons.org/blog/licenses/by/4.0/",
        "https://creativecommons.org:8080/licenses/by/4.0/",
        "ftp://creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org/licenses/by/4.0/xx/",
        "https://[bad/licenses",
        "https://creativecommons.org/licenses/sampling+/1.0/",
    ],
)
def test_words_inside_an_address_do_not_make_it_a_licence(address: str) -> None:
    assert parse_licence(address).expression is None


def test_a_family_without_its_version_is_told_as_one() -> None:
    assert parse_licence("CC BY-NC").expression == "LicenseRef-CC-BY-NC"
    assert parse_licence("CC BY-NC").is_family
    assert parse_licence("gpl").is_family
    assert not parse_licence("CC-BY-NC-4.0").is_family


def test_a_licence_of_somebody_s_own_is_never_taken_for_another_of_the_list() -> None:
    """The library reads LicenseRef-Apache as Apache-2.0; it may be anything."""
    assert parse_licence("LicenseRef-Apache").expression == "LicenseRef-Apache"
    assert facts_of("LicenseRef-Apache") is None


def test_an_old_id_is_read_and_named() -> None:
    found = parse_licence("GPL-3.0")

    assert (found.expression, found.deprecated) == ("GPL-3.0-only", ("GPL-3.0",))
    assert parse_licence("GPL-2.0-with-classpath-exception").expression == "GPL-2.0-only WITH Classpath-exception-2.0"


def test_a_country_s_version_without_an_id_keeps_its_duties() -> None:
    found = parse_licence("https://creativecommons.org/licenses/by-nc/2.0/uk/")

    assert found.expression == "LicenseRef-CC-BY-NC-2.0-UK"
    facts = facts_of(found.expression)
    assert facts is not None and "non_commercial" in facts.asks


def test_an_enormous_expression_is_a_fault_and_quick() -> None:
    assert parse_licence(" OR ".join(["MIT"] * 100_000)).fault
    assert parse_licence("(" * (MAX_LETTERS // 2) + ")" * (MAX_LETTERS // 2)).fault
    assert parse_licence(["MIT"] * 1000).fault


def test_every_id_of_the_table_is_one_of_spdx_or_a_reference() -> None:
    for facts in all_facts():
        for name in facts.ids:
            assert parse_licence(name).expression == name, name


def test_every_pattern_of_the_table_names_licences_of_spdx() -> None:
    import license_expression

    known = list(license_expression.get_spdx_licensing().known_symbols)
    for facts in all_facts():
        if facts.pattern:
            assert any(facts_of(name) is facts for name in known), facts.pattern


def test_every_duty_of_the_table_names_its_section() -> None:
    for facts in all_facts():
        assert all(section for section in facts.asks.values())
        assert facts.text or facts.because


def test_all_licences_of_creative_commons_on_the_list_have_facts_that_follow_their_names() -> None:
    import license_expression

    known = [name for name in license_expression.get_spdx_licensing().known_symbols if name.startswith("CC-BY")]
    assert len(known) > 45
    for name in known:
        facts, elements = facts_of(name), name.split("-")
        assert facts is not None, name
        assert ("non_commercial" in facts.asks) == ("NC" in elements)
        assert ("no_derivatives" in facts.asks) == ("ND" in elements)
        assert ("share_alike" in facts.asks) == ("SA" in elements)
        assert "attribution" in facts.asks
        assert facts.suits_data == ("4.0" in elements)


@settings(max_examples=80, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(st.text(max_size=10), max_size=3), st.integers(), st.none()))
def test_whatever_is_written_there_is_an_answer_and_no_exception(text: object) -> None:
    found = parse_licence(text)

    assert (found.expression is not None) + found.is_unknown + bool(found.fault) == 1
    if found.expression is not None:
        assert parse_licence(found.expression).expression == found.expression
        assert list(names_in(found.expression))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="creativommns.org/lib-y40htp:@?#", max_size=60))
def test_an_address_never_raises(address: str) -> None:
    found = licence_at(address)
    assert found is None or isinstance(found, str)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("Creative Commons Attribution 4.0 International License (CC BY 4.0)", "CC-BY-4.0"),
        ("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"),
        ("ODC Attribution License (ODC-By)", "ODC-By-1.0"),
        ("CC BY 4.0 Deed", "CC-BY-4.0"),
        ("OGL v3", "OGL-UK-3.0"),
        ("http://rightsstatements.org/vocab/InC/1.0/", "LicenseRef-rightsstatements-InC-1.0"),
        ("https://rightsstatements.org/page/NoC-US/1.0/?language=en", "LicenseRef-rightsstatements-NoC-US-1.0"),
        ("Creative Commons Attribution 4.0 (CC BY-NC 4.0)", None),
        ("CC BY 4.0 (not the pictures)", None),
        ("https://rightsstatements.org/vocab/MIT/1.0/", None),
        ("Attribution", None),
        ("CC BY 4.0 except images", None),
    ],
)
def test_what_is_said_twice_is_read_once_and_only_if_both_agree(text: str, expression: str | None) -> None:
    assert parse_licence(text).expression == expression


def test_a_rights_statement_is_no_licence_and_allows_nothing_that_is_known() -> None:
    found = parse_licence("http://rightsstatements.org/vocab/NoC-US/1.0/")

    assert duties(found.expression) is None
    assert parse_licence("No known copyright restrictions").is_unknown
