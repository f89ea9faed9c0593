"""Fetch what a site says, only where the user asks for it, and never from inside the user's own network.

http and https on their usual ports; a name is resolved once, every address it has must be public, and the connection
goes to the address that was checked (so that a second answer of the resolver, or a redirect, cannot lead inside).
At most five redirects (RFC 9309, 2.3.1.2), each checked as the first; bytes and seconds are limited. No proxy of the
environment is used. The user agent says what it is, and a page that robots.txt keeps it from is not fetched, neither
behind a redirect; a page that redirects to another site is not followed, because that site's own files were not read.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from copycat.errors import UserError
from copycat.provenance.signals.reading import absolute, licence_addresses
from copycat.provenance.signals.recorded import MAX_ROBOTS_BYTES, Header, Recorded, Response, path_of
from copycat.provenance.signals.robots import ANY, denied_agents, parse_robots

USER_AGENT = "copycat-provenance/1 (reads robots.txt and the like, once, because its user asked)"
MAX_REDIRECTS = 5
MAX_PAGE_BYTES = 16 << 20
MAX_LICENCES = 10
MAX_ADDRESSES = 4
MAX_SECONDS = 20.0
"""For one address with its redirects; a site has three times as long."""
PORTS = {"http": 80, "https": 443}
NAT64 = ipaddress.ip_network("64:ff9b::/96")
NOT_PUBLIC = tuple(map(ipaddress.ip_network, ("64:ff9b:1::/48", "192.88.99.0/24", "fec0::/10", "5f00::/16")))
"""Local translation, the old relays of 6to4, and what not every version of `ipaddress` knows."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class RefusedAddressError(Exception):
    """An address that is not asked."""


def is_public(address: Address) -> bool:
    """Whether an address is one of the public network, also the IPv4 one that an IPv6 address may wrap."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None and int(address) >> 32 == 0:
            return False
        if inner is not None and not is_public(inner):
            return False
        if address.ipv4_mapped is not None:
            return True
    if any(address in network for network in NOT_PUBLIC if network.version == address.version):
        return False
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_private
    )


def look_up(host: str, port: int) -> list[str]:
    """Give the addresses of a host, with the zone where one has one.

    Raises:
        OSError: it has none. UnicodeError: it is no name.
    """
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


@dataclass(frozen=True)
class Fetcher:
    """Fetches addresses under limits.

    Attributes:
        now: the time of fetching, ISO 8601.
        resolver, is_allowed, ports: who resolves names, which addresses may be asked, and the port of each scheme;
            tests give their own.
    """

    now: str
    resolver: Callable[[str, int], Sequence[str]] = look_up
    is_allowed: Callable[[Address], bool] = is_public
    ports: tuple[tuple[str, int], ...] = tuple(PORTS.items())
    max_seconds: float = MAX_SECONDS

    def fetch_site(self, url: str) -> Recorded:
        """Fetch robots.txt, tdmrep.json, the page and the licences that they name.

        Raises:
            UserError: the address is none that may be asked.
        """
        try:
            self._target(url)
        except RefusedAddressError as error:
            raise UserError(f"'{url}' is not asked: {error}\n  needed: a public http or https address") from None
        except (OSError, ValueError) as error:
            raise UserError(f"'{url}' cannot be found: {error}\n  needed: an address that exists") from None
        until = time.monotonic() + 3 * self.max_seconds
        robots = self.fetch(urljoin(url, "/robots.txt"), MAX_ROBOTS_BYTES, until)
        tdmrep = self.fetch(urljoin(url, "/.well-known/tdmrep.json"), 8 << 20, until)
        rules = parse_robots(robots.body if robots.status == 200 else b"")

        def refuses(address: str) -> str:
            if _site(address) != _site(url):
                return f"is another site; ask it itself: signals {address[:200]} --live"
            return "robots.txt keeps every agent from it" if ANY in denied_agents(rules, path_of(address)) else ""

        page = None if refuses(url) else self.fetch(url, MAX_PAGE_BYTES, until, refuses)
        recorded = Recorded(url=url, page=page, robots=robots, tdmrep=tdmrep)
        named = licence_addresses(recorded)[:MAX_LICENCES]
        licences = [self.fetch(absolute(url, address), 4 << 20, until) for address in named]
        return recorded.model_copy(update={"licences": tuple(licences)})

    def fetch(
        self, url: str, max_bytes: int, until: float | None = None, refuses: Callable[[str], str] = lambda url: ""
    ) -> Response:
        """Fetch one address; what goes wrong is told in the response.

        Args:
            until: when all must be done (time.monotonic). refuses: why a redirect to an address is not followed.
        """
        at = url
        deadline = min(until or float("inf"), time.monotonic() + self.max_seconds)
        for _ in range(MAX_REDIRECTS + 1):
            try:
                answer = self._ask(at, max_bytes, url, deadline)
            except RefusedAddressError as error:
                return Response(url=url, error=f"{at[:200]} is not asked: {error}", fetched_at=self.now)
            except (OSError, http.client.HTTPException, ValueError) as error:
                said = f"{type(error).__name__}: {error}"[:200]
                return Response(url=url, error=said, fetched_at=self.now)
            to = next(iter(answer.header_values("Location")), "")
            if answer.status not in (301, 302, 303, 307, 308) or not to:
                return answer
            at = absolute(at, to)
            why = refuses(at)
            if why:
                return Response(url=url, error=f"redirects to {at[:200]}, which {why}", fetched_at=self.now)
        return Response(
            url=url, status=answer.status, error=f"more than {MAX_REDIRECTS} redirects", fetched_at=self.now
        )

    def _target(self, url: str) -> tuple[Any, list[str], int]:
        """Give the parts of an address, the IP addresses to connect to, all of them checked, and the port.

        Raises:
            RefusedAddressError: it may not be asked.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise RefusedAddressError(str(error)) from None
        usual = dict(self.ports)
        if parts.scheme not in usual:
            raise RefusedAddressError(f"its scheme is '{parts.scheme[:20]}'")
        if not parts.hostname or parts.username is not None:
            raise RefusedAddressError("it has no host, or a user's name")
        if port is not None and port != usual[parts.scheme]:
            raise RefusedAddressError(f"its port is {port}")
        found = self.resolver(parts.hostname, port or usual[parts.scheme])
        addresses = [ipaddress.ip_address(one) for one in found]
        if not addresses:
            raise RefusedAddressError("its name has no address")
        inside = next((one for one in addresses if not self.is_allowed(one)), None)
        if inside is not None:
            raise RefusedAddressError(f"{inside} is no public address")
        return parts, list(map(str, addresses)), port or usual[parts.scheme]

    def _ask(self, url: str, max_bytes: int, asked: str, deadline: float) -> Response:
        parts, addresses, port = self._target(url)
        stream = _connected(addresses[:MAX_ADDRESSES], port, deadline)
        guard = stream.dup()  # stays ours where TLS takes the socket over
        stop = threading.Timer(max(deadline - time.monotonic(), 0), _cut_off, [guard])
        stop.daemon = True
        stop.start()
        try:
            if parts.scheme == "https":
                stream = _secure(stream, parts.hostname)
            connection = http.client.HTTPConnection(parts.hostname, port)
            connection.sock = stream
            headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Connection": "close"}
            connection.request("GET", quote(path_of(url), safe="%/:?#[]@!$&'()*+,;=-._~"), headers=headers)
            answer = connection.getresponse()
            body, is_cut = _body(answer, max_bytes, deadline)
            body, is_cut = _unpacked(body, is_cut, answer.getheader("Content-Encoding", ""), max_bytes)
            return Response(
                url=asked,
                status=answer.status,
                headers=tuple(Header(name, value) for name, value in answer.getheaders()),
                body=body,
                fetched_at=self.now,
                is_cut=is_cut,
                place=url,
            )
        finally:
            stop.cancel()
            guard.close()
            stream.close()


