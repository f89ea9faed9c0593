"""The front page on screens of all widths: nothing is cut, and names break where a reader expects it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from board_rows import make_row, write_board
from browsing import DESKTOP, PHONE, has_sideways_scroll, open_browser, open_page
from playwright.sync_api import Browser

from copycat.leaderboard.reported import read_reported

pytestmark = pytest.mark.slow  # a real browser

REPORTED = read_reported(Path(__file__).resolve().parents[2] / "leaderboard")
BEST = "negprompt:name,embedding-5,cooccurrence-5"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [
        make_row("north-xl", 0.7, 0.75),
        make_row("north-xl", 0.2, 0.8, dice=1, mitigation=BEST, attack="arc"),
        make_row("south-2", 0.25, 0.85, is_open=False),
        make_row("east-flow", 0.6, 0.78, modality="video"),
        make_row("sandbox", 0.45, 0.9, section="sandbox", characters="sandbox", judge="sandbox"),
    ]
    return write_board(tmp_path_factory.mktemp("board"), *rows, reported=REPORTED)


@pytest.mark.parametrize("view", [PHONE, {"width": 320, "height": 640}, DESKTOP])
def test_the_page_never_scrolls_sideways_and_the_model_stays_in_view(browser, board, view):
    with open_page(browser, board, viewport=view) as (page, _):
        assert not has_sideways_scroll(page)
        page.eval_on_selector("#g0 .board-box", "box => box.scrollTo(300, 0)")
        edges = "th => [th, th.closest('.board-box')].map(part => part.getBoundingClientRect().left)"
        name, box = page.eval_on_selector("#g0 .rows th", edges)
        assert name >= box


@pytest.mark.parametrize("width", [320, 390, 700, 1100, 1280, 1366])
def test_the_choice_of_columns_stays_on_the_screen(browser, board, width):
    with open_page(browser, board, viewport={"width": width, "height": 800}) as (page, _):
        page.click(".chooser summary")
        page.locator(".choices").wait_for()
        edges = "parts => parts.map(part => part.getBoundingClientRect()).flatMap(box => [box.left, box.right])"
        places = page.eval_on_selector_all(".choices, .choices label", edges)
        assert 0 <= min(places) < max(places) <= width
        assert not has_sideways_scroll(page)


def test_a_phone_shows_both_figures_beside_the_model(browser, board):
    with open_page(browser, board, viewport=PHONE) as (page, _):
        for key in ("detect:all", "cons:all"):
            place = page.eval_on_selector(f'#g0 th[data-key="{key}"]', "head => head.getBoundingClientRect().right")
            assert place <= PHONE["width"]
        under = "links => links.map(link => getComputedStyle(link, '::after').content)"
        assert any("embedding" in text for text in page.eval_on_selector_all("#g0 .rows th a", under))
        tables = "all => all.every(box => box.scrollWidth <= box.clientWidth)"
        assert page.eval_on_selector_all("#published .scroll", tables)
        page.set_viewport_size(DESKTOP)
        page.wait_for_selector('#g0 th[data-key="mitigation"]')
        assert page.get_attribute("#g0 thead th:first-child", "data-key") == "rank"


def test_names_break_after_their_terms_and_not_before_a_number(browser, tmp_path):
    names = ("negprompt:cooccurrence-5", "cooccurrence-5,embedding-5")
    rows = [make_row("m", 0.1 * i, dice=i, mitigation=name) for i, name in enumerate(names)]
    lines = """cell => { const range = document.createRange(), found = {};
      const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
      for (let node; (node = walk.nextNode());) [...node.data].forEach((letter, at) => {
        range.setStart(node, at); range.setEnd(node, at + 1);
        const top = Math.round(range.getBoundingClientRect().top); found[top] = (found[top] ?? "") + letter; });
      return Object.keys(found).sort((a, b) => a - b).map(top => found[top].trim()); }"""
    with open_page(browser, write_board(tmp_path, *rows)) as (page, _):
        found = [page.evaluate(lines, cell) for cell in page.query_selector_all("#g0 .rows td:nth-child(3)")]
    assert sorted(found) == [["cooccurrence-5,", "embedding-5"], ["negprompt:", "cooccurrence-5"]]
