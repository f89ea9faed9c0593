"""XMP in pictures and PDFs, and EPUBs: whole, compressed, torn."""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest
from PIL import Image, PngImagePlugin

from copycat.provenance.signals import combine
from copycat.provenance.signals.embedded import read_embedded

ATTRIBUTE = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:pl="http://ns.useplus.org/ldf/xmp/1.0/" pl:DataMining="{}"/></rdf:RDF></x:xmpmeta>'
)
DENIED = ATTRIBUTE.format("http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING")
ALLOWED = ATTRIBUTE.format("http://ns.useplus.org/ldf/vocab/DMI-ALLOWED")


def answer(raw: bytes, use: str = "training") -> str:
    return combine(read_embedded(raw, "a")).answers[use]  # type: ignore[index]


def png(text: str, is_packed: bool) -> bytes:
    stream, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", text, zip=is_packed)
    Image.new("RGB", (4, 4)).save(stream, "PNG", pnginfo=info)
    return stream.getvalue()


def epub(package: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("OEBPS/content.opf", package)
    return stream.getvalue()


@pytest.mark.parametrize("is_packed", [False, True])
def test_xmp_of_a_png_is_read_packed_or_not(is_packed: bool) -> None:
    assert answer(png(DENIED, is_packed)) == "deny"
    assert answer(png(ALLOWED, is_packed)) == "allow"


def test_xmp_of_a_jpeg_is_read_with_any_prefix_of_the_namespace() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, "JPEG", xmp=DENIED.encode())

    assert answer(stream.getvalue()) == "deny"


def test_a_prohibition_in_torn_xmp_is_made_out() -> None:
    assert answer(DENIED[:-30].encode()) == "deny"


def test_a_permission_in_torn_xmp_does_not_stand_nor_does_one_beside_it() -> None:
    assert answer(ALLOWED[:-30].encode()) == "unknown"


def test_a_circle_of_entities_in_xmp_is_no_meal() -> None:
    bomb = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><!DOCTYPE a [<!ENTITY b "&b;">]>DataMining &b;</x:xmpmeta>'

    assert answer(bomb.encode()) == "unknown"


def test_a_packed_text_that_would_fill_the_memory_is_cut() -> None:
    raw = png(DENIED, is_packed=True)
    body = b"XML:com.adobe.xmp\0\x01\0\0\0" + zlib.compress(b" " * (20 << 20))
    chunk = len(body).to_bytes(4, "big") + b"iTXt" + body + b"\0\0\0\0"

    assert answer(raw[:8] + chunk + raw[8:]) == "deny"


def test_a_reservation_in_the_xmp_of_a_pdf_is_read() -> None:
    packet = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        'xmlns:tdm="http://www.w3.org/ns/tdmrep/" tdm:reservation="1"/></rdf:RDF>'
    )

    assert answer(b"%PDF-1.7\n" + packet.encode() + b"\n%%EOF", "mining") == "deny"


def test_a_packed_metadata_stream_of_a_pdf_is_read() -> None:
    packed = zlib.compress(DENIED.encode())
    head = b"%PDF-1.7\n3 0 obj <</Type /Metadata /Subtype /XML /Filter /FlateDecode /Length 9>>\nstream\n"

    assert answer(head + packed + b"\nendstream endobj\n%%EOF") == "deny"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("before", [b"", b"x"])
def test_xmp_in_utf_16_is_read(encoding: str, before: bytes) -> None:
    assert answer(before + DENIED.encode(encoding)) == "deny"


def test_the_package_of_an_epub_is_read() -> None:
    assert answer(epub('<package><metadata><meta property="tdm:reservation">1</meta></metadata></package>')) == "deny"
    assert answer(epub('<package><metadata><meta property="tdm:reservation">0</meta></metadata></package>')) == "allow"


def test_a_torn_epub_is_unknown() -> None:
    raw = epub('<package><metadata><meta property="tdm:reservation">0</meta></metadata></package>')

    signals = list(read_embedded(raw[:-40], "a.epub"))

    assert combine(signals).answers["training"] == "unknown"
    assert "cannot be read" in signals[0].note