def _connected(addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
    """Connect to the first of some addresses that takes the connection.

    Raises:
        OSError: none does, in time.
    """
    fault: OSError = TimeoutError("took too long")
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((address, port), timeout=left)
        except OSError as error:
            fault = error
    raise fault


def _site(url: str) -> str:
    """Give the host of an address, which is the same site over http and https."""
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _secure(plain: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _cut_off(connection: socket.socket) -> None:
    """End a transfer that takes too long, whatever it is doing: a server may send a byte a minute."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _body(answer: http.client.HTTPResponse, max_bytes: int, deadline: float) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    left = max_bytes
    while left > 0:
        if time.monotonic() > deadline:
            raise TimeoutError("took too long")
        chunk = answer.read(min(left, 1 << 16))
        if not chunk:
            if answer.length:
                raise ValueError(f"ended {answer.length} bytes too early")
            return b"".join(parts), False
        parts.append(chunk)
        left -= len(chunk)
    return b"".join(parts), bool(answer.read(1))


def _unpacked(body: bytes, is_cut: bool, encoding: str, max_bytes: int) -> tuple[bytes, bool]:
    """Undo gzip and deflate, which some servers send unasked.

    Raises:
        ValueError: it is packed in another way, or is torn.
    """
    name = encoding.strip().casefold()
    if name in ("", "identity"):
        return body, is_cut
    if name not in ("gzip", "x-gzip", "deflate"):
        raise ValueError(f"packed as '{name[:20]}', which was not asked for")
    text = b""
    while True:  # a file of gzip may be several, one behind the other
        unpacker = zlib.decompressobj(47)
        try:
            text += unpacker.decompress(body, max_bytes - len(text) + 1)
        except zlib.error as error:
            raise ValueError(f"cannot be unpacked: {error}") from None
        body = unpacker.unused_data
        if not body or len(text) > max_bytes:
            return text[:max_bytes], is_cut or not unpacker.eof or len(text) > max_bytes
