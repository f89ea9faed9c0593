"""Which licence a file has, and what tells it: a header of SPDX, the words of a header, the licence file nearest to it.

A licence file is recognised by phrases that stand in this licence and in no other of the table. What is not recognised
is unknown: a wrong licence is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from copycat.fairuse.code.records import Licence

HEADER_LINES = 60
"""A header stands at the top: further down, the words may be what a program prints."""

MAX_LICENCE_BYTES = 200_000
LICENCE_FILE = re.compile(r"(licen[cs]e|copying|unlicense|copyright)([-._].*)?", re.IGNORECASE)

_SPDX = re.compile(r"SPDX-License-Identifier:\s*([A-Za-z0-9.+()\- ]+)")


class _Known(NamedTuple):
    """A licence and phrases that its text holds all of; the first row that fits is taken."""

    expression: str
    phrases: tuple[str, ...]
    lacks: str = ""


_TEXTS = (
    _Known("AGPL-3.0-only", ("gnu affero general public license", "version 3, 19 november 2007")),
    _Known("LGPL-3.0-only", ("gnu lesser general public license", "version 3, 29 june 2007")),
    _Known("LGPL-2.1-only", ("gnu lesser general public license", "version 2.1, february 1999")),
    _Known("LGPL-2.0-only", ("gnu library general public license", "version 2, june 1991")),
    _Known("GPL-3.0-only", ("gnu general public license", "version 3, 29 june 2007")),
    _Known("GPL-2.0-only", ("gnu general public license", "version 2, june 1991")),
    _Known("MPL-2.0", ("mozilla public license version 2.0", "covered software")),
    _Known("Apache-2.0", ("apache license", "version 2.0, january 2004")),
    _Known("EPL-2.0", ("eclipse public license - v 2.0",)),
    _Known("Unlicense", ("this is free and unencumbered software released into the public domain",)),
    _Known("CC0-1.0", ("cc0 1.0 universal",)),
    _Known(
        "BSD-4-Clause", ("redistribution and use in source and binary forms", "all advertising materials mentioning")
    ),
    _Known(
        "BSD-3-Clause",
        ("redistribution and use in source and binary forms", "may be used to endorse or promote products"),
    ),
    _Known("BSD-2-Clause", ("redistribution and use in source and binary forms", "this list of conditions")),
    _Known(
        "ISC",
        (
            "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee",
            "above copyright notice and this permission notice appear in all copies",
        ),
    ),
    _Known(
        "ISC",
        (
            "permission to use, copy, modify, and distribute this software for any purpose with or without fee",
            "above copyright notice and this permission notice appear in all copies",
        ),
    ),
    _Known(
        "0BSD", ("permission to use, copy, modify, and/or distribute this software for any purpose",), "notice appear"
    ),
    _Known("Zlib", ("this software is provided 'as-is', without any express or implied warranty", "altered source")),
    _Known("BSL-1.0", ("boost software license - version 1.0",)),
    _Known("MIT-0", ("permission is hereby granted, free of charge, to any person obtaining",), "shall be included"),
    _Known(
        "MIT",
        ("permission is hereby granted, free of charge, to any person obtaining", "shall be included in all copies"),
    ),
)
"""Of whole licence texts, in small letters, white space as one space."""

_LATER = "or (at your option) any later version"
_HEADERS = (
    ("AGPL-3.0", re.compile(r"gnu affero general public license.{0,120}version 3")),
    ("LGPL-3.0", re.compile(r"gnu lesser general public license.{0,120}version 3")),
    ("LGPL-2.1", re.compile(r"gnu lesser general public license.{0,120}version 2\.1")),
    ("LGPL-2.0", re.compile(r"gnu (?:library|lesser) general public license.{0,120}version 2\b(?!\.)")),
    ("GPL-3.0", re.compile(r"gnu general public license.{0,120}version 3")),
    ("GPL-2.0", re.compile(r"gnu general public license.{0,120}version 2\b")),
)
_PLAIN_HEADERS = (
    ("MPL-2.0", "terms of the mozilla public license, v. 2.0"),
    ("Apache-2.0", "licensed under the apache license, version 2.0"),
)


def licence_of(path: Path, code: str, top: Path) -> Licence:
    """Find the licence of a file.

    Args:
        top: no folder above it is looked into.
    """
    return stated_licence(code) or _of_files(path, top)


def stated_licence(code: str) -> Licence | None:
    """Give the licence that code itself states at its top; None where it states none."""
    head = "\n".join(code.split("\n", HEADER_LINES)[:HEADER_LINES])
    if (found := _SPDX.search(head)) is not None:
        line = head.count("\n", 0, found.start()) + 1
        expression = found.group(1).strip().rstrip("-").strip()
        return Licence(expression=expression, source="spdx-header", evidence=f"line {line}: {found.group().strip()}")
    if (expression_of_header := _of_header(head)) is not None:
        return Licence(
            expression=expression_of_header, source="header-text", evidence=f"the first {HEADER_LINES} lines name it"
        )
    return None


def recognise(text: str) -> str | None:
    """Give the SPDX expression of a whole licence text; None for one that is not in the table.

    The texts of the GNU licences are the same for "only" and "or later"; what a file says of itself decides, and
    where it says nothing, this version alone is granted.
    """
    plain = _plain(text)
    if (found := _SPDX.search(text)) is not None:
        return found.group(1).strip()
    for known in _TEXTS:
        if all(phrase in plain for phrase in known.phrases) and not (known.lacks and known.lacks in plain):
            return known.expression
    return None


def _of_header(head: str) -> str | None:
    plain = _plain(head)
    for expression, phrase in _PLAIN_HEADERS:
        if phrase in plain:
            return expression
    for name, pattern in _HEADERS:
        if (found := pattern.search(plain)) is not None:
            is_later = _LATER in plain[found.start() : found.end() + 120]
            return f"{name}-or-later" if is_later else f"{name}-only"
    return recognise(head) if "permission is hereby granted" in plain or "redistribution and use" in plain else None


def _of_files(path: Path, top: Path) -> Licence:
    """Look for a licence file beside the file, then in each folder above it."""
    unrecognised = ""
    for folder in _folders(path, top):
        for file in sorted(folder.iterdir()):
            if LICENCE_FILE.fullmatch(file.name) is None or not file.is_file():
                continue
            with file.open("rb") as opened:
                text = opened.read(MAX_LICENCE_BYTES).decode("utf-8", "replace")
            name = file.relative_to(top).as_posix()
            if (expression := recognise(text)) is not None:
                return Licence(expression=expression, source="licence-file", evidence=f"{name}, by its text")
            unrecognised = unrecognised or name
        if unrecognised:
            break
    said = f"{unrecognised} is there and not recognised" if unrecognised else "no header and no licence file"
    return Licence(expression=None, source="none", evidence=said)


def _folders(path: Path, top: Path) -> Iterator[Path]:
    folder = path.parent
    while folder != top and top in folder.parents:
        yield folder
        folder = folder.parent
    yield top


def _plain(text: str) -> str:
    """Small letters, the marks of comments and white space as one space each."""
    return " ".join(re.sub(r"(?m)^\s*(?://+|/\*+|\*+/?|#+|;+|--|%+|dnl)(?=\s|$)", " ", text.lower()).split())
