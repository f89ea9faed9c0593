"""Whose address it is: the host of a URL, and whether it lies below a domain. Never a search for letters."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote

from copycat.errors import UserError
from copycat.names import fold

SECOND_LEVEL = frozenset({
    "ac", "asso", "co", "com", "ed", "edu", "gob", "gov", "govt", "gouv", "go", "gv", "id", "ltd", "me", "mil", "ne",
    "net", "nhs", "nom", "nic", "or", "org", "plc", "sch", "school", "web",
})  # fmt: skip
"""Labels under which a country gives out names ("co.uk"); with a country behind them they are nobody's domain."""

SHARED_HOSTS = frozenset({
    "amazonaws.com", "appspot.com", "azurewebsites.net", "blogspot.com", "cloudfront.net", "deviantart.com",
    "firebaseapp.com", "github.io", "githubusercontent.com", "gitlab.io", "googleusercontent.com", "herokuapp.com",
    "neocities.org", "netlify.app", "pages.dev", "substack.com", "tumblr.com", "vercel.app", "weebly.com",
    "wixsite.com", "wordpress.com",
})  # fmt: skip
"""Domains that strangers share, each with a name in front: a name is needed. The full list is publicsuffix.org's, which
changes weekly and is not part of this project; a suffix that is missed here costs a broad answer, never a wrong one."""

_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_LABEL = re.compile(r"^(?!-)[a-z0-9_-]{1,63}(?<!-)$")
_STOPS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})
"""Full stops of other scripts, which end a label too (UTS #46)."""


def domain_spellings(asked: str) -> tuple[str, ...]:
    """Give the spellings in ASCII of a domain that somebody typed: a name, or an address of which the host counts.

    "www." in front is left out, so that the whole domain is asked for. Names in other letters are given as IDNA 2008
    (UTS #46) and as IDNA 2003 spell them, which differ for a few letters such as "ß".

    Raises:
        UserError: it is no domain, or so broad that the answer would say nothing about anybody.
    """
    text = asked.strip().removeprefix("*.")
    spellings = spellings_of(text if _SCHEME.match(text) and "/" in text else f"//{text}")
    spellings = tuple(dict.fromkeys(host.removeprefix("www.") for host in spellings))
    labels = spellings[0].split(".") if spellings else []
    if not spellings or not all(_LABEL.match(label) for label in labels):
        raise UserError(f"'{asked}' is no domain\n  needed: one such as example.org, or an address on it")
    if len(labels) < 2 or (len(labels) == 2 and len(labels[1]) == 2 and labels[0] in SECOND_LEVEL):
        raise UserError(
            f"'{asked}' is too broad: strangers have their addresses below it\n  needed: a domain of your own, such as "
            f"example.{spellings[0]}"
        )
    if spellings[0] in SHARED_HOSTS:
        raise UserError(
            f"'{asked}' is too broad: strangers share it\n  needed: your own name on it, such as name.{spellings[0]}"
        )
    return spellings


def is_below(url: str, domains: tuple[str, ...]) -> bool:
    """Whether the host of an address is one of these domains or lies below one; "notexample.org" is not example.org."""
    return any(host == domain or host.endswith(f".{domain}") for host in spellings_of(url) for domain in domains)


@lru_cache(maxsize=65_536)
def spellings_of(url: str) -> tuple[str, ...]:
    """Give the host of an address in ASCII, in lower case; () where there is none.

    As browsers read it (WHATWG URL): what stands before "@" is no host, a backslash is a slash, a percent sign is
    decoded, tabs and new lines are not there, a last full stop does not count. Without a scheme it begins at once.
    """
    text = "".join(letter for letter in url.strip() if letter not in "\t\n\r").replace("\\", "/")
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme and not _is_port(text, scheme.end()) else text
    authority = re.split(r"[/?#]", rest.lstrip("/"), maxsplit=1)[0]
    host = unquote(authority.rpartition("@")[2])
    host = host if host.startswith("[") else host.partition(":")[0]
    host = host.translate(_STOPS).strip().rstrip(".")
    return _ascii_forms(host) if host else ()


def _is_port(text: str, colon_end: int) -> bool:
    """Whether "example.org:" is followed by a port, so that it is no scheme."""
    return re.match(r"\d{1,5}(?:[/?#]|$)", text[colon_end:]) is not None


def _ascii_forms(host: str) -> tuple[str, ...]:
    if host.isascii():
        return (host.lower(),)
    import idna

    forms: list[str] = []
    with suppress(idna.IDNAError, UnicodeError):
        forms.append(idna.encode(host, uts46=True).decode("ascii"))
    with suppress(UnicodeError):
        forms.append(host.encode("idna").decode("ascii").lower())
    return tuple(dict.fromkeys(forms)) or (fold(host),)
