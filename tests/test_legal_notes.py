"""Legal status computed from dated facts, against dates that are known from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copycat.catalog import legal_notes, legal_status, read_character_set
from copycat.catalog.legal_notes import FACTS_YEAR, PLACES
from copycat.schema import Author, Character, CharacterVersion


def version(year: int, kind: str = "film", country: str = "US", **facts: Any) -> CharacterVersion:
    died = facts.pop("died", None)
    if died is not None:
        facts["authors"] = tuple(Author(name=f"author {n}", died=d) for n, d in enumerate(died))
    whole = {"name": "a version", "places": ("US",), "sources": ("a test",), **facts}
    return CharacterVersion.model_validate({**whole, "year": year, "kind": kind, "country": country})


def status(of: CharacterVersion, place: str, year: int) -> str:
    return legal_status(of, place, year).status


LIVING = (Author(name="an author", living=True),)

ENTERED_US = [
    ("works of 1923", version(1923), 2019),
    ("Rhapsody in Blue, 1924", version(1924, "personal", renewal="renewed", died=[1937]), 2020),
    ("The Great Gatsby, 1925", version(1925, "personal", renewal="renewed", died=[1940]), 2021),
    ("Winnie-the-Pooh, 1926", version(1926, "personal", "GB", died=[1956]), 2022),
    ("The Jazz Singer and Metropolis, 1927", version(1927, renewal="renewed"), 2023),
    ("Steamboat Willie, 1928", version(1928, renewal="renewed"), 2024),
    ("Popeye, 1929", version(1929, "personal", renewal="renewed", died=[1938]), 2025),
    ("Dizzy Dishes (Betty Boop), 1930", version(1930, renewal="renewed"), 2026),
    ("Superman, 1938", version(1938, "personal", renewal="renewed", died=[1992, 1996]), 2034),
    ("Batman, 1939", version(1939, "corporate", renewal="presumed"), 2035),
    ("Star Wars, 1977, renewed by the law itself", version(1977), 2073),
    ("made for hire, 1978", version(1978, "corporate"), 2074),
    ("an author who died in 1990, work of 1980", version(1980, "personal", died=[1990]), 2061),
]
"""What entered the public domain of the United States on which 1 January (lists of Public Domain Day at Duke Law)."""


@pytest.mark.parametrize(("what", "facts", "entered"), ENTERED_US, ids=[what for what, _, _ in ENTERED_US])
def test_a_us_term_ends_with_the_calendar_year_before(what: str, facts: CharacterVersion, entered: int) -> None:
    if entered > 2019:
        before = legal_status(facts, "US", entered - 1)
        assert (before.status, before.until_year) == ("protected", entered - 1)
    after = legal_status(facts, "US", entered)
    assert (after.status, after.from_year, after.until_year) == ("public-domain", entered, None)


def test_a_us_work_that_was_not_renewed_lapsed_after_28_years() -> None:
    note = legal_status(version(1943, renewal="lapsed"), "US", 2026)

    assert (note.status, note.from_year) == ("public-domain", 1972)
    assert "not renewed" in note.note


@pytest.mark.parametrize("year", [1931, 1963])
def test_an_unknown_renewal_is_told_as_unknown_and_never_guessed(year: int) -> None:
    assert status(version(year), "US", 2026) == "unknown"
    assert status(version(year, renewal="unknown"), "US", 2026) == "unknown"
    assert "presumes renewal" in legal_status(version(year, renewal="presumed"), "US", 2026).note
    assert "presumes" not in legal_status(version(year, renewal="renewed"), "US", 2026).note


def test_no_renewal_was_needed_from_1964_on() -> None:
    assert status(version(1964), "US", 2026) == "protected"


def test_a_foreign_work_is_restored_only_where_it_was_in_its_term_at_home_in_1996() -> None:
    restored = legal_status(version(1951, "personal", "JP", died=[1989]), "US", 2026)
    assert (restored.status, restored.until_year) == ("protected", 2046)
    assert "§ 104A" in restored.note
    assert status(version(1935, "personal", "JP", died=[1940]), "US", 2026) == "unknown"
    assert status(version(1935, "corporate", "JP", died=[1970]), "US", 2026) == "unknown"
    assert status(version(1935, "personal", "FR", died=[1940]), "US", 2026) == "protected"


def test_the_year_that_us_law_counts_can_be_another_than_that_of_publication() -> None:
    novel = version(1922, "personal", "AT", died=[1945], us_year=1926, us_year_why="a court")

    assert (status(novel, "US", 2021), status(novel, "US", 2022)) == ("protected", "public-domain")
    assert "published 1926 (a court)" in legal_status(novel, "US", 2022).note


EUROPE = [
    ("Milne died 1956", version(1926, "personal", "GB", died=[1956]), ("EU", "UK"), 2027),
    ("Shepard died 1976", version(1926, "personal", "GB", died=[1976]), ("EU", "UK"), 2047),
    ("Saint-Exupéry's term without war years, died 1954", version(1943, "personal", "FR", died=[1954]), ("EU",), 2025),
    ("Hergé died 1983", version(1929, "personal", "BE", died=[1983]), ("EU",), 2054),
    ("the last of two authors counts", version(1950, "personal", "FR", died=[1949, 1960]), ("EU",), 2031),
]


@pytest.mark.parametrize(("what", "facts", "places", "entered"), EUROPE, ids=[what for what, *_ in EUROPE])
def test_life_and_70_years_end_on_1_january(
    what: str, facts: CharacterVersion, places: tuple[str, ...], entered: int
) -> None:
    for place in places:
        assert (status(facts, place, entered - 1), status(facts, place, entered)) == ("protected", "public-domain")


def test_spain_keeps_80_years_for_those_who_died_before_december_1987() -> None:
    assert "in Spain 80 years" in legal_status(version(1922, "personal", "AT", died=[1945]), "EU", 2025).note
    assert "Spain" not in legal_status(version(1958, "personal", "BE", died=[1992]), "EU", 2026).note
    assert "Spain" not in legal_status(version(1922, "personal", "AT", died=[1945]), "EU", 2026).note
    assert "Spain" not in legal_status(version(1911, "personal", "GB", died=[1937]), "EU", 2026).note


def test_a_work_whose_term_ended_at_home_is_disputed_in_the_eu_and_free_in_the_uk() -> None:
    mouse = version(1928, "personal", renewal="renewed", died=[1966, 1971])

    assert (legal_status(mouse, "EU", 2026).status, legal_status(mouse, "EU", 2026).from_year) == ("disputed", 2024)
    assert "art. 7" in legal_status(mouse, "EU", 2026).note
    assert (status(mouse, "EU", 2023), status(mouse, "EU", 2042)) == ("protected", "public-domain")
    assert (status(mouse, "UK", 2023), status(mouse, "UK", 2024)) == ("protected", "public-domain")


def test_the_uk_gives_a_foreign_work_no_more_than_its_own_country() -> None:
    new = version(1996, "personal", "JP", died=[2000])
    older = version(1938, "personal", renewal="renewed", died=[1975])

    assert legal_status(older, "UK", 2026).until_year == 2033
    assert "s. 12(6)" in legal_status(older, "UK", 2026).note
    assert legal_status(new, "UK", 2026).until_year == 2070


def test_the_uk_keeps_the_life_and_50_years_of_works_from_before_1996() -> None:
    superman = version(1938, "personal", renewal="renewed", died=[1992, 1996])
    note = legal_status(superman, "UK", 2026)

    assert (note.status, note.until_year) == ("protected", 2046)
    assert "SI 1995/3297 reg. 15" in note.note
    assert (status(superman, "UK", 2046), status(superman, "UK", 2047)) == ("protected", "public-domain")
    assert legal_status(superman, "UK", 2047).from_year == 2047


@pytest.mark.parametrize("place", ["EU", "UK"])
def test_a_term_at_home_that_is_not_known_here_is_told(place: str) -> None:
    assert "may end earlier" in legal_status(version(1950, "personal", "CA", died=[1970]), place, 2026).note
    assert "earlier" not in legal_status(version(1950, "personal", "FR", died=[1970]), place, 2026).note


def test_what_lapsed_in_the_us_is_not_called_free_in_the_uk_without_its_deaths() -> None:
    lapsed = {"renewal": "lapsed"}

    assert status(version(1960, "corporate", **lapsed), "UK", 2026) == "unknown"
    assert status(version(1960, **lapsed), "UK", 2026) == "public-domain"
    assert status(version(1960, "personal", authors=LIVING, **lapsed), "UK", 2026) == "protected"


def test_a_film_in_the_eu_has_a_lower_bound_and_then_is_unknown() -> None:
    assert status(version(2016), "EU", 2086) == "protected"
    assert legal_status(version(2016), "EU", 2026).until_year is None
    assert status(version(1937, renewal="renewed"), "EU", 2026) == "unknown"


JAPAN = [
    ("Tezuka died 1989", version(1951, "personal", "JP", died=[1989]), 2060),
    ("Yamamoto Shūgorō died 1967, and nothing came back", version(1958, "personal", "JP", died=[1967]), 2018),
    ("died 1968, the first of the longer term", version(1958, "personal", "JP", died=[1968]), 2039),
    ("in the name of a company, 1968", version(1968, "corporate", "JP"), 2039),
    ("in the name of a company, 1967", version(1967, "corporate", "JP"), 2018),
    ("a film of 1988", version(1988, "film", "JP"), 2059),
]


@pytest.mark.parametrize(("what", "facts", "entered"), JAPAN, ids=[what for what, *_ in JAPAN])
def test_japan_has_70_years_since_30_december_2018_without_revival(
    what: str, facts: CharacterVersion, entered: int
) -> None:
    after = legal_status(facts, "JP", max(entered, 2019))
    assert (after.status, after.from_year) == ("public-domain", entered)
    if entered > 2019:
        assert status(facts, "JP", entered - 1) == "protected"


def test_what_is_not_computed_is_unknown_with_its_reason() -> None:
    unknown = [
        (version(1960, "film", "JP"), "JP", "old"),
        (version(1990), "JP", "foreign works"),
        (version(1990, "personal", "JP"), "US", "no year of death"),
        (version(1990, "personal", "FR"), "EU", "not recorded"),
        (version(1950, "folk", "CN"), "US", "not recorded"),
        (version(2000), "worldwide", "no one term"),
        (version(2030), "US", "not yet published"),
    ]
    for facts, place, reason in unknown:
        note = legal_status(facts, place, 2026)
        assert note.status == "unknown"
        assert reason in note.note


def test_a_text_older_than_any_term_is_free_everywhere() -> None:
    assert status(version(1756, "personal", "FR", died=[1755, 1780]), "worldwide", 2026) == "public-domain"
    assert status(version(1592, "folk", "CN"), "worldwide", 2026) == "public-domain"
    assert status(version(1900, "personal", "FR", died=[1950]), "worldwide", 2026) == "unknown"


def test_designs_from_a_year_on_stay_protected_in_what_is_newer() -> None:
    later = version(1931, from_then_on=True, renewal="presumed")

    for year in (2026, 2027):
        note = legal_status(later, "US", year)
        assert (note.status, note.from_year, note.until_year) == ("protected", 1931, None)
    assert "of the first it has ended" in legal_status(later, "US", 2027).note


def test_a_stated_dispute_wins_until_the_term_has_ended_anyway() -> None:
    design = version(1932, renewal="presumed", disputed={"US": "a court doubted the chain of title"})

    assert status(design, "US", 2027) == "disputed"
    assert status(design, "US", 2028) == "public-domain"


def test_a_living_author_is_believed_for_70_years_after_the_facts() -> None:
    comic = version(1997, "personal", "JP", authors=LIVING)

    assert (status(comic, "JP", FACTS_YEAR + 70), status(comic, "JP", FACTS_YEAR + 71)) == ("protected", "unknown")
    assert legal_status(comic, "US", 2026).until_year is None


@pytest.mark.parametrize(("place", "year", "said"), [("US", 2018, "2019 or later"), ("XX", 2026, "US, EU, UK, JP")])
def test_a_year_or_place_without_a_law_here_is_refused(place: str, year: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        legal_status(version(1990), place, year)


def characters() -> dict[str, Character]:
    sets = [read_character_set(name) for name in ("copycat50", "unseen50")]
    return {character.id: character for one in sets for character in one.characters}


def test_every_note_of_the_sets_that_ship_is_computed_and_says_why() -> None:
    for character in characters().values():
        assert character.versions
        assert not character.legal_status
        for note in legal_notes(character):
            assert note.note
            assert (
                note.status != "public-domain" or "ended" in note.note or "older" in note.note or "before" in note.note
            )


def test_the_year_is_an_argument_and_changes_the_notes() -> None:
    pooh = characters()["winnie-the-pooh"]

    def state(year: int) -> set[tuple[str, str]]:
        return {(n.jurisdiction, n.status) for n in legal_notes(pooh, year) if "text" in n.version}

    assert state(2021) == {("US", "protected"), ("UK", "protected"), ("EU", "protected")}
    assert state(2026) == {("US", "public-domain"), ("UK", "protected"), ("EU", "protected")}
    assert state(2027) == {("US", "public-domain"), ("UK", "public-domain"), ("EU", "public-domain")}


KNOWN = {
    ("mickey-mouse", "1928", "US"): ("public-domain", 2024, None),
    ("minnie-mouse", "1930", "US"): ("public-domain", 2026, None),
    ("superman", "1938", "US"): ("protected", 1938, 2033),
    ("donald-duck", "1934", "US"): ("protected", 1934, 2029),
    ("astro-boy", "1951", "JP"): ("protected", 1951, 2059),
    ("the-smurfs", "1958", "EU"): ("protected", 1958, 2062),
    ("bambi", "novel", "US"): ("public-domain", 2022, None),
    ("barbie", "1959", "US"): ("unknown", None, None),
    ("peter-pan", "J. M. Barrie's play", "EU"): ("public-domain", 2008, None),
    ("harley-quinn", "1992", "US"): ("protected", 1992, 2087),
}


@pytest.mark.parametrize("key", KNOWN, ids=["-".join(key) for key in KNOWN])
def test_known_characters_have_their_known_status(key: tuple[str, str, str]) -> None:
    who, begins, place = key
    notes = [
        n for n in legal_notes(characters()[who], 2026) if n.version.startswith(begins) and n.jurisdiction == place
    ]

    assert [(n.status, n.from_year, n.until_year) for n in notes] == [KNOWN[key]]


def test_a_work_from_before_1978_first_published_by_2002_is_protected_to_2047() -> None:
    late = legal_status(version(1990, "personal", died=[1950]), "US", 2026)

    assert (late.status, late.until_year) == ("protected", 2047)
    assert "§ 303" in late.note
    assert status(version(1990, "personal", died=[1950]), "US", 2048) == "public-domain"
    assert status(version(2003, "personal", died=[1950]), "US", 2026) == "public-domain"


YEARS = st.integers(min_value=1, max_value=2100)
AUTHORS = st.lists(
    st.one_of(
        st.builds(Author, name=st.just("A"), died=YEARS),
        st.builds(Author, name=st.just("A"), living=st.booleans()),
    ),
    max_size=3,
)
VERSIONS = st.builds(
    CharacterVersion,
    name=st.just("a version"),
    year=YEARS,
    country=st.sampled_from(["US", "GB", "JP", "FR", "CN"]),
    kind=st.sampled_from(["personal", "corporate", "film", "folk"]),
    authors=AUTHORS.map(tuple),
    from_then_on=st.booleans(),
    renewal=st.sampled_from([None, "renewed", "presumed", "lapsed", "unknown"]),
    places=st.just(("US",)),
    sources=st.just(("a test",)),
)


@settings(max_examples=120, deadline=None)
@given(VERSIONS, st.sampled_from(PLACES), st.integers(min_value=2019, max_value=2300))
def test_whatever_the_facts_a_note_has_a_reason_and_consistent_years(
    facts: CharacterVersion, place: str, year: int
) -> None:
    note = legal_status(facts, place, year)

    assert note.note
    if note.status == "protected":
        assert note.until_year is None or note.until_year >= year
    else:
        assert note.until_year is None
    assert note.from_year is None or note.from_year <= year


@settings(max_examples=120, deadline=None)
@given(VERSIONS, st.sampled_from(PLACES), st.integers(min_value=2019, max_value=2200), st.integers(1, 150))
def test_nothing_comes_back_from_the_public_domain(facts: CharacterVersion, place: str, year: int, later: int) -> None:
    if status(facts, place, year) == "public-domain":
        assert status(facts, place, year + later) == "public-domain"


@settings(max_examples=120, deadline=None)
@given(VERSIONS, st.sampled_from(PLACES), st.integers(min_value=2019, max_value=2200))
def test_the_status_changes_right_after_the_last_year_that_a_note_names(
    facts: CharacterVersion, place: str, year: int
) -> None:
    note = legal_status(facts, place, year)
    if note.until_year is not None:
        assert status(facts, place, note.until_year) == "protected"
        assert status(facts, place, note.until_year + 1) != "protected"
