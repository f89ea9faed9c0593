"""XMP inside a file: the packets, and what they say (PLUS Data Mining, TDMRep).

PLUS LDF 2.0.1 (2023), adopted by IPTC Photo Metadata 2023.1: `plus:DataMining`, namespace
http://ns.useplus.org/ldf/xmp/1.0/, with terms of http://ns.useplus.org/ldf/vocab/. "The absence of a prohibition does
not indicate that the asset owner grants permission": unspecified is unknown. TDMRep in PDF: `tdm:reservation` of
http://www.w3.org/ns/tdmrep/.

Of several terms in one value the strictest counts, wherever in the property it stands. XMP that is there and cannot be
unpacked, or of which there is more than is read, is unknown.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any

from copycat.provenance.records import Signal
from copycat.provenance.signals.tdmrep import signal_of
from copycat.provenance.signals.terms import PLUS, Answers, answers_of, strictest, unread, widened

MAX_PACKET_BYTES = 16 << 20
MAX_PACKETS = 500
_PACKET = re.compile(rb"<(?:[\w.-]+:)?(?:xmpmeta|RDF)\b")
_END = re.compile(rb"</(?:[\w.-]+:)?(?:xmpmeta|RDF)\s*>")
_PDF_STREAM = re.compile(rb"/Type\s*/Metadata\b[^>]{0,400}/FlateDecode\b[^>]{0,400}>>\s*stream\r?\n|"
                         rb"/FlateDecode\b[^>]{0,400}/Type\s*/Metadata\b[^>]{0,400}>>\s*stream\r?\n")  # fmt: skip
WIDE_MARKS = ("DataMining".encode("utf-16-le"), "reservation".encode("utf-16-le"))
"""In bytes of the other order they stand one byte further on."""
_PDF_METADATA = re.compile(rb"/Type\s*+/Metadata\b")
_WORD = re.compile(r"DMI-[A-Z-]+")
_TORN_PLUS = re.compile(r"DataMining\b[^A-Za-z]{0,8}[^<]{0,200}?(DMI-PROHIBITED[A-Z-]*)", re.IGNORECASE)
_TORN_TDM = re.compile(r"tdm:reservation\s*+[=>][\s\"']*+(1|true)\b", re.IGNORECASE)
_WRITTEN = {
    "prohibited": "DMI-PROHIBITED",
    "allowed": "DMI-ALLOWED",
    "unspecified": "DMI-UNSPECIFIED",
    "prohibited for ai/ml training": "DMI-PROHIBITED-AIMLTRAINING",
    "prohibited for generative ai/ml training": "DMI-PROHIBITED-GENAIMLTRAINING",
    "prohibited except for search engine indexing": "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING",
}
"""As programs show the terms, and some write them into the file."""


def packets(raw: bytes) -> Iterator[bytes | None]:
    """Yield the XMP packets of a file of whatever kind: they stand there as text, in PNG and PDF perhaps compressed.

    None stands for one that cannot be unpacked, and for all that are too many.
    """
    n = 0
    for source in (raw, *_png_texts(raw), *_pdf_metadata(raw), *_wide_texts(raw)):
        if source is None:
            yield None
            continue
        at = 0
        while (start := _PACKET.search(source, at)) is not None:
            if n == MAX_PACKETS:
                yield None
                return
            end = _END.search(source, start.end(), start.start() + MAX_PACKET_BYTES)
            stop = end.end() if end is not None else min(len(source), start.start() + (1 << 16))
            whole = b"</" + source[start.start() + 1 : start.end()]
            closing = source.find(whole, start.end(), start.start() + MAX_PACKET_BYTES)
            if closing >= 0:
                stop = source.find(b">", closing) + 1 or len(source)
            yield source[start.start() : stop]
            n, at = n + 1, stop


def _png_texts(raw: bytes) -> Iterator[bytes | None]:
    """Yield the text chunks of a PNG that hold XMP in a packed form, unpacked up to a limit."""
    if raw[:8] != b"\x89PNG\r\n\x1a\n":
        return
    at = 8
    while at + 8 <= len(raw):
        size = int.from_bytes(raw[at : at + 4], "big")
        kind, body = raw[at + 4 : at + 8], raw[at + 8 : at + 8 + size]
        if kind == b"iTXt" and body.startswith(b"XML:com.adobe.xmp\0\x01"):
            yield _inflated(body.split(b"\0", 4)[-1] if body.count(b"\0") >= 4 else b"")
        elif kind in (b"zTXt", b"tEXt") and body.startswith((b"Raw profile type xmp\0", b"Raw profile type APP1\0")):
            text = body.partition(b"\0")[2]
            yield _from_hex(_inflated(text[1:]) if kind == b"zTXt" else text)
        at += 12 + size


def _from_hex(text: bytes | None) -> bytes | None:
    """Undo the form of ImageMagick: a name, a length, and bytes as hexadecimal digits in lines."""
    try:
        return None if text is None else bytes.fromhex("".join(text.decode("ascii").split()[2:]))
    except ValueError:
        return None


def _inflated(packed: bytes) -> bytes | None:
    try:
        return zlib.decompressobj().decompress(packed, MAX_PACKET_BYTES)
    except zlib.error:
        return None


def _pdf_metadata(raw: bytes) -> Iterator[bytes | None]:
    """Yield compressed metadata streams of a PDF, unpacked up to a limit; None for metadata of another form."""
    if not raw.startswith(b"%PDF-"):
        return
    found = [_inflated(raw[one.end() : one.end() + MAX_PACKET_BYTES]) for one in _PDF_STREAM.finditer(raw)]
    yield from found
    if not found and _PDF_METADATA.search(raw) and not _PACKET.search(raw):
        yield None


def _wide_texts(raw: bytes) -> Iterator[bytes]:
    """Yield a file as if it were UTF-16, which XMP may be written in, where its words are in it."""
    for word in WIDE_MARKS:
        at = raw.find(word)
        if at >= 0:
            yield raw[at % 2 :].decode("utf-16-le", "replace").encode()


def read_xmp(raw: bytes, place: str, fetched_at: str | None = None) -> Iterator[Signal]:
    """Yield what the XMP of a file says: PLUS Data Mining, and TDMRep."""
    for packet in packets(raw):
        if packet is None:
            note = "XMP is there that cannot be unpacked, or too much of it: what it says is unknown"
            yield Signal(source="plus", answers=unread(), place=f"XMP of {place}", fetched_at=fetched_at, note=note)
            continue
        root, fault = _parsed(packet)
        if root is None:
            yield from _torn(packet, place, fetched_at, fault)
            continue
        for namespace, name, value in _properties(root):
            if name.casefold() == "datamining" and "useplus" in namespace.casefold():
                yield _plus(value, place, fetched_at)
            elif name.casefold() == "reservation" and "tdm" in namespace.casefold():
                yield signal_of("tdmrep-file-inside", [value], f"XMP of {place}", fetched_at)


def _parsed(packet: bytes) -> tuple[Any, str]:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        return fromstring(packet), ""
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        return None, "holds entities" if isinstance(error, DefusedXmlException) else "is no XML"


def _properties(root: Any) -> Iterator[tuple[str, str, str]]:
    """Yield (namespace, name, value) of all properties, written as elements, as attributes or as rdf:resource."""
    for element in root.iter():
        for key, value in element.attrib.items():
            yield *_split(key), str(value)
        namespace, name = _split(element.tag if isinstance(element.tag, str) else "")
        if name.casefold() in ("datamining", "reservation"):
            inside = [value for one in element.iter() for key, value in one.attrib.items() if _holds_value(key)]
            yield namespace, name, " ".join([*inside, *" ".join(element.itertext()).split()])


def _holds_value(key: str) -> bool:
    return not key.startswith("{http://www.w3.org/XML/") and not key.endswith(("}parseType", "}datatype", "}about"))


def _split(key: str) -> tuple[str, str]:
    namespace, brace, name = key.rpartition("}")
    return (namespace.lstrip("{"), name) if brace else ("", key)


def _plus(value: str, place: str, fetched_at: str | None) -> Signal:
    answers, note = read_data_mining(value)
    at = f"XMP plus:DataMining of {place}"
    return Signal(source="plus", raw=value[:200], answers=answers, place=at, fetched_at=fetched_at, note=note)


def read_data_mining(value: str) -> tuple[Answers, str]:
    """Give what a value of plus:DataMining says; a term that is not in the vocabulary refuses where it says so."""
    text = value.strip()
    written = _WRITTEN.get(text.casefold())
    terms = [written] if written else _WORD.findall(text.upper())
    if terms and all(term in PLUS for term in terms):
        answers: Answers = {}
        for uses, answer, _ in (PLUS[term] for term in terms):
            answers = strictest(answers, answers_of(uses, answer) if answer != "unknown" else {})
        return widened(answers), "; ".join(dict.fromkeys(PLUS[term][2] for term in terms if PLUS[term][2]))
    if "PROHIBIT" in text.upper():
        uses, answer, _ = PLUS["DMI-PROHIBITED"]
        return answers_of(uses, answer), "no term of the vocabulary, read as a prohibition"
    return {}, "no term of the vocabulary" if text else ""


def _torn(packet: bytes, place: str, fetched_at: str | None, fault: str) -> Iterator[Signal]:
    text = packet.decode("utf-8", "replace")
    found = _TORN_PLUS.search(text)
    if found:
        answers, note = read_data_mining(found.group(1))
        note = "; ".join(part for part in (f"the XMP {fault}, but a prohibition can be made out", note) if part)
        at = f"XMP plus:DataMining of {place}"
        yield Signal(
            source="plus", raw=found.group(1)[:200], answers=answers, place=at, fetched_at=fetched_at, note=note
        )
    if _TORN_TDM.search(text):
        yield signal_of("tdmrep-file-inside", ["1"], f"XMP of {place}, which {fault}", fetched_at)
    if not found and not _TORN_TDM.search(text) and ("DataMining" in text or "tdm:" in text):
        at = f"XMP of {place}"
        note = f"the XMP {fault}: what it says is unknown"
        yield Signal(source="plus", answers=unread(), place=at, fetched_at=fetched_at, note=note)
