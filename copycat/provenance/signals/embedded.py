"""What a file says inside itself: XMP and C2PA of a picture, XMP of a PDF, the package document of an EPUB."""

from __future__ import annotations

from collections.abc import Iterator

from copycat.provenance.records import Signal
from copycat.provenance.signals.credentials import read_credentials
from copycat.provenance.signals.publications import is_epub, read_epub
from copycat.provenance.signals.xmp import WIDE_MARKS, read_xmp

MARKS = (b"ataMining", b"atamining", b"ATAMINING", b"tdm", b"TDM", b"c2pa", b"dcterms:provenance", b"iTXt",
         b"Raw profile type", b".opf", b"%PDF-", *WIDE_MARKS)  # fmt: skip


def may_speak(raw: bytes) -> bool:
    """Whether anything in a file can be a signal; a glance at its bytes, for many files."""
    return any(mark in raw for mark in MARKS)


def read_embedded(raw: bytes, place: str, fetched_at: str | None = None) -> Iterator[Signal]:
    """Yield the signals inside a file of whatever kind; nothing where there is none."""
    if not may_speak(raw):
        return
    if is_epub(raw):
        yield from read_epub(raw, place, fetched_at)
        return
    yield from read_xmp(raw, place, fetched_at)
    yield from read_credentials(raw, place, fetched_at)
