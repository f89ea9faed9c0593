"""Refusals in odd forms, each beside a permission of another form that must not outlive it."""

from __future__ import annotations

import io
import time
import zipfile

import pytest

from copycat.provenance.records import Signal
from copycat.provenance.signals import Header, Recorded, Response, combine, resolve
from copycat.provenance.signals.recorded import path_of
from copycat.provenance.signals.robots_tags import read_robots_tag

URL = "https://example.org/art/a.jpg"
PERMIT = Response(
    status=200,
    body=b"User-agent: *\nAllow: /\nContent-Usage: train-ai=y\nContent-Signal: ai-train=yes, search=yes\n",
)
LICENCE = "<license><prohibits type='usage'>ai-train</prohibits></license>"
FREE = "<license><permits type='usage'>all</permits></license>"
NOAI = b"<meta name=robots content=noai>"


def of_page(body: bytes = b"", *headers: tuple[str, str]) -> Recorded:
    page = Response(status=200, headers=tuple(Header(*pair) for pair in headers), body=body)
    return Recorded(url=URL, page=page, robots=PERMIT)


def answer(recorded: Recorded) -> str:
    return resolve(recorded).answers["training"]


HTML = {
    "a > in quotes": b'<html><meta data-x="a>b" name="robots" content="noai">',
    "an attribute twice": b"<html><meta name=robots content=noai content=all>",
    "spaces around =": b"<html><meta name" + b" " * 90 + b"=" + b"\n" * 90 + b'"robots" content="noai">',
    "a long tag": b'<html><meta data-x="' + b"a" * 9000 + b'" name=robots content=noai>',
    "10,000 tags before": b"<html>" + b"<meta x>" * 10_001 + NOAI,
    "500 KB before": b"<html>" + b"x" * 500_000 + NOAI,
    "noscript": b"<html><noscript>" + NOAI + b"</noscript>",
    "noscript and > in quotes": b'<html><noscript><meta name=robots title="a > b" content=noai></noscript>',
    "entities": b'<html><meta name="&#114;obots" content="no&#97;i">',
    "capitals": b"<HTML><META NAME=ROBOTS CONTENT=NOAI>",
    "slashes for spaces": b"<html><meta/name=robots/content=noai/>",
    "a comment": b"<html><!-- " + NOAI + b" -->",
    "another name first": b"<html><meta name=x property=robots content=noai>",
    "back quotes": b"<html><meta name=`robots` content=`noai`>",
    "UTF-16": (b"<html>" + NOAI).decode().encode("utf-16"),
    "UTF-16 without a mark": (b"<html>" + NOAI).decode().encode("utf-16-be"),
    "a comment first": b"<!-- x --><html>" + NOAI,
    "a declaration first": b"<?xml version='1.0'?>\n<html>" + NOAI,
    "no html element": b"<title>x</title>" + NOAI,
    "another name for the tag": b"<html><meta name=TDM_Reservation content=1>",
    "a slash behind the value": b"<html><meta name=tdm-reservation content=1/>",
}


@pytest.mark.parametrize("body", HTML.values(), ids=HTML)
def test_a_refusal_of_a_page_is_read_in_whatever_form(body: bytes) -> None:
    """S1, malformed."""
    assert answer(of_page(body)) == "deny"


def test_what_a_page_was_not_read_for_is_unknown_and_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copycat.provenance.signals.pages.MAX_PAGE_BYTES", 10_000)
    monkeypatch.setattr("copycat.provenance.signals.pages.MAX_TAGS", 100)

    assert answer(of_page(b"<html>")) == "allow"
    assert answer(of_page(b"<html>" + b" " * 10_000 + NOAI)) == "unknown"
    assert answer(of_page(b"<html>" + b"<link>" * 101)) == "unknown"
    assert answer(Recorded(url=URL, robots=PERMIT, page=Response(error="took too long"))) == "unknown"
    assert answer(Recorded(url=URL, robots=PERMIT, page=Response(status=503))) == "unknown"
    assert (
        answer(Recorded(url=URL, robots=PERMIT, page=Response(status=200, body=b"\xff\xd8", is_cut=True))) == "unknown"
    )


def test_a_permission_in_a_noscript_or_an_unfinished_tag_does_not_stand() -> None:
    for body in (b"<html><noscript><meta name=tdm-reservation content=0></noscript>",
                 b'<html><meta name=tdm-reservation content=0 title="x><p>'):  # fmt: skip
        page = Response(status=200, body=body)
        assert resolve(Recorded(url=URL, page=page)).answers["mining"] == "unknown"


