"""The page of a comparison in a real browser: twins come beside each other, with and without JavaScript."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import PHONE, has_sideways_scroll, open_browser, open_page, serious_violations
from playwright.sync_api import Browser, Page, expect

from copycat.fairuse.compare.page import Texts, build_page, build_withheld_page
from copycat.fairuse.compare.withheld import compare_withheld
from copycat.fairuse.metrics import compare_texts, shipped_background
from copycat.fairuse.works import WithheldGrams, load_works

pytestmark = pytest.mark.slow  # a real browser

(ALICE,) = [loaded for loaded in load_works(["public-domain"]) if loaded.work.id == "alice-opening"]
EVIL = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>"


def own_words(n: int) -> str:
    rng = random.Random(1)
    return " ".join(f"moss{rng.randrange(10**6)}" for _ in range(n))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    work = own_words(900) + ALICE.readable + own_words(900)
    output = (
        f"{EVIL} {own_words(3)} {ALICE.readable[900:]} at the end of the day {ALICE.readable[:700]} {own_words(800)}"
    )
    texts = Texts(EVIL, output, "A work", work)
    made = {
        "long": build_page(texts, compare_texts(output, work), shipped_background()),
        "nothing": build_page(Texts("a", "moss", "b", "bell"), compare_texts("moss", "bell")),
        "withheld": build_withheld_page(
            "answer", output, compare_withheld(output, WithheldGrams.of_text(ALICE.work, ALICE.readable, b"s" * 32))
        ),
    }
    for name, page in made.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


def height_in_pane(page: Page, selector: str) -> float:
    """How far below the top of its pane an element begins, in pixels."""
    return float(
        page.evaluate(
            "s => { const e = document.querySelector(s); return e.getClientRects()[0].top"
            " - e.closest('.text').getBoundingClientRect().top }",
            selector,
        )
    )


def test_a_click_on_a_stretch_brings_its_twin_beside_it(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["long"], reduced_motion="reduce") as (page, watched):
        assert not 0 <= height_in_pane(page, "#r1") <= 400
        page.locator("#o1").scroll_into_view_if_needed()
        x, y = page.evaluate(
            "(({right, top}) => [right - 20, top + 8])(document.querySelector('#o1').getClientRects()[0])"
        )
        page.mouse.click(x, y)
        expect(page.locator("#r1")).to_have_class(re.compile("hot"))
        assert height_in_pane(page, "#r1") == pytest.approx(height_in_pane(page, "#o1"), abs=3)
        expect(page.locator("#where")).to_contain_text("1 of ")
        watched.assert_quiet()


def test_the_buttons_step_through_the_stretches(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["long"], reduced_motion="reduce") as (page, _):
        marks = page.locator("#output mark").count()
        expect(page.locator("#before")).to_be_disabled()
        for number in range(1, marks + 1):
            page.locator("#next").click()
            expect(page.locator("#where")).to_have_text(f"{number} of {marks}")
        expect(page.locator("#next")).to_be_disabled()


def test_a_tick_on_the_strip_leads_to_its_stretch(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["long"], reduced_motion="reduce") as (page, _):
        page.locator(".strip a[href='#o2'] rect").click()
        expect(page.locator("#o2")).to_have_class(re.compile("hot"))
        expect(page.locator("#r2")).to_be_in_viewport()


def test_without_javascript_the_numbers_are_links_to_the_twins(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["long"], java_script_enabled=False) as (page, _):
        page.locator("#o1 > a.no").click()
        expect(page.locator("#r1")).to_be_in_viewport()
        expect(page.locator(".steps")).to_be_hidden()


@pytest.mark.parametrize("name", ["long", "nothing", "withheld"])
def test_no_text_is_run_nothing_is_fetched_and_nothing_sticks_out(
    browser: Browser, pages: dict[str, Path], name: str
) -> None:
    for viewport in (PHONE, None):
        with open_page(browser, pages[name], **({"viewport": viewport} if viewport else {})) as (page, watched):
            assert not has_sideways_scroll(page)
            watched.assert_quiet()


@pytest.mark.parametrize("name", ["long", "nothing", "withheld"])
def test_axe_finds_nothing_serious_in_light_and_dark(browser: Browser, pages: dict[str, Path], name: str) -> None:
    with open_page(browser, pages[name], reduced_motion="reduce") as (page, _):
        assert serious_violations(page) == []
    with open_page(browser, pages[name], color_scheme="dark") as (page, _):
        assert serious_violations(page, only="color-contrast") == []
