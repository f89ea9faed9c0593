"""What licences ask of whoever passes copies on, as a table, in our own words: a help to read by, no legal advice.

Expressions are those of SPDX: of `A OR B` the lighter may be taken, of `A AND B` both hold, and an exception after
`WITH` is told and changes nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from copycat.fairuse.code.records import Duty

DUTY_TEXTS: Mapping[Duty, str] = {
    "strong-copyleft": "works that hold it are passed on under the same licence, with their source",
    "weak-copyleft": "the files themselves, as changed, are passed on under the same licence, with their source",
    "notice": "notices of copyright and licence go along",
    "none": "nothing is asked for",
    "unknown": "nothing tells the licence, so nothing tells what it asks for",
}

_LICENCES: Mapping[Duty, tuple[str, ...]] = {
    "strong-copyleft": ("GPL-1.0", "GPL-2.0", "GPL-3.0", "AGPL-3.0", "OSL-3.0", "EUPL-1.2", "CC-BY-SA-4.0"),
    "weak-copyleft": ("LGPL-2.0", "LGPL-2.1", "LGPL-3.0", "MPL-1.1", "MPL-2.0", "EPL-1.0", "EPL-2.0", "CDDL-1.0"),
    "notice": (
        *("MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD-4-Clause", "ISC", "Zlib", "BSL-1.0"),
        *("PSF-2.0", "Python-2.0", "Artistic-2.0", "CC-BY-4.0", "NCSA", "X11", "HPND"),
    ),
    "none": ("Unlicense", "CC0-1.0", "0BSD", "MIT-0", "WTFPL"),
}
DUTIES: Mapping[str, Duty] = {name: duty for duty, names in _LICENCES.items() for name in names}

_WEIGHT: Mapping[Duty, int] = {"none": 0, "notice": 1, "weak-copyleft": 2, "strong-copyleft": 3, "unknown": 4}
_WORD = re.compile(r"[()]|[^\s()]+")


def duty_of(expression: str | None) -> Duty:
    """Give what a licence asks for; `unknown` for None, and for what is no expression of known licences."""
    if expression is None:
        return "unknown"
    words = _WORD.findall(expression)
    stream = iter([*words, ""])
    try:
        duty, last = _any_of(stream, next(stream))
    except (StopIteration, RecursionError):
        return "unknown"
    return duty if last == "" else "unknown"


def _any_of(stream: Iterator[str], word: str) -> tuple[Duty, str]:
    duty, word = _all_of(stream, word)
    while word.upper() == "OR":
        other, word = _all_of(stream, next(stream))
        duty = min(duty, other, key=_WEIGHT.__getitem__)
    return duty, word


def _all_of(stream: Iterator[str], word: str) -> tuple[Duty, str]:
    duty, word = _one(stream, word)
    while word.upper() == "AND":
        other, word = _one(stream, next(stream))
        duty = max(duty, other, key=_WEIGHT.__getitem__)
    return duty, word


def _one(stream: Iterator[str], word: str) -> tuple[Duty, str]:
    if word == "(":
        duty, word = _any_of(stream, next(stream))
        return (duty if word == ")" else "unknown"), next(stream)
    duty = _DUTIES_BY_NAME.get(_bare(word), "unknown")
    word = next(stream)
    if word.upper() == "WITH":
        next(stream)
        word = next(stream)
    return duty, word


def _bare(name: str) -> str:
    """Leave out what says which later versions may be taken: the duty is the same."""
    return re.sub(r"(-only|-or-later|\+)$", "", name, flags=re.IGNORECASE).lower()


_DUTIES_BY_NAME: Mapping[str, Duty] = {name.lower(): duty for name, duty in DUTIES.items()}
