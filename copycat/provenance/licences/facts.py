"""What each licence asks: licences.yaml -> records. A licence that is not there has no facts, and is unknown."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Literal, get_args

import yaml
from pydantic import Field

from copycat.provenance.records import Use
from copycat.schema import Record

Duty = Literal[
    "attribution",
    "notice",
    "share_alike",
    "non_commercial",
    "no_derivatives",
    "use_restrictions",
    "source",
    "network",
]
DUTIES: tuple[Duty, ...] = get_args(Duty)

DUTY_TEXTS: dict[Duty, str] = {
    "attribution": "credit the author",
    "notice": "keep the notice or the text of the licence",
    "share_alike": "pass changes on under the same licence",
    "non_commercial": "no commercial use",
    "no_derivatives": "pass on no changed copies",
    "use_restrictions": "some uses are left out",
    "source": "give the form in which it is changed",
    "network": "use over a network counts as passing on",
}
"""Each duty in plain words."""

Kind = Literal["public-domain", "permissive", "copyleft", "restricted", "proprietary"]
Covers = Literal["data", "works", "database", "software", "documents", "fonts"]


class LicenceFacts(Record):
    """What a licence asks of whoever passes material on; licences.yaml says what the fields mean.

    Attributes:
        asks: duty -> section of the licence's text.
        goes_into, not_into, perhaps_into: regular expressions over SPDX ids.
        is_read: the sections were held against the text; otherwise they stand there from memory.
        family: the licence is known but for its version.
        allows: uses that `use_restrictions` leaves alone.
    """

    ids: tuple[str, ...] = ()
    pattern: str | None = None
    kind: Kind
    covers: Covers
    asks: dict[Duty, str] = Field(default_factory=dict)
    text: str = ""
    because: str = ""
    results: str = ""
    family: bool = False
    is_read: bool = False
    goes_into: tuple[str, ...] = ()
    not_into: tuple[str, ...] = ()
    perhaps_into: tuple[str, ...] = ()
    allows: tuple[Use, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def suits_data(self) -> bool:
        """Whether it was written with data in mind: it speaks of database rights, or of data."""
        return self.covers in ("data", "database")

    @property
    def is_open(self) -> bool:
        """Whether anybody may use, change and pass it on, for any purpose (Open Definition 2.1).

        The bare words "public domain" do not tell: they say neither in which country nor why.
        """
        return self.kind in ("public-domain", "permissive", "copyleft") and not self.is_bare_claim

    @property
    def is_bare_claim(self) -> bool:
        """Whether it is the words "public domain" alone, without a mark, a dedication or a country."""
        return self.family and self.kind == "public-domain"


@cache
def all_facts() -> tuple[LicenceFacts, ...]:
    """Read licences.yaml."""
    text = resources.files(__package__).joinpath("licences.yaml").read_text(encoding="utf-8")
    return tuple(LicenceFacts.model_validate(row) for row in yaml.load(text, _loader())["licences"])  # noqa: S506 - safe, and ours


@cache
def facts_of(licence: str) -> LicenceFacts | None:
    """Give what one licence asks; None where it is not known. Upper and lower case do not count.

    Args:
        licence: an SPDX id, without "+" and "WITH ...".
    """
    found = _by_id().get(licence.casefold())
    if found is not None:
        return found
    return next((facts for pattern, facts in _patterns() if pattern.fullmatch(licence)), None)


@cache
def _by_id() -> dict[str, LicenceFacts]:
    return {name.casefold(): facts for facts in all_facts() for name in facts.ids}


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], LicenceFacts], ...]:
    return tuple((re.compile(facts.pattern, re.IGNORECASE), facts) for facts in all_facts() if facts.pattern)


def _loader() -> type[yaml.SafeLoader]:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # type: ignore[no-any-return]  # ten times faster where there
