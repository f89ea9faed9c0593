"""TDMRep in an EPUB: `<meta property="tdm:reservation">1</meta>` in its package document."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from copycat.provenance.records import Signal
from copycat.provenance.signals.tdmrep import signal_of
from copycat.provenance.signals.terms import unread

MAX_PACKAGE_BYTES = 8 << 20
MAX_MEMBERS = 100_000
_META = re.compile(
    r"<[^<>]{0,40}\bmeta\b[^<>]{0,300}\btdm:reservation\b[^<>]{0,300}>\s{0,99}([^<]{0,40})", re.IGNORECASE
)
_CONTENT = re.compile(r"content\s*=\s*[\"']([^\"']{0,40})", re.IGNORECASE)


def is_epub(raw: bytes) -> bool:
    """Whether bytes begin as an EPUB: a ZIP whose first member says so."""
    return raw[:2] == b"PK" and b"application/epub+zip" in raw[:200]


def read_epub(raw: bytes, place: str, fetched_at: str | None = None) -> Iterator[Signal]:
    """Yield what the package documents of an EPUB say."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = [name for name in archive.namelist()[:MAX_MEMBERS] if name.casefold().endswith(".opf")]
            texts = []
            for name in names[:8]:
                with archive.open(name) as member:
                    texts.append(member.read(MAX_PACKAGE_BYTES).decode("utf-8", "replace"))
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, NotImplementedError, EOFError) as error:
        note = f"the EPUB cannot be read ({type(error).__name__}): what it says is unknown"
        yield Signal(source="tdmrep-file-inside", answers=unread(), place=place, fetched_at=fetched_at, note=note)
        return
    for text in texts:
        for found in _META.finditer(text):
            inside = _CONTENT.search(found.group(0))
            value = found.group(1).strip() or (inside.group(1) if inside else "")
            yield signal_of("tdmrep-file-inside", [value], f"package document of {place}", fetched_at)
