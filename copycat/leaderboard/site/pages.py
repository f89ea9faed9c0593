"""From a template to a page on disk: one environment for all pages, and files that are whole or not there."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

from copycat.errors import DataError
from copycat.runs.folder import write_bytes
from copycat.runs.pages import strict_environment

ASSETS = "assets"
"""The folder, below the root of the site, of styles and scripts."""

SHARED_SCRIPT = "report_grid.js"
"""A script of the report that pages of runs load, too."""

_SOURCES_OF_ROWS = ("reading.py", "records.py", "rows.py", "layout.py")
"""What else than the modules of this package decides what the page of a run says."""


def render(template: str, root: str, **values: object) -> str:
    """Fill a template of templates/site/.

    Args:
        template: Its name there, such as "index.html.j2".
        root: Leads from the page to the root of the site: "" or "../../" and the like.
        values: What the template asks for; one that is missing is an error.
    """
    return _environment().get_template(f"site/{template}").render(root=root, **values)


def write_page(site: Path, href: str, page: str) -> None:
    """Put a page at `href` below the site; a reader sees the old one or the new one.

    Raises:
        DataError: it would lie elsewhere; names of sets and runs come from strangers.
    """
    if href.startswith("/") or "\\" in href or ".." in href.split("/"):
        raise DataError([f"'{href}' would be written outside of the site"])
    path = site / href
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, page.encode("utf-8"))


def root_of(href: str) -> str:
    """Give what leads from the page at `href` to the root: '../../' for 'a/b/index.html'."""
    return "../" * href.count("/")


def write_assets(site: Path) -> None:
    """Copy every style and script of templates/site/ to assets/, with what the report has too, and make meters.css."""
    for asset in (*_sources(".css", ".js"), files("copycat").joinpath("templates", SHARED_SCRIPT)):
        write_page(site, f"{ASSETS}/{asset.name}", asset.read_text(encoding="utf-8"))
    write_page(site, f"{ASSETS}/meters.css", _meters())


def fingerprint() -> str:
    """Give a hash that changes with any template, style, script or module that pages are made by."""
    code = [files("copycat.leaderboard").joinpath(name) for name in _SOURCES_OF_ROWS]
    code += [path for path in files("copycat.leaderboard.site").iterdir() if path.name.endswith(".py")]
    shared = [path for path in files("copycat").joinpath("templates").iterdir() if path.name.startswith("report_")]
    parts = sorted([*code, *shared, *_sources(".j2", ".css", ".js")], key=lambda path: path.name)
    return hashlib.sha256(b"\0".join(part.name.encode() + b"\0" + part.read_bytes() for part in parts)).hexdigest()


def _sources(*endings: str) -> list[Traversable]:
    found = files("copycat").joinpath("templates", "site").iterdir()
    return sorted((path for path in found if path.name.endswith(endings)), key=lambda path: path.name)


@cache
def _environment() -> Environment:
    environment = strict_environment(PackageLoader("copycat"))
    environment.filters["broken"] = broken
    environment.filters["is_web"] = is_web
    return environment


def broken(text: str) -> Markup:
    """Let a long name, such as that of a mitigation, break after its terms and parts."""
    return Markup(re.sub(r"([,+:/])(?=\S)", r"\1<wbr>", str(escape(text))))  # noqa: S704  # escaped


def is_web(address: str | None) -> bool:
    """Whether an address may be linked: http or https, and nothing that could end an attribute."""
    return bool(address and re.fullmatch(r"https?://[^\s<>\"'`\\]+", address))


def _meters() -> str:
    """Give the rules that place the parts of a meter: value, low and upper end in whole per cent."""
    rules = [f".{name}{share}{{--{name}:{share}%}}" for name in "vlu" for share in range(101)]
    return "/* Made: where the dot and the line of a meter are. */\n" + "".join(rules) + "\n"