TERM = "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"
YES = "http://ns.useplus.org/ldf/vocab/DMI-ALLOWED"
PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/">{}</rdf:Description></rdf:RDF></x:xmpmeta>'
)
XMP = {
    "a value inside": f'<plus:DataMining><rdf:Description rdf:value="{TERM}"/></plus:DataMining>',
    "a bag": f'<plus:DataMining><rdf:Bag><rdf:li rdf:resource="{TERM}"/></rdf:Bag></plus:DataMining>',
    "allowed first": f"<plus:DataMining><rdf:Bag><rdf:li>{YES}</rdf:li>  {TERM}</rdf:Bag></plus:DataMining>",
    "allowed as resource": f'<plus:DataMining rdf:resource="{YES}">{TERM}</plus:DataMining>',
    "other letters": f"<plus:dataMining>{TERM}</plus:dataMining>",
    "a reference": "<plus:DataMining>&#68;MI-PROHIBITED</plus:DataMining>",
}


@pytest.mark.parametrize("inner", XMP.values(), ids=XMP)
def test_a_refusal_inside_a_picture_is_read_in_whatever_form(inner: str) -> None:
    """S5, malformed."""
    assert answer(of_page(b"\xff\xd8\xff" + PACKET.format(inner).encode())) == "deny"
    assert answer(of_page(b"\xff\xd8\xff" + PACKET.format(inner).encode(), ("Content-Type", "text/html"))) == "deny"


def test_a_refusal_behind_many_packets_is_read_and_more_than_are_read_is_unknown() -> None:
    refusal = PACKET.format(f"<plus:DataMining>{TERM}</plus:DataMining>")

    assert answer(of_page((PACKET.format("") * 20 + refusal).encode())) == "deny"
    assert answer(of_page((PACKET.format("") * 501 + refusal).encode())) == "unknown"


def test_xmp_as_hexadecimal_digits_in_a_png_is_read_and_what_is_torn_is_unknown() -> None:
    packet = PACKET.format(f"<plus:DataMining>{TERM}</plus:DataMining>").encode().hex().encode()
    text = b"Raw profile type xmp\0\nxmp\n   99\n" + packet
    torn = b"XML:com.adobe.xmp\0\x01\0\0\0torn"

    def png(kind: bytes, body: bytes) -> bytes:
        return b"\x89PNG\r\n\x1a\n" + len(body).to_bytes(4, "big") + kind + body + b"\0\0\0\0"

    assert answer(of_page(png(b"tEXt", text))) == "deny"
    assert answer(of_page(png(b"iTXt", torn))) == "unknown"


def test_metadata_of_a_pdf_in_a_form_that_is_not_unpacked_is_unknown() -> None:
    assert answer(of_page(b"%PDF-1.7\n<< /Type /Metadata /Filter /LZWDecode >> stream\nx\nendstream")) == "unknown"


def epub(meta: str, has_type: bool = True) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        if has_type:
            archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("book/package.opf", f"<package>{meta}</package>", zipfile.ZIP_DEFLATED)
    return held.getvalue()


BOOKS = {
    "spaces": '<meta property="tdm:reservation">' + " " * 200 + "1</meta>",
    "a reference": '<meta property="tdm:reservation">&#49;</meta>',
    "a long tag": f'<meta id="{"a" * 400}" property="tdm:reservation" class="{"a" * 400}">1</meta>',
    "marked": '<meta property="tdm:reservation"><![CDATA[1]]></meta>',
    "an attribute": '<opf:meta name="TDM:reservation" content="1"/>',
}


@pytest.mark.parametrize("meta", BOOKS.values(), ids=BOOKS)
def test_a_refusal_in_a_book_is_read_in_whatever_form(meta: str) -> None:
    """S1, malformed."""
    assert answer(of_page(epub(meta))) == "deny"
    assert answer(of_page(epub(meta, has_type=False))) == "deny"


def test_a_form_that_cannot_be_read_does_not_replace_a_lower_one() -> None:
    torn = of_page(epub("")[:-30], ("tdm-reservation", "1"))
    other = [Signal(source="tdmrep-header", answers={"mining": "deny"}),
             Signal(source="tdmrep-meta", answers={"search": "allow"})]  # fmt: skip

    assert resolve(torn).answers["mining"] == "deny"
    assert combine(other).answers["mining"] == "deny"


