"""Patterns of paths, as RFC 9309 (section 2.2.2) and TDMRep write them: a beginning, with `*` and `$`."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, unquote

from copycat.provenance.signals.recorded import path_of

_UNRESERVED = re.compile(r"%([0-9A-Fa-f]{2})")


@lru_cache(maxsize=4096)
def same_spelling(path: str) -> str:
    """Give a path in which what need not be percent-encoded is not, and the rest is, in capitals."""
    plain = _UNRESERVED.sub(_decoded, path)
    return quote(plain, safe="%/:?#[]@!$&'()*+,;=-._~")


def _decoded(match: re.Match[str]) -> str:
    letter = unquote(match.group(0))
    return letter if re.fullmatch(r"[A-Za-z0-9._~-]", letter) else match.group(0).upper()


def matches(pattern: str, path: str) -> bool:
    """Whether a path begins as a pattern says; takes time in proportion to both."""
    is_whole = pattern.endswith("$")
    parts = [same_spelling(part) for part in re.split(r"\*+", pattern.removesuffix("$"))]
    text = same_spelling(path)
    if not text.startswith(parts[0]):
        return False
    at = len(parts[0])
    if len(parts) == 1:
        return not is_whole or at == len(text)
    for part in parts[1:-1]:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    if is_whole:
        return len(text) - len(parts[-1]) >= at and text.endswith(parts[-1])
    return text.find(parts[-1], at) >= 0


def length(pattern: str) -> int:
    """Give how long a pattern is, in bytes of its encoded form: the longest that matches goes before."""
    return len(same_spelling(pattern).encode())


def covers(pattern: str, url: str) -> bool:
    """Whether a pattern that may be a whole address, or a path, takes in an address ("" takes in everything)."""
    wanted = pattern.strip()
    if not wanted:
        return True
    if wanted.startswith("//"):
        wanted = f"{url.partition('://')[0]}:{wanted}"
    if "://" not in wanted[:12]:
        return matches(wanted if wanted.startswith(("/", "*")) else f"/{wanted}", path_of(url))
    scheme, _, rest = wanted.partition("://")
    host, slash, path = rest.partition("/")
    own_scheme, _, own_rest = url.partition("://")
    own_host = re.split(r"[/?#]", own_rest, maxsplit=1)[0]
    if {scheme.casefold(), own_scheme.casefold()} - {"http", "https"} and scheme.casefold() != own_scheme.casefold():
        return False
    name, own_name = _host(host), _host(own_host)
    is_host = matches(f"/{name}$", f"/{own_name}") if "*" in name else name == own_name
    return is_host and matches(f"{slash or '/'}{path}", path_of(url))


def _host(text: str) -> str:
    """Give a host as it is compared: without a user, a usual port and a last dot."""
    name = text.casefold().rpartition("@")[2]
    return re.sub(r":(?:80|443)?$", "", name).removesuffix(".")
