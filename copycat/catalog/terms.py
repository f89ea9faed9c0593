"""What the terms of several laws share, and the laws but that of the United States.

Statutes: Directive 2006/116/EC (EU); Copyright, Designs and Patents Act 1988, and the Duration of Copyright Regulations
1995, SI 1995/3297 (UK); Copyright Act of Japan, as in force since 30 December 2018 (TPP amendments, 70 years),
1 January 2004 (films, 70 years) and before. Every term runs to the end of a calendar year.
"""

from __future__ import annotations

from typing import NamedTuple

from copycat.schema import CharacterVersion
from copycat.schema.legal import LegalState

LIFE_TERM = 70
COLLECTIVE_TERM = 70
"""EU and Japan: years from publication of what no person's life measures."""

HARMONISED = 1995
"""Since 1 July 1995 life and 70 years in the EU (and from 1996 in the UK); what ended before has no exact year here."""

UK_NEW_TERM, UK_OLD_TERM, UK_FILMS = 1996, 50, 1957
"""UK: life and 70 years since 1 January 1996, life and 50 before; films of before June 1957 were plays to the law."""

UK_RULE = "not longer than in the country of origin (CDPA 1988 s. 12(6))"
UK_KEPT = "what existed in 1995 keeps life and 50 years where they end later (SI 1995/3297 reg. 15)"

COMPARED = frozenset(
    ("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE", "IS", "IT", "JP",
     "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK", "US")
)  # fmt: skip
"""Countries whose terms are known here: those of the EEA, the UK, Japan and the United States."""

LONGEST_LIFE, LONGEST_TERM = 100, 100
"""Nobody publishes and then lives longer; no country gives more than 100 years after death (Mexico)."""


class Term(NamedTuple):
    """A status, the year it began, the last year of protection where known, and why."""

    status: LegalState
    from_year: int | None
    until_year: int | None
    why: str


def last_death(version: CharacterVersion) -> int | None:
    """Give the year in which the last author died; None where one lives, or where a year is not recorded."""
    years = [author.died for author in version.authors]
    return max(year for year in years if year is not None) if years and None not in years else None


def deaths(version: CharacterVersion) -> str:
    """Say who died when: "A. A. Milne died 1956"."""
    told = [f"{author.name} died {author.died}" for author in version.authors if author.died is not None]
    return " and ".join(told)


def is_living(version: CharacterVersion) -> bool:
    """Whether an author was living when the facts were recorded."""
    return any(author.living for author in version.authors)


def ended(until: int, year: int, why: str, since: int = HARMONISED) -> Term | None:
    """Give "public domain" once a term has ended; `from_year` is None where it ended before `since`."""
    if year <= until:
        return None
    return Term("public-domain", until + 1 if until >= since else None, None, why)


def eu_term(version: CharacterVersion, year: int, origin: Term | None) -> Term:
    """Directive 2006/116/EC arts. 1, 2 and 7; `origin` is the status in a country of origin outside the EU."""
    found = _life_or_publication(version, year, "Directive 2006/116/EC art. 1", "Directive 2006/116/EC arts. 1 and 2")
    died = last_death(version)
    if version.kind == "personal" and died is not None and 1900 <= died <= 1987:
        until, rule = died + 80, "in Spain 80 years for authors who died before 7 December 1987"
        if year <= until:
            found = found._replace(why=f"{found.why}; {rule}, to the end of {until}")
    if found.status != "protected":
        return found
    if origin is None:
        return _uncompared(version, found, "art. 7")
    if origin.status == "public-domain":
        why = (
            f"{found.why}; but the term has ended in the country of origin, and by comparison of terms (art. 7) then "
            f"here too; older treaties of single member states may exclude that comparison"
        )
        return Term("disputed", origin.from_year, None, why)
    if origin.until_year is not None and (found.until_year is None or origin.until_year < found.until_year):
        why = f"{found.why}; by comparison of terms (art. 7) perhaps only to the end of {origin.until_year}"
        return found._replace(why=why)
    return found


def uk_term(version: CharacterVersion, year: int, origin: Term | None) -> Term:
    """CDPA 1988 ss. 12 and 13B; of a work from elsewhere by no UK national, not longer than there (s. 12(6)).

    What was protected at the end of 1995 keeps the life and 50 years of the law before, where those end later than the
    term of the country of origin: SI 1995/3297 reg. 15.
    """
    found = _life_or_publication(version, year, "CDPA 1988 s. 12", "CDPA 1988 ss. 12 and 13B")
    if found.status != "protected":
        return found
    if origin is None:
        return _uncompared(version, found, "CDPA 1988 s. 12(6)")
    if origin.status == "public-domain":
        return _uk_after_origin(version, year, found, origin)
    if origin.until_year is None or (found.until_year is not None and origin.until_year >= found.until_year):
        return found
    kept, why = _uk_kept(version), f"{found.why}; {UK_RULE}, there to the end of {origin.until_year}"
    if kept is None:
        return found._replace(until_year=None, why=f"{why}; {UK_KEPT}")
    why = f"{why}; {UK_KEPT}: to the end of {kept}" if kept > origin.until_year else why
    return found._replace(until_year=max(origin.until_year, kept) if found.until_year else None, why=why)


