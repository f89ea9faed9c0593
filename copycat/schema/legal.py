"""What is recorded of the versions of a character, and what the law makes of it in one place and year."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from copycat.schema.base import Record, Text

LegalState = Literal["protected", "public-domain", "disputed", "unknown", "invented"]
"""Disputed: what is known is judged differently. Unknown: a fact that the term depends on is not recorded."""

VersionKind = Literal["personal", "corporate", "film", "folk"]
"""How the term of a version is measured.

personal: by the lives of its authors. corporate: a work made for hire, or published in the name of a company.
film: the same for a film, a series or a cartoon. folk: a tale or myth without a known author.
"""

Renewal = Literal["renewed", "presumed", "lapsed", "unknown"]
"""Whether a work published in the United States before 1964 was renewed in its 28th year.

renewed: a source of the version says so. presumed: usual of its owner, who still claims it; the register was not read.
lapsed: a source says that it was not. unknown: nobody looked.
"""


class Author(Record):
    """One of the people whose lives measure a term. `died` is a year; None where `living` or where nobody knows."""

    name: Text
    died: int | None = Field(default=None, ge=1, le=2100)
    living: bool = False

    @model_validator(mode="after")
    def _cannot_be_both(self) -> Self:
        if self.living and self.died is not None:
            raise ValueError("an author cannot be living and have died; leave one out")
        return self


class CharacterVersion(Record):
    """Dated facts of one version of a character: the tale, the first drawing, a later film. No opinion of its status.

    Attributes:
        name: what it is, such as "1928 black-and-white designs".
        year: of first publication; country: where, an ISO 3166 code.
        kind: how its term is measured.
        authors: whose lives measure it; needed for "personal".
        from_then_on: it stands for all versions from this year on, each of which has a term of its own.
        renewal: for works of 1931 to 1963 that were first published in the United States.
        us_year: the year that US law counts as publication, where it is another one; `us_year_why` says why.
        disputed: place -> why what is known is judged differently there.
        places: the places for which a note is given: US, EU, UK, JP, or worldwide.
        about: what else a reader should know, such as that the name is a trademark.
        sources: where these facts are from.
    """

    name: Text
    year: int = Field(ge=1, le=2100)
    country: str = Field(pattern="^[A-Z]{2}$")
    kind: VersionKind
    authors: tuple[Author, ...] = ()
    from_then_on: bool = False
    renewal: Renewal | None = None
    us_year: int | None = Field(default=None, ge=1, le=2100)
    us_year_why: str = ""
    disputed: dict[str, Text] = Field(default_factory=dict)
    places: tuple[Literal["US", "EU", "UK", "JP", "worldwide"], ...] = Field(min_length=1)
    about: str = ""
    sources: tuple[Text, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.us_year is not None and not self.us_year_why:
            raise ValueError("us_year needs us_year_why: why US law counts another year")
        return self


class LegalNote(Record):
    """What is known of the legal status of one version of a character in one place, in one year.

    A note, not legal advice: `from_year` is the year in which the status began, `until_year` the last one of
    protection where that is known; `note` says why, with the statute.
    """

    version: Text
    jurisdiction: Text
    status: LegalState
    from_year: int | None = None
    until_year: int | None = None
    note: str = ""
