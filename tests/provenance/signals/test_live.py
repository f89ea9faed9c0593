"""Fetching: against a server on this machine, with a resolver of the test's own; nothing else is asked."""

from __future__ import annotations

import _socket
import gzip
import ipaddress
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from copycat.errors import UserError
from copycat.provenance.signals import resolve
from copycat.provenance.signals.live import Fetcher, is_public

PRIVATE = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.1.2.3"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1"),
    *("ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"),
    *("2002:a00:1::1", "2001:db8::1", "fe80::1%1", "2001:0:4136:e378:8000:63bf:80ff:fffe"),
    *(
        "64:ff9b:1::7f00:1",
        "64:ff9b:1::808:808",
        "::ffff:0:127.0.0.1",
        "::ffff:169.254.169.254",
        "fec0::1",
        "192.88.99.1",
    ),
    *("fd00:ec2::254", "2002:a9fe:a9fe::", "64:ff9b::a9fe:a9fe", "ff0e::1", "2606:4700::1%eth0"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_not_refused(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


class _Site(BaseHTTPRequestHandler):
    """Answers from a table: path -> (status, headers, body)."""

    pages: ClassVar[dict[str, tuple[int, dict[str, str], bytes]]] = {}
    asked: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        _Site.asked.append((self.path, self.headers["User-Agent"]))
        status, headers, body = self.pages.get(self.path, (404, {}, b""))
        if body == b"slow":
            with suppress(OSError):  # the client hangs up
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                for _ in range(40):
                    self.wfile.write(b"X: y\r\n")
                    time.sleep(0.05)
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def site() -> Iterator[Fetcher]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    _Site.pages, _Site.asked = {}, []
    yield Fetcher(
        "2026-01-01T00:00:00Z",
        resolver=lambda host, port: ["127.0.0.1"] if host == "site.example" else ["10.0.0.1"],
        is_allowed=lambda address: str(address) == "127.0.0.1",
        ports=(("http", server.server_address[1]), ("https", 443)),
        max_seconds=5.0,
    )
    server.shutdown()
    server.server_close()


def test_a_site_is_asked_for_all_that_it_says(site: Fetcher) -> None:
    _Site.pages = {
        "/robots.txt": (200, {}, b"User-agent: *\nAllow: /\nLicense: /license.xml\n"),
        "/.well-known/tdmrep.json": (200, {}, b'[{"location": "/", "tdm-reservation": 1}]'),
        "/a": (200, {"X-Robots-Tag": "noai", "Content-Type": "text/html"}, b"<html></html>"),
        "/license.xml": (
            200,
            {},
            b"<rsl><content url='/'><license><prohibits>all</prohibits></license></content></rsl>",
        ),
    }

    found = site.fetch_site("http://site.example/a")

    assert [path for path, _ in _Site.asked] == ["/robots.txt", "/.well-known/tdmrep.json", "/a", "/license.xml"]
    assert all("copycat" in agent for _, agent in _Site.asked)
    assert resolve(found).answers == dict.fromkeys(
        ("training", "generative-training", "mining", "inference", "search"), "deny"
    )
    assert found.page is not None
    assert found.page.fetched_at == "2026-01-01T00:00:00Z"


def test_a_page_that_robots_txt_keeps_us_from_is_not_fetched(site: Fetcher) -> None:
    _Site.pages = {"/robots.txt": (200, {}, b"User-agent: *\nDisallow: /a\n"), "/a": (200, {}, b"x")}

    found = site.fetch_site("http://site.example/a")

    assert found.page is None
    assert "/a" not in [path for path, _ in _Site.asked]


@pytest.mark.parametrize(
    "url",
    ["ftp://site.example/", "file:///etc/passwd", "http://inside.example/", "http://site.example:22/",
     "http://user@site.example/", "http:///x", "http://site.example:x/", "http://site.example@inside.example/",
     "http://inside.example./", "http://[::ffff:127.0.0.1%251]/", "http://[x/",
     "gopher://site.example/", "//site.example/"],
)  # fmt: skip
def test_an_address_that_may_not_be_asked_is_refused_before_anything_is_sent(site: Fetcher, url: str) -> None:
    with pytest.raises(UserError, match="is not asked"):
        site.fetch_site(url)

    assert _Site.asked == []


def test_a_name_with_one_inner_address_among_public_ones_is_refused(site: Fetcher) -> None:
    from dataclasses import replace

    both = replace(site, resolver=lambda host, port: ["127.0.0.1", "10.0.0.1"])

    with pytest.raises(UserError, match="no public address"):
        both.fetch_site("http://site.example/")


def test_a_redirect_is_followed_and_checked_as_the_first_address(site: Fetcher) -> None:
    _Site.pages = {
        "/a": (302, {"Location": "/b"}, b""),
        "/b": (200, {}, b"there"),
        "/in": (302, {"Location": "http://inside.example/"}, b""),
        "/loop": (301, {"Location": "/loop"}, b""),
    }
    port = dict(site.ports)["http"]

    assert site.fetch(f"http://site.example:{port}/a", 100).body == b"there"
    assert "10.0.0.1 is no public address" in site.fetch(f"http://site.example:{port}/in", 100).error
    assert "redirects" in site.fetch(f"http://site.example:{port}/loop", 100).error


def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to(site: Fetcher) -> None:
    """Against DNS rebinding: a second question would be answered with an inner address."""
    from dataclasses import replace

    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    _Site.pages = {"/a": (200, {}, b"x")}
    rebinding = replace(site, resolver=lambda host, port: next(answers))

    assert rebinding.fetch("http://site.example/a", 100).body == b"x"
    assert "no public address" in rebinding.fetch("http://site.example/a", 100).error


def test_a_body_is_cut_at_the_limit_and_says_so(site: Fetcher) -> None:
    _Site.pages = {"/a": (200, {}, b"x" * 1000)}

    found = site.fetch("http://site.example/a", 100)

    assert (len(found.body), found.is_cut) == (100, True)


def test_what_is_packed_unasked_is_unpacked_up_to_the_limit(site: Fetcher) -> None:
    packed = gzip.compress(b"User-agent: *" + b" " * 100_000)
    _Site.pages = {
        "/a": (200, {"Content-Encoding": "gzip"}, packed),
        "/b": (200, {"Content-Encoding": "br"}, b"x"),
        "/c": (200, {"Content-Encoding": "gzip"}, b"torn"),
    }

    found = site.fetch("http://site.example/a", 1000)

    assert (found.body[:13], len(found.body), found.is_cut) == (b"User-agent: *", 1000, True)
    assert "packed as 'br'" in site.fetch("http://site.example/b", 1000).error
    assert "cannot be unpacked" in site.fetch("http://site.example/c", 1000).error


def test_a_server_that_drips_is_cut_off(site: Fetcher) -> None:
    from dataclasses import replace

    _Site.pages = {"/a": (200, {}, b"slow")}
    began = time.monotonic()

    found = replace(site, max_seconds=0.2).fetch("http://site.example/a", 100)

    assert found.error
    assert time.monotonic() - began < 1.5


def test_a_server_that_fails_is_recorded_and_read_as_a_disallow(site: Fetcher) -> None:
    _Site.pages = {"/robots.txt": (503, {}, b"")}

    assert resolve(site.fetch_site("http://site.example/")).answers["search"] == "deny"


def of_system(host: str, port: int) -> list[str]:
    """The resolver of the system, which asks no network for a number and for what is no name."""
    return [str(found[4][0]) for found in _socket.getaddrinfo(host, port, 0, _socket.SOCK_STREAM)]


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "127.1", "0", "127.0.0.1.", "[::ffff:7f00:1]", "[::1]"]
)
def test_this_machine_is_refused_in_whatever_way_its_address_is_written(host: str) -> None:
    with pytest.raises(UserError, match=r"no public address|cannot be found"):
        Fetcher("2026-01-01T00:00:00Z", resolver=of_system).fetch_site(f"http://{host}/")


