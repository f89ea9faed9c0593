"""Dated facts of a character's versions -> what is known of their legal status in a place and a year.

Nothing is typed in as an opinion: the same facts give the same notes, and a year that passes gives new ones. The notes
inform and are no legal advice.
"""

from __future__ import annotations

from copycat.catalog.terms import Term, eu_term, jp_term, uk_term, world_term
from copycat.catalog.terms_us import us_term
from copycat.schema import Character, CharacterVersion, LegalNote

NOTES_YEAR = 2026
"""The year that pages and tables of the project are made for. It rises with a release, never with the clock."""

FIRST_YEAR = 2019
"""The laws are those in force since 30 December 2018; earlier years are not told."""

FACTS_YEAR = 2026
"""When the facts were last gone through: who is called living was so then."""

PLACES = ("US", "EU", "UK", "JP", "worldwide")


def legal_notes(character: Character, year: int = NOTES_YEAR) -> tuple[LegalNote, ...]:
    """Give the notes of a character: those that its file states, then those computed from its versions."""
    computed = [legal_status(version, place, year) for version in character.versions for place in version.places]
    return (*character.legal_status, *computed)


def legal_status(version: CharacterVersion, place: str, year: int) -> LegalNote:
    """Tell the status of one version in one place and year.

    Args:
        place: US, EU, UK, JP or worldwide.
        year: a calendar year from 2019 on; statuses change on its 1 January.

    Raises:
        ValueError: a year or place for which no law is known here.
    """
    if year < FIRST_YEAR:
        raise ValueError(
            f"year {year}: the laws known here are those since the end of 2018; give {FIRST_YEAR} or later"
        )
    if place not in PLACES:
        raise ValueError(f"place '{place}': no law is known here; give one of {', '.join(PLACES)}")
    term = _aged(_series(_term(version, place, year), version, year), version, year)
    if place in version.disputed and term.status != "public-domain":
        term = Term("disputed", None, None, f"{version.disputed[place]}; otherwise: {term.why}")
    note = f"{term.why}; {version.about}" if version.about else term.why
    return LegalNote(
        version=version.name,
        jurisdiction=place,
        status=term.status,
        from_year=term.from_year,
        until_year=term.until_year,
        note=note,
    )


def _term(version: CharacterVersion, place: str, year: int) -> Term:
    if version.year > year:
        return Term("unknown", None, None, f"not yet published in {year}")
    if place == "US":
        return us_term(version, year)
    if place == "EU":
        return eu_term(version, year, _origin(version, year, ("US", "GB", "JP")))
    if place == "UK":
        return uk_term(version, year, _origin(version, year, ("US", "JP")))
    return jp_term(version, year) if place == "JP" else world_term(version, year)


def _origin(version: CharacterVersion, year: int, abroad: tuple[str, ...]) -> Term | None:
    """Give the status in the country of origin, for a law that compares terms with it."""
    if version.country not in abroad or version.kind == "folk":
        return None
    if version.country == "US":
        return us_term(version, year)
    return jp_term(version, year) if version.country == "JP" else uk_term(version, year, None)


def _series(term: Term, version: CharacterVersion, year: int) -> Term:
    """Of designs from a year on, each has a term of its own; the first of them may have ended."""
    if not version.from_then_on:
        return term
    each = f"each design from {version.year} on has a term of its own, for what is new in it"
    if term.status == "public-domain":
        return Term("protected", version.year, None, f"{each}; of the first it has ended: {term.why}")
    return term._replace(until_year=None, why=f"{each}; of the first: {term.why}")


def _aged(term: Term, version: CharacterVersion, year: int) -> Term:
    """Tell nothing once an author who lived in the facts' year may have been dead for 70 years."""
    is_living = any(author.living for author in version.authors)
    if is_living and term.until_year is None and term.status == "protected" and year > FACTS_YEAR + 70:
        return Term("unknown", None, None, f"an author was living in {FACTS_YEAR}; a year of death is needed")
    return term
