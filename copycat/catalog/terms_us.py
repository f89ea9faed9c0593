"""The term of copyright in the United States, 17 U.S.C. §§ 104A and 302 to 305, as in force since 1998.

A term runs to the end of its last calendar year (§ 305), so that a work of 1928 is in the public domain from
1 January 2024. Works up to 1963 also had to be renewed in their 28th year: a fact of the version, never assumed; those
of 1964 to 1977 were renewed by the law itself (Public Law 102-307). Works of before March 1989 are taken to have been
published with a copyright notice, for which their source stands. Of works made for hire since 1978 the 120 years from
creation are not counted: they end first only where publication came more than 25 years later. Sound recordings and
unpublished works are not told.
"""

from __future__ import annotations

from copycat.catalog.terms import LIFE_TERM, Term, deaths, ended, is_living, last_death
from copycat.schema import CharacterVersion

TERM, NEW_ACT, LAST_RENEWED = 95, 1978, 1963
"""95 years from publication; the act of 1976 holds from 1978; works up to 1963 had to be renewed in their 28th year."""

LIFE_70 = frozenset(("AT", "BE", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "IE", "IT", "LU", "NL", "NO", "PT", "SE"))
"""Where life and 70 years held on 1 January 1996; elsewhere the 50 years of the Berne Convention are counted."""

LAST_LATE, LATE_TERM = 2002, 2047
"""Works from before 1978 that were first published by 2002 are protected at least to the end of 2047 (§ 303)."""

OLDEST = 1923
"""The oldest year whose works got 95 years; what is older had 75 or 56, and all of it has ended."""


def us_term(version: CharacterVersion, year: int) -> Term:
    """Give the status in the United States in `year` (from 2019 on)."""
    published = version.us_year or version.year
    if version.kind == "folk" and published >= OLDEST:
        return Term("unknown", None, None, "when a tale without an author was first published is not recorded")
    if published >= NEW_ACT:
        return _new_act(version, published, year)
    until = published + TERM
    counted = f" ({version.us_year_why})" if version.us_year else ""
    why = f"published {published}{counted}; 95 years from publication (17 U.S.C. § 304)"
    if published < OLDEST:
        return Term("public-domain", None, None, f"published {published}{counted}; every work published before "
                    f"{year - TERM} is out of its term (17 U.S.C. §§ 304 and 305)")  # fmt: skip
    if past := ended(until, year, f"{why}, ended with {until}"):
        return past
    protected = Term("protected", published, until, f"{why}, to the end of {until}")
    return _foreign(version, protected) if version.country != "US" else _renewed(version, published, protected)


def _renewed(version: CharacterVersion, published: int, protected: Term) -> Term:
    if published > LAST_RENEWED or version.renewal == "renewed":
        return protected
    if version.renewal == "presumed":
        return protected._replace(
            why=f"{protected.why}; presumes renewal in the 28th year, not checked in the register"
        )
    if version.renewal == "lapsed":
        why = f"published {published}, and not renewed in its 28th year, {published + 28} (17 U.S.C. § 304)"
        return Term("public-domain", published + 29, None, why)
    why = f"published {published}; protected to the end of {protected.until_year} if renewed in its 28th year"
    return Term("unknown", None, None, f"{why} (17 U.S.C. § 304), which was not checked")


def _foreign(version: CharacterVersion, protected: Term) -> Term:
    """Tell of a foreign work: one that had lapsed was restored in 1996 where it was in its term at home (§ 104A)."""
    if version.renewal == "renewed":
        return protected
    if version.kind == "personal":
        died, lived = last_death(version), 1926 if version.country in LIFE_70 else 1946
        was_in_term = is_living(version) or (died is not None and died >= lived)
    else:
        was_in_term = version.year >= 1946
    if was_in_term:
        why = protected.why.replace("§ 304)", "§ 304), restored in 1996 where it had lapsed (§ 104A)")
        return protected._replace(why=why)
    why = f"a work of {version.country} of {version.year}; whether it was in its term there in 1996, and so restored"
    return Term("unknown", None, None, f"{why} (17 U.S.C. § 104A), is not recorded")


def _new_act(version: CharacterVersion, published: int, year: int) -> Term:
    died, statute = last_death(version), "17 U.S.C. § 302(a)"
    if version.kind != "personal":
        until = published + TERM
        why = f"published {published}; a work made for hire: 95 years from publication (17 U.S.C. § 302(c))"
    elif died is None and is_living(version):
        return Term("protected", published, None, f"an author is living; life and 70 years ({statute})")
    elif died is None:
        return Term("unknown", None, None, f"life and 70 years ({statute}), and no year of death is recorded")
    elif died < NEW_ACT <= published <= LAST_LATE:
        until = max(died + LIFE_TERM, LATE_TERM)
        why = f"{deaths(version)}, first published {published}; not before the end of {LATE_TERM} (17 U.S.C. § 303)"
    else:
        until, why = died + LIFE_TERM, f"{deaths(version)}; life and 70 years ({statute})"
    if past := ended(until, year, f"{why}, ended with {until}"):
        return past
    return Term("protected", published, until, f"{why}, to the end of {until}")
