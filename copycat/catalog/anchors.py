"""How a prompt reaches a character: its name, a description, or keywords of some ranker."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, model_validator

from copycat.errors import UnknownNameError, UserError
from copycat.schema import Record

DEFAULT_K = 5
"""Number of keywords where an anchor does not say; CopyCat's main setting (arXiv:2406.14526, sec. 4)."""

ANCHORS_HINT = "see all: python -m copycat.eval --list anchors"
LISTS_HINT = "a list is made by python -m copycat.discover, a published one fetched by python -m copycat.data lists"
RANKER_PATTERN = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
_KEYWORDS = re.compile(rf"keywords(:(?P<ranker>{RANKER_PATTERN}?)(-(?P<k>[0-9]+))?)?")
_DESCRIPTION = re.compile(rf"description:(?P<ranker>{RANKER_PATTERN})")


class Anchor(Record):
    """One anchoring mode. `ranker` and `k`, the number of keywords, are set for keywords.

    A description with a `ranker` is the first of a list of descriptions of that name, else the set's own.
    """

    kind: Literal["name", "keywords", "description"]
    ranker: str | None = None
    k: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _keywords_have_ranker_and_k(self) -> Anchor:
        if (self.kind == "keywords") != (self.k is not None) or (self.kind == "keywords" and self.ranker is None):
            raise ValueError("ranker and k belong to keywords, and k to keywords alone")
        if self.kind == "name" and self.ranker is not None:
            raise ValueError("a name has no ranker")
        return self

    @property
    def label(self) -> str:
        """The one text of this anchor: "name", "description", "description:mine" or "keywords:authored-5"."""
        if self.kind == "keywords":
            return f"keywords:{self.ranker}-{self.k}"
        return self.kind if self.ranker is None else f"{self.kind}:{self.ranker}"


PLAIN_ANCHORS = {"name": Anchor(kind="name"), "description": Anchor(kind="description")}


def parse_anchor(text: str, default_ranker: str | None) -> Anchor:
    """Parse "name", "description", "description:LIST", "keywords", "keywords:RANKER" or "keywords:RANKER-K".

    A number at the end is always k: "keywords:laion-5" is ranker "laion" with five keywords.

    Args:
        default_ranker: the ranker that plain "keywords" stands for, or None where there is none.

    Raises:
        UnknownNameError: another form; the text suggests near ones.
        UserError: no keywords are asked for (k = 0), or "keywords" without a default ranker.
    """
    text = text.strip()
    if text in PLAIN_ANCHORS:
        return PLAIN_ANCHORS[text]
    if described := _DESCRIPTION.fullmatch(text):
        return Anchor(kind="description", ranker=described["ranker"])
    match = _KEYWORDS.fullmatch(text)
    if match is None:
        raise UnknownNameError("anchor", text, _examples(default_ranker), ANCHORS_HINT)
    ranker, k = match["ranker"] or default_ranker, int(match["k"] or DEFAULT_K)
    if ranker is None:
        raise UserError(
            f"anchor '{text}': this character set has no keywords\n"
            f"  needed: a list 'keywords' for each character, or another anchor\n"
            f"  type: --anchors name,description"
        )
    if k < 1:
        raise UserError(f"anchor '{text}' asks for no keywords\n  needed: at least 1, such as 'keywords:{ranker}-5'")
    return Anchor(kind="keywords", ranker=ranker, k=k)


def _examples(default_ranker: str | None) -> list[str]:
    ranked = ["keywords", f"keywords:{default_ranker}", f"keywords:{default_ranker}-{DEFAULT_K}"]
    return ["name", "description", *(ranked if default_ranker else ())]
