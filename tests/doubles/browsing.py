"""Chromium without a head, that looks at pages from disk and remembers what they did behind the reader's back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
REQUIRED = "COPYCAT_REQUIRE_BROWSER"
"""Set where a test without a browser must fail instead of being skipped."""


class Watched(NamedTuple):
    """What pages did: dialogs, errors and refusals on the console, and requests that leave the disk."""

    dialogs: list[str]
    errors: list[str]
    requests: list[str]

    @property
    def outside(self) -> list[str]:
        return [url for url in self.requests if not url.startswith(("file:", "data:"))]

    def assert_quiet(self) -> None:
        assert (self.dialogs, self.errors, self.outside) == ([], [], [])


_IDLE: dict[int, dict[bool, list[Page]]] = {}
"""Pages that wait to be used again, by browser and by whether they run scripts."""


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start Chromium. Not longer than a module: playwright keeps an event loop that others may want."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get(REQUIRED):
            pytest.fail(f"no Chromium is installed, and {REQUIRED} is set")
        pytest.skip("no Chromium is installed; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        _IDLE[id(browser)] = {True: [], False: []}
        yield browser
        del _IDLE[id(browser)]
        browser.close()


@contextmanager
def open_page(
    browser: Browser,
    path: Path,
    query: str = "",
    *,
    viewport: ViewportSize = DESKTOP,
    reduced_motion: Literal["reduce", "no-preference"] = "no-preference",
    color_scheme: Literal["light", "dark"] = "light",
    java_script_enabled: bool = True,
) -> Iterator[tuple[Page, Watched]]:
    """Open a page from disk, alone or beside others; for the options see playwright's `new_context`.

    A window that was left in order is used again, empty: a new one starts a process of Chromium, about a second's work.
    """
    idle = _IDLE[id(browser)][java_script_enabled]
    page = idle.pop() if idle else browser.new_context(java_script_enabled=java_script_enabled).new_page()
    page.set_default_timeout(5_000)
    page.set_viewport_size(viewport)
    page.emulate_media(reduced_motion=reduced_motion, color_scheme=color_scheme)
    watched = Watched([], [], [])
    listeners: dict[Any, Callable[[Any], object]] = {
        "dialog": lambda dialog: (watched.dialogs.append(dialog.message), dialog.dismiss()),
        "console": lambda said: watched.errors.append(said.text) if said.type in ("error", "warning") else None,
        "pageerror": lambda error: watched.errors.append(str(error)),
        "request": lambda request: watched.requests.append(request.url),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    page.goto(path.as_uri() + query)
    yield page, watched
    if java_script_enabled:
        page.evaluate("localStorage.clear()")
    page.goto("about:blank")  # the same address again would be a reload, which keeps what was typed
    page.mouse.move(0, 0)
    for event, listener in listeners.items():
        page.remove_listener(event, listener)
    idle.append(page)


def serious_violations(page: Page, only: str | None = None) -> list[str]:
    """Give what axe-core calls serious or critical, of all its rules or of one."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"preload": False, "resultTypes": ["violations"]}  # a page may not fetch its styles once more
    found = Axe().run(page, options={**options, **({"runOnly": [only]} if only else {})}).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]


def has_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def blur_of(page: Page, selector: str) -> str:
    """How the first such picture is filtered; "none" if it is shown."""
    return str(page.eval_on_selector(selector, "picture => getComputedStyle(picture).filter"))
