"""The page of a check in a real browser: quiet, readable on a phone and in the dark, with hostile findings too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from browsing import PHONE, has_sideways_scroll, open_browser, open_page, serious_violations
from playwright.sync_api import Browser

from copycat.provenance.check.page import build_page
from copycat.provenance.dataset import open_dataset
from copycat.provenance.rules import Context
from copycat.provenance.rules.running import run_rules

pytestmark = pytest.mark.slow  # a real browser

EVIL = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    import json

    folder = tmp_path_factory.mktemp("pages")
    rows = [{"id": EVIL, "license": EVIL, "url": f"https://example.org/{EVIL}", "caption": "x" * 3000}] * 2
    for name, lines in (("hostile", rows), ("nothing", [])):
        (folder / name).mkdir()
        (folder / name / "x.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in lines))
        report = run_rules(Context(open_dataset(folder / name), as_of=date(2026, 3, 1)))
        (folder / f"{name}.html").write_text(build_page(report, "1.2.3"), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in ("hostile", "nothing")}


@pytest.mark.parametrize("name", ["hostile", "nothing"])
def test_the_page_is_quiet_whatever_a_dataset_holds(browser: Browser, pages: dict[str, Path], name: str) -> None:
    with open_page(browser, pages[name]) as (page, watched):
        assert page.locator("article.finding").count() >= 1
        watched.assert_quiet()


@pytest.mark.parametrize("name", ["hostile", "nothing"])
def test_axe_finds_nothing_serious_in_light_and_dark(browser: Browser, pages: dict[str, Path], name: str) -> None:
    with open_page(browser, pages[name], reduced_motion="reduce") as (page, _):
        assert serious_violations(page) == []
    with open_page(browser, pages[name], color_scheme="dark") as (page, _):
        assert serious_violations(page, only="color-contrast") == []


def test_nothing_sticks_out_on_a_phone(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["hostile"], viewport=PHONE) as (page, _):
        assert not has_sideways_scroll(page)


def test_the_mark_of_a_rule_leads_to_its_finding(browser: Browser, pages: dict[str, Path]) -> None:
    with open_page(browser, pages["hostile"]) as (page, _):
        page.locator("tr", has_text="F2").locator("a.mark").click()

        assert "F2" in page.locator("article.finding:target").inner_text()
