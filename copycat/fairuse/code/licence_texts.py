"""Which licence a text is: by words that this licence begins with, and words that follow soon after.

A licence file may hold several: that of the project, then those of what it is bundled with. The first one counts, if it
stands near the top; a text that begins with something else is not recognised by what it holds further down.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

LEAD = 4_000
"""Letters, white space as one, within which a licence begins: notices of copyright and history may stand above it."""

SPDX = re.compile(r"SPDX-License-Identifier:\s*((?:[A-Za-z0-9.+()\- ]|(?<=\w)/(?=\w))+)")
SPDX_LINES = 20
"""A licence file that names its own licence so does it at its top."""

_GRANT_MIT = r"permission is hereby granted, free of charge, to any person obtaining"
_GRANT_BSD = r"redistribution and use (of this software )?in source and binary forms"
_GRANT_ISC = r"permission to use, copy, modify,? and(/or)? distribute this software for any purpose with or without fee"


class _Known(NamedTuple):
    """A licence: how it begins, and what stands, or does not, within so many letters from there."""

    expression: str
    begins: str
    holds: Sequence[str] = ()
    lacks: str = ""
    within: int = 3_000


_TEXTS = (
    _Known("AGPL-3.0-only", r"gnu affero general public license\W+version 3, 19 november 2007"),
    _Known("LGPL-3.0-only", r"gnu lesser general public license\W+version 3, 29 june 2007"),
    _Known("LGPL-2.1-only", r"gnu lesser general public license\W+version 2\.1, february 1999"),
    _Known("LGPL-2.0-only", r"gnu library general public license\W+version 2, june 1991"),
    _Known("GPL-3.0-only", r"gnu general public license\W+version 3, 29 june 2007"),
    _Known("GPL-2.0-only", r"gnu general public license\W+version 2, june 1991"),
    _Known("GPL-1.0-only", r"gnu general public license\W+version 1, february 1989"),
    _Known("MPL-2.0", r"mozilla public license,?\W+version 2\.0", ("covered software",), within=9_000),
    _Known("MPL-1.1", r"mozilla public license,?\W+version 1\.1", ("covered code",), within=9_000),
    _Known("Apache-2.0", r"apache license,?\W+version 2\.0, january 2004"),
    _Known("EPL-2.0", r"eclipse public license - v 2\.0"),
    _Known("EUPL-1.2", r"european union public licence v\. 1\.2"),
    _Known("Artistic-2.0", r"the artistic license 2\.0"),
    _Known("Unlicense", r"this is free and unencumbered software released into the public domain"),
    _Known("CC0-1.0", r"cc0 1\.0 universal"),
    _Known("CC-BY-SA-4.0", r"attribution-sharealike 4\.0 international"),
    _Known("CC-BY-4.0", r"(?<!-)attribution 4\.0 international"),
    _Known("WTFPL", r"do what the fuck you want to public license"),
    _Known("PSF-2.0", r"(python software foundation|psf) license (agreement for python|version 2)"),
    _Known("HPND", r"by obtaining, using,? and/or copying this software", ("without fee is hereby granted",)),
    _Known("BSD-4-Clause", _GRANT_BSD, ("all advertising materials mentioning",), within=1_500),
    _Known("BSD-3-Clause", _GRANT_BSD, ("used to endorse or promote",), within=1_500),
    _Known("BSD-2-Clause", _GRANT_BSD, ("list of conditions",), within=1_500),
    _Known("ISC", _GRANT_ISC, ("copyright notice and this permission notice appear in all copies",), within=600),
    _Known("0BSD", _GRANT_ISC, lacks="notice appear", within=600),
    _Known("Zlib", r"this software is provided 'as-is', without any express or implied warranty", ("altered source",)),
    _Known("BSL-1.0", r"boost software license\W+version 1\.0"),
    _Known("MIT", _GRANT_MIT, ("shall be included in all copies",), within=1_500),
    _Known("MIT-0", _GRANT_MIT, ("the rights to use", "without warranty of any kind"), "shall be included", 1_500),
)
"""Of whole licence texts, in small letters, white space as one space; of two that begin alike the first that fits."""

_NAMED = (
    ("MPL-2.0", "terms of the mozilla public license, v. 2.0"),
    ("Apache-2.0", "licensed under the apache license, version 2.0"),
)
"""Words by which a file, or a short licence file, names a licence that stands elsewhere."""

_LATER = "or (at your option) any later version"
_GNU_HEADERS = (
    ("AGPL-3.0", re.compile(r"gnu affero general public license.{0,120}version 3")),
    ("LGPL-3.0", re.compile(r"gnu lesser general public license.{0,120}version 3")),
    ("LGPL-2.1", re.compile(r"gnu lesser general public license.{0,120}version 2\.1")),
    ("LGPL-2.0", re.compile(r"gnu (?:library|lesser) general public license.{0,120}version 2\b(?!\.)")),
    ("GPL-3.0", re.compile(r"gnu general public license.{0,120}version 3")),
    ("GPL-2.0", re.compile(r"gnu general public license.{0,120}version 2\b")),
)
_CHOICE = re.compile(r"\balternatively\b|\bchoice of\b|\bdual[- ]licen")

EXPRESSIONS = tuple(dict.fromkeys(known.expression for known in _TEXTS))
"""All that can be recognised by their texts."""


class Recognised(NamedTuple):
    """The licence that a text begins with, None where it is not known, and others that it holds further down."""

    expression: str | None
    others: tuple[str, ...] = ()


def recognise(text: str) -> Recognised:
    """Say which licence a whole licence file is.

    The texts of the GNU licences are the same for "only" and "or later"; what a file says of itself decides, and
    where it says nothing, this version alone is granted.
    """
    if (stated := SPDX.search("\n".join(text.split("\n", SPDX_LINES)[:SPDX_LINES]))) is not None:
        return Recognised(expression_of(stated))
    plain = plain_of(text)
    found = _texts_in(plain)
    named = [(place, name) for name, phrase in _NAMED if (place := plain.find(phrase)) >= 0]
    place, first = min([*found, *named], default=(LEAD, ""))
    if place >= LEAD:
        return Recognised(None)
    return Recognised(first, tuple(dict.fromkeys(name for _, name in sorted(found) if name != first)))


def of_header(head: str) -> str | None:
    """Say which licence the words at the top of a file name; of two to choose from, both."""
    plain = plain_of(head)
    for expression, phrase in _NAMED:
        if phrase in plain:
            return expression
    whole = [name for _, name in sorted(_texts_in(plain))]
    for name, pattern in _GNU_HEADERS:
        if (found := pattern.search(plain)) is not None:
            is_later = _LATER in plain[found.start() : found.end() + 120]
            expression = f"{name}-or-later" if is_later else f"{name}-only"
            is_choice = bool(whole) and _CHOICE.search(plain) is not None
            return f"{expression} OR {whole[0]}" if is_choice else expression
    return whole[0] if whole else None


def expression_of(stated: re.Match[str]) -> str:
    """Give the expression of a line of SPDX, without the marks of a comment behind it."""
    return stated.group(1).strip().rstrip("-").strip()


def plain_of(text: str) -> str:
    """Small letters, the marks of comments and white space as one space each."""
    return " ".join(re.sub(r"(?m)^\s*(?://+|/\*+|\*+/?|#+|;+|--|%+|dnl)(?=\s|$)", " ", text.lower()).split())


def _texts_in(plain: str) -> list[tuple[int, str]]:
    """Give each licence whose text stands there and where it begins; of those that begin at one place the first."""
    places: dict[int, str] = {}
    for known in _TEXTS:
        if (found := re.search(known.begins, plain)) is None or found.start() in places:
            continue
        part = plain[found.start() : found.start() + known.within]
        if all(phrase in part for phrase in known.holds) and not (known.lacks and known.lacks in part):
            places[found.start()] = known.expression
    return list(places.items())