RULE = "User-agent: GPTBot\nDisallow: /art/\n"
ROBOTS = {
    "two marks": b"\xef\xbb\xbf\xef\xbb\xbf" + RULE.encode(),
    "UTF-16": RULE.encode("utf-16"),
    "UTF-16 without a mark": RULE.encode("utf-16-le"),
    "UTF-32": RULE.encode("utf-32"),
    "CR": RULE.replace("\n", "\r").encode(),
    "500 KB before": b"# " + b"x" * 500_000 + b"\n" + RULE.encode(),
    "several agents": b"User-agent: CCBot, GPTBot\nDisallow: /art/\n",
    "a whole user agent": b"User-agent: Mozilla/5.0 (compatible; GPTBot/1.0)\nDisallow: /art/\n",
    "quotes": b"User-agent: \"GPTBot\"\nDisallow: '/art/'\n",
    "no slash": b"User_agent: GPTBot\nDisallow: art/\n",
    "an address": b"User-agent: GPTBot\nDisallow: https://example.org/art/\n",
    "zeros": b"\0User-agent: GPTBot\n\0Disallow: /art/\n",
}


@pytest.mark.parametrize("body", ROBOTS.values(), ids=ROBOTS)
def test_a_refusal_in_robots_txt_is_read_in_whatever_form(body: bytes) -> None:
    """S1, malformed."""
    page = Response(status=200, headers=(Header("Content-Signal", "ai-train=yes"),))

    assert answer(Recorded(url=URL, page=page, robots=Response(status=200, body=body))) == "deny"


@pytest.mark.parametrize(
    "url",
    ["example.org/art/a", "//example.org/art/a", "https://example.org/x/../art/a", "https://example.org/%2E/art/a",
     " https://example.org/art/a", "https://example.org\\art\\a", "HTTPS://EXAMPLE.ORG/%61rt/a"],
)  # fmt: skip
def test_an_address_has_the_path_that_a_client_would_ask_for(url: str) -> None:
    robots = Response(status=200, body=RULE.encode() + b"\nUser-agent: *\nContent-Signal: ai-train=yes\n")

    assert answer(Recorded(url=url, robots=robots)) == "deny"


def test_a_path_has_no_dots_and_keeps_its_query() -> None:
    assert [path_of(url) for url in ("http://a/b/./c/../d?x=/../y", "http://a/..", "http://a/b/..", "cat.jpg", "")] == [
        "/b/d?x=/../y", "/", "/", "/", "/",
    ]  # fmt: skip