@pytest.mark.parametrize("host", ["a..example", f"{'a' * 70}.example"])
def test_what_is_no_name_is_told_without_a_traceback(host: str) -> None:
    with pytest.raises(UserError, match="cannot be found"):
        Fetcher("2026-01-01T00:00:00Z", resolver=of_system).fetch_site(f"http://{host}/")


@pytest.mark.parametrize(
    "to",
    ["file:///etc/passwd", "http://169.254.169.254/latest", "http://[::1]/", "http://[", "http://a..b/", "http://u@x/"],
)
def test_a_redirect_to_the_inside_or_to_nowhere_is_told(site: Fetcher, to: str) -> None:
    from dataclasses import replace

    strict = replace(
        site, resolver=lambda host, port: ["127.0.0.1"] if host == "site.example" else of_system(host, port)
    )
    _Site.pages = {"/a": (302, {"Location": to}, b"")}

    assert strict.fetch("http://site.example/a", 100).error


def test_a_page_on_another_site_or_behind_robots_txt_is_not_followed(site: Fetcher) -> None:
    from dataclasses import replace

    both = replace(site, resolver=lambda host, port: ["127.0.0.1"])
    _Site.pages = {
        "/robots.txt": (200, {}, b"User-agent: *\nDisallow: /in/\nContent-Usage: train-ai=y\n"),
        "/a": (302, {"Location": "http://other.example/b"}, b""),
        "/c": (302, {"Location": "/in/c"}, b""),
        "/d": (302, {"Location": "/e"}, b""),
        "/e": (200, {}, b"x"),
    }

    answers = [resolve(both.fetch_site(f"http://site.example/{name}")) for name in "acd"]

    assert [one.answers["generative-training"] for one in answers] == ["unknown", "unknown", "allow"]
    assert "signals http://other.example/b --live" in answers[0].signals[-1].note
    assert not {"/b", "/in/c"} & {path for path, _ in _Site.asked}


