"""Which licence a file has, and what tells it: a header of SPDX, the words of a header, the licence file nearest to it.

What is not recognised is unknown, and so is what several licence files leave open: a wrong licence is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from copycat.fairuse.code.licence_texts import SPDX, Recognised, expression_of, of_header, plain_of, recognise
from copycat.fairuse.code.records import Licence
from copycat.fairuse.code.tokens import is_code_file

HEADER_LINES = 60
"""A header stands at the top: further down, the words may be what a program prints."""

MAX_LICENCE_BYTES = 200_000
LICENCE_FILE = re.compile(
    r"((mit|bsd|a?gpl|lgpl|apache|mpl|isc|psf)[-_])?(licen[cs]e|copying|unlicense|copyright)([-._].*)?", re.IGNORECASE
)
_MAIN_FILE = re.compile(r"(licen[cs]e|copying|unlicense)(\.(txt|md|rst))?", re.IGNORECASE)
_FOLDER = re.compile(r"licen[cs]es?", re.IGNORECASE)
_EITHER = re.compile(r"\*?\beither\b\*? of|\bone of\b|\bdual[- ]licen")


def licence_of(path: Path, code: str, top: Path) -> Licence:
    """Find the licence of a file.

    Args:
        top: no folder above it is looked into.
    """
    return stated_licence(code) or _of_files(path, top)


def stated_licence(code: str) -> Licence | None:
    """Give the licence that code itself states at its top; None where it states none."""
    head = "\n".join(code.split("\n", HEADER_LINES)[:HEADER_LINES])
    if (found := SPDX.search(head)) is not None:
        line = head.count("\n", 0, found.start()) + 1
        evidence = f"line {line}: {found.group().strip()}"
        return Licence(expression=expression_of(found), source="spdx-header", evidence=evidence)
    if (expression := of_header(head)) is not None:
        return Licence(expression=expression, source="header-text", evidence=f"the first {HEADER_LINES} lines name it")
    return None


def _of_files(path: Path, top: Path) -> Licence:
    """Look for licence files beside the file, then in each folder above it; the first folder that has any decides."""
    for folder in _folders(path, top):
        texts = {file.relative_to(top).as_posix(): _text_of(file) for file in _licence_files(folder)}
        if texts:
            return _of_texts(texts)
    return Licence(expression=None, source="none", evidence="no header and no licence file")


def _of_texts(texts: Mapping[str, str]) -> Licence:
    """Decide by the licence files of one folder: the one with the plain name, else all that agree."""
    found = {name: recognise(text) for name, text in texts.items()}
    known = {name: one for name, one in found.items() if one.expression is not None}
    expressions = sorted({one.expression for one in known.values() if one.expression is not None})
    said = ", ".join(f"{name} ({one.expression or 'not recognised'})" for name, one in found.items())
    if not known:
        return Licence(
            expression=None, source="none", evidence=f"{', '.join(texts)} {_is(texts)} there and not recognised"
        )
    main = [name for name in texts if _MAIN_FILE.fullmatch(name.rpartition("/")[2])]
    unread = [name for name in main if name not in known]
    if unread and len(expressions) > 1 and any(_EITHER.search(plain_of(texts[name])) for name in unread):
        return Licence(expression=" OR ".join(expressions), source="licence-file", evidence=f"{said}: one of them")
    if unread and unread == main:
        return Licence(expression=None, source="none", evidence=f"several licence files: {said}")
    if lesser := _lesser_of(expressions):
        return Licence(expression=lesser, source="licence-file", evidence=f"{said}: the lesser one adds to the other")
    of_main = {known[name].expression for name in main if name in known}
    if len(expressions) > 1 and len(of_main) != 1:
        return Licence(expression=None, source="none", evidence=f"several licence files, all or one to choose: {said}")
    name = next(name for name in (*main, *known) if name in known)
    return Licence(expression=known[name].expression, source="licence-file", evidence=_evidence(name, known))


def _evidence(name: str, known: Mapping[str, Recognised]) -> str:
    """Say which file decides, and what else stands in it and beside it."""
    more = [f"further down {', '.join(known[name].others)}"] if known[name].others else []
    decided = known[name].expression
    more += [f"beside it {other} ({one.expression})" for other, one in known.items() if one.expression != decided]
    return "; ".join((f"{name}, by its text", *more))


def _lesser_of(expressions: list[str]) -> str | None:
    """Give the lesser licence of GNU that stands beside the one that it adds to, as it is to be shipped."""
    if len(expressions) == 2 and expressions[0].startswith("GPL-") and expressions[1].startswith("LGPL-"):
        return expressions[1]
    return None


def _is(names: Mapping[str, str]) -> str:
    return "is" if len(names) == 1 else "are"


def _licence_files(folder: Path) -> list[Path]:
    """Give the licence files of a folder; without any, those of a folder LICENSES in it."""
    there = sorted(folder.iterdir())
    found = [file for file in there if LICENCE_FILE.fullmatch(file.name) and _is_text(file)]
    if not found:
        inner = [one for one in there if _FOLDER.fullmatch(one.name) and one.is_dir()]
        found = [file for one in inner for file in sorted(one.iterdir()) if _is_text(file)]
    return found


def _is_text(file: Path) -> bool:
    """Whether it may be a licence: `license.py` is a program."""
    return file.is_file() and not is_code_file(file.name)


def _text_of(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_LICENCE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _folders(path: Path, top: Path) -> Iterator[Path]:
    folder = path.parent
    while folder != top and top in folder.parents:
        yield folder
        folder = folder.parent
    yield top