HEADERS = {
    "folded": [("X-Robots-Tag", "index,\r\n noai")],
    "twice": [("X-Robots-Tag", "all"), ("X-Robots-Tag", "noai")],
    "spaces in the name": [(" X - Robots - Tag ", "noai")],
    "a letter of no width": [("\ufeffX-Robots-Tag\u200b", "noai")],
    "wide letters": [("\uff38-Robots-Tag", "noai")],
    "as a variable": [("HTTP_X_ROBOTS_TAG", "noai")],
    "an entity": [("X-Robots-Tag", "no&#97;i")],
    "500 KB before": [("X-Robots-Tag", "x," * 250_000 + "noai")],
    "a signal behind 80 KB": [("Content-Signal", "ai-train=yes," + "x=1," * 20_000 + "ai-train=no")],
    "a usage behind 80 KB": [("Content-Usage", "train-ai=y," + "x=1," * 20_000 + "train-ai=n")],
    "an underscore": [("Content-Usage", "train_ai=n")],
    "no hyphen": [("Content-Usage", "TrainAI=n")],
    "a star": [("Content-Usage", "*=n")],
    "a list": [("Content-Usage", "train-ai=(n)")],
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_a_refusal_in_a_header_is_read_in_whatever_name_and_form(headers: list[tuple[str, str]]) -> None:
    """S2, positive."""
    assert answer(of_page(b"", *headers)) == "deny"


def test_a_header_of_spaces_takes_no_longer_than_its_size() -> None:
    began = time.process_time()

    assert answer(of_page(b"", ("Content-Usage", "a=" + " " * 60_000 + "!"), ("X-Robots-Tag", "noai"))) == "deny"
    assert time.process_time() - began < 5


def test_the_size_of_a_preview_is_no_noindex() -> None:
    assert read_robots_tag("max-image-preview:none, max-snippet:-1")[0] == {}
    assert read_robots_tag("max-image-preview: none, none")[0] == {"search": "deny"}


TDMREP = {
    "UTF-16 without a mark": '[{"location":"/","tdm-reservation":1}]'.encode("utf-16-le"),
    "another site first": b'[{"location":"https://x.example/","tdm-reservation":0},{"location":"/","tdm-reservation":1}]',
    "a rule without a value first": b'[{"location":"/"},{"location":"/","tdm-reservation":1}]',
    "wrapped": b'{"rules":[{"location":"/","tdm-reservation":1}]}',
    "capitals": b'[{"location":"/","tdmReservation":1}]',
    "an object": b'[{"location":"/","tdm-reservation":{"value":1}}]',
    "a host": b'[{"location":"example.org/art","tdm-reservation":1}]',
}


@pytest.mark.parametrize("body", TDMREP.values(), ids=TDMREP)
def test_a_reservation_in_a_file_is_read_in_whatever_form(body: bytes) -> None:
    """S1, malformed."""
    assert answer(Recorded(url=URL, robots=PERMIT, tdmrep=Response(status=200, body=body))) == "deny"


RSL = {
    "inside of permits": "<content url='/'><license><permits type='usage'>all<prohibits>ai-train</prohibits></permits>"
    "</license></content>",
    "beside a licence": f"<content url='/'><prohibits type='usage'>ai-train</prohibits>{FREE}</content>",
    "outside of content": f"{LICENCE}<content url='/'>{FREE}</content>",
    "elements for words": f"<content url='/'>{LICENCE.replace('ai-train', '<i>ai-train</i><i>all</i>')}</content>",
    "a port": f"<content url='https://example.org:443/'>{LICENCE}</content>",
    "a dot": f"<content url='https://example.org./'>{LICENCE}</content>",
    "no scheme": f"<content url='//example.org/'>{LICENCE}</content>",
    "an underscore": f"<content url='/'>{LICENCE.replace('-', '_')}</content>",
    "an attribute": f"<content url='/'>{FREE}<license><prohibits type='usage' value='ai-train'/></license></content>",
    "another spelling": f"<content url='/'>{LICENCE.replace('license', 'licence')}</content>",
    "another type": f"<content url='/'>{FREE}{LICENCE.replace('usage', 'use')}</content>",
}


@pytest.mark.parametrize("inner", RSL.values(), ids=RSL)
def test_a_prohibition_in_a_licence_is_read_wherever_it_stands(inner: str) -> None:
    """S1, malformed."""
    licence = Response(status=200, body=f"<rsl>{inner}</rsl>".encode())

    assert answer(Recorded(url=URL, robots=PERMIT, licences=(licence,))) == "deny"


def test_a_prohibition_of_something_unknown_leaves_no_permission() -> None:
    body = f"<rsl><content url='/'>{FREE}{LICENCE.replace('ai-train', 'all of it')}</content></rsl>"
    held = Recorded(url=URL, licences=(Response(status=200, body=body.replace("all of it", "learning").encode()),))

    assert answer(held) == "unknown"


def test_of_two_licences_that_are_named_both_must_be_there() -> None:
    robots = Response(status=200, body=b"License: /a.xml\nLicense: /b.xml\n")
    free = Response(status=200, body=f"<rsl><content url='/'>{FREE}</content></rsl>".encode())

    def at(path: str) -> Response:
        return free.model_copy(update={"url": f"https://example.org{path}"})

    assert answer(Recorded(url=URL, robots=robots, licences=(free,))) == "unknown"
    assert answer(Recorded(url=URL, robots=robots, licences=(at("/a.xml"),))) == "unknown"
    assert answer(Recorded(url=URL, robots=robots, licences=(at("/a.xml"), at("/b.xml")))) == "allow"
    assert answer(Recorded(url=URL, robots=robots, licences=(free, free))) == "allow"


def test_a_licence_is_named_in_whatever_letters() -> None:
    link = ("Link", '</l.xml>; rel="License"; type="application/RSL+xml"')

    assert answer(of_page(b"", link)) == "unknown"
    assert answer(of_page(b"<html><link rel=LICENSE type=application/rsl+xml href=/l.xml>")) == "unknown"
    assert (
        answer(Recorded(url=URL, robots=PERMIT.model_copy(update={"body": PERMIT.body + b"Licence: /l.xml"})))
        == "unknown"
    )