def test_no_proxy_of_the_environment_is_used(site: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    _Site.pages = {"/a": (200, {}, b"x")}

    assert site.fetch("http://site.example/a", 100).body == b"x"


def test_the_next_address_is_tried_where_the_first_does_not_answer(site: Fetcher) -> None:
    from dataclasses import replace

    two = replace(site, resolver=lambda host, port: ["::1", "127.0.0.1"], is_allowed=lambda address: True)
    _Site.pages = {"/a": (200, {}, b"x")}

    assert two.fetch("http://site.example/a", 100).body == b"x"


def test_all_members_of_a_packed_file_are_read_and_a_bomb_is_cut(site: Fetcher) -> None:
    packed = gzip.compress(b"User-agent: *\n") + gzip.compress(b"Disallow: /\n")
    _Site.pages = {
        "/a": (200, {"Content-Encoding": "gzip"}, packed),
        "/bomb": (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(8_000_000))),
    }

    assert site.fetch("http://site.example/a", 1000).body == b"User-agent: *\nDisallow: /\n"
    bomb = site.fetch("http://site.example/bomb", 1 << 20)
    assert (len(bomb.body), bomb.is_cut) == (1 << 20, True)


def test_headers_without_an_end_and_a_body_that_ends_early_are_no_answer(site: Fetcher) -> None:
    _Site.pages = {
        "/many": (200, {f"X-{number}": "y" for number in range(300)}, b"x"),
        "/long": (200, {"X": "y" * 70_000}, b"x"),
        "/early": (200, {"Content-Length": "9999"}, b"User-agent: *\n"),
    }

    assert "100 headers" in site.fetch("http://site.example/many", 100).error
    assert "header line" in site.fetch("http://site.example/long", 100).error
    assert "too early" in site.fetch("http://site.example/early", 100).error
