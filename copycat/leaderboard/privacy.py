"""Nothing leaves that works like a key, and nothing that tells where somebody works."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from copycat.paths import package_folder

SECRET_FORMS = {
    "a token of the Hugging Face Hub": re.compile(r"\bhf_[A-Za-z0-9]{16,}"),
    "an API key": re.compile(r"\bsk-[A-Za-z0-9][A-Za-z0-9_-]{14,}"),
    "a token of GitHub": re.compile(r"\b(?:gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_\w{20,})"),
    "a key of AWS": re.compile(r"\bAKIA[A-Z0-9]{16}\b"),
    "a key of Google": re.compile(r"\bAIza[A-Za-z0-9_-]{30,}"),
    "a bearer token": re.compile(r"\bbearer\s+[A-Za-z0-9._~+/-]{12,}", re.IGNORECASE),
    "a token of Replicate": re.compile(r"\br8_[A-Za-z0-9]{16,}"),
    "a token of GitLab, Slack or npm": re.compile(r"\b(?:glpat-|xox[abeprs]-|npm_)[A-Za-z0-9-]{16,}"),
    "a signed token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}"),
    "a user's name and password": re.compile(r"\bauthorization\W+basic\s+[A-Za-z0-9+/]{12,}", re.IGNORECASE),
    "a key in a web address": re.compile(
        r"[?&](?:\w*key|\w*token|sig|signature|password|secret)=[^\s&#]{8,}", re.IGNORECASE
    ),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a password in a web address": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@]+@", re.IGNORECASE),
}
HOMES = re.compile(r"(?<![\w.])(?:/home|/Users|/root|[A-Za-z]:\\+Users)(?:[/\\]+[^\s/\\'\"]+)+|(?<![\w/])~/[^\s]+")
WEB_PAGE = re.compile(r"\bhttps?://[^\s?#]+")
"""Of a web address, what may look like a path of a home and is none."""

SECRET_VARIABLES = re.compile(r"(?:TOKEN|_KEY|APIKEY|SECRET|PASSWORD|PASSWD|CREDENTIALS?|_PAT)$", re.IGNORECASE)
MIN_SECRET_LETTERS = 8
"""Shorter values of such variables are placeholders, and are parts of ordinary words."""

ABSOLUTE = re.compile(r"(?<![\w/\\.])(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\'\",;:()]+[/\\])+([^\s/\\'\",;:()]+)")
"""A path from the root with at least one folder in it; its last part is the group."""


def without_places(text: str) -> str:
    """Cut every absolute path in a text to its last part, or to its place inside this package.

    Of '/data/me/judges/small' stays '.../small'.
    """
    inside = f"{package_folder('')}{os.sep}"
    return ABSOLUTE.sub(r".../\1", text.replace(inside, "package:"))


def private_fields(value: Any, environment: Mapping[str, str] = os.environ) -> Iterator[tuple[str, str]]:
    """Give each field of a JSON value that holds something private, and what it is: never the value itself."""
    secrets, home = _secrets_of(environment), _home()
    for field, text in _texts(value):
        if len(text) < MIN_SECRET_LETTERS and "~" not in text and home not in text:
            continue
        for kind, pattern in SECRET_FORMS.items():
            if pattern.search(text):
                yield field, kind
        for name, secret in secrets:
            if secret in text:
                yield field, f"the value of {name}"
        rest = WEB_PAGE.sub(" ", text)
        if HOMES.search(rest) or (home in rest and re.search(rf"(?<![\w.]){re.escape(home)}(?!\w)", rest)):
            yield field, "a path of somebody's home"


@cache
def _home() -> str:
    return str(Path.home())


def _secrets_of(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    named = ((name, value.strip()) for name, value in environment.items() if SECRET_VARIABLES.search(name))
    return [(name, value) for name, value in named if len(value) >= MIN_SECRET_LETTERS]


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Give every text with the path of its field; the keys of mappings are texts, too."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            here = f"{path}.{key}" if path else str(key)
            yield f"{path or 'a key'}", str(key)
            yield from _texts(inner, here)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, path)
