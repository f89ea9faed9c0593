"""TDMRep in an EPUB: `<meta property="tdm:reservation">1</meta>` in its package document."""

from __future__ import annotations

import html
import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator

from copycat.provenance.records import Signal
from copycat.provenance.signals.robots import decoded
from copycat.provenance.signals.tdmrep import signal_of
from copycat.provenance.signals.terms import unread

MAX_PACKAGE_BYTES = 8 << 20
MAX_PACKAGES = 8
_META = re.compile(r"<\s*+(?:[\w-]++:)?meta\b([^<>]*+)>([^<]*+)(?:<!\[CDATA\[([^\]]*+)\]\]>)?", re.IGNORECASE)
_IS_RESERVATION = re.compile(r"=\s*+[\"']?\s*+[\w-]{0,20}tdm[\w-]{0,20}:reservation\b", re.IGNORECASE)
_CONTENT = re.compile(r"\b(?:content|value)\s*+=\s*+[\"']?([^\"'>]*+)", re.IGNORECASE)
_FAULTS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, ValueError, RuntimeError,
           NotImplementedError, EOFError, KeyError, OverflowError)  # fmt: skip


def is_epub(raw: bytes) -> bool:
    """Whether bytes are an EPUB: a ZIP that says so first, or holds a package document."""
    return raw[:2] == b"PK" and (b"application/epub+zip" in raw[:200] or b".opf" in raw)


def read_epub(raw: bytes, place: str, fetched_at: str | None = None) -> Iterator[Signal]:
    """Yield what the package documents of an EPUB say."""
    try:
        texts, is_cut = _packages(raw)
        fault = "has more package documents, or longer ones, than are read" if is_cut else ""
    except _FAULTS as error:
        texts, fault = [], f"cannot be read ({type(error).__name__})"
    for text in texts:
        for attributes, content, marked in _META.findall(text):
            if _IS_RESERVATION.search(attributes):
                inside = _CONTENT.search(attributes)
                value = html.unescape(content.strip() or marked.strip() or (inside.group(1) if inside else ""))
                yield signal_of("tdmrep-file-inside", [value[:200]], f"package document of {place}", fetched_at)
    if fault:
        note = f"the EPUB {fault}: what it says is unknown"
        yield Signal(source="tdmrep-file-inside", answers=unread(), place=place, fetched_at=fetched_at, note=note)


def _packages(raw: bytes) -> tuple[list[str], bool]:
    """Give the package documents, and whether there is more of them."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        names = [name for name in archive.namelist() if name.casefold().endswith(".opf")]
        held = []
        for name in names[:MAX_PACKAGES]:
            with archive.open(name) as member:
                held.append(member.read(MAX_PACKAGE_BYTES + 1))
    is_cut = len(names) > MAX_PACKAGES or any(len(one) > MAX_PACKAGE_BYTES for one in held)
    return [decoded(one) for one in held], is_cut