def _uncompared(version: CharacterVersion, found: Term, rule: str) -> Term:
    if version.country in COMPARED or version.kind == "folk":
        return found
    why = f"{found.why}; the term of {version.country} may end earlier, and then here too ({rule}): not computed"
    return found._replace(why=why)


def _uk_after_origin(version: CharacterVersion, year: int, found: Term, origin: Term) -> Term:
    """Tell of a work whose term has ended in its country of origin and runs on by the UK's own."""
    kept, why = _uk_kept(version), f"{found.why}; {UK_RULE}, where the term has ended"
    if kept is None:
        why = f"{why}; {UK_KEPT}"
        return found._replace(why=why) if is_living(version) else Term("unknown", None, None, f"{why}, not recorded")
    if year <= kept:
        return found._replace(until_year=kept, why=f"{why}; {UK_KEPT}: to the end of {kept}")
    return Term("public-domain", None if origin.from_year is None else max(origin.from_year, kept + 1), None, why)


def _uk_kept(version: CharacterVersion) -> int | None:
    """Give the last year of the older term: 0 where there is none, None where it runs from a death not recorded."""
    if version.year >= UK_NEW_TERM or (version.kind == "film" and version.year >= UK_FILMS):
        return 0
    died = last_death(version) if version.kind == "personal" else None
    return None if died is None else died + UK_OLD_TERM


def _life_or_publication(version: CharacterVersion, year: int, life: str, other: str) -> Term:
    if version.kind == "folk":
        return world_term(version, year)
    if version.kind == "personal":
        return _life(version, year, life)
    until = version.year + COLLECTIVE_TERM
    kind = "a film" if version.kind == "film" else "a company's work"
    if year > until:
        return Term("unknown", None, None, f"the term of {kind} runs from deaths that are not recorded ({other})")
    why = f"published {version.year}; the term of {kind} runs not less than 70 years from then ({other})"
    return Term("protected", version.year, None, f"{why}, so not before the end of {until}")


def _life(version: CharacterVersion, year: int, statute: str) -> Term:
    died = last_death(version)
    if died is not None:
        until = died + LIFE_TERM
        why = f"{deaths(version)}; life and 70 years ({statute})"
        if past := ended(until, year, f"{why}, ended with {until}"):
            return past
        return Term("protected", version.year, until, f"{why}, to the end of {until}")
    if is_living(version):
        return Term("protected", version.year, None, f"an author is living; life and 70 years ({statute})")
    why = f"life and 70 years ({statute}), and the year of an author's death is not recorded"
    return Term("unknown", None, None, why)


JP_EXTENDED = 1968
"""Japan: of works whose 50 years had ended by 29 December 2018 (deaths and publications up to 1967) none came back."""

JP_FILMS_OLD = 1970
"""Films up to 1970 are of the old act, whose term can run from a director's life: not computed."""


def jp_term(version: CharacterVersion, year: int) -> Term:
    """Copyright Act of Japan arts. 51, 53, 54 and 58, for works of Japan."""
    if version.kind == "folk":
        return world_term(version, year)
    if version.country != "JP":
        why = "terms of foreign works in Japan (art. 58, war years) are not computed"
        return Term("unknown", None, None, why)
    if version.kind == "personal":
        return _jp_life(version, year)
    if version.kind == "film" and version.year <= JP_FILMS_OLD:
        return Term("unknown", None, None, "a film of the old Copyright Act of Japan, whose term is not computed")
    statute = "art. 54" if version.kind == "film" else "art. 53"
    is_extended = version.kind == "film" or version.year >= JP_EXTENDED
    until = version.year + (COLLECTIVE_TERM if is_extended else 50)
    what = "a film" if version.kind == "film" else "a work in the name of a company"
    why = f"published {version.year}; {what}: {until - version.year} years from publication"
    why = f"{why} (Copyright Act of Japan {statute})"
    if past := ended(until, year, f"{why}, ended with {until}"):
        return past
    return Term("protected", version.year, until, f"{why}, to the end of {until}")


def _jp_life(version: CharacterVersion, year: int) -> Term:
    died, statute = last_death(version), "Copyright Act of Japan art. 51"
    if died is None or died >= JP_EXTENDED:
        return _life(version, year, statute)
    until = died + 50
    why = f"{deaths(version)}; life and 50 years, ended with {until} before the longer term of 2018 ({statute})"
    return ended(until, year, why) or Term("protected", version.year, until, why)


def world_term(version: CharacterVersion, year: int) -> Term:
    """Tell only what holds under every law: that a text is older than any term."""
    died = last_death(version)
    until = died + LONGEST_TERM if died is not None else version.year + LONGEST_LIFE + LONGEST_TERM
    if year > until:
        first = f"{deaths(version)}" if died is not None else f"first known from {version.year}"
        return Term("public-domain", None, None, f"{first}; older than any term of copyright")
    return Term("unknown", None, None, "there is no one term that holds in all countries")
