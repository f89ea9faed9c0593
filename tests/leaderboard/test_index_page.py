"""The front page in a real browser: sorting, filters, the address, comparing, no scripts, strangers' texts, a phone."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from board_rows import make_row, write_board
from browsing import open_browser, open_page, serious_violations
from playwright.sync_api import Browser, Page
from small_sites import EVIL

from copycat.leaderboard.reported import read_reported

pytestmark = pytest.mark.slow  # a real browser

REPORTED = read_reported(Path(__file__).resolve().parents[2] / "leaderboard")
BEST = "negprompt:name,embedding-5,cooccurrence-5"


def real_rows():
    return [
        make_row("north-xl", 0.7, 0.75),
        make_row("north-xl", 0.2, 0.8, dice=1, mitigation=BEST),
        make_row("north-xl", 0.5, 0.7, dice=2, mitigation=BEST, attack="arc"),
        make_row("south-2", 0.25, 0.85, is_open=False, usd_per_picture=0.04, revision="2026-01"),
        make_row("east-flow", 0.6, 0.78, modality="video"),
        make_row("east-flow", 0.3, 0.76, dice=1, modality="video", mitigation="negprompt:name"),
    ]


def sandbox_rows():
    return [
        make_row("sandbox", 0.45, 0.9, section="sandbox", characters="sandbox", judge="sandbox"),
        make_row("sandbox", 0.2, 0.85, 1, section="sandbox", characters="sandbox", judge="sandbox", mitigation=BEST),
    ]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_board(tmp_path_factory.mktemp("board"), *real_rows(), *sandbox_rows(), reported=REPORTED)


@pytest.fixture(scope="module")
def large_board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [make_row(f"model-{i:03}", i / 160, 0.6 + i / 500) for i in range(150)]
    return write_board(tmp_path_factory.mktemp("large"), *rows)


@pytest.fixture
def page(browser: Browser, board: Path) -> Iterator[Page]:
    with open_page(browser, board) as (opened, watched):
        yield opened
        watched.assert_quiet()


def shown(page: Page, column: str = "model", group: str = "#g0") -> list[str]:
    """The texts of one column of the rows in view, without those that are always on top."""
    place = page.eval_on_selector_all(
        f"{group} thead th", f"heads => heads.findIndex(head => head.dataset.key === '{column}')"
    )
    return page.eval_on_selector_all(
        f"{group} .rows tr", f"rows => rows.map(row => row.cells[{place}].innerText.split('\\n')[0].trim())"
    )


def detect(page: Page) -> list[float]:
    return [float(text.split()[0]) for text in shown(page, "detect:all")]


def press(page: Page, column: str, group: str = "#g0") -> None:
    page.click(f'{group} th[data-key="{column}"] button')


# ----------------------------------------------------------------------------------------- sections and ranks


def test_real_models_and_the_sandbox_share_no_table(page):
    assert page.locator("#self-reported .board").count() == 1
    assert page.locator("#sandbox .board").count() == 1
    assert page.locator("#self-reported .board").inner_text().count("sandbox") == 0
    assert "Nothing here yet" in page.locator("#verified").inner_text()
    assert "8 submissions" in page.locator(".kicker").inner_text()


def test_sections_without_rows_come_after_those_with_rows(page):
    order = page.eval_on_selector_all("main > section", "all => all.map(section => section.id)")

    assert order[:4] == ["self-reported", "sandbox", "verified", "published"]
    assert "#self-reported" in page.get_attribute(".sections a:first-child", "href")


def test_a_row_says_who_submitted_it_and_whether_its_pictures_are_withheld(browser, tmp_path):
    rows = [make_row("open-one", submitter="Ann & Co"), make_row("closed-one", dice=1, has_pictures=False)]
    with open_page(browser, write_board(tmp_path, *rows)) as (page, _):
        said = page.eval_on_selector_all("#g0 .rows th", "heads => heads.map(head => head.innerText)")
        by_model = {text.split("\n")[0].strip(): text for text in said}
        assert "Ann & Co" in by_model["open-one"]
        assert "withheld" not in by_model["open-one"]
        assert "pictures withheld" in by_model["closed-one"]
        page.fill("#find", "withheld")
        assert "closed-one" in shown(page)
        assert page.locator("#g0 .rows tr:not(.kept)").count() == 1


def test_published_figures_stand_apart_with_their_judge(page):
    text = page.locator("#published").inner_text()

    assert page.locator("#published .board").count() == 0
    assert "GPT-4V" in text
    assert page.locator("#published table").count() == 3
    assert page.get_attribute("#published .about a", "href") == "https://arxiv.org/abs/2406.14526v2"


def test_rows_that_cannot_be_told_apart_have_an_interval_of_ranks(page):
    ranks = page.eval_on_selector_all("#g0 .rows .r", "cells => cells.map(cell => cell.innerText)")

    assert len(ranks) == 6
    assert all("\N{EN DASH}" in text for text in ranks)
    assert "cannot be told apart" in page.locator("#g0 .beside").inner_text()


def test_a_blank_and_a_refusing_model_are_on_top_whatever_is_sorted_or_filtered(page):
    page.fill("#find", "east")
    press(page, "model")

    names = page.eval_on_selector_all("#g0 .pinned th", "heads => heads.map(head => head.innerText)")
    assert [name.split()[0] for name in names] == ["blank", "refusing"]
    assert page.locator("#g0 .pinned").inner_text().count("by construction") == 2


# ----------------------------------------------------------------------------------------- sorting, filters, address


def test_a_press_on_a_heading_sorts_and_the_third_gives_the_first_order_back(page):
    first = shown(page)

    press(page, "detect:all")
    assert detect(page) == sorted(detect(page))
    assert page.get_attribute('#g0 th[data-key="detect:all"]', "aria-sort") == "ascending"
    press(page, "detect:all")
    assert detect(page) == sorted(detect(page), reverse=True)
    assert page.get_attribute('#g0 th[data-key="detect:all"]', "aria-sort") == "descending"
    press(page, "detect:all")

    assert shown(page) == first
    assert page.locator("#g0 th[aria-sort]").count() == 0


def test_headings_are_pressed_with_the_keyboard(page):
    page.focus('#g0 th[data-key="cons:all"] button')
    page.keyboard.press("Enter")

    assert page.get_attribute('#g0 th[data-key="cons:all"]', "aria-sort") == "descending"


def test_a_filter_keeps_the_unmitigated_row_of_the_same_model_in_view(page):
    page.select_option('[data-filter="mitigation"]', "negprompt:name")

    assert shown(page) == ["east-flow", "east-flow"]
    assert page.locator("#g0 .rows .kept").count() == 1
    assert page.locator("#g0 .count").inner_text() == "1 of 6 rows, and 1 baseline"


def test_a_search_takes_every_word_anywhere_in_a_row(page):
    page.fill("#find", "NORTH arc")

    assert page.locator("#g0 .rows tr:not(.kept)").count() == 1
    assert page.locator("#g0 .rows .kept").count() == 1
    page.fill("#find", "nobody has this")
    assert shown(page) == []
    assert page.locator("#g0 .count").inner_text() == "0 of 6 rows"


def test_the_address_brings_back_what_was_asked_and_so_does_going_back(browser, board, page):
    page.select_option('[data-filter="open"]', "closed")
    press(page, "date")
    page.check("#g0 .anchors .a1")

    with open_page(browser, board, page.evaluate("location.search")) as (other, _):
        assert shown(other) == ["south-2"]
        assert other.get_attribute('#g0 th[data-key="date"]', "aria-sort") == "ascending"
        assert other.is_checked("#g0 .anchors .a1")
        assert other.is_visible("#g0 .scatter.s1")
    for _ in range(3):
        page.go_back()
    assert len(shown(page)) == 6
    assert page.locator("#g0 th[aria-sort]").count() == 0
    assert page.is_checked("#g0 .anchors .a0")


def test_columns_are_chosen_and_stay_chosen_in_the_address(browser, board, page):
    assert page.locator('#g0 th[data-key="seconds"]').count() == 0
    page.click(".chooser summary")
    page.check('.choices input[value="seconds"]')
    page.uncheck('.choices input[value="date"]')

    assert shown(page, "seconds") == ["1.25"] * 6
    with open_page(browser, board, page.evaluate("location.search")) as (other, _):
        assert other.locator('#g0 th[data-key="seconds"]').count() == 1
        assert other.locator('#g0 th[data-key="date"]').count() == 0


def test_prompts_of_one_kind_change_scatter_and_ranks(page):
    page.check("#g0 .anchors .a3")

    assert page.is_visible("#g0 .scatter.s3")
    assert not page.is_visible("#g0 .scatter.s0")
    assert page.is_visible("#g0 .rows tr:first-child .r > :nth-child(4)")
    assert not page.is_visible("#g0 .rows tr:first-child .r > :nth-child(1)")


def test_many_rows_come_as_they_are_scrolled_to_or_all_at_once(browser, large_board):
    with open_page(browser, large_board) as (page, watched):
        assert len(shown(page)) == 50
        assert page.locator("#g0 .count").inner_text() == "150 rows"
        page.eval_on_selector("#g0 .board-box", "box => box.scrollTo(0, box.scrollHeight)")
        page.locator("#g0 .rows tr").nth(50).wait_for(state="attached")  # the page's policy forbids to poll by script
        page.click("#g0 .more button")
        assert len(shown(page)) == 150
        links = page.locator("#g0 .s0 .points a").count()
        assert 0 < links < page.locator("#g0 .s0 .points > circle").count()
        watched.assert_quiet()


def test_of_many_rows_a_search_that_finds_some_begins_with_fifty(browser, large_board):
    with open_page(browser, large_board) as (page, watched):
        page.fill("#find", "model-0")
        assert page.locator("#g0 .count").inner_text() == "100 of 150 rows"
        assert len(shown(page)) == 50
        watched.assert_quiet()


def test_only_a_long_board_scrolls_by_itself(browser, board, large_board):
    is_cut = "box => box.scrollHeight > box.clientHeight"
    for path, expected in ((board, False), (large_board, True)):
        with open_page(browser, path) as (page, _):
            assert page.eval_on_selector("#g0 .board-box", is_cut) is expected


# ----------------------------------------------------------------------------------------- comparing and exports


def test_two_rows_of_one_table_are_compared(page):
    boxes = page.locator("#g0 .rows input")
    boxes.nth(0).check()
    assert "choose another row" in page.inner_text(".compare-bar")
    boxes.nth(1).check()
    boxes.nth(2).check()

    links = page.eval_on_selector_all("#g0 .rows th a", "all => all.map(a => a.getAttribute('href'))")
    wanted = [link.removeprefix("runs/").removesuffix("/index.html") for link in links[1:3]]
    asked = page.eval_on_selector(".compare-bar a", "a => [...new URLSearchParams(a.search)]")
    assert asked == [["a", wanted[0]], ["b", wanted[1]]]
    page.locator("#g1 .rows input").nth(0).check()
    assert page.locator("#g0 .rows input:checked").count() == 0


@pytest.mark.parametrize("kind", ["csv", "json", "tex"])
def test_what_is_shown_is_saved(page, kind):
    page.fill("#find", "south")
    with page.expect_download() as saving:
        page.click(f'#g0 [data-export="{kind}"]')
    text = Path(saving.value.path()).read_text(encoding="utf-8")

    figure = detect(page)[0]
    assert saving.value.suggested_filename == f"copycat-copycat50-self-reported.{kind}"
    if kind == "csv":
        row = list(csv.DictReader(text.splitlines()))[-1]
        assert (row["model"], float(row["DETECT"]), row["status"]) == ("south-2", figure, "self-reported")
        assert float(row["DETECT low"]) < figure < float(row["DETECT high"])
        assert (row["judge"], row["suite"], row["characters"]) == ("some-judge 11111111", "1.0", "copycat50")
        assert 1 <= int(row["rank best"]) < int(row["rank worst"]) <= 6
        assert "\N{EN DASH}" not in text
    elif kind == "json":
        row = json.loads(text)["rows"][-1]
        assert (row["model"], row["DETECT"], row["attack"]) == ("south-2", figure, None)
    else:
        assert r"\toprule" in text
        assert f"& {figure} [" in next(line for line in text.splitlines() if "south-2" in line)
        assert "refusing" in text


def test_a_file_of_the_sandbox_says_what_it_is(page):
    with page.expect_download() as saving:
        page.click('#g1 [data-export="tex"]')

    assert saving.value.suggested_filename == "copycat-sandbox.tex"
    assert "never comparable with real models" in Path(saving.value.path()).read_text(encoding="utf-8")


# ----------------------------------------------------------------------------------------- everybody can read it


def test_without_scripts_all_rows_all_columns_and_every_scatter_can_be_read(browser, board):
    with open_page(browser, board, java_script_enabled=False) as (page, _):
        assert page.locator("#g0 .rows tr").count() == 6
        assert page.is_visible('#g0 th[data-key="submitter"]')
        assert not page.is_visible(".tools")
        page.check("#g0 .anchors .a2")
        assert page.is_visible("#g0 .scatter.s2")
        assert not page.is_visible("#g0 .scatter.s0")
        assert page.is_visible("#g0 .rows tr:first-child .r > :nth-child(3)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_stands_in_anybodys_way(browser, board, scheme):
    with open_page(browser, board, color_scheme=scheme) as (page, watched):
        page.locator("#g0 .rows input").nth(0).check()
        page.click(".chooser summary")
        assert serious_violations(page) == []
        watched.assert_quiet()


def test_every_point_of_a_small_board_is_reached_by_keyboard_and_says_its_figures(page):
    labels = page.eval_on_selector_all("#g0 .s0 .points a", "all => all.map(a => a.getAttribute('aria-label'))")

    assert len(labels) == 6
    assert all("DETECT" in label and "CONS" in label and "[" in label for label in labels)


def test_texts_of_strangers_stay_texts(browser, tmp_path):
    words = dict.fromkeys(("source", "revision", "licence", "judge", "submitter", "organisation", "device"), EVIL)
    words |= {"statement": EVIL, "contact": "javascript:alert(3)", "paper": "javascript:alert(4)", "attack": EVIL}
    rows = [
        make_row(EVIL, 0.5, mitigation=EVIL, judge_revision=EVIL, characters="copycat50", **words),
        make_row("=HYPERLINK(0)", 0.2, dice=1, mitigation="+cmd", judge_revision=EVIL, **{**words, "submitter": "@x"}),
    ]

    address = f"?q={EVIL[:40]}&sort=__proto__"
    with open_page(browser, write_board(tmp_path, *rows), address) as (page, watched):
        page.goto((tmp_path / "index.html").as_uri())
        assert EVIL.split("\u2028", maxsplit=1)[0].strip() in page.locator("#g0 .rows").inner_text()
        assert "49" not in page.title()
        assert page.evaluate("document.querySelectorAll('img, [onerror], [onload], main script').length") == 0
        page.locator("#g0 .rows input").nth(0).check()
        page.locator("#g0 .rows input").nth(1).check()
        page.hover("#g0 .s0 .points circle >> nth=0", force=True)
        assert "DETECT" in page.inner_text("#g0 .tip")
        with page.expect_download() as saving:
            page.click('#g0 [data-export="csv"]')
        lines = list(csv.reader(Path(saving.value.path()).read_text(encoding="utf-8").splitlines()))
        assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "@"))]
        watched.assert_quiet()


def test_an_empty_board_says_how_to_be_the_first(browser, tmp_path):
    with open_page(browser, write_board(tmp_path)) as (page, watched):
        assert page.locator("main").inner_text().count("Nothing here yet") == 4
        assert not page.is_visible(".tools")
        assert "python -m copycat.submit RUN" in page.locator("#how-to-submit").inner_text()
        watched.assert_quiet()


def test_a_figure_that_is_missing_says_why(page):
    titles = page.eval_on_selector_all("#g0 .pinned td[title]", "cells => [...new Set(cells.map(cell => cell.title))]")

    assert titles == [
        "nobody has shown this judge its pictures yet: python -m copycat.eval --model blank",
        "it makes no picture that could be rated",
    ]
